"""Clicks and boxes of tools that count positions from the edge of the image, not from a centre."""

from __future__ import annotations

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click

Point = tuple[float, float]


def click_at(point: Point, positive: bool, size_hw: tuple[int, int]) -> Click:
    """
    A click at a place of the picture as canvases count: pixel (0, 0) reaches from 0 to 1.

    Args:
        point: (x, y) in pixels from the top-left corner of the image. Its right and lower edge
            count as its last pixels.
        positive: True on the object.
        size_hw: Height and width of the image, in pixels.

    Returns:
        The click, on the same pixel. A place outside the image stays outside, so that the
        predictor refuses it.
    """
    height, width = size_hw
    return Click(_inside(point[0], width), _inside(point[1], height), positive)


def click_on_pixel(point: Point, positive: bool, size_hw: tuple[int, int]) -> Click:
    """
    A click at a place that is given as column and row of a pixel.

    Args:
        point: Column and row. One beyond the last, which canvases give at their very edge, counts
            as the last.
        positive: True on the object.
        size_hw: Height and width of the image, in pixels.
    """
    height, width = size_hw
    x, y = point
    return Click(x - 1.0 if x == width else x, y - 1.0 if y == height else y, positive)


def box_at(first: Point, second: Point) -> BoxXyxy:
    """
    A box as the predictor takes it, from any two opposite corners.

    Args:
        first: (x, y) in pixels from the top-left corner of the image.
        second: The opposite corner.
    """
    (x0, x1), (y0, y1) = sorted((first[0], second[0])), sorted((first[1], second[1]))
    return float(x0) - 0.5, float(y0) - 0.5, float(x1) - 0.5, float(y1) - 0.5


def _inside(position: float, length: int) -> float:
    """A position from the edge as one from the centre of the first pixel."""
    if not 0 <= position <= length:
        return position - 0.5
    return float(min(max(position - 0.5, 0.0), length - 1.0))
