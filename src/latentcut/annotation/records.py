"""
Records of an annotated image. Immutable; pydantic checks them whenever they come from outside.

A mask is stored once, under a name made of its content, and records hold the name: undo, redo
and re-ordering then move a few hundred bytes, whatever the size of the image.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from latentcut.core.clicks import Click, Clicks
from latentcut.core.masks import CocoRle

Operation = Literal["new", "add", "subtract", "intersect"]
Tool = Literal["brush", "eraser"]
MaskId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in image pixels
PixelBox = tuple[int, int, int, int]  # half-open: x0, y0, x1, y1
Name = Annotated[str, StringConstraints(max_length=200)]

NUM_COLOURS = 8  # of the Okabe-Ito palette
MAX_CLICKS_PER_OBJECT = 10_000
MAX_STROKE_POINTS = 20_000
MAX_STROKES_PER_OBJECT = 10_000
MAX_RADIUS_PX = 5_000.0
MAX_WEIGHTS = 32


def mask_id_of(rle: CocoRle) -> str:
    """Name of a mask: 32 hex digits of the SHA-256 of its size and counts."""
    height, width = rle["size"]
    return hashlib.sha256(f"{height}x{width}:{rle['counts']}".encode("ascii")).hexdigest()[:32]


class Record(BaseModel):
    """Base of the records: frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ClickRecord(Record):
    """A click in image pixels, counted from the centre of the top-left pixel."""

    x: float
    y: float
    positive: bool = True


class Part(Record):
    """
    One round of clicks, and the mask it ended in.

    Attributes:
        op: How the mask joins those of the parts before it; the first part's is "new".
        clicks: In order; empty for an imported mask and for a box alone.
        box: A dragged box, or None.
        previous: The mask that the newest prediction started from, or None.
        selected: Index of the candidate taken; None where no network was asked.
        by_user: Whether a person took the candidate, rather than g.
        score: g's probability of the candidate, in [0, 1].
        expected_iou: g's guess of its IoU, in [0, 1].
        preference: Weights of the preferences that were applied to g's scores, so that the same
            candidates can be had again with the same scores; None: none were.
        mask: The candidate, at image resolution.
    """

    op: Operation = "new"
    clicks: tuple[ClickRecord, ...] = Field(default=(), max_length=MAX_CLICKS_PER_OBJECT)
    box: Box | None = None
    previous: MaskId | None = None
    selected: int | None = None
    by_user: bool = False
    score: float | None = None
    expected_iou: float | None = None
    preference: tuple[float, ...] | None = Field(default=None, max_length=MAX_WEIGHTS)
    mask: MaskId


class Stroke(Record):
    """
    A brush or eraser stroke: a round pen drawn along points.

    Attributes:
        tool: "brush" turns pixels on, "eraser" off.
        radius_px: Of the pen, in image pixels.
        points: (x, y) in image pixels; they may leave the image.
    """

    tool: Tool
    radius_px: Annotated[float, Field(gt=0, le=MAX_RADIUS_PX)]
    points: Annotated[
        tuple[tuple[float, float], ...], Field(min_length=1, max_length=MAX_STROKE_POINTS)
    ]


class ObjectRecord(Record):
    """
    An object of an image.

    Attributes:
        id: Unique in the project, for ever.
        label: Id of its label; None: not labelled.
        name: Free text; may be empty.
        position: Order in the image; where masks overlap, the later object is in front.
        parts: Folded in order.
        strokes: Edits on top of the parts; they stay when the parts change.
        mask: The result at image resolution.
        area: Pixels of the result.
        box_xyxy: Smallest box around it; None when it is empty.
    """

    id: int
    label: int | None = None
    name: Name = ""
    position: int = 0
    parts: tuple[Part, ...] = ()
    strokes: Annotated[tuple[Stroke, ...], Field(max_length=MAX_STROKES_PER_OBJECT)] = ()
    mask: MaskId
    area: int
    box_xyxy: PixelBox | None = None


class Label(Record):
    """A label of the project: its name, its colour (0 to 7), and a key that gives it, if any."""

    id: int
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    colour: Annotated[int, Field(ge=0, lt=NUM_COLOURS)] = 0
    key: Annotated[str, StringConstraints(max_length=1)] | None = None


def to_clicks(records: tuple[ClickRecord, ...]) -> Clicks:
    """Clicks as the predictor takes them."""
    return tuple(Click(record.x, record.y, record.positive) for record in records)
