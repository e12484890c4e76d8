from __future__ import annotations

from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from latentcut.core.box_prompt import check_box
from latentcut.core.clicks import Click, check_clicks
from latentcut.core.frame import Frame
from latentcut.core.prediction import Prediction, place_logits
from latentcut.core.session import Session
from latentcut.errors import (
    BadBox,
    ClickOutsideImage,
    MaskSizeMismatch,
    NoSuchCandidate,
    NothingToUndo,
)

SIZE_HW = (4, 6)
NUM_MASKS = 3


class ColumnPredictor:
    """
    Candidate m of K clicks is the first K + m columns; a box counts like a click.

    It keeps the mask and the box that it was given each time, which a session has to choose.
    """

    def __init__(self):
        self.previous_masks, self.boxes = [], []

    def predict(self, encoded, clicks, previous_mask=None, box=None):
        checked = check_clicks(clicks, encoded.size_hw)
        if box is not None:
            check_box(box, encoded.size_hw)
        self.previous_masks.append(previous_mask)
        self.boxes.append(box)
        num_given = len(checked) + (box is not None)
        logits = -np.ones((NUM_MASKS, *SIZE_HW), dtype=np.float32)
        for m in range(NUM_MASKS):
            logits[m, :, : num_given + m] = 1
        scores = np.array([0.5, 0.3, 0.2], dtype=np.float32)
        # a fine frame: no more than the clicked pixels is corrected
        frame = Frame((0, 0, 6, 4), SIZE_HW, (64, 96))
        return Prediction(place_logits(logits, frame), scores, scores.copy(), checked)


def new_session(previous_mask=None):
    return Session(ColumnPredictor(), SimpleNamespace(size_hw=SIZE_HW), previous_mask)


def widths(mask):
    """Number of marked pixels in each row."""
    return mask.sum(axis=1).tolist()


def test_a_new_session_has_an_empty_mask_and_no_prediction():
    session = new_session()

    assert session.clicks == ()
    assert session.prediction is None
    assert session.mask.tolist() == np.zeros(SIZE_HW, dtype=bool).tolist()


def test_every_click_is_answered_together_with_those_before():
    session = new_session()

    first = session.click(0, 0)
    second = session.click(x=5, y=3, positive=False)

    assert first.clicks == (Click(0, 0, positive=True),)
    assert second.clicks == (Click(0, 0, positive=True), Click(5, 3, positive=False))
    assert session.clicks == second.clicks
    assert session.prediction is second
    assert session.mask is second.mask


def test_the_mask_shown_before_a_click_is_the_previous_mask_of_its_prediction():
    session = new_session()

    first = session.click(0, 0)
    session.click(1, 0)
    chosen = session.choose(2)
    session.click(1, 1)

    given = session.predictor.previous_masks
    assert given[0] is None
    assert given[1] is first.mask
    assert given[2] is chosen.mask


def test_a_session_may_start_from_a_mask():
    start = np.zeros(SIZE_HW, dtype=np.uint8)
    start[1, 2] = 255

    session = new_session(start)
    shown = session.mask
    session.click(0, 0)
    session.undo()

    assert np.argwhere(shown).tolist() == [[1, 2]]
    assert session.predictor.previous_masks[0].tolist() == shown.tolist()
    assert session.mask.tolist() == shown.tolist()


def test_the_start_mask_can_be_changed_neither_from_outside_nor_through_the_session():
    start = np.zeros(SIZE_HW, dtype=bool)
    session = new_session(start)

    start[:] = True
    with pytest.raises(ValueError) as caught:
        session.mask[:] = True

    assert str(caught.value) == "assignment destination is read-only"
    assert session.mask.any().tolist() is False


def test_a_start_mask_of_another_size_is_refused():
    with pytest.raises(MaskSizeMismatch) as caught:
        new_session(np.zeros((6, 4), dtype=bool))

    assert str(caught.value) == (
        "the mask has shape (6, 4), but the image is 4 px high and 6 px wide: "
        "the mask must have shape (4, 6)"
    )


