"""Clicks: what the user gives. An ordered, immutable tuple of them is all a prediction needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import ClickOutsideImage


@dataclass(frozen=True, slots=True)
class Click:
    """
    One click in image pixels.

    Attributes:
        x: Pixels from the centre of the left-most pixel, 0 to W0 - 1, floats allowed.
        y: Pixels from the centre of the top-most pixel, 0 to H0 - 1, floats allowed.
        positive: True on the object, False on the background.
    """

    x: float
    y: float
    positive: bool = True

    @property
    def pixel_xy(self) -> tuple[int, int]:
        """The pixel (column, row) the click lies in; halves round up."""
        return math.floor(self.x + 0.5), math.floor(self.y + 0.5)


Clicks = tuple[Click, ...]


def check_clicks(clicks: Sequence[Click], size_hw: tuple[int, int]) -> Clicks:
    """
    Return the clicks as a tuple, or raise ClickOutsideImage for the first that lies outside.

    NaN and infinite coordinates count as outside.
    """
    height, width = size_hw
    for click in clicks:
        if not (0 <= click.x <= width - 1 and 0 <= click.y <= height - 1):
            raise ClickOutsideImage(click.x, click.y, size_hw)
    return tuple(clicks)


def click_points_xy(clicks: Sequence[Click], *, positive: bool) -> NDArray[np.float64]:
    """Positions of the clicks of one sign: shape (K, 2), float64, order (x, y); K may be 0."""
    points = [(click.x, click.y) for click in clicks if click.positive == positive]
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def broken_clicks(mask: NDArray[np.bool_], clicks: Sequence[Click]) -> Clicks:
    """
    The clicks that a mask does not obey, in order.

    Args:
        mask: bool (H0, W0).
        clicks: Clicks inside the image.

    Returns:
        Every positive click whose pixel is outside the mask and every negative one inside.
    """
    broken = []
    for click in clicks:
        column, row = click.pixel_xy
        if bool(mask[row, column]) != click.positive:
            broken.append(click)
    return tuple(broken)
