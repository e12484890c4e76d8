"""From masks and pictures to what a page shows: the part that is seen, outlines, JPEGs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentcut.core.clicks import Click

RgbImage = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

UNITS = 800  # longer side of a picture in the units of its outlines
FINENESS = 1.2  # units that a drawn outline may leave the true one
MAX_OUTLINE_BYTES = 12_000  # ragged masks are drawn less finely than that
MARGIN = 0.25  # of the shown part, around what must be seen
SMALLEST_SHARE = 0.3  # of the picture's longer side that is shown at least


class Box(NamedTuple):
    """A part of a picture in whole pixels; right and bottom lie outside."""

    left: int
    top: int
    right: int
    bottom: int


def shown_part(masks: Sequence[BoolArray], clicks: Sequence[Click]) -> Box:
    """
    The part of a picture that holds masks and clicks, with some room around.

    Args:
        masks: bool (H0, W0), at least one.
        clicks: Clicks inside the picture.

    Returns:
        A box inside the picture; all of it where little would be left out.
    """
    height, width = masks[0].shape
    together = np.logical_or.reduce(masks)
    columns = [*np.flatnonzero(together.any(0)), *(click.pixel_xy[0] for click in clicks)]
    rows = [*np.flatnonzero(together.any(1)), *(click.pixel_xy[1] for click in clicks)]
    if not columns:
        return Box(0, 0, width, height)
    smallest = SMALLEST_SHARE * max(height, width)
    left, right = _with_room(min(columns), max(columns) + 1, smallest, width)
    top, bottom = _with_room(min(rows), max(rows) + 1, smallest, height)
    if (right - left) * (bottom - top) > 0.6 * width * height:
        return Box(0, 0, width, height)
    return Box(left, top, right, bottom)


def _with_room(start: int, end: int, smallest: float, limit: int) -> tuple[int, int]:
    """An extent made larger by the margin, and to the smallest one, inside 0 .. limit."""
    wanted = min(limit, round(max((end - start) * (1 + 2 * MARGIN), smallest)))
    begin = min(max(0, round((start + end - wanted) / 2)), limit - wanted)
    return begin, begin + wanted


def moved(click: Click, box: Box, scale: float) -> Click:
    """A click in the units of the outlines, counted from the corner of the shown part."""
    x = round((click.x + 0.5 - box.left) * scale, 1)
    return Click(x, round((click.y + 0.5 - box.top) * scale, 1), click.positive)


def outline_path(mask: BoolArray, size_wh: tuple[int, int]) -> str:
    """
    The outline of a mask as the ``d`` of an SVG path, to be filled by the even-odd rule.

    Args:
        mask: bool (H, W).
        size_wh: Size in units to which it is brought.

    Returns:
        Closed loops of whole units; empty for an empty mask.
    """
    if not mask.any():
        return ""
    smooth = cv2.resize(mask.astype(np.uint8) * 255, size_wh, interpolation=cv2.INTER_LINEAR)
    filled = (smooth > 127).astype(np.uint8)
    loops, _ = cv2.findContours(filled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    fineness = FINENESS
    while len(path := _loops_path(loops, fineness)) > MAX_OUTLINE_BYTES:
        fineness *= 1.5
    return path


def _loops_path(loops: Sequence[NDArray[Any]], fineness: float) -> str:
    """Loops as one path, without those that are smaller than what may be left out."""
    parts = []
    for loop in loops:
        corners = cv2.approxPolyDP(loop, fineness, closed=True)[:, 0]
        if len(corners) > 2:
            steps = np.diff(corners, axis=0)
            moves = " ".join(f"{x} {y}" for x, y in steps)
            parts.append(f"M{corners[0][0]} {corners[0][1]}l{moves}z")
    return "".join(parts)


def smaller(part: RgbImage, side: int) -> RgbImage:
    """A picture whose longer side is at most ``side``; a copy, not a view of a larger one."""
    scale = side / max(part.shape[:2])
    if scale >= 1:
        return part.copy()
    size_wh = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    return np.asarray(cv2.resize(part, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def jpeg_of(part: RgbImage, side: int, quality: int) -> bytes:
    """A picture not longer than ``side``; the same pixels give the same bytes."""
    file = io.BytesIO()
    Image.fromarray(smaller(part, side)).save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()
