"""
From parts and strokes to one mask.

An object's mask is its parts folded in order, then its strokes drawn on top: a stroke is an
edit that stays when a later click changes the parts below it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.annotation.records import MaskId, ObjectRecord, Part, Stroke, mask_id_of
from latentcut.core.masks import CocoRle, coco_rle, mask_area, mask_box_xyxy, mask_from_coco_rle
from latentcut.errors import BadAction

BoolArray = NDArray[np.bool_]

SUBPIXEL_BITS = 6  # OpenCV draws at 1/64 px
MAX_PIECES = 200  # more are noise, not a group of objects
MAX_DRAWN_PX = 2.0**24  # a coordinate beyond it would overflow OpenCV's fixed point


class MaskBook:
    """
    The masks of one image by name: those that are stored, and those that an action makes.

    Args:
        size_hw: Size of the image; every mask has it.
        read: Gives a stored mask's code.

    Attributes:
        new: Codes of the masks made since.
    """

    def __init__(self, size_hw: tuple[int, int], read: Callable[[MaskId], CocoRle]) -> None:
        self.size_hw, self._read = size_hw, read
        self.new: dict[MaskId, CocoRle] = {}
        self._decoded: dict[MaskId, BoolArray] = {}

    def mask(self, mask_id: MaskId) -> BoolArray:
        """The mask of a name, bool (H, W), read-only."""
        if mask_id not in self._decoded:
            rle = self.new.get(mask_id) or self._read(mask_id)
            self._keep(mask_id, mask_from_coco_rle(rle, max_pixels=self.num_pixels))
        return self._decoded[mask_id]

    def add(self, mask: BoolArray) -> MaskId:
        """Name a mask, bool (H, W)."""
        rle = coco_rle(mask)
        mask_id = mask_id_of(rle)
        self.new.setdefault(mask_id, rle)
        self._keep(mask_id, mask.copy())
        return mask_id

    @property
    def num_pixels(self) -> int:
        """Pixels of the image."""
        return self.size_hw[0] * self.size_hw[1]

    def _keep(self, mask_id: MaskId, mask: BoolArray) -> None:
        mask.flags.writeable = False
        self._decoded[mask_id] = mask


def finish(record: ObjectRecord, book: MaskBook) -> ObjectRecord:
    """The record with its mask, area and box made anew from its parts and strokes."""
    return with_mask(record, draw_strokes(fold(record.parts, book), record.strokes), book)


def with_mask(record: ObjectRecord, mask: BoolArray, book: MaskBook) -> ObjectRecord:
    """The record with another result, bool (H, W), and the area and box of it."""
    return record.model_copy(
        update={"mask": book.add(mask), "area": mask_area(mask), "box_xyxy": mask_box_xyxy(mask)}
    )


def fold(parts: Iterable[Part], book: MaskBook) -> BoolArray:
    """
    Parts joined in order, bool (H, W), a new array; no parts give an empty mask.

    "new" starts over, "add" is the union, "subtract" takes away, "intersect" keeps what
    both have.
    """
    mask = np.zeros(book.size_hw, dtype=bool)
    for part in parts:
        own = book.mask(part.mask)
        if part.op == "new":
            mask = own.copy()
        elif part.op == "add":
            mask |= own
        elif part.op == "subtract":
            mask &= ~own
        else:
            mask &= own
    return mask


def draw_strokes(mask: BoolArray, strokes: Sequence[Stroke]) -> BoolArray:
    """Strokes drawn in order onto a mask, bool (H, W), which is changed and returned."""
    if not strokes:
        return mask
    canvas = mask.view(np.uint8)
    for stroke in strokes:
        draw_stroke(canvas, stroke)
    return mask


def draw_stroke(canvas: NDArray[np.uint8], stroke: Stroke) -> None:
    """
    Draw a round pen along a stroke's points, in place.

    Args:
        canvas: uint8 (H, W); becomes 1 under a brush and 0 under an eraser.
        stroke: The stroke; a single point draws a disc.
    """
    colour = 1 if stroke.tool == "brush" else 0
    unit = 2**SUBPIXEL_BITS
    points = np.clip(np.array(stroke.points, dtype=np.float64), -MAX_DRAWN_PX, MAX_DRAWN_PX)
    # OpenCV also fills pixels that an outline only touches: a little less makes it even
    radius = max(0.0, stroke.radius_px - 0.25)
    for point in np.rint(points * unit).astype(np.int64).tolist():
        _disc(canvas, point, radius, colour)
    for start, end in itertools.pairwise(points):
        length = float(np.hypot(*(end - start)))
        if length > 0:
            along = (end - start) / length
            across = np.array([-along[1], along[0]]) * radius
            corners = np.stack([start + across, end + across, end - across, start - across])
            fixed = np.rint(corners * unit).astype(np.int32)
            cv2.fillConvexPoly(canvas, fixed, colour, cv2.LINE_8, SUBPIXEL_BITS)


def _disc(canvas: NDArray[np.uint8], centre: list[int], radius: float, colour: int) -> None:
    fixed = round(radius * 2**SUBPIXEL_BITS)
    cv2.circle(canvas, (centre[0], centre[1]), fixed, colour, -1, cv2.LINE_8, SUBPIXEL_BITS)


def pieces(mask: BoolArray) -> list[BoolArray]:
    """
    Connected pieces of a mask, the largest first; pixels that touch at a corner are two.

    Raises:
        BadAction: There are more than 200: that is noise, not a group of objects.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    if count - 1 > MAX_PIECES:
        raise BadAction(
            f"the mask is in {count - 1} pieces, and at most {MAX_PIECES} can be split off: "
            "erase the small ones first"
        )
    areas = stats[1:, cv2.CC_STAT_AREA]
    return [labels == 1 + int(index) for index in np.argsort(-areas, kind="stable")]