def test_undo_goes_back_one_click_or_choice_and_redo_forward_again():
    session = new_session()
    first = session.click(0, 0)
    second = session.click(1, 0)
    chosen = session.choose(1)

    back = [session.undo(), session.undo(), session.undo()]
    forward = [session.redo(), session.redo(), session.redo()]

    assert back == [second, first, None]
    assert forward == [first, second, chosen]
    assert session.prediction is chosen


def test_a_click_after_undo_forgets_what_was_undone():
    session = new_session()
    session.click(0, 0)
    session.click(1, 0)
    session.undo()

    session.click(2, 0)
    with pytest.raises(NothingToUndo) as caught:
        session.redo()

    assert session.clicks == (Click(0, 0), Click(2, 0))
    assert str(caught.value) == "there is nothing to redo: nothing was undone"


def test_a_box_is_a_step_of_its_own_that_stays_in_force():
    session = new_session()

    boxed = session.box(1, 0, 4, 2)
    clicked = session.click(5, 3, positive=False)
    in_force = session.box_xyxy
    undone = [session.undo(), session.undo()]

    assert session.predictor.boxes == [(1.0, 0.0, 4.0, 2.0)] * 2
    assert session.predictor.previous_masks[1] is boxed.mask
    assert clicked.clicks == (Click(5, 3, positive=False),)
    assert in_force == (1.0, 0.0, 4.0, 2.0)
    assert undone == [boxed, None]
    assert session.box_xyxy is None
    assert session.redo() is boxed


def test_a_box_is_answered_anew_with_the_clicks_so_far():
    session = new_session(np.ones(SIZE_HW, dtype=bool))
    session.click(0, 0)

    boxed = session.box(1, 0, 4, 2)
    session.box(1, 0, 5, 3)

    assert boxed.clicks == (Click(0, 0),)
    assert session.predictor.previous_masks[1:] == [None, None]
    assert session.predictor.boxes == [None, (1.0, 0.0, 4.0, 2.0), (1.0, 0.0, 5.0, 3.0)]


def test_a_choice_keeps_the_box():
    session = new_session()
    session.box(1, 0, 4, 2)

    session.choose(1)

    assert session.box_xyxy == (1.0, 0.0, 4.0, 2.0)


def test_a_choice_is_a_step_that_keeps_the_clicks():
    session = new_session()
    session.click(0, 0)

    chosen = session.choose(2)

    assert session.clicks == (Click(0, 0),)
    assert (chosen.selected, widths(session.mask)) == (2, [3, 3, 3, 3])  # 1 click + candidate 2
    assert (session.undo().selected, widths(session.mask)) == (0, [1, 1, 1, 1])


@pytest.mark.parametrize(
    ("action", "message"),
    [
        pytest.param(
            Session.undo,
            "there is nothing to undo: no click, box or choice was made",
            id="undo",
        ),
        pytest.param(Session.redo, "there is nothing to redo: nothing was undone", id="redo"),
        pytest.param(
            lambda session: session.choose(0),
            "there are no candidates to choose from before the first click or box",
            id="choose",
        ),
    ],
)
def test_a_new_session_has_nothing_to_go_back_to_or_choose_from(action, message):
    session = new_session()

    with pytest.raises(NothingToUndo) as caught:
        action(session)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("action", "error"),
    [
        pytest.param(lambda session: session.click(6, 0), ClickOutsideImage, id="click"),
        pytest.param(lambda session: session.box(2, 1, 2, 3), BadBox, id="box"),
        pytest.param(lambda session: session.choose(3), NoSuchCandidate, id="choose"),
    ],
)
def test_a_refused_action_changes_nothing_and_keeps_what_can_be_redone(action, error):
    session = new_session()
    first = session.click(0, 0)
    second = session.click(1, 0)
    session.undo()

    with pytest.raises(error):
        action(session)

    assert session.prediction is first
    assert session.redo() is second


