"""Tables: what the rows of an evaluation add up to, and how two of them compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.metrics import is_failure, number_of_clicks
from latentcut.errors import DatasetBroken
from latentcut.evaluation.protocol import BOUNDARY_CLICKS, STANDARD, ObjectResult, Protocol

THRESHOLDS = (0.80, 0.85, 0.90, 0.95)
KINDS = ("selected", "oracle", "first")
NUM_BOOTSTRAP = 2000
NUM_CALIBRATION_BINS = 10

FloatArray = NDArray[np.floating]


def summarise(
    rows: Sequence[ObjectResult], max_clicks: int | None = None, protocol: Protocol = STANDARD
) -> dict[str, Any]:
    """
    The table of one run.

    Args:
        rows: One per object, at least one.
        max_clicks: Clicks per object; None: the protocol's.
        protocol: The rules that the rows were made by.

    Returns:
        Plain values for JSON; docs/evaluation.md says what each of them is. Rows without a
        figure (made before it existed, or by a segmenter that has none) are left out of it; where
        no row has it, it is None.
    """
    budget = protocol.max_clicks if max_clicks is None else max_clicks
    table: dict[str, Any] = {"objects": len(rows)}
    for kind in KINDS:
        ious = np.array([getattr(row, f"{kind}_ious") for row in rows])  # (objects, clicks)
        table[kind] = _part(ious, budget, protocol)
    table["oracle_gain"] = _rounded(
        np.array([row.oracle_ious for row in rows]).mean(0)
        - np.array([row.selected_ious for row in rows]).mean(0)
    )
    spreads = [_padded(row.diversity, budget) for row in rows if row.diversity]
    table["diversity"] = _rounded(np.mean(spreads, axis=0)) if spreads else None
    table["boundary_f"] = _boundaries(rows)
    table["first_mask_ms"] = _median_ms([row.encode_s + row.click_s[0] for row in rows])
    table["later_click_ms"] = _median_ms([s for row in rows for s in row.click_s[1:]])
    table["times"] = _times(rows)
    table["peak_mb"] = max((row.peak_mb for row in rows if row.peak_mb), default=None)
    table["steps_with_broken_clicks"] = sum(row.clicks_broken for row in rows)
    expected, reached = _expectations(rows)
    table["calibration_error"] = calibration_error(expected, reached) if len(expected) else None
    table["calibration"] = calibration_bins(expected, reached) if len(expected) else None
    return table


def _part(ious: FloatArray, budget: int, protocol: Protocol) -> dict[str, Any]:
    """What is reported of the selected mask, the oracle and the first candidate alike."""
    part: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        key = f"{threshold:.2f}"[2:]
        known = protocol.stop_at is None or threshold <= protocol.stop_at
        nocs = clicks_needed(ious, threshold, budget)
        part[f"noc_{key}"] = round(float(nocs.mean()), 3) if known else None
        part[f"noc_{key}_interval"] = bootstrap_interval(nocs) if known else None
        failures = sum(_fails(list(row), threshold, budget, protocol) for row in ious)
        part[f"failures_{key}"] = failures if known else None
    part["mean_iou"] = _rounded(ious.mean(0))
    part["mean_iou_interval"] = _intervals(ious)
    part["area_under_curve"] = round(float(ious.mean()), 4)
    return part


def clicks_needed(ious: FloatArray, threshold: float, budget: int) -> NDArray[np.int64]:
    """Number of clicks (NoC) of every object, (objects,), from IoUs (objects, clicks)."""
    return np.array([number_of_clicks(list(row), threshold, budget) for row in ious])


def _fails(ious: list[float], threshold: float, budget: int, protocol: Protocol) -> bool:
    if protocol.failure == "noc-is-max":
        return number_of_clicks(ious, threshold, budget) == budget
    return is_failure(ious, threshold, budget)


def _boundaries(rows: Sequence[ObjectResult]) -> dict[str, float] | None:
    means = {}
    for k in map(str, BOUNDARY_CLICKS):
        values = [row.boundary_f[k] for row in rows if k in row.boundary_f]
        if values:
            means[k] = round(float(np.mean(values)), 4)
    return means or None


def _times(rows: Sequence[ObjectResult]) -> dict[str, float | None]:
    encode, click = [row.encode_s for row in rows], [s for row in rows for s in row.click_s]
    return {
        "encode_ms": _median_ms(encode),
        "encode_ms_p95": _median_ms(encode, 95),
        "click_ms": _median_ms(click),
        "click_ms_p95": _median_ms(click, 95),
    }


def _expectations(rows: Sequence[ObjectResult]) -> tuple[FloatArray, FloatArray]:
    """Expected and reached IoU of the selected mask over all steps, (N,) each."""
    pairs = [(row.expected_ious, row.selected_ious) for row in rows if row.expected_ious]
    return np.array([e for e, _ in pairs]).ravel(), np.array([r for _, r in pairs]).ravel()


def _padded(values: list[float] | None, length: int) -> list[float]:
    assert values
    return values + values[-1:] * (length - len(values))


def _rounded(values: FloatArray) -> list[float]:
    return [round(float(value), 4) for value in values]


def _median_ms(seconds: Sequence[float], percent: float = 50) -> float | None:
    return round(1000 * float(np.percentile(seconds, percent)), 1) if seconds else None


def bootstrap_interval(values: NDArray[Any], seed: int = 0) -> list[float]:
    """95 % percentile interval of the mean, objects drawn with replacement 2,000 times."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (NUM_BOOTSTRAP, len(values)))].mean(1)
    return [round(float(v), 3) for v in np.percentile(means, [2.5, 97.5])]


