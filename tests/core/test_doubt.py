"""Clicks that say that the mask before them was of another thing."""

from __future__ import annotations

import numpy as np
import pytest

from latentcut.core.bundle import FrameInfo
from latentcut.core.clicks import Click
from latentcut.core.doubt import contradicts
from latentcut.core.frame import Frame
from latentcut.core.predictor import Predictor

FRAME = Frame((0, 0, 160, 160), (160, 160), (160, 160))  # a grid of 40 x 40 cells of 4 px


def square(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Edges in cells."""
    previous = np.zeros((40, 40), dtype=np.float32)
    previous[top:bottom, left:right] = 1
    return previous


# 20 x 20 cells are a disc of radius 11.3, of which 0.3 are 3.4 cells
@pytest.mark.parametrize(
    ("click", "expected"),
    [
        pytest.param(Click(80, 80, positive=False), True, id="negative in the middle"),
        pytest.param(Click(46, 80, positive=False), False, id="negative at the edge"),
        pytest.param(Click(80, 80, positive=True), False, id="positive inside"),
        pytest.param(Click(36, 80, positive=True), False, id="positive just outside"),
        pytest.param(Click(10, 80, positive=True), True, id="positive far outside"),
        pytest.param(Click(10, 80, positive=False), False, id="negative outside"),
    ],
)
def test_a_click_contradicts_a_mask_when_it_lies_deep_on_the_wrong_side(click, expected):
    assert contradicts(click, FRAME, square(10, 10, 30, 30)) is expected


def test_a_positive_click_contradicts_an_empty_mask_and_a_negative_one_a_full_mask():
    click = Click(80, 80)

    found = [
        contradicts(click, FRAME, square(0, 0, 0, 0)),
        contradicts(Click(80, 80, positive=False), FRAME, square(0, 0, 40, 40)),
        contradicts(click, FRAME, square(0, 0, 40, 40)),
    ]

    assert found == [True, True, False]


def test_a_click_that_the_frame_does_not_show_contradicts_nothing():
    frame = Frame((80, 0, 160, 80), (160, 160), (160, 160))

    assert not contradicts(Click(20, 20), frame, square(10, 10, 30, 30))


def test_a_click_on_the_last_pixel_is_in_the_last_cell():
    assert contradicts(Click(159, 159), FRAME, square(5, 5, 25, 25))


def predictor_that_expects(
    with_mask: float, anew: float, **frame: object
) -> tuple[Predictor, list[bool]]:
    """One that answers everything, with these raw scores; and whether each run had a mask."""
    runs: list[bool] = []

    class Scripted:
        num_masks = 2

        def encode(self, image):
            return (np.zeros(1, dtype=np.float32),)

        def decode(self, features, guidance, index, sign):
            runs.append(bool(guidance[6].any()))
            score = with_mask if runs[-1] else anew
            logits = np.ones((2, 2 * guidance.shape[1], 2 * guidance.shape[2]), dtype=np.float32)
            return logits, np.array([score, score - 1], dtype=np.float32)

    return Predictor(Scripted(), FrameInfo(second_look_gain=None, **frame)), runs


INSIDE = Click(30, 30)
MIDDLE = Click(80, 80, positive=False)
MASK = np.zeros((160, 160), dtype=bool)
MASK[20:140, 20:140] = True


@pytest.mark.parametrize(
    ("with_mask", "anew", "clicks", "runs", "kept"),
    [
        pytest.param(-1.0, 1.0, (INSIDE, MIDDLE), [True, False], 1.0, id="better anew"),
        pytest.param(-1.0, -2.0, (INSIDE, MIDDLE), [True, False], -1.0, id="no better anew"),
        pytest.param(3.0, 4.0, (INSIDE, MIDDLE), [True], 3.0, id="no doubt"),
        pytest.param(-1.0, 1.0, (MIDDLE, INSIDE), [True], -1.0, id="newest agrees"),
        pytest.param(-1.0, 1.0, (MIDDLE,), [True], -1.0, id="no positive click"),
    ],
)
def test_clicks_are_answered_anew_in_doubt_and_the_better_answer_is_kept(
    with_mask, anew, clicks, runs, kept
):
    predictor, seen = predictor_that_expects(with_mask, anew)
    encoded = predictor.encode(np.zeros((160, 160, 3), dtype=np.uint8))

    prediction = predictor.predict(encoded, clicks, MASK)

    assert seen == runs
    assert prediction.expected_iou[0] == pytest.approx(1 / (1 + np.exp(-kept)), abs=1e-6)


def test_beginning_anew_can_be_switched_off():
    predictor, seen = predictor_that_expects(-1.0, 1.0, begin_anew_below=None)
    encoded = predictor.encode(np.zeros((160, 160, 3), dtype=np.uint8))

    predictor.predict(encoded, (INSIDE, MIDDLE), MASK)

    assert seen == [True]
