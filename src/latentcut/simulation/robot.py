"""
The robot user of the evaluation protocol: deterministic clicks from a ground truth.

Protocol (Li, Chen & Koltun 2018, section 5, after Xu et al. 2016): the first click
lies at the centre of the object, every later one at the centre of the largest
connected error region, positive where the object was missed and negative where
background was included. "Centre" is the pixel farthest from the region's boundary.
Choices the literature leaves open, fixed here: regions are 8-connected; the image
border counts as boundary; distances are exact Euclidean; between regions of equal
area the missed one wins, then the first in row-major order; between equally deep
pixels the first in row-major order.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map

BoolArray = NDArray[np.bool_]


def centre_xy(region: BoolArray) -> tuple[int, int] | None:
    """The pixel (x, y) deepest inside a region; None when it is empty."""
    if not region.any():
        return None
    row, column = np.unravel_index(int(np.argmax(depth_map(region))), region.shape)
    return int(column), int(row)


def largest_component(region: BoolArray) -> BoolArray:
    """The 8-connected component with the most pixels; the first one among equals; (H, W)."""
    num_labels, labels, stats, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=8
    )
    if num_labels <= 1:
        return np.zeros_like(region)
    areas = stats[1:, cv2.CC_STAT_AREA]
    tied = 1 + np.flatnonzero(areas == areas.max())
    label = tied[0]
    if len(tied) > 1:  # OpenCV numbers components in an order of its own
        label = labels.flat[np.argmax(np.isin(labels, tied))]
    return np.asarray(labels == label, dtype=bool)


def first_click(gt_mask: BoolArray, ignore_mask: BoolArray | None = None) -> Click | None:
    """
    The positive click at the centre of the object.

    Args:
        gt_mask: bool (H0, W0).
        ignore_mask: bool (H0, W0); pixels that do not count and are never clicked.

    Returns:
        The click, or None when the object has no pixel. An object in several parts is
        clicked where the depth is largest over all parts.
    """
    xy = centre_xy(gt_mask if ignore_mask is None else gt_mask & ~ignore_mask)
    return None if xy is None else Click(float(xy[0]), float(xy[1]), positive=True)


def next_click(
    mask: BoolArray, gt_mask: BoolArray, ignore_mask: BoolArray | None = None
) -> Click | None:
    """
    The click at the centre of the largest connected error region of a mask.

    Args:
        mask: bool (H0, W0), the mask shown to the user.
        gt_mask: bool (H0, W0), what the user means.
        ignore_mask: bool (H0, W0); pixels that are never an error.

    Returns:
        A positive click on missed object or a negative one on included background; None
        when nothing is wrong.
    """
    error = mask != gt_mask
    if ignore_mask is not None:
        error &= ~ignore_mask
    missed = largest_component(error & gt_mask)
    included = largest_component(error & ~gt_mask)
    positive = int(missed.sum()) >= int(included.sum())
    xy = centre_xy(missed if positive else included)
    return None if xy is None else Click(float(xy[0]), float(xy[1]), positive=positive)