def _intervals(ious: FloatArray) -> list[list[float]]:
    """The same for the mean after each click: [low, high] per click, from (objects, clicks)."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(ious), (NUM_BOOTSTRAP, len(ious)))
    # how often each object was drawn, times the IoUs: no array of (draws, objects, clicks)
    counts = np.array([np.bincount(draw, minlength=len(ious)) for draw in drawn])
    means = counts @ ious / len(ious)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [[round(float(a), 4), round(float(b), 4)] for a, b in zip(low, high, strict=True)]


def calibration_error(expected: NDArray[Any], reached: NDArray[Any]) -> float:
    """
    Expected calibration error: mean gap between expected and reached IoU over ten bins.

    Args:
        expected: (N,), in [0, 1].
        reached: (N,), in [0, 1].
    """
    bins = _bins_of(expected)
    gaps = [
        (bins == b).mean() * abs(expected[bins == b].mean() - reached[bins == b].mean())
        for b in np.unique(bins)
    ]
    return round(float(sum(gaps)), 4)


def calibration_bins(expected: NDArray[Any], reached: NDArray[Any]) -> list[dict[str, float]]:
    """Per tenth of the expected IoU that occurs: its steps and both means, for a diagram."""
    bins = _bins_of(expected)
    return [
        {
            "from": int(b) / NUM_CALIBRATION_BINS,
            "to": (int(b) + 1) / NUM_CALIBRATION_BINS,
            "steps": int((bins == b).sum()),
            "expected": round(float(expected[bins == b].mean()), 4),
            "reached": round(float(reached[bins == b].mean()), 4),
        }
        for b in np.unique(bins)
    ]


def _bins_of(expected: NDArray[Any]) -> NDArray[np.int64]:
    tenths = (expected * NUM_CALIBRATION_BINS).astype(np.int64)
    return np.asarray(np.minimum(tenths, NUM_CALIBRATION_BINS - 1))


def compare(
    rows_a: Sequence[ObjectResult], rows_b: Sequence[ObjectResult], protocol: Protocol = STANDARD
) -> dict[str, Any]:
    """
    Two segmenters on the same objects: b minus a, with intervals over the objects.

    Paired: each object is compared with itself, so objects that are hard for both do not widen
    the interval. An interval without 0 is a difference that other objects of the same kind
    would show, too.

    Args:
        rows_a: Of one segmenter.
        rows_b: Of the other one; the same objects in any order.
        protocol: The rules that both were made by.

    Returns:
        Plain values for JSON: per threshold and for IoU after 1, 3 and 5 clicks the
        difference and its 95 % interval; and how many objects each needs fewer clicks for.

    Raises:
        DatasetBroken: The objects are not the same ones.
    """
    by_name = {row.name: row for row in rows_b}
    if not rows_a or sorted(by_name) != sorted(row.name for row in rows_a):
        raise DatasetBroken("two results can only be compared over the same objects")
    a = np.array([row.selected_ious for row in rows_a])
    b = np.array([by_name[row.name].selected_ious for row in rows_a])
    found: dict[str, Any] = {"objects": len(rows_a)}
    for threshold in THRESHOLDS:
        if protocol.stop_at is not None and threshold > protocol.stop_at:
            continue
        nocs = [clicks_needed(ious, threshold, a.shape[1]) for ious in (a, b)]
        found[f"noc_{f'{threshold:.2f}'[2:]}"] = _difference(nocs[1] - nocs[0]) | {
            "a_fewer": int((nocs[0] < nocs[1]).sum()),
            "b_fewer": int((nocs[1] < nocs[0]).sum()),
        }
    for k in (k for k in BOUNDARY_CLICKS if k <= a.shape[1]):
        found[f"iou_{k}"] = _difference(b[:, k - 1] - a[:, k - 1])
    return found


def _difference(values: NDArray[Any]) -> dict[str, Any]:
    interval = bootstrap_interval(values)
    return {"difference": round(float(values.mean()), 3), "interval": interval}
