"""Tables: what the rows of an evaluation add up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.metrics import MAX_CLICKS, is_failure, number_of_clicks
from latentcut.evaluation.protocol import ObjectResult

THRESHOLDS = (0.85, 0.90)
NUM_BOOTSTRAP = 2000
NUM_CALIBRATION_BINS = 10


def summarise(rows: Sequence[ObjectResult], max_clicks: int = MAX_CLICKS) -> dict[str, Any]:
    """
    The table of one data set.

    Args:
        rows: One per object, at least one.
        max_clicks: Clicks per object.

    Returns:
        Plain values for JSON: for the selected mask, the oracle and the first candidate NoC@85
        and NoC@90 with 95 % bootstrap intervals over objects, failures, and mean IoU after
        1 .. 20 clicks; then times, broken clicks and the calibration error of the selected
        mask's expected IoU.
    """
    table: dict[str, Any] = {"objects": len(rows)}
    for kind in ("selected", "oracle", "first"):
        ious = np.array([getattr(row, f"{kind}_ious") for row in rows])  # (objects, clicks)
        part: dict[str, Any] = {}
        for threshold in THRESHOLDS:
            key = f"{threshold:.2f}"[2:]
            nocs = np.array([number_of_clicks(list(r), threshold, max_clicks) for r in ious])
            part[f"noc_{key}"] = round(float(nocs.mean()), 3)
            part[f"noc_{key}_interval"] = bootstrap_interval(nocs)
            part[f"failures_{key}"] = sum(is_failure(list(r), threshold, max_clicks) for r in ious)
        part["mean_iou"] = [round(float(v), 4) for v in ious.mean(0)]
        table[kind] = part
    later = [s for row in rows for s in row.click_s[1:]]
    table["first_mask_ms"] = _median_ms([row.encode_s + row.click_s[0] for row in rows])
    table["later_click_ms"] = _median_ms(later)
    table["steps_with_broken_clicks"] = sum(row.clicks_broken for row in rows)
    table["calibration_error"] = calibration_error(
        np.array([row.expected_ious for row in rows]).ravel(),
        np.array([row.selected_ious for row in rows]).ravel(),
    )
    return table


def _median_ms(seconds: Sequence[float]) -> float | None:
    return round(1000 * float(np.median(seconds)), 1) if seconds else None


def bootstrap_interval(values: NDArray[Any], seed: int = 0) -> list[float]:
    """95 % percentile interval of the mean, objects drawn with replacement 2,000 times."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (NUM_BOOTSTRAP, len(values)))].mean(1)
    return [round(float(v), 3) for v in np.percentile(means, [2.5, 97.5])]


def calibration_error(expected: NDArray[Any], reached: NDArray[Any]) -> float:
    """
    Expected calibration error: mean gap between expected and reached IoU over ten bins.

    Args:
        expected: (N,), in [0, 1].
        reached: (N,), in [0, 1].
    """
    bins = np.minimum((expected * NUM_CALIBRATION_BINS).astype(int), NUM_CALIBRATION_BINS - 1)
    gaps = [
        (bins == b).mean() * abs(expected[bins == b].mean() - reached[bins == b].mean())
        for b in np.unique(bins)
    ]
    return round(float(sum(gaps)), 4)
