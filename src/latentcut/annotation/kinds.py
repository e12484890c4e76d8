"""
Everything a person can do to an image, as data: what the page sends, checked by pydantic.

What each action changes is worked out in ``annotation.actions``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from latentcut.annotation.records import (
    MAX_STROKE_POINTS,
    Box,
    ClickRecord,
    Name,
    Record,
    Stroke,
)

MAX_FOUND = 200  # things taken over in one step

Mode = Literal["refine", "add", "subtract", "intersect"]


class ClickAction(Record):
    """
    Click on an object; several clicks that came in while one was answered go together.

    Attributes:
        kind: "click".
        object: The object; None makes a new one.
        label: Label of a new object.
        clicks: In order, at least one.
        mode: "refine" adds the clicks to the newest part, the others begin a new part.
        tab: Names who sends it, so that a newer one replaces an older one.
    """

    kind: Literal["click"]
    object: int | None = None
    label: int | None = None
    clicks: Annotated[tuple[ClickRecord, ...], Field(min_length=1, max_length=1000)]
    mode: Mode = "refine"
    tab: Name = ""


class BoxAction(Record):
    """Drag a box around something; fields as of ClickAction."""

    kind: Literal["box"]
    object: int | None = None
    label: int | None = None
    box: Box
    mode: Mode = "refine"
    tab: Name = ""


class ScribbleAction(Record):
    """
    Scribble over something: a few clicks along the stroke; other fields as of ClickAction.

    Attributes:
        points: (x, y) in image pixels; they may leave the image.
        positive: True on the object, False on the background.
    """

    kind: Literal["scribble"]
    object: int | None = None
    label: int | None = None
    points: Annotated[
        tuple[tuple[float, float], ...], Field(min_length=1, max_length=MAX_STROKE_POINTS)
    ]
    positive: bool = True
    mode: Mode = "refine"
    tab: Name = ""


class ChooseAction(Record):
    """Take another candidate of the newest part."""

    kind: Literal["choose"]
    object: int
    index: int


class StrokeAction(Stroke):
    """Paint or erase; without an object a brush makes a new one."""

    kind: Literal["stroke"]
    object: int | None = None
    label: int | None = None


class LabelAction(Record):
    """Give an object a label, or none."""

    kind: Literal["label"]
    object: int
    label: int | None


class RenameAction(Record):
    """Give an object a name."""

    kind: Literal["rename"]
    object: int
    name: Name


class DeleteAction(Record):
    """Remove an object."""

    kind: Literal["delete"]
    object: int


class ReorderAction(Record):
    """Put all objects of the image in a new order, from back to front."""

    kind: Literal["reorder"]
    objects: tuple[int, ...]


class SplitAction(Record):
    """Make an object of its own of each connected piece but the largest."""

    kind: Literal["split"]
    object: int


class MaskCode(Record):
    """A mask in COCO's compressed run-length code; size is (height, width) of the image."""

    size: tuple[int, int]
    counts: str


class FoundThing(Record):
    """
    A thing that a search has found.

    Attributes:
        mask: Its mask.
        click: The click that found it.
        candidate: Which of the answers to that click it is.
        expected_iou: g's guess of its IoU.
    """

    mask: MaskCode
    click: ClickRecord
    candidate: Annotated[int, Field(ge=0)]
    expected_iou: Annotated[float, Field(ge=0, le=1)]


class FoundAction(Record):
    """
    Make objects of things that a search has found, all in one step.

    They come with their masks, so what a person looks at and takes is what is kept, whatever
    became of the search meanwhile.

    Attributes:
        label: Label of all of them.
        things: At least one; larger ones are put behind smaller ones.
    """

    kind: Literal["found"]
    label: int | None = None
    things: Annotated[tuple[FoundThing, ...], Field(min_length=1, max_length=MAX_FOUND)]


class DoneAction(Record):
    """Mark the image as done, or not."""

    kind: Literal["done"]
    done: bool


Action = (
    ClickAction
    | BoxAction
    | ScribbleAction
    | ChooseAction
    | StrokeAction
    | LabelAction
    | RenameAction
    | DeleteAction
    | ReorderAction
    | SplitAction
    | FoundAction
    | DoneAction
)
ACTION: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="kind")])
