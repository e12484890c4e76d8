"""
COCO's polygon rule: which pixels an outline of edge vertices covers, as runs.

COCO walks along the outline in fifths of a pixel and notes where it passes the middle of a
column. Here those passages are worked out directly, so the time depends neither on the size of
the image nor on how far an outline reaches out of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentcut.formats.runs import Runs, merged, no_runs

STEPS_PER_PX = 5
PASSAGES_AT_ONCE = 1_000_000

Numbers = NDArray[np.int64]


def runs_of_polygon(points_xy: NDArray[np.float64], size_hw: tuple[int, int]) -> Runs:
    """
    Pixels that COCO's rasteriser fills for one outline.

    Args:
        points_xy: Vertices, shape (N, 2), float64, N >= 3, order (x, y), in pixels from the
            top-left corner of the image. They may lie outside. Not closed.

        size_hw: Height and width of the image, in pixels.

    Returns:
        The runs; the same pixels as `pycocotools.mask.frPyObjects`.

    Source:
        rleFrPoly in pycocotools' maskApi.c. Differs where a vertex is repeated: there the
        original divides zero by zero, which changes no pixel inside the image.
    """
    height, width = size_hw
    # rounded as C does: a half is added, then cut towards zero
    begins = np.trunc(STEPS_PER_PX * points_xy + 0.5).astype(np.int64)
    ends = np.roll(begins, -1, axis=0)
    firsts, counts = _columns(begins[:, 0], ends[:, 0], width)
    bounds = np.cumsum(counts)
    toggles = []
    done = 0
    while done < len(begins):
        so_far = int(bounds[done - 1]) if done else 0
        last = int(np.searchsorted(bounds, so_far + PASSAGES_AT_ONCE, side="right"))
        part = slice(done, max(last, done + 1))
        toggles.append(_passages(begins[part], ends[part], firsts[part], counts[part], height))
        done = part.stop
    places = np.sort(np.concatenate(toggles))
    if len(places) % 2:
        places = np.append(places, height * width)
    return merged(places.reshape(-1, 2)) if len(places) else no_runs()


def work_px(points_xy: NDArray[np.float64], width: int) -> float:
    """What the rasterisation of an outline costs: columns passed inside the image, and vertices."""
    steps = np.abs(points_xy[:, 0] - np.roll(points_xy[:, 0], -1))
    return float(np.minimum(steps, width).sum()) + len(points_xy)


def _columns(begin_x: Numbers, end_x: Numbers, width: int) -> tuple[Numbers, Numbers]:
    """First column whose middle an edge passes, and how many it passes inside the image."""
    # the middle of column c lies between the fine positions 5 c + 2 and 5 c + 3
    low, high = np.minimum(begin_x, end_x), np.maximum(begin_x, end_x)
    firsts = np.maximum(0, -((2 - low) // STEPS_PER_PX))
    lasts = np.minimum(width - 1, (high - 3) // STEPS_PER_PX)
    return firsts, np.maximum(0, lasts - firsts + 1)


def _passages(
    begins: Numbers, ends: Numbers, firsts: Numbers, counts: Numbers, height: int
) -> Numbers:
    """Pixels, counted down the columns, from which on edges turn the mask."""
    edge = np.repeat(np.arange(len(begins)), counts)
    column = firsts[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    delta = np.abs(ends - begins)
    is_flat = delta[:, 0] >= delta[:, 1]
    # along the longer side, from its lower end, as COCO does whatever the direction
    backwards = np.where(is_flat, begins[:, 0] > ends[:, 0], begins[:, 1] > ends[:, 1])
    low = np.where(backwards[:, None], ends, begins)
    high = np.where(backwards[:, None], begins, ends)
    across = np.where(is_flat, (high - low)[:, 1], (high - low)[:, 0])
    slope = across / np.maximum(delta.max(axis=1), 1)

    upper = np.empty_like(column)
    flat = is_flat[edge]
    for chosen, rows in ((flat, _rows_of_flat), (~flat, _rows_of_steep)):
        of = edge[chosen]
        upper[chosen] = rows(low[of, 0], low[of, 1], slope[of], column[chosen])
    row = np.clip(-((2 - upper) // STEPS_PER_PX), 0, height)
    toggles: Numbers = column * height + row
    return toggles


def _rows_of_flat(x: Numbers, y: Numbers, slope: NDArray[np.float64], column: Numbers) -> Numbers:
    """Fine y, the upper one of the two positions beside the middle of a column."""
    step = STEPS_PER_PX * column + 2 - x
    before, after = np.trunc(y + slope * step + 0.5), np.trunc(y + slope * (step + 1) + 0.5)
    upper: Numbers = np.minimum(before, after).astype(np.int64)
    return upper


def _rows_of_steep(x: Numbers, y: Numbers, slope: NDArray[np.float64], column: Numbers) -> Numbers:
    """Fine y of the last position before the middle of a column is passed."""
    middle = STEPS_PER_PX * column + 2.5

    def is_beyond(step: NDArray[np.float64]) -> NDArray[np.bool_]:
        beyond: NDArray[np.bool_] = (np.trunc(x + slope * step + 0.5) > middle) == (slope > 0)
        return beyond

    step = np.ceil((middle - x) / slope)  # the first one beyond, or by rounding the next to it
    step = np.where(is_beyond(step - 1), step - 1, step)
    step = np.where(is_beyond(step), step, step + 1)
    return (y + step - 1).astype(np.int64)
