from __future__ import annotations

import numpy as np
import pytest

from latentcut.core.clicks import Click
from latentcut.integrations.napari.trail import Prompts, Trail, in_order

DISC, EDGE, CORNER = Click(60.0, 40.0), Click(75.0, 40.0), Click(5.0, 5.0, positive=False)


class Counting:
    """The packaged model, and how often it was asked."""

    def __init__(self, predictor):
        self.predictor, self.asked = predictor, 0

    def predict(self, *arguments, **named):
        self.asked += 1
        return self.predictor.predict(*arguments, **named)


@pytest.fixture
def counting(predictor):
    return Counting(predictor)


def strokes(*clicks):
    return tuple((click,) for click in clicks)


def test_points_are_answered_one_after_the_other_as_in_a_session(predictor, counting, encoded):
    trail = Trail(counting, encoded)

    actual = trail.answer(Prompts(strokes(DISC, CORNER, EDGE)))

    first = predictor.predict(encoded, (DISC,))
    second = predictor.predict(encoded, (DISC, CORNER), first.mask)
    expected = predictor.predict(encoded, (DISC, CORNER, EDGE), second.mask)
    assert np.array_equal(actual.mask, expected.mask)


def test_a_further_point_asks_the_model_once(counting, encoded):
    trail = Trail(counting, encoded)
    trail.answer(Prompts(strokes(DISC, CORNER)))

    trail.answer(Prompts(strokes(DISC, CORNER, EDGE)))

    assert counting.asked == 3


def test_a_point_taken_away_brings_the_answer_before_back_without_asking(counting, encoded):
    trail = Trail(counting, encoded)
    before = trail.answer(Prompts(strokes(DISC)))
    trail.answer(Prompts(strokes(DISC, CORNER)))

    after = trail.answer(Prompts(strokes(DISC)))

    assert after is before
    assert counting.asked == 2


def test_a_scribble_is_answered_at_once(predictor, counting, encoded):
    trail = Trail(counting, encoded)

    actual = trail.answer(Prompts(((DISC, EDGE),)))

    assert counting.asked == 1
    assert np.array_equal(actual.mask, predictor.predict(encoded, (DISC, EDGE)).mask)


def test_a_box_is_answered_anew_and_stays_in_force_for_later_points(predictor, counting, encoded):
    trail = Trail(counting, encoded)
    box = (34.0, 14.0, 86.0, 66.0)
    trail.answer(Prompts(strokes(DISC)))

    boxed = trail.answer(Prompts(strokes(DISC), box))
    actual = trail.answer(Prompts(strokes(DISC, EDGE), box))

    expected = predictor.predict(encoded, (DISC,), box=box)
    assert np.array_equal(boxed.mask, expected.mask)
    expected = predictor.predict(encoded, (DISC, EDGE), expected.mask, box=box)
    assert np.array_equal(actual.mask, expected.mask)


def test_a_start_mask_is_what_the_first_click_goes_on_from(predictor, encoded):
    start = np.zeros(encoded.size_hw, bool)
    start[20:60, 40:80] = True

    actual = Trail(predictor, encoded, start).answer(Prompts(strokes(CORNER)))

    assert np.array_equal(actual.mask, predictor.predict(encoded, (CORNER,), start).mask)


def test_the_next_point_goes_on_from_the_candidate_that_was_chosen(predictor, encoded):
    trail = Trail(predictor, encoded)
    trail.answer(Prompts(strokes(DISC, CORNER)))

    chosen = trail.choose(Prompts(strokes(DISC)), 4)
    actual = trail.answer(Prompts(strokes(DISC, CORNER)))

    expected = predictor.predict(encoded, (DISC, CORNER), chosen.mask)
    assert chosen.selected == 4
    assert np.array_equal(actual.mask, expected.mask)


def test_strokes_keep_the_order_in_which_they_came_whatever_their_layer():
    before = strokes(EDGE, DISC)

    assert in_order(before, strokes(CORNER, DISC, EDGE)) == strokes(EDGE, DISC, CORNER)
    assert in_order(before, strokes(DISC)) == strokes(DISC)


def test_two_points_in_one_place_are_two():
    assert in_order(strokes(DISC), strokes(DISC, DISC)) == strokes(DISC, DISC)
