from __future__ import annotations

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from latentcut.core.clicks import Click, broken_clicks
from latentcut.core.frame import Frame
from latentcut.core.prediction import Prediction, obey_clicks, place_logits
from latentcut.errors import NoSuchCandidate

# logits of three candidates on 2 x 4 px: the left half, everything, nothing
LOGITS = [[[1, 1, -1, -1]] * 2, [[1] * 4] * 2, [[-1] * 4] * 2]
LEFT_HALF = [[True, True, False, False]] * 2
EVERYTHING = [[True] * 4] * 2
NOTHING = [[False] * 4] * 2


def prediction_of(logits=LOGITS, clicks=(), scores=(0.5, 0.3, 0.2), size_hw=None, selected=None):
    logits = np.array(logits, dtype=np.float32)
    image_hw = logits.shape[1:]
    frame = Frame((0, 0, image_hw[1], image_hw[0]), image_hw, size_hw or image_hw)
    return Prediction(
        place_logits(logits, frame),
        np.array(scores, dtype=np.float32),
        np.array([0.75, 0.5, 0.25], dtype=np.float32),
        tuple(clicks),
        selected,
    )


def test_the_selected_mask_is_the_one_with_the_largest_score():
    prediction = prediction_of(scores=(0.2, 0.5, 0.3))

    assert prediction.selected == 1
    assert prediction.mask.tolist() == EVERYTHING


def test_candidates_are_the_masks_in_the_order_of_the_network():
    prediction = prediction_of(scores=(0.2, 0.5, 0.3))

    candidates = prediction.candidates

    assert candidates.tolist() == [LEFT_HALF, EVERYTHING, NOTHING]
    assert candidates.dtype == bool
    assert prediction.num_masks == 3


def test_a_candidate_is_the_same_before_and_after_all_were_asked_for():
    prediction = prediction_of(clicks=[Click(3, 1)])

    alone = prediction.candidate(2)
    together = prediction.candidates

    assert alone.tolist() == together[2].tolist()
    assert prediction.candidate(2) is alone


def test_choosing_gives_the_same_prediction_with_another_mask_selected():
    prediction = prediction_of(clicks=[Click(0, 0)])

    chosen = prediction.choose(1)

    assert (chosen.selected, prediction.selected) == (1, 0)
    assert chosen.mask.tolist() == EVERYTHING
    assert chosen.scores.tolist() == prediction.scores.tolist()
    assert chosen.expected_iou.tolist() == prediction.expected_iou.tolist()
    assert chosen.clicks == prediction.clicks


def test_the_selected_index_is_a_plain_number():
    prediction = prediction_of().choose(np.int64(2))

    assert type(prediction.selected) is int


@pytest.mark.parametrize("index", [3, -1])
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Prediction.candidate, id="candidate"),
        pytest.param(Prediction.choose, id="choose"),
        pytest.param(Prediction.broken_clicks, id="broken-clicks"),
        pytest.param(lambda prediction, index: prediction.reduced(index, 1), id="reduced"),
    ],
)
def test_a_candidate_that_does_not_exist_is_refused(ask, index):
    prediction = prediction_of()

    with pytest.raises(NoSuchCandidate) as caught:
        ask(prediction, index)

    assert str(caught.value) == (f"candidate {index} does not exist: there are 3, numbered 0 to 2")


@pytest.mark.parametrize(
    "array_of",
    [
        pytest.param(lambda p: p.mask, id="mask"),
        pytest.param(lambda p: p.candidate(1), id="candidate"),
        pytest.param(lambda p: p.reduced(1, 2), id="reduced"),
        pytest.param(lambda p: p.scores, id="scores"),
        pytest.param(lambda p: p.expected_iou, id="expected-iou"),
    ],
)
def test_arrays_of_a_prediction_cannot_be_written(array_of):
    array = array_of(prediction_of())

    with pytest.raises(ValueError) as caught:
        array[0] = 0

    assert str(caught.value) == "assignment destination is read-only"


def test_changing_the_stack_of_candidates_does_not_change_the_prediction():
    prediction = prediction_of()

    prediction.candidates[:] = True

    assert prediction.candidates.tolist() == [LEFT_HALF, EVERYTHING, NOTHING]


