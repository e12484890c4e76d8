"""
The plane of an image that is on screen, and the ways between its pixels and napari's positions.

napari counts positions from the centre of the first pixel, as clicks do, but in the order of the
axes: (row, column) in a picture, (slice, row, column) in a stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
Position = Sequence[float] | NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Plane:
    """
    Two axes of an array, at fixed places of all others.

    Attributes:
        shape: Of the array, without colours.
        axes: The axes on screen, vertical before horizontal.
        at: Place along every axis; those of the axes on screen are 0.
    """

    shape: tuple[int, ...]
    axes: tuple[int, int]
    at: tuple[int, ...]

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width on screen, in pixels."""
        return self.shape[self.axes[0]], self.shape[self.axes[1]]

    @property
    def index(self) -> tuple[int | slice, ...]:
        """What selects the plane from an array of this shape."""
        return tuple(
            slice(None) if axis in self.axes else place for axis, place in enumerate(self.at)
        )

    @property
    def place(self) -> tuple[int, ...]:
        """Places along the axes that are not on screen, in order; () for a picture."""
        return tuple(place for axis, place in enumerate(self.at) if axis not in self.axes)

    @property
    def is_turned(self) -> bool:
        """Whether the later axis of the array is the vertical one."""
        return self.axes[0] > self.axes[1]

    def of(self, array: Any) -> NDArray[Any]:
        """
        The plane of an array.

        Args:
            array: Of the plane's shape, with colours behind it or without; NumPy, or anything
                that becomes so when it is indexed and asked for its values.

        Returns:
            (H, W) or (H, W, colours).
        """
        pixels = np.asarray(array[self.index])
        return pixels.swapaxes(0, 1) if self.is_turned else pixels

    def where(self, mask: BoolArray) -> tuple[NDArray[np.intp], ...]:
        """The pixels of a mask (H, W) as an index into an array of the plane's shape."""
        found: list[NDArray[np.intp]] = [np.empty(0, np.intp)] * len(self.shape)
        vertical, horizontal = np.nonzero(mask)
        for axis, place in enumerate(self.at):
            found[axis] = np.full(len(vertical), place, np.intp)
        found[self.axes[0]], found[self.axes[1]] = vertical, horizontal
        return tuple(found)

    def holds(self, position: Position) -> bool:
        """Whether a position of the array is nearest to this plane."""
        return all(
            int(np.floor(position[axis] + 0.5)) == place
            for axis, place in enumerate(self.at)
            if axis not in self.axes
        )

    def xy(self, position: Position) -> tuple[float, float]:
        """
        A position of the array in the plane.

        Returns:
            (x, y) in pixels. The outer half of the border pixels counts as their centre line,
            because clicks go from centre to centre; what is farther outside stays outside.
        """
        height, width = self.size_hw
        y, x = float(position[self.axes[0]]), float(position[self.axes[1]])
        return _inside(x, width), _inside(y, height)

    def position(self, x: float, y: float) -> tuple[float, ...]:
        """The position in the array of a place in the plane."""
        found = [float(place) for place in self.at]
        found[self.axes[0]], found[self.axes[1]] = y, x
        return tuple(found)


def plane_at(shape: Sequence[int], displayed: Sequence[int], position: Position) -> Plane:
    """
    The plane that a viewer shows.

    Args:
        shape: Of the array, without colours; at least two axes.
        displayed: The two axes on screen, vertical before horizontal.
        position: Where the viewer is, along every axis of the array; places beyond its ends
            count as its ends.
    """
    at = [
        0 if axis in displayed else int(min(max(np.floor(place + 0.5), 0), length - 1))
        for axis, (place, length) in enumerate(zip(position, shape, strict=True))
    ]
    return Plane(tuple(shape), (displayed[0], displayed[1]), tuple(at))


def finest_level(shapes: Iterable[Sequence[int]], axes: Sequence[int], max_pixels: int) -> int:
    """
    The level of a multiscale image to work on.

    Args:
        shapes: Of the levels, the finest first.
        axes: The two axes on screen.
        max_pixels: Of a plane.

    Returns:
        The first whose planes are not larger; the last if all are.
    """
    sizes = [shape[axes[0]] * shape[axes[1]] for shape in shapes]
    return next((n for n, size in enumerate(sizes) if size <= max_pixels), len(sizes) - 1)


def _inside(position: float, length: int) -> float:
    """A position in the outer half of the first or last pixel as that pixel's centre."""
    if -0.5 <= position <= length - 0.5:
        return min(max(position, 0.0), length - 1.0)
    return position
