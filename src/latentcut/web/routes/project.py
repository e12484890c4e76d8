"""The project as a whole: images, labels, the page's settings, and whether saving works."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from latentcut.annotation.records import Label
from latentcut.web.bodies import JsonRoute
from latentcut.web.documents import (
    LabelsAnswer,
    PreferencesAnswer,
    ProjectAnswer,
    StatusAnswer,
    json_response,
)
from latentcut.web.routes.parameters import Desk, Revision

NEW_LABEL = 0  # the store gives it the next free id
MAX_LABELS = 10_000

router = APIRouter(route_class=JsonRoute)


class LabelBody(Label):
    """A label as the page sends it; without an id it is new."""

    id: int | None = None  # type: ignore[assignment]  # narrower again in to_label

    def to_label(self) -> Label:
        """The label, with id 0 where it is new."""
        return Label(**{**self.model_dump(), "id": self.id or NEW_LABEL})


class LabelsBody(BaseModel):
    """All labels in their order."""

    model_config = ConfigDict(extra="forbid")
    labels: Annotated[list[LabelBody], Field(max_length=MAX_LABELS)]


class PreferencesBody(BaseModel):
    """Whether what was learned is used."""

    model_config = ConfigDict(extra="forbid")
    enabled: StrictBool


@router.get("/project", response_model=ProjectAnswer)
def project(desk: Desk) -> Response:
    """Images, labels and settings."""
    return json_response(desk.project())


@router.put("/project/labels", response_model=LabelsAnswer)
def labels(body: LabelsBody, revision: Revision, desk: Desk) -> Response:
    """Put a new list of labels in the place of the old one."""
    desk.store.set_labels([label.to_label() for label in body.labels], revision)
    answer = desk.labels()
    return json_response(answer, answer.revision)


@router.put("/project/settings")
def settings(body: Annotated[dict[str, Any], Body()], desk: Desk) -> dict[str, Any]:
    """Remember the settings of the page."""
    desk.store.set_settings(body)
    return body


@router.get("/project/preferences", response_model=PreferencesAnswer)
def read_preferences(desk: Desk) -> Response:
    """Whether g's choice follows what was learned, and from how many objects that was."""
    return json_response(desk.preferences())


@router.put("/project/preferences", response_model=PreferencesAnswer)
def preferences(body: PreferencesBody, desk: Desk) -> Response:
    """Have g's choice follow what was learned in this project, or not."""
    desk.store.use_preferences(body.enabled)
    return json_response(desk.preferences())


@router.delete("/project/preferences", response_model=PreferencesAnswer)
def forget_preferences(desk: Desk) -> Response:
    """Forget what was learned in this project; the objects stay as they are."""
    desk.store.forget_evidence()
    return json_response(desk.preferences())


@router.get("/status", response_model=StatusAnswer)
def status(desk: Desk) -> Response:
    """Whether saving works, and what the server is busy with."""
    return json_response(desk.status())
