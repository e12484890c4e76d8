"""Where a click would settle most, and whether one is needed."""

import numpy as np

from latentcut import Click, Prediction
from latentcut.annotation.advice import looks_good, next_click
from latentcut.core.frame import Frame
from latentcut.core.prediction import PlacedLogits

SIZE_HW = (64, 96)
FRAME = Frame((0, 0, 96, 64), SIZE_HW, SIZE_HW)


def prediction_of(*masks: np.ndarray, expected_iou: float = 0.95, scores=None) -> Prediction:
    """A prediction whose candidates are these masks, the first one selected."""
    placed = [PlacedLogits(np.where(mask, 8.0, -8.0).astype(np.float32), FRAME) for mask in masks]
    weights = np.array(scores or [1.0] * len(masks), dtype=np.float32)
    expected = np.full(len(masks), expected_iou, dtype=np.float32)
    return Prediction(placed, weights / weights.sum(), expected, (Click(10, 10),), selected=0)


def filled(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros(SIZE_HW, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_next_click_lies_in_the_middle_of_what_candidates_disagree_about():
    part, whole = filled(0, 0, 40, 64), filled(0, 0, 90, 64)

    x, y = next_click(prediction_of(part, whole))

    # open: columns 40 to 89, all rows; the deepest points are on its middle line
    assert 40 <= x < 90
    assert 20 <= y <= 43


def test_candidates_that_agree_but_for_the_edge_ask_for_no_click():
    assert next_click(prediction_of(filled(8, 8, 60, 50), filled(8, 8, 61, 50))) is None


def test_an_unlikely_candidate_asks_for_no_click():
    part, whole = filled(0, 0, 40, 64), filled(0, 0, 90, 64)

    # 0.02 x 0.98 of the pixels' certainty is far from a tie
    assert next_click(prediction_of(part, whole, scores=[0.98, 0.02])) is None


def test_a_mask_looks_good_when_much_is_expected_of_it():
    mask = filled(8, 8, 60, 50)

    assert looks_good(prediction_of(mask, expected_iou=0.9))
    assert not looks_good(prediction_of(mask, expected_iou=0.89))
