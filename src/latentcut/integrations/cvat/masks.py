"""CVAT's ``points`` of a mask: run lengths inside the tight box, row by row, then the box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentcut.core.masks import mask_box_xyxy
from latentcut.errors import BadMask

RULE = (
    "run lengths row by row, in turn off and on, that fill the box, then its first column and row "
    "and its last column and row"
)


def encode_mask(mask: NDArray[np.bool_]) -> list[int]:
    """
    The ``points`` of a shape of type "mask".

    Args:
        mask: bool (H0, W0).

    Returns:
        Pixels per run inside the smallest box around the mask, row by row, in turn off, on,
        off, ...; the first is 0 where the first pixel is on. Then x0, y0, x1, y1 of the box, the
        last column and row included. An empty mask is one pixel that is off, at (0, 0).

    Source:
        cvat_sdk.masks.encode_mask of cvat-sdk 2.80.0, which gives the same numbers.
    """
    box = mask_box_xyxy(mask)
    if box is None:
        return [1, 0, 0, 0, 0]
    x0, y0, x1, y1 = box
    flat = mask[y0:y1, x0:x1].ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0] * (1 + int(flat[0])), changes, [flat.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return [*runs, x0, y0, x1 - 1, y1 - 1]


def decode_mask(points: Sequence[float], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """
    The mask of ``points``, the reverse of ``encode_mask``.

    Args:
        points: Whole numbers, also as floats, as CVAT's API returns them.
        size_hw: Height and width of the image, in pixels.

    Returns:
        bool (H0, W0).

    Raises:
        BadMask: The numbers are none, or do not fit the box or the image.
    """
    numbers = [_whole(value) for value in points]
    if len(numbers) < 5:
        raise BadMask(f"the points of the mask are {len(numbers)} numbers", RULE)
    *runs, x0, y0, x1, y1 = numbers
    height, width = size_hw
    if not (0 <= x0 <= x1 < width and 0 <= y0 <= y1 < height):
        found = f"the box of the mask is not inside the image of {width} x {height} px"
        raise BadMask(found, RULE)
    box_hw = y1 + 1 - y0, x1 + 1 - x0
    if min(runs) < 0 or sum(runs) != box_hw[0] * box_hw[1]:
        raise BadMask("the run lengths of the mask do not fill its box", RULE)
    is_on = np.arange(len(runs)) % 2 == 1
    mask = np.zeros(size_hw, dtype=bool)
    mask[y0 : y1 + 1, x0 : x1 + 1] = np.repeat(is_on, runs).reshape(box_hw)
    return mask


def _whole(value: object) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    raise BadMask("a number of the mask's points is not whole", RULE)
