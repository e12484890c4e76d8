"""What the API says: the shapes of its answers, made from predictions."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from latentcut.core.masks import (
    CocoRle,
    mask_area,
    mask_box_xyxy,
    mask_to_polygons_edges,
)
from latentcut.core.predictor import BoolArray
from latentcut.web.api.prompts import MaskFormat

Polygon = list[float]


class ProblemAnswer(BaseModel):
    """What went wrong, for programs and for people."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """Every error looks like this."""

    error: ProblemAnswer


class KeptImageAnswer(BaseModel):
    """An image that can be asked about from now on."""

    image_id: Annotated[str, Field(description="SHA-256 of the file, in hexadecimal")]
    width: Annotated[int, Field(description="of the upright image, in pixels")]
    height: int
    sha256: str


class MaskCode(BaseModel):
    """A mask in COCO's compressed run-length code; size is [height, width]."""

    size: tuple[int, int]
    counts: str


class DrawnMask(BaseModel):
    """A mask in the format that was asked for; the other formats are left out."""

    area: Annotated[int, Field(description="in pixels")]
    box: Annotated[
        tuple[int, int, int, int] | None,
        Field(description="x0, y0, x1, y1, half-open; left out: the mask is empty"),
    ] = None
    rle: MaskCode | None = None
    polygons: Annotated[
        list[Polygon] | None,
        Field(description="one per part, [x, y, x, y, ...] along pixel edges, as in COCO"),
    ] = None
    has_holes: Annotated[
        bool | None,
        Field(description="with polygons: they would lose something, so rle is given, too"),
    ] = None
    png_url: Annotated[str | None, Field(description="8-bit grey, 0 and 255")] = None


class Judgement(BaseModel):
    """What the model says of a candidate."""

    id: Annotated[str, Field(description="to be sent back as previous")]
    index: int
    score: Annotated[float, Field(description="probability of being what is meant; sum 1")]
    expected_iou: Annotated[float, Field(description="IoU with what is meant, as expected")]


class CandidateMask(DrawnMask, Judgement):
    """One answer of the model."""


class PredictionAnswer(BaseModel):
    """The candidates for what was asked."""

    image_id: str
    selected: Annotated[int, Field(description="index of the likeliest candidate")]
    clicks_satisfied: Annotated[
        bool, Field(description="false only where clicks contradict each other")
    ]
    candidates: list[CandidateMask]
    model_version: str
    took_ms: float


class Finding(BaseModel):
    """How and where a thing was found."""

    id: Annotated[str, Field(description="to be sent as previous, to refine it")]
    expected_iou: float
    stability: float
    click: Annotated[tuple[float, float], Field(description="x, y: where it was found")]


class FoundMask(DrawnMask, Finding):
    """One thing that was found without being asked for."""


class EverythingAnswer(BaseModel):
    """All things that were found, the surest first."""

    image_id: str
    objects: list[FoundMask]
    model_version: str
    took_ms: float


class ModelAnswer(BaseModel):
    """The model and what it accepts."""

    name: str
    version: Annotated[str, Field(description="of the program")]
    model_version: str
    fingerprint: Annotated[str, Field(description="SHA-256 of all that decides an answer")]
    num_masks: Annotated[int, Field(description="candidates per prediction")]
    licence: str
    card: Annotated[str | None, Field(description="the model card, in Markdown")] = None
    max_image_bytes: int
    max_image_pixels: int


class HealthAnswer(BaseModel):
    """Whether the process is up."""

    status: Literal["up"] = "up"


class ReadyAnswer(BaseModel):
    """Whether the model is loaded."""

    status: Literal["ready"] = "ready"


def candidate_url(image_id: str, name: str) -> str:
    """Where the picture of a candidate is."""
    return f"/api/v1/images/{image_id}/candidates/{name}.png"


def drawn(mask: BoolArray, code: CocoRle, form: MaskFormat, url: str) -> DrawnMask:
    """
    A mask in a format.

    Args:
        mask: bool (H0, W0).
        code: The same, encoded.
        form: How it is to be written.
        url: Where its picture is.
    """
    answer = DrawnMask(area=mask_area(mask), box=mask_box_xyxy(mask))
    if form == "png_url":
        answer.png_url = url
    if form == "polygon":
        rings = rings_of(mask, answer.box)
        answer.polygons = [ring.ravel().tolist() for ring in rings]
        answer.has_holes = sum(enclosed_area(ring) for ring in rings) != answer.area
    if form == "rle" or answer.has_holes:
        height, width = code["size"]
        answer.rle = MaskCode(size=(height, width), counts=code["counts"])
    return answer


def rings_of(mask: BoolArray, box: tuple[int, int, int, int] | None) -> list[NDArray[np.float64]]:
    """Outlines along pixel edges, (N, 2) each, traced in the box around the mask alone."""
    if box is None:
        return []
    x0, y0, x1, y1 = box
    corner = np.array([x0, y0])
    return [ring + corner for ring in mask_to_polygons_edges(mask[y0:y1, x0:x1])]


def enclosed_area(ring: NDArray[np.float64]) -> float:
    """Pixels inside a ring along pixel edges; exact, for these are whole numbers."""
    x, y = ring.T
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2)