def test_a_prediction_describes_itself_in_one_line():
    prediction = prediction_of(clicks=[Click(0, 0)])

    assert repr(prediction) == "Prediction(1 clicks on 4 x 2 px, 3 candidates, selected 0)"


def test_every_candidate_obeys_the_clicks():
    clicks = (Click(0, 0), Click(3, 0, positive=False))
    prediction = prediction_of(clicks=clicks)

    broken = [broken_clicks(candidate, clicks) for candidate in prediction.candidates]

    assert broken == [(), (), ()]
    assert prediction.clicks_satisfied is True


def test_contradicting_clicks_are_reported_as_not_satisfied():
    prediction = prediction_of(clicks=[Click(0, 0), Click(0.2, 0.4, positive=False)])

    assert prediction.clicks_satisfied is False
    assert bool(prediction.mask[0, 0]) is False  # the last click in the pixel wins


def test_corrections_are_3_network_pixels_wide():
    logits = -np.ones((1, 1, 12))
    # 12 image pixels on 24 network pixels: a radius of 1.5 image pixels
    prediction = Prediction(
        place_logits(logits.astype(np.float32), Frame((0, 0, 12, 1), (1, 12), (24, 24))),
        np.ones(1, dtype=np.float32),
        np.ones(1, dtype=np.float32),
        (Click(5, 0),),
    )

    assert np.flatnonzero(prediction.mask).tolist() == [4, 5, 6]


def test_the_clicks_that_the_network_broke_are_counted_before_they_are_repaired():
    clicks = (Click(0, 0), Click(1, 1), Click(3, 0, positive=False))
    prediction = prediction_of(clicks=clicks)

    counts = [prediction.broken_clicks(index) for index in range(3)]

    assert counts == [0, 1, 2]  # the left half; everything; nothing
    assert prediction.candidate(2)[0, 0]  # repaired all the same


def test_broken_clicks_are_counted_in_a_chosen_prediction_as_in_its_source():
    prediction = prediction_of(clicks=[Click(3, 0)])
    counted_before = prediction.broken_clicks(2)

    chosen = prediction.choose(2)

    assert (counted_before, chosen.broken_clicks(2), chosen.broken_clicks(0)) == (1, 1, 1)


# a bright square of 16 x 16 cells on 64 x 64, seen in a crop of an image of 400 x 200 px
def square_in_crop(clicks=()):
    logits = -np.ones((1, 64, 64), dtype=np.float32)
    logits[0, 16:32, 16:32] = 1
    frame = Frame((100, 40, 300, 140), (200, 400), (128, 128))
    scores = np.ones(1, dtype=np.float32)
    return Prediction(place_logits(logits, frame), scores, scores.copy(), tuple(clicks))


def test_a_reduced_candidate_is_the_candidate_at_another_size():
    prediction = square_in_crop()

    full, half = prediction.candidate(0), prediction.reduced(0, 200)

    assert (half.shape, half.dtype) == ((100, 200), bool)
    assert np.array_equal(half, full[::2, ::2])  # the square's edges lie on even pixels


def test_a_reduced_candidate_of_a_small_image_is_the_candidate():
    prediction = square_in_crop([Click(0, 0)])

    small = prediction.reduced(0, 400)

    assert small is prediction.candidate(0)


def test_a_reduced_candidate_obeys_its_clicks():
    clicks = (Click(399, 199), Click(175, 80, positive=False))
    prediction = square_in_crop(clicks)

    reduced = prediction.reduced(0, 100)  # a quarter

    assert bool(reduced[49, 99]) is True
    assert bool(reduced[20, 43]) is False  # (175.5 / 4, 80.5 / 4) = (43.9, 20.1)


def test_reducing_does_not_make_the_mask_of_full_size():
    prediction = square_in_crop()

    reduced = prediction.reduced(0, 50)

    assert reduced.shape == (25, 50)
    assert prediction._masks == {}


