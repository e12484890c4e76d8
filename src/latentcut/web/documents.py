"""What the API says: the shapes of its answers, made from records of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel

from latentcut.annotation.records import Label, ObjectRecord, PixelBox
from latentcut.core.masks import CocoRle
from latentcut.store.rows import Document, ImageRow

Status = Literal["untouched", "in_work", "done"]


class ImageAnswer(BaseModel):
    """An image of the list."""

    id: int
    name: str
    path: str
    width: int | None
    height: int | None
    status: Status
    missing: bool
    num_objects: int
    revision: int
    problem: str | None


class LabelsAnswer(BaseModel):
    """The labels and their revision."""

    revision: int
    labels: tuple[Label, ...]


class PreferencesAnswer(BaseModel):
    """Whether g's choice among candidates follows what was learned here."""

    enabled: bool
    num_learned: int


class ProjectAnswer(BaseModel):
    """Everything the page needs to begin."""

    name: str
    version: str
    num_masks: int
    images: list[ImageAnswer]
    labels: LabelsAnswer
    settings: dict[str, Any]
    preferences: PreferencesAnswer


class StatusAnswer(BaseModel):
    """Whether saving works, and what the server is busy with."""

    store: Literal["ok", "unavailable"]
    reason: str | None
    folder: Literal["ok", "missing"]
    waiting: int
    encoded: list[int]


class PartAnswer(BaseModel):
    """A round of clicks."""

    op: str
    clicks: list[dict[str, float | bool]]
    box: tuple[float, float, float, float] | None
    selected: int | None
    by_user: bool
    score: float | None
    expected_iou: float | None


class ObjectAnswer(BaseModel):
    """An object of an image."""

    id: int
    label: int | None
    name: str
    position: int
    mask: str
    area: int
    box: PixelBox | None
    parts: list[PartAnswer]
    num_strokes: int
    has_candidates: bool


class RleAnswer(BaseModel):
    """A mask in COCO's compressed run-length code; size is [height, width]."""

    size: list[int]
    counts: str

    @classmethod
    def of(cls, rle: CocoRle) -> RleAnswer:
        """The same as of the core."""
        return cls(size=rle["size"], counts=rle["counts"])


class DocumentAnswer(BaseModel):
    """An image with its objects; masks of all, or of those that changed."""

    id: int
    name: str
    width: int | None
    height: int | None
    status: Status
    done: bool
    revision: int
    can_undo: str | None
    can_redo: str | None
    objects: list[ObjectAnswer]
    masks: dict[str, RleAnswer]


class ActionAnswer(BaseModel):
    """What an action, undo or redo led to."""

    document: DocumentAnswer
    object: int | None
    took_ms: float


class PreviewAnswer(BaseModel):
    """What a click would give; the mask may be smaller than the image."""

    mask: RleAnswer | None
    expected_iou: float | None


class CandidateAnswer(BaseModel):
    """One answer of the model."""

    index: int
    score: float
    expected_iou: float
    area: int
    broken_clicks: int
    mask: RleAnswer


class PointAnswer(BaseModel):
    """A position in image pixels."""

    x: float
    y: float


class CandidatesAnswer(BaseModel):
    """All answers of the model to the newest part of an object."""

    selected: int
    by_user: bool
    candidates: list[CandidateAnswer]
    next_click: PointAnswer | None
    looks_good: bool


class ClickAnswer(BaseModel):
    """A click in image pixels."""

    x: float
    y: float
    positive: bool


class SearchAnswer(BaseModel):
    """How far a search is: clicks made, of how many."""

    search: str
    num_done: int
    num_clicks: int


class FoundThingAnswer(BaseModel):
    """A found thing, as the action "found" takes it."""

    mask: RleAnswer
    click: ClickAnswer
    candidate: int
    expected_iou: float


class FoundAnswer(BaseModel):
    """What a search has found, the surest first."""

    things: list[FoundThingAnswer]


class ExportAnswer(BaseModel):
    """What an export wrote."""

    folder: str
    files: list[str]
    report: list[str]
    num_objects: int
    num_images: int


class TouchedImage(BaseModel):
    """An image that an import changed."""

    id: int
    revision: int


class ImportAnswer(BaseModel):
    """What an import did."""

    report: list[str]
    images: list[TouchedImage]


def json_response(model: BaseModel, revision: int | None = None) -> Response:
    """A model as JSON, with its revision as ETag where it has one."""
    headers = {} if revision is None else {"ETag": f'"{revision}"'}
    return Response(model.model_dump_json(), 200, headers, media_type="application/json")


def status_of(row: ImageRow) -> Status:
    """How far an image is."""
    if row.done:
        return "done"
    return "in_work" if row.touched or row.num_objects else "untouched"


def image_answer(row: ImageRow, problem: str | None) -> ImageAnswer:
    """An image of the list; problem says why it cannot be opened."""
    return ImageAnswer(
        id=row.id,
        name=row.path.rpartition("/")[2],
        path=row.path,
        width=row.width,
        height=row.height,
        status=status_of(row),
        missing=row.missing,
        num_objects=row.num_objects,
        revision=row.revision,
        problem=problem,
    )


def object_answer(record: ObjectRecord) -> ObjectAnswer:
    """An object, without what only the model needs."""
    keys = {"op", "clicks", "box", "selected", "by_user", "score", "expected_iou"}
    return ObjectAnswer(
        id=record.id,
        label=record.label,
        name=record.name,
        position=record.position,
        mask=record.mask,
        area=record.area,
        box=record.box_xyxy,
        parts=[PartAnswer(**part.model_dump(include=keys)) for part in record.parts],
        num_strokes=len(record.strokes),
        has_candidates=bool(record.parts) and record.parts[-1].selected is not None,
    )


def document_answer(document: Document, masks: Mapping[str, CocoRle]) -> DocumentAnswer:
    """A document with the masks that are to be sent."""
    row = document.image
    return DocumentAnswer(
        id=row.id,
        name=row.path.rpartition("/")[2],
        width=row.width,
        height=row.height,
        status=status_of(row),
        done=row.done,
        revision=document.revision,
        can_undo=document.can_undo,
        can_redo=document.can_redo,
        objects=[object_answer(record) for record in document.objects],
        masks={mask_id: RleAnswer.of(rle) for mask_id, rle in masks.items()},
    )


def changed_objects(before: Iterable[ObjectRecord], after: Document) -> list[ObjectRecord]:
    """The objects of a document that are new or other than before."""
    old = {record.id: record for record in before}
    return [record for record in after.objects if old.get(record.id) != record]
