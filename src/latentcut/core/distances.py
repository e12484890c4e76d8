"""Distances inside masks, the same in every process and on every machine."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def depth_map(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """
    Distance of every pixel of a region to the nearest pixel outside it.

    Args:
        region: bool (H, W).

    Returns:
        float32 (H, W), in pixels: 0 outside, 1 on the outermost pixels. Pixels beyond the
        image border are outside.
    """
    return exact_distances(np.pad(region, 1).astype(np.uint8))[1:-1, 1:-1]


def exact_distances(marked: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Distance of every marked pixel to the nearest unmarked one, float32 (H, W), in pixels.

    The last digits of OpenCV's own answer depend on where the array lies in memory, which lets
    chance break ties between pixels. Squared distances of pixels are whole numbers: rounded to
    them, the same mask gives the same distances everywhere.
    """
    rough = cv2.distanceTransform(marked, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(rough, dtype=np.float64))).astype(np.float32)
