"""
How good a mask is and how many clicks it took: IoU, number of clicks, failures.

The 20-click protocol of the field, in NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import MaskSizeMismatch

MAX_CLICKS = 20  # the protocol's budget per object


def iou(
    mask: NDArray[np.bool_],
    gt_mask: NDArray[np.bool_],
    ignore_mask: NDArray[np.bool_] | None = None,
) -> float:
    """
    Intersection over union of a mask and the ground truth, of one image.

    Args:
        mask: The mask to judge, shape (H, W), bool.

        gt_mask: The ground truth, shape (H, W), bool.

        ignore_mask: Pixels that count neither way, shape (H, W), bool; for
            instance the uncertain border some data sets mark. None ignores none.

    Returns:
        The ratio, in [0, 1]. 1.0 where both masks are empty outside the ignored
        pixels: nothing was to be found and nothing was marked.

    Raises:
        MaskSizeMismatch: `mask` or `ignore_mask` has another shape than `gt_mask`.
    """
    gt = np.asarray(gt_mask, dtype=bool)
    given = _same_size(mask, gt)
    both, either = given & gt, given | gt
    if ignore_mask is not None:
        counted = ~_same_size(ignore_mask, gt)
        both, either = both & counted, either & counted
    union = int(np.count_nonzero(either))
    return int(np.count_nonzero(both)) / union if union else 1.0


def number_of_clicks(ious: Sequence[float], threshold: float, max_clicks: int = MAX_CLICKS) -> int:
    """
    Clicks until an object was good enough (NoC), for one object.

    Args:
        ious: IoU after click 1, 2, ..., in [0, 1]. It may be shorter than
            `max_clicks` where the robot stopped early, or empty.

        threshold: IoU that counts as good enough, in [0, 1]; 0.9 for NoC@90.

        max_clicks: The budget. What comes after it is not looked at.

    Returns:
        The first k, counted from 1, with an IoU of at least `threshold` after
        click k; `max_clicks` if there is none.

    Source:
        The 20-click protocol as in RITM's compute_noc_metric; same numbers.
    """
    reached = _first_reached(ious, threshold, max_clicks)
    return max_clicks if reached is None else reached


def is_failure(ious: Sequence[float], threshold: float, max_clicks: int = MAX_CLICKS) -> bool:
    """
    Whether an object never became good enough within the budget.

    Args:
        ious: IoU after click 1, 2, ..., as for `number_of_clicks`.

        threshold: IoU that counts as good enough, in [0, 1].

        max_clicks: The budget, in clicks.

    Returns:
        True when no click up to and including click `max_clicks` reaches the
        threshold.

    Source:
        Differs from RITM, whose "over 20" counts every object with NoC = 20 and
        so also one that is solved by exactly its 20th click; here that is solved.
    """
    return _first_reached(ious, threshold, max_clicks) is None


def _first_reached(ious: Sequence[float], threshold: float, max_clicks: int) -> int | None:
    """First click, counted from 1, that reaches the threshold within the budget."""
    within = list(ious)[:max_clicks]
    return next((k for k, value in enumerate(within, start=1) if value >= threshold), None)


def _same_size(mask: NDArray[np.bool_], gt_mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    given = np.asarray(mask, dtype=bool)
    if given.shape != gt_mask.shape:
        raise MaskSizeMismatch(given.shape, (gt_mask.shape[0], gt_mask.shape[-1]))
    return given