def test_a_candidate_reduced_to_one_pixel_is_answered():
    prediction = square_in_crop([Click(150, 80)])

    reduced = prediction.reduced(0, 1)

    assert reduced.tolist() == [[True]]


def test_a_mask_that_obeys_its_clicks_is_left_as_it_is():
    mask = np.array([[1, 1, 0, 0]], dtype=bool)

    obey_clicks(mask, [Click(1, 0), Click(2, 0, positive=False)], radius_px=3)

    assert mask.astype(int).tolist() == [[1, 1, 0, 0]]


def test_a_broken_click_changes_a_disc_around_it():
    mask = np.zeros((3, 5), dtype=bool)

    obey_clicks(mask, [Click(2, 1)], radius_px=1)

    assert mask.astype(int).tolist() == [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]


def test_a_disc_stops_half_way_to_a_click_of_the_other_sign():
    mask = np.zeros((1, 9), dtype=bool)

    obey_clicks(mask, [Click(2, 0), Click(5, 0, positive=False)], radius_px=9)

    # pixel 3 is 1 px from the positive click and 2 px from the negative one, pixel 4 is 2 and 1
    assert mask.astype(int).tolist() == [[1, 1, 1, 1, 0, 0, 0, 0, 0]]


def test_pixels_equally_far_from_both_signs_keep_what_the_network_said():
    empty, full = np.zeros((1, 5), dtype=bool), np.ones((1, 5), dtype=bool)
    clicks = [Click(1, 0), Click(3, 0, positive=False)]

    obey_clicks(empty, clicks, radius_px=9)
    obey_clicks(full, clicks, radius_px=9)

    assert empty.astype(int).tolist() == [[1, 1, 0, 0, 0]]
    assert full.astype(int).tolist() == [[1, 1, 1, 0, 0]]


def test_a_radius_below_one_pixel_changes_the_pixel_of_the_click():
    mask = np.ones((1, 3), dtype=bool)

    obey_clicks(mask, [Click(1, 0, positive=False)], radius_px=0.07)

    assert mask.astype(int).tolist() == [[1, 0, 1]]


@pytest.mark.parametrize(
    ("signs", "inside"),
    [
        pytest.param([True, False], 0, id="negative-last"),
        pytest.param([False, True], 1, id="positive-last"),
        pytest.param([True, False, True], 1, id="changed-twice"),
    ],
)
def test_of_opposite_clicks_in_one_pixel_the_last_one_wins(signs, inside):
    mask = np.zeros((1, 3), dtype=bool)

    obey_clicks(mask, [Click(1, 0, positive=sign) for sign in signs], radius_px=1)

    assert int(mask[0, 1]) == inside


@st.composite
def masks_and_clicks(draw):
    """A mask and clicks of which no two of opposite sign lie in one pixel."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    mask = draw(hnp.arrays(bool, (height, width)))
    positions = st.tuples(st.floats(0, width - 1), st.floats(0, height - 1))
    clicks = [Click(*xy, positive=sign) for xy, sign in draw(clicks_at(positions))]
    first = {}
    for click in clicks:
        first.setdefault(click.pixel_xy, click.positive)
    return mask, [click for click in clicks if first[click.pixel_xy] == click.positive]


def clicks_at(positions):
    return st.lists(st.tuples(positions, st.booleans()), max_size=20)


@given(masks_and_clicks(), st.floats(0, 20))
def test_clicks_that_do_not_contradict_each_other_are_all_obeyed(mask_and_clicks, radius_px):
    mask, clicks = mask_and_clicks

    obey_clicks(mask, clicks, radius_px)

    assert broken_clicks(mask, clicks) == ()


@given(masks_and_clicks(), st.floats(0, 20))
def test_only_pixels_within_the_radius_of_a_broken_click_change(mask_and_clicks, radius_px):
    mask, clicks = mask_and_clicks
    before = mask.copy()

    obey_clicks(mask, clicks, radius_px)

    broken = [click.pixel_xy for click in broken_clicks(before, clicks)]
    for row, column in np.argwhere(mask != before):
        nearest_sq = min((column - x) ** 2 + (row - y) ** 2 for x, y in broken)
        assert nearest_sq <= radius_px**2