def test_a_session_answers_as_the_predictor_does_with_the_same_mask(predictor, photo):
    session = predictor.open(photo)
    first = session.click(60, 40)
    chosen = session.choose(3)
    second = session.click(20, 80, positive=False)

    encoded = predictor.encode(photo)
    first_alone = predictor.predict(encoded, [Click(60, 40)])
    second_alone = predictor.predict(
        encoded, [Click(60, 40), Click(20, 80, positive=False)], chosen.mask
    )

    assert first.candidates.tobytes() == first_alone.candidates.tobytes()
    assert second.candidates.tobytes() == second_alone.candidates.tobytes()
    assert second.scores.tolist() == second_alone.scores.tolist()


def test_a_session_with_a_box_answers_as_the_predictor_does(predictor, photo):
    corners = (34.0, 15.0, 85.0, 66.0)
    session = predictor.open(photo)
    boxed = session.box(*corners)
    clicked = session.click(20, 80, positive=False)

    encoded = predictor.encode(photo)
    boxed_alone = predictor.predict(encoded, [], box=corners)
    clicked_alone = predictor.predict(
        encoded, [Click(20, 80, positive=False)], boxed.mask, box=corners
    )

    assert boxed.candidates.tobytes() == boxed_alone.candidates.tobytes()
    assert clicked.candidates.tobytes() == clicked_alone.candidates.tobytes()
    assert clicked.scores.tolist() == clicked_alone.scores.tolist()


def test_two_sessions_on_one_image_do_not_meet(predictor, encoded):
    one, other = Session(predictor, encoded), Session(predictor, encoded)

    alone = one.click(60, 40)
    other.click(5, 5)

    assert one.clicks == (Click(60, 40),)
    assert one.prediction is alone


class SessionAgainstList(RuleBasedStateMachine):
    """Any sequence of actions against a list of (clicks, box, chosen) and a position in it."""

    def __init__(self):
        super().__init__()
        self.session = new_session()
        self.steps, self.now = [((), None, None)], 0

    def add(self, clicks, box, selected):
        self.steps = [*self.steps[: self.now + 1], (clicks, box, selected)]
        self.now += 1

    @rule(x=st.integers(0, 5), y=st.integers(0, 3), positive=st.booleans())
    def click(self, x, y, positive):
        self.session.click(x, y, positive)
        clicks, box, _ = self.steps[self.now]
        self.add((*clicks, Click(x, y, positive)), box, 0)

    @rule(x=st.integers(0, 4), y=st.integers(0, 2))
    def box(self, x, y):
        self.session.box(x, y, x + 1, y + 1)
        self.add(self.steps[self.now][0], (x, y, x + 1, y + 1), 0)

    @rule(x=st.sampled_from([-2, 6, float("nan")]))
    def box_outside(self, x):
        with pytest.raises(BadBox):
            self.session.box(x, 0, x + 1, 1)

    @rule(x=st.sampled_from([-1, 6]))
    def click_outside(self, x):
        with pytest.raises(ClickOutsideImage):
            self.session.click(x, 0)

    @precondition(lambda self: self.steps[self.now][2] is not None)
    @rule(index=st.integers(0, NUM_MASKS - 1))
    def choose(self, index):
        self.session.choose(index)
        clicks, box, _ = self.steps[self.now]
        self.add(clicks, box, index)

    @rule()
    def undo(self):
        if self.now == 0:
            with pytest.raises(NothingToUndo):
                self.session.undo()
        else:
            self.now -= 1
            assert self.session.undo() is self.session.prediction

    @rule()
    def redo(self):
        if self.now + 1 == len(self.steps):
            with pytest.raises(NothingToUndo):
                self.session.redo()
        else:
            self.now += 1
            assert self.session.redo() is self.session.prediction

    @invariant()
    def both_agree(self):
        clicks, box, selected = self.steps[self.now]
        prediction = self.session.prediction
        assert (self.session.clicks, self.session.box_xyxy) == (clicks, box)
        assert (None if prediction is None else prediction.selected) == selected


SessionAgainstList.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestSessionAgainstList = SessionAgainstList.TestCase
