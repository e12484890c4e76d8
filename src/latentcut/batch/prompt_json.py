"""Prompts as our own JSON holds them: images with their objects."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentcut.batch.prompts import Gathering, Prompt, PromptSet, Scribble
from latentcut.core.clicks import Click
from latentcut.errors import BadPrompts
from latentcut.formats.names import shown

JSON_RULE = 'it must hold {"images": [{"file": ..., "objects": [...]}]}, or be a COCO file'


class Entry(BaseModel):
    """Base of what a file says: strict about keys."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ClickEntry(Entry):
    """A click."""

    x: float
    y: float
    positive: bool = True

    def click(self) -> Click:
        """As the core takes it."""
        return Click(self.x, self.y, self.positive)


class ScribbleEntry(Entry):
    """A stroke."""

    points: list[tuple[float, float]] = Field(min_length=1)
    positive: bool = True

    def scribble(self) -> Scribble:
        """As a prompt holds it."""
        return Scribble(tuple(self.points), self.positive)


class ShownEntry(Entry):
    """How an object is shown."""

    clicks: list[ClickEntry] = []
    box: tuple[float, float, float, float] | None = None
    scribbles: list[ScribbleEntry] = []

    def facts(self) -> dict[str, Any]:
        """Arguments of a prompt."""
        return {
            "clicks": tuple(entry.click() for entry in self.clicks),
            "box_xyxy": self.box,
            "scribbles": tuple(entry.scribble() for entry in self.scribbles),
        }


class ObjectEntry(ShownEntry):
    """An object."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    label: str | None = Field(default=None, min_length=1, max_length=200)
    previous: dict[str, Any] | str | None = None


class ImageEntry(Entry):
    """An image; its objects are looked at one by one."""

    file: str = Field(min_length=1)
    objects: list[Any]


def prompts_of_json(name: str, document: dict[str, Any], gathering: Gathering) -> PromptSet:
    """
    Prompts of our own format.

    Args:
        name: Of the file, for messages.
        document: Its content.
        gathering: Takes what it says.

    Raises:
        BadPrompts: It has no list of images.
    """
    entries = document.get("images")
    if not isinstance(entries, list):
        raise BadPrompts(f"{shown(name)} is no file of prompts: {JSON_RULE}")
    for number, entry in enumerate(entries):
        try:
            image_entry = ImageEntry.model_validate(entry)
        except ValidationError as error:
            gathering.refuse(f"images[{number}]", None, first_reason(error))
            continue
        image = gathering.image(image_entry.file)
        for given in () if image is None else image_entry.objects:
            assert image is not None
            _gather(gathering, image, given)
    return gathering.all()


def _gather(gathering: Gathering, image: str, given: Any) -> None:
    name = gathering.name(image)
    if isinstance(given, dict) and isinstance(given.get("name"), str):
        name = given["name"]
    try:
        entry = ObjectEntry.model_validate(given)
    except ValidationError as error:
        gathering.refuse(image, name, first_reason(error))
        return
    prompt = Prompt(name, entry.label, previous=entry.previous, **entry.facts())
    gathering.prompt(image, prompt)


def first_reason(error: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    found = error.errors(include_url=False)[0]
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in found["loc"])
    said: str = found["msg"]
    said = said[0].lower() + said[1:]
    return f"{place.lstrip('.')}: {said}" if place else said
