"""
Box prompts: what a dragged box says to a network that knows only clicks and a previous mask.

A new box is told as a filled previous mask, one positive click on what stands out inside and
negative clicks around it; from then on the mask so far with a click at its inmost place. Answers
are cut off outside the box, and those whose extent is the box's are preferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.backend import Features
from latentcut.core.clicks import Click, Clicks
from latentcut.core.distances import depth_map
from latentcut.core.frame import Frame, mask_extent
from latentcut.core.guidance import GUIDANCE_STRIDE
from latentcut.core.prediction import PlacedLogits
from latentcut.errors import BadBox

# Measured with benchmarks/measure_box.py; every one has a wide range of equally good values.
MARGIN_PX = 7.0  # network pixels from the box to the negative clicks around it
CLEARANCE_PX = 14.0  # network pixels that our clicks keep from a user's of the other sign
SLACK = 0.1  # of the box's sides: so far outside of it a mask may go; users are not exact
SMOOTHING = 0.12  # of the box's shorter side: standard deviation of the blur of what stands out
AGREEMENT_WEIGHT = 2.0  # raw scores that full agreement with the box is worth
USUAL_AGREEMENT = 0.9  # leaves the score, and so the expected IoU, as it is
MAX_OUTER_CELLS = 2048  # compared with; only frames larger than the usual ones have more
LEAST_AGREEMENT = 0.5  # a previous mask that agrees less is not of what the box means

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
BoxXyxy = tuple[float, float, float, float]


class Box(NamedTuple):
    """Edges in image pixels, counted from the edges of the image."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre_xy(self) -> tuple[float, float]:
        """The centre as a position, counted from the centre of the top-left pixel."""
        return (self.left + self.right - 1) / 2, (self.top + self.bottom - 1) / 2

    @property
    def area(self) -> float:
        """In square pixels; 0 where an edge lies beyond its opposite."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def holding(self, clicks: Sequence[Click]) -> Box:
        """The box, larger where a positive click lies outside of it: the object goes on there."""
        points = [(click.x, click.y) for click in clicks if click.positive]
        return Box(
            min([self.left, *(x for x, _ in points)]),
            min([self.top, *(y for _, y in points)]),
            max([self.right, *(x + 1 for x, _ in points)]),
            max([self.bottom, *(y + 1 for _, y in points)]),
        )

    def grown(self, x_px: float, y_px: float) -> Box:
        """The box with its edges moved outwards; it may leave the image."""
        return Box(self.left - x_px, self.top - y_px, self.right + x_px, self.bottom + y_px)

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]; 0 where both are empty."""
        (left, top), (right, bottom) = map(max, self[:2], other[:2]), map(min, self[2:], other[2:])
        both = Box(left, top, right, bottom).area
        return both / max(self.area + other.area - both, 1e-9)


def check_box(box_xyxy: BoxXyxy, size_hw: tuple[int, int]) -> Box:
    """
    The part of a box that lies in the image.

    Args:
        box_xyxy: Corners (x0, y0, x1, y1), positions as those of clicks.
        size_hw: Height and width of the image, in pixels.

    Raises:
        BadBox: Nothing of the image lies in the box, or a coordinate is not a number.
    """
    height, width = size_hw
    x0, y0, x1, y1 = (float(value) + 0.5 for value in box_xyxy)
    if not (x0 < x1 and y0 < y1 and x0 < width and y0 < height and x1 > 0 and y1 > 0):
        raise BadBox(box_xyxy, size_hw)
    return Box(max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))


