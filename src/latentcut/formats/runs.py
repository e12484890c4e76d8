"""
Masks as runs of pixels: boxes, unions and crops without making room for the whole picture.

An object of a 50-megapixel image has a few thousand runs. What an export and a reader of
strangers' files need of a mask is had from them in microseconds, whatever the file claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.masks import (
    COUNTS_RULE,
    MAX_CHARACTERS,
    MAX_MASK_PIXELS,
    SIZE_RULE,
    CocoRle,
    compress_rle_counts,
    decompress_rle_counts,
)
from latentcut.errors import BadMask

BoolArray = NDArray[np.bool_]
# (N, 2), int64: first pixel and one past the last, counted down the columns; ascending, each at
# least one pixel long and one pixel away from the next. No runs, shape (0, 2): an empty mask.
Runs = NDArray[np.int64]


def no_runs() -> Runs:
    """The runs of an empty mask."""
    return np.zeros((0, 2), dtype=np.int64)


def runs_of_mask(mask: BoolArray) -> Runs:
    """Runs of a mask, bool (H, W)."""
    flat = np.zeros(mask.size + 2, dtype=bool)
    flat[1:-1] = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return changes.reshape(-1, 2).astype(np.int64)


def runs_of_rle(rle: Mapping[str, Any], max_pixels: int = MAX_MASK_PIXELS) -> Runs:
    """
    Runs of a COCO code, compressed or not; hostile input is refused before any room is made.

    Args:
        rle: `size` is [height, width]; `counts` is a list of numbers or a string.
        max_pixels: Larger masks are refused.

    Raises:
        BadMask: A key is missing, the size is no size or too large, or the counts are broken
            or do not fill the size.
    """
    if not isinstance(rle, Mapping) or not {"size", "counts"} <= rle.keys():
        raise BadMask("the run-length code has no size and counts", "both keys must be there")
    height, width = checked_size_hw(rle["size"], max_pixels)
    counts = rle["counts"]
    if not isinstance(counts, str | list):
        raise BadMask(f"counts is of type {type(counts).__name__}", "give a list or a string")
    if len(counts) > MAX_CHARACTERS * (height * width + 1):
        raise BadMask("there are more counts than pixels", COUNTS_RULE)
    if isinstance(counts, str):
        counts = decompress_rle_counts(counts)
    elif not all(type(count) is int for count in counts):  # neither 1.0 nor True
        raise BadMask("a count is no whole number", COUNTS_RULE)
    if counts and (min(counts) < 0 or max(counts) > height * width):
        raise BadMask("a count is negative or larger than the mask", COUNTS_RULE)
    if sum(counts) != height * width:
        found = f"the counts add up to {sum(counts)}, not to {height} x {width} = {height * width}"
        raise BadMask(found, COUNTS_RULE)
    ends = np.cumsum(np.array(counts, dtype=np.int64))
    if len(ends) % 2:
        ends = ends[:-1]  # the last count is of pixels that are off
    return merged(ends.reshape(-1, 2))


def runs_by_value(numbers: NDArray[np.integer[Any]]) -> dict[int, Runs]:
    """The runs of every value of a label map, (H, W) of integers; zero is a value, too."""
    flat = numbers.ravel(order="F")
    bounds = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]))
    runs = np.stack([bounds[:-1], bounds[1:]], axis=1)
    values = flat[bounds[:-1]]
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    firsts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    groups = np.split(runs[order], firsts[1:])
    return {int(v): group for v, group in zip(ordered[firsts], groups, strict=True)}


def values_and_pieces(numbers: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """
    How many values a label map has, and in about how many pieces.

    A piece is counted wherever a run down a column has nothing of its value to the left, which
    counts every connected piece at least once.
    """
    flat = numbers.ravel(order="F")
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    goes_on = np.zeros(numbers.shape[::-1], dtype=bool)  # by columns
    goes_on[1:] = (numbers[:, 1:] == numbers[:, :-1]).T
    num_pieces = np.count_nonzero(~np.logical_or.reduceat(goes_on.ravel(), starts))
    return len(np.unique(flat[starts])), int(num_pieces)


def checked_size_hw(size_hw: object, max_pixels: int = MAX_MASK_PIXELS) -> tuple[int, int]:
    """Height and width, if they are whole numbers of at least 1 and few enough pixels."""
    if not isinstance(size_hw, list | tuple) or len(size_hw) != 2:
        raise BadMask("the size has not two numbers", SIZE_RULE)
    height, width = size_hw
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise BadMask("a side of the size is no whole number or below 1", SIZE_RULE)
    if height * width > max_pixels:
        # a hostile number may have more digits than Python prints
        sides = f"{width} px wide and {height} px high" if max(height, width) < 10**12 else "huge"
        raise BadMask(f"the mask is {sides}", f"at most {max_pixels:,} pixels are allowed")
    return height, width


def rle_of_runs(runs: Runs, size_hw: tuple[int, int]) -> CocoRle:
    """Compressed COCO code of runs; equal masks have equal codes."""
    height, width = size_hw
    bounds = np.concatenate(([0], runs.ravel(), [height * width]))
    counts = np.diff(bounds)
    if len(counts) > 1 and counts[-1] == 0:  # the last pixel is on
        counts = counts[:-1]
    return {"size": [height, width], "counts": compress_rle_counts(counts.tolist())}


def merged(runs: Runs) -> Runs:
    """Runs that do not touch each other, of ascending ones that may touch or be empty."""
    runs = runs[runs[:, 1] > runs[:, 0]]
    if not len(runs):
        return no_runs()
    is_gap = runs[1:, 0] > runs[:-1, 1]
    starts = runs[np.concatenate(([True], is_gap)), 0]
    ends = runs[np.concatenate((is_gap, [True])), 1]
    return np.stack([starts, ends], axis=1)


def union(many: Iterable[Runs]) -> Runs:
    """Pixels that are in any of several masks of one size."""
    every = [runs for runs in many if len(runs)]
    if len(every) < 2:
        return every[0] if every else no_runs()
    runs = np.concatenate(every)
    places = runs.ravel()
    steps = np.tile([1, -1], len(runs))
    order = np.lexsort((-steps, places))  # where one begins and another ends, it goes on
    depth = np.cumsum(steps[order])
    is_end = depth == 0
    is_start = np.concatenate(([True], is_end[:-1]))
    places = places[order]
    return np.stack([places[is_start], places[is_end]], axis=1)


def area(runs: Runs) -> int:
    """Number of pixels."""
    return int((runs[:, 1] - runs[:, 0]).sum())


def box_xyxy(runs: Runs, height: int) -> tuple[int, int, int, int] | None:
    """Smallest box, half-open, as of `core.masks.mask_box_xyxy`; None for no runs."""
    if not len(runs):
        return None
    firsts, lasts = runs[:, 0], runs[:, 1] - 1
    (left, tops), (right, bottoms) = np.divmod(firsts, height), np.divmod(lasts, height)
    goes_on = left != right  # into the next column: then down to the bottom and from the top
    y0 = 0 if goes_on.any() else tops.min()
    y1 = height if goes_on.any() else bottoms.max() + 1
    return int(left[0]), int(y0), int(right[-1]) + 1, int(y1)


def crop(runs: Runs, size_hw: tuple[int, int], box: tuple[int, int, int, int]) -> BoolArray:
    """The mask inside a half-open box of the image, bool (y1 - y0, x1 - x0), C-contiguous."""
    height, _ = size_hw
    x0, y0, x1, y1 = box
    first, end = x0 * height, x1 * height
    inside = runs[(runs[:, 1] > first) & (runs[:, 0] < end)]
    inside = np.clip(inside, first, end) - first
    steps = np.zeros(end - first + 1, dtype=np.int8)
    steps[inside[:, 0]] = 1
    steps[inside[:, 1]] = -1
    flat = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
    return np.ascontiguousarray(flat.reshape(x1 - x0, height).T[y0:y1])


def runs_of_crop(mask: BoolArray, size_hw: tuple[int, int], corner_xy: tuple[int, int]) -> Runs:
    """Runs in the whole image of a mask, bool (h, w), whose top-left pixel lies at a corner."""
    height, _ = size_hw
    x0, y0 = corner_xy
    rows = mask.shape[0]
    if not mask.any():
        return no_runs()
    padded = np.zeros((mask.shape[1], rows + 1), dtype=bool)  # a gap below every column
    padded[:, :rows] = mask.T
    local = runs_of_mask(padded.T)
    columns, ys = np.divmod(local, rows + 1)
    columns[:, 1] = columns[:, 0]
    ys[:, 1] = ys[:, 0] + (local[:, 1] - local[:, 0])
    return merged((columns + x0) * height + ys + y0)
