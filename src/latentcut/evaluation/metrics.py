"""What is measured on masks besides IoU and clicks: boundaries and the spread of candidates."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from latentcut.core.distances import depth_map

BoolArray = NDArray[np.bool_]

BOUNDARY_TOLERANCE = 0.008  # of the image diagonal, as the DAVIS benchmark has it


def boundary_f(
    mask: BoolArray,
    gt_mask: BoolArray,
    ignore_mask: BoolArray | None = None,
    tolerance: float = BOUNDARY_TOLERANCE,
) -> float:
    """
    How well the outline of a mask follows that of the ground truth.

    Args:
        mask: bool (H, W).
        gt_mask: bool (H, W).
        ignore_mask: bool (H, W); outline pixels in it count neither way.
        tolerance: How far apart outlines may be, as a share of the image's diagonal; rounded
            up to whole pixels.

    Returns:
        Harmonic mean, in [0, 1], of precision (share of the mask's outline that lies within
        the tolerance of the other) and recall (the reverse). 1 where neither has an outline,
        0 where one of them has none.

    Source:
        Perazzi et al. 2016 (DAVIS), measure F; the same tolerance, matching by distance.
    """
    outlines = [boundary(mask), boundary(gt_mask)]
    if ignore_mask is not None:
        outlines = [outline & ~ignore_mask for outline in outlines]
    found, true = outlines
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    reach = math.ceil(tolerance * math.hypot(*mask.shape))
    precision = float(near(true, reach)[found].mean())
    recall = float(near(found, reach)[true].mean())
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def boundary(mask: BoolArray) -> BoolArray:
    """
    The outline of a mask, bool (H, W): pixels that differ from the one right, below or both.

    The image border is no outline. This marks one side of each transition, always the upper
    left one, for mask and ground truth alike.
    """
    outline = np.zeros_like(mask)
    outline[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    outline[:-1] |= mask[:-1] != mask[1:]
    outline[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return outline


def near(outline: BoolArray, reach: int) -> BoolArray:
    """Pixels at most ``reach`` px (Euclidean) from an outline: its dilation by a disc, (H, W)."""
    # beyond the image there is no outline: a margin keeps it from counting as one
    distance = depth_map(np.pad(~outline, reach + 1, constant_values=True))
    return (distance <= reach)[reach + 1 : -reach - 1, reach + 1 : -reach - 1]


def diversity(candidates: BoolArray, ignore_mask: BoolArray | None = None) -> float | None:
    """
    How much candidates resemble each other: mean IoU over all pairs.

    Args:
        candidates: bool (M, H, W).
        ignore_mask: bool (H, W), pixels that do not count.

    Returns:
        In [0, 1], small for candidates that differ; None where M is 1.
    """
    counted = candidates if ignore_mask is None else candidates & ~ignore_mask
    packed = np.packbits(counted.reshape(len(counted), -1), axis=1)  # 15 pairs of 6 in a moment
    areas = np.bitwise_count(packed).sum(axis=1, dtype=np.int64).tolist()
    ious = []
    for a, b in combinations(range(len(packed)), 2):
        both = int(np.bitwise_count(packed[a] & packed[b]).sum(dtype=np.int64))
        either = areas[a] + areas[b] - both
        ious.append(both / either if either else 1.0)
    return sum(ious) / len(ious) if ious else None
