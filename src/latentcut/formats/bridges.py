"""
One closed outline for a mask with holes and several parts.

Readers of YOLO files draw a polygon with its outline, by the even-odd rule. A way that goes
into a hole, around it and back the same way leaves the hole empty, and draws nothing beside
pixels of the mask, because it runs along a row of them. Between two parts there is no such row:
there, a line one pixel wide is drawn, as short as it can be.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
Points = NDArray[np.int64]  # (N, 2), order (x, y), pixel centres at whole numbers

KEY_ROW = 1 << 20  # more than an image has columns
MAX_SEARCHED_POINTS = 4_000  # of all parts together, when looking for short ways between them


@dataclass
class Ring:
    """
    The border of a part or of a hole, pixel by pixel.

    Attributes:
        points: Along the border, closed, (N, 2).
        branches: Ways to other rings: place here, ring, place there.
    """

    points: Points
    branches: list[tuple[int, Ring, int]] = field(default_factory=list)

    def place(self, pixel_xy: tuple[int, int]) -> int:
        """Where the ring passes a pixel of it."""
        order, sorted_keys = self._search
        return int(order[np.searchsorted(sorted_keys, pixel_xy[1] * KEY_ROW + pixel_xy[0])])

    @functools.cached_property
    def _search(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        keys = self.points[:, 1] * KEY_ROW + self.points[:, 0]
        order = np.argsort(keys)
        return order, keys[order]


def bridged_outlines(mask: BoolArray, *, join_parts: bool = True) -> list[Points]:
    """
    Outlines that a polygon rasteriser turns back into the mask, holes included.

    Args:
        mask: bool (H, W).
        join_parts: Whether parts become one outline, too.

    Returns:
        One outline, or one per part, from top to bottom; each (N, 2) with N >= 3, corners
        only, in pixels counted from the centre of the top-left pixel. An empty mask has none.
        Parts are 8-connected: an outline through centres joins pixels that touch at a corner.
    """
    parts = _parts(mask)
    if join_parts and len(parts) > 1:
        _join(parts)
        parts = parts[:1]
    return [_corners(_walk(part)) - 1 for part in parts]  # without the padding


def drawn_by_opencv(outlines: list[Points], size_hw: tuple[int, int]) -> BoolArray:
    """What readers of YOLO files make of outlines: OpenCV fills each, with its border."""
    canvas = np.zeros(size_hw, dtype=np.uint8)
    for outline in outlines:
        cv2.fillPoly(canvas, [outline.astype(np.int32)], 1)
    return canvas.astype(bool)


def _parts(mask: BoolArray) -> list[Ring]:
    """
    The outer ring of every part from top to bottom, with branches to its holes.

    Points are those of the mask with one pixel of padding around it.
    """
    padded = np.pad(mask, 1).view(np.uint8)
    contours, levels = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    rings = [Ring(contour[:, 0].astype(np.int64)) for contour in contours]
    parents = levels[0][:, 3]  # -1 for an outer ring
    holes = [index for index, parent in enumerate(parents) if parent >= 0]
    if holes:
        _, background = cv2.connectedComponents(1 - padded, connectivity=4)
        hole_rings = {}
        for index in holes:
            x, y = _leftmost(rings[index])[1]
            hole_rings[int(background[y, x + 1])] = index
        for index in holes:
            start, (x, y) = _leftmost(rings[index])
            left = int(np.flatnonzero(padded[y, :x] == 0)[-1])  # of the row of mask pixels
            # what lies there is another hole of the same part, further left, or its outside
            target = hole_rings.get(int(background[y, left]), -1)
            if target < 0 or parents[target] != parents[index]:
                target = parents[index]
            place = rings[target].place((left + 1, y))
            rings[target].branches.append((place, rings[index], start))
    outer = [ring for ring, parent in zip(rings, parents, strict=True) if parent < 0]
    return sorted(outer, key=lambda ring: (ring.points[:, 1].min(), ring.points[0, 0]))


def _leftmost(ring: Ring) -> tuple[int, tuple[int, int]]:
    """Place and pixel (x, y) of a ring that is farthest to the left, the upper one of several."""
    place = int(np.lexsort((ring.points[:, 1], ring.points[:, 0]))[0])
    x, y = ring.points[place].tolist()
    return place, (x, y)


def _join(parts: list[Ring]) -> None:
    """Connect all parts with the first one, directly or not, by short ways: Prim's tree."""
    step = max(1, sum(len(part.points) for part in parts) // MAX_SEARCHED_POINTS)
    places = [np.arange(0, len(part.points), step) for part in parts]
    owner = np.repeat(np.arange(len(parts)), [len(p) for p in places])
    place = np.concatenate(places)
    points = np.concatenate([part.points[p] for part, p in zip(parts, places, strict=True)])
    nearest = np.full(len(points), np.iinfo(np.int64).max)  # squared distance to what is joined
    source = np.zeros(len(points), dtype=np.int64)
    is_open = owner != 0
    newest = 0
    while is_open.any():
        there = np.flatnonzero(is_open)
        for begin in range(0, len(there), 1_000):
            some = there[begin : begin + 1_000]
            own = np.flatnonzero(owner == newest)
            apart = np.subtract.outer(points[some, 0], points[own, 0]) ** 2
            apart += np.subtract.outer(points[some, 1], points[own, 1]) ** 2
            closest = apart.argmin(axis=1)
            distance = apart[np.arange(len(some)), closest]
            is_better = distance < nearest[some]
            nearest[some[is_better]] = distance[is_better]
            source[some[is_better]] = own[closest[is_better]]
        chosen = int(there[nearest[there].argmin()])
        newest, come_from = int(owner[chosen]), int(source[chosen])
        branch = (int(place[come_from]), parts[newest], int(place[chosen]))
        parts[int(owner[come_from])].branches.append(branch)
        is_open &= owner != newest


def _walk(root: Ring) -> Points:
    """All points of a ring and of what branches off it, in one closed way."""
    pieces: list[Points] = []
    open_walks = [_stretches(root, 0)]
    while open_walks:
        step = next(open_walks[-1], None)
        if step is None:
            open_walks.pop()
            continue
        stretch, branch = step
        pieces.append(stretch)
        if branch is not None:
            open_walks.append(_stretches(branch[1], branch[2]))
    return np.concatenate(pieces)[:-1]  # the last point is the first one


def _stretches(ring: Ring, start: int) -> Iterator[tuple[Points, tuple[int, Ring, int] | None]]:
    """A ring from a place around to the same place, cut where something branches off."""
    length = len(ring.points)
    around = np.concatenate([ring.points[start:], ring.points[: start + 1]])
    done = 0
    for branch in sorted(ring.branches, key=lambda b: (b[0] - start) % length):
        end = (branch[0] - start) % length
        yield around[done : end + 1], branch
        done = end
    yield around[done:], None


def _corners(points: Points) -> Points:
    """A closed way without the points where it goes straight on, at least three of them."""
    is_new = (points != np.roll(points, 1, axis=0)).any(axis=1)
    points = points[is_new] if is_new.any() else points[:1]
    to_here, to_next = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    cross = to_here[:, 0] * to_next[:, 1] - to_here[:, 1] * to_next[:, 0]
    goes_straight_on = (cross == 0) & ((to_here * to_next).sum(axis=1) > 0)
    points = points[~goes_straight_on]
    missing = max(0, 3 - len(points))
    return np.concatenate([points, np.repeat(points[-1:], missing, axis=0)])