def filled_box(box: Box, frame: Frame) -> FloatArray:
    """The box as a previous mask: the covered share of each cell, float32 (H / 4, W / 4)."""
    height, width = frame.size_hw
    return covered(box, frame, (height // GUIDANCE_STRIDE, width // GUIDANCE_STRIDE))


def covered(box: Box, frame: Frame, grid_hw: tuple[int, int]) -> FloatArray:
    """The share of each cell of a grid over the frame that the box covers, float32 (h, w)."""
    across = _overlaps(grid_hw[1], frame.box_xyxy[0::2], (box.left, box.right))
    down = _overlaps(grid_hw[0], frame.box_xyxy[1::2], (box.top, box.bottom))
    return np.outer(down, across).astype(np.float32)


def _overlaps(
    num_cells: int, seen: tuple[int, ...], between: tuple[float, float]
) -> NDArray[np.float64]:
    """Along one axis, the share of each cell that lies between two edges."""
    edges = np.linspace(seen[0], seen[1], num_cells + 1)
    overlap = np.minimum(edges[1:], between[1]) - np.maximum(edges[:-1], between[0])
    shares: NDArray[np.float64] = np.clip(overlap * num_cells / (seen[1] - seen[0]), 0, 1)
    return shares


def first_hints(features: Features, frame: Frame, box: Box, clicks: Clicks) -> Clicks:
    """
    The clicks that stand for a new box.

    Args:
        features: Of the frame; the first array describes the cells of a grid, (1, C, h, w).
        frame: Shows the box and some surroundings.
        box: What was dragged.
        clicks: The user's own; hints that contradict them are left out.
    """
    reach = MARGIN_PX * frame.pixels_per_network_pixel
    # positions are counted from the centre of the first pixel, edges from its edge
    left, top, right, bottom = (edge - 0.5 for edge in box.grown(reach, reach))
    x, y = box.centre_xy
    around = [(x, top), (x, bottom), (left, y), (right, y)]
    around += [(left, top), (right, top), (left, bottom), (right, bottom)]
    hints = [standout_click(features, frame, box)]
    hints += [click for xy in around if frame.shows(click := Click(*xy, positive=False))]
    return clear_of(clicks, hints, frame)


def later_hints(previous: FloatArray, frame: Frame, box: Box, clicks: Clicks) -> Clicks:
    """
    The click that stands for the box once there is a mask of what is meant.

    Args:
        previous: The mask in [0, 1], float32 (H / 4, W / 4).
        frame: Where it lies.
        box: What was dragged.
        clicks: The user's own.

    Returns:
        A positive click at the place deepest inside the mask and the box, or none where they do
        not meet or the user says otherwise.
    """
    inside = (previous >= 0.5) & (filled_box(box, frame) > 0)
    if not inside.any():
        return ()
    depth = depth_map(inside)
    return clear_of(clicks, [click_on_cell(int(np.argmax(depth)), depth.shape, frame)], frame)


def clear_of(clicks: Clicks, hints: Iterable[Click], frame: Frame) -> Clicks:
    """Those of the hints that are not close to a click of the other sign."""
    near = CLEARANCE_PX * frame.pixels_per_network_pixel
    return tuple(
        hint
        for hint in hints
        if all(
            (hint.x - click.x) ** 2 + (hint.y - click.y) ** 2 > near**2
            for click in clicks
            if click.positive != hint.positive
        )
    )


def standout_click(features: Features, frame: Frame, box: Box) -> Click:
    """
    A positive click on what is least like anything around the box.

    The centre of a box often misses the object: a dancer's lies between arm and leg. What is
    around the box is background, so the object is where the inside resembles none of it.
    At the centre all the same where nothing around the box is seen.
    """
    cells = features[0][0]  # (C, h, w)
    grid_hw = cells.shape[1], cells.shape[2]
    inside = covered(box, frame, grid_hw) >= 0.5
    if inside.all() or not inside.any():
        return click_inside(box.centre_xy, frame)
    cells = cells - cells.mean(axis=(1, 2), keepdims=True)
    cells = cells / (np.linalg.norm(cells, axis=0) + 1e-6)
    outer = cells[:, ~inside]
    outer = outer[:, :: 1 + outer.shape[1] // MAX_OUTER_CELLS]
    likeness = cells[:, inside].T @ outer  # cosines, (inner cells, outer cells)
    strangeness = np.zeros(grid_hw, dtype=np.float32)
    strangeness[inside] = 1 - likeness.max(axis=1)
    short_side = min(inside.any(axis=0).sum(), inside.any(axis=1).sum())
    blurred = cv2.GaussianBlur(strangeness, (0, 0), max(0.3, SMOOTHING * short_side))
    return click_on_cell(int(np.argmax(np.where(inside, blurred, -1))), grid_hw, frame)


def click_on_cell(cell: int, grid_hw: tuple[int, ...], frame: Frame) -> Click:
    """A positive click at the centre of a cell, by its flat index, of a grid over the frame."""
    row, column = divmod(cell, grid_hw[1])
    left, top, right, bottom = frame.box_xyxy
    x = left + (column + 0.5) * (right - left) / grid_hw[1] - 0.5
    y = top + (row + 0.5) * (bottom - top) / grid_hw[0] - 0.5
    return click_inside((x, y), frame)


def click_inside(xy: tuple[float, float], frame: Frame) -> Click:
    """A positive click there; on the outermost pixel where it lies beyond its centre."""
    height, width = frame.image_hw
    return Click(min(max(xy[0], 0.0), width - 1.0), min(max(xy[1], 0.0), height - 1.0))


def judge(
    placed: Sequence[PlacedLogits], scores: FloatArray, box: Box
) -> tuple[tuple[PlacedLogits, ...], FloatArray]:
    """
    Candidates and g's raw scores of them, in the light of a box.

    Args:
        placed: M candidates.
        scores: float32 (M,), any real.
        box: What was dragged.

    Returns:
        The candidates without what lies farther from the box than a tenth of its sides, and
        scores float32 (M,), larger the better a candidate's bounding box agrees with the box.
    """
    cut = tuple(cut_outside(candidate, box) for candidate in placed)
    agreements = np.array([agreement(candidate, box) for candidate in cut], dtype=np.float32)
    return cut, scores + np.float32(AGREEMENT_WEIGHT) * (agreements - np.float32(USUAL_AGREEMENT))


def cut_outside(candidate: PlacedLogits, box: Box) -> PlacedLogits:
    """The candidate without what lies farther from the box than a tenth of its sides."""
    logits, frame = candidate
    grown = box.grown(SLACK * (box.right - box.left) + 1, SLACK * (box.bottom - box.top) + 1)
    kept = covered(grown, frame, logits.shape) > 0
    return PlacedLogits(np.where(kept, logits, np.minimum(logits, np.float32(-1))), frame)


def agreement(candidate: PlacedLogits, box: Box) -> float:
    """IoU of the candidate's bounding box with the box, in [0, 1]; 0 for an empty candidate."""
    logits, frame = candidate
    extent = mask_extent(logits > 0)
    if extent is None:
        return 0.0
    left, top, right, bottom = frame.box_xyxy
    cell_w, cell_h = (right - left) / logits.shape[1], (bottom - top) / logits.shape[0]
    corner, opposite = extent[:2], extent[2:]
    return box.iou(
        Box(
            left + corner[0] * cell_w,
            top + corner[1] * cell_h,
            left + opposite[0] * cell_w,
            top + opposite[1] * cell_h,
        )
    )


def fits(mask: BoolArray, box: Box) -> bool:
    """Whether a mask of the image, bool (H0, W0), may be of what the box means."""
    extent = mask_extent(mask)
    return extent is not None and box.iou(Box(*map(float, extent))) >= LEAST_AGREEMENT
