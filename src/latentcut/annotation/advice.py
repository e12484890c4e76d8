"""Advice after a prediction: where a click would settle most, and whether one is needed."""

from __future__ import annotations

import cv2
import numpy as np

from latentcut.core.distances import depth_map
from latentcut.core.prediction import Prediction

ADVICE_SIDE_PX = 320  # candidates are compared at this size
MIN_DISAGREEMENT = 0.1  # p (1 - p) of a pixel that counts as open; 0.25 is a tie
MIN_OPEN_SHARE = 0.02  # of the selected mask's area: less is a matter of edges, not of meaning
GOOD_EXPECTED_IOU = 0.9


def next_click(prediction: Prediction) -> tuple[float, float] | None:
    """
    Where the candidates disagree most: the middle of the largest open region.

    A pixel's p is the sum of the scores of the candidates that hold it; it is open where
    p (1 - p) is large, that is where likely candidates differ.

    Returns:
        (x, y) in image pixels; None when only edges are open.
    """
    masks = np.stack(
        [prediction.reduced(m, ADVICE_SIDE_PX) for m in range(prediction.num_masks)]
    )  # (M, h, w)
    inside = np.tensordot(prediction.scores, masks.astype(np.float32), axes=1)  # (h, w)
    disputed = (inside * (1 - inside) > MIN_DISAGREEMENT).astype(np.uint8)
    is_open = cv2.morphologyEx(disputed, cv2.MORPH_OPEN, np.ones((3, 3), dtype=np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(is_open, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    area = int(stats[largest, cv2.CC_STAT_AREA])
    if area < MIN_OPEN_SHARE * max(1, int(masks[prediction.selected].sum())):
        return None
    depth = depth_map(labels == largest)
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    (height, width), (h, w) = prediction.mask.shape, depth.shape
    x, y = (column + 0.5) * width / w - 0.5, (row + 0.5) * height / h - 0.5
    return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)


def looks_good(prediction: Prediction) -> bool:
    """Whether the selected mask is probably right: g expects an IoU of 0.9 or more of it."""
    return (
        bool(prediction.expected_iou[prediction.selected] >= GOOD_EXPECTED_IOU)
        and prediction.clicks_satisfied
    )
