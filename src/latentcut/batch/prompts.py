"""
What is asked of a batch: for every image the objects that are meant, and how they are shown.

Prompts come from strangers' files. What cannot be understood is listed with its place and its
reason, and the rest is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

from latentcut.annotation.records import Label
from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Clicks
from latentcut.formats.names import is_inside, shown


@dataclass(frozen=True)
class Scribble:
    """
    A stroke.

    Attributes:
        points_xy: Its corners in order, in image pixels, positions as those of clicks.
        positive: Whether it lies on the object.
    """

    points_xy: tuple[tuple[float, float], ...]
    positive: bool = True


@dataclass(frozen=True)
class Prompt:
    """
    One object and all that is said about it.

    Attributes:
        name: Distinct within its image.
        label: Name of its label; None: not labelled.
        id: Its number in a COCO file; 0: none.
        clicks: In order.
        box_xyxy: A box, or None.
        scribbles: In order.
        previous: A mask to start from: a COCO run-length code, or the path of a picture,
            relative to the image folder; None: none.
    """

    name: str
    label: str | None = None
    id: int = 0
    clicks: Clicks = ()
    box_xyxy: BoxXyxy | None = None
    scribbles: tuple[Scribble, ...] = ()
    previous: Mapping[str, Any] | str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing says where the object is."""
        return not (self.clicks or self.box_xyxy or self.scribbles or self.previous)

    def shown_as(self) -> dict[str, Any]:
        """How the object is shown, as plain values; what the output repeats."""
        shown_by: dict[str, Any] = {}
        if self.clicks:
            shown_by["clicks"] = [
                {"x": click.x, "y": click.y, "positive": click.positive} for click in self.clicks
            ]
        if self.box_xyxy:
            shown_by["box"] = list(self.box_xyxy)
        if self.scribbles:
            shown_by["scribbles"] = [
                {"points": [list(xy) for xy in scribble.points_xy], "positive": scribble.positive}
                for scribble in self.scribbles
            ]
        return shown_by

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values: equal prompts have equal ones."""
        named = {"name": self.name, "label": self.label, "id": self.id}
        return {**named, **self.shown_as(), "previous": self.previous}


@dataclass(frozen=True)
class ImagePrompts:
    """
    An image and the objects that are meant in it.

    Attributes:
        path: Relative to the image folder, with forward slashes.
        prompts: In order; may be empty.
        id: Its number in a COCO file; 0: none.
    """

    path: str
    prompts: tuple[Prompt, ...] = ()
    id: int = 0


@dataclass(frozen=True)
class Problem:
    """
    Something that was left out.

    Attributes:
        image: Its path; "" where none is known.
        object_name: None: all of the image.
        reason: Why.
    """

    image: str
    object_name: str | None
    reason: str

    @property
    def line(self) -> str:
        """For a person."""
        place = (
            self.image if self.object_name is None else f"{self.image} object {self.object_name}"
        )
        return f"{shown(place)}: {shown(self.reason)}" if place else shown(self.reason)


@dataclass(frozen=True)
class PromptSet:
    """
    What a file of prompts says.

    Attributes:
        images: In the file's order, each once.
        labels: In the file's order; empty: those of the prompts, as they come up.
        problems: What could not be understood.
    """

    images: tuple[ImagePrompts, ...]
    labels: tuple[Label, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass
class Gathering:
    """
    Prompts while a file is being read.

    Attributes:
        folder: The image folder.
        beside: Where the file lies; COCO's paths begin there.
        problems: What could not be understood.
    """

    folder: Path
    beside: Path
    problems: list[Problem] = field(default_factory=list)
    _images: dict[str, dict[str, Prompt]] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def image(self, text: str, number: int = 0) -> str | None:
        """
        Path of an image as it is kept.

        Args:
            text: A path in the image folder, or, where none is there, beside the file.
            number: Of the image in a COCO file.

        Returns:
            None, and a problem is noted, where it leads out of the image folder.
        """
        path = str(PurePosixPath(text.replace("\\", "/")))
        if not (is_inside(path) and (self.folder / path).is_file()):
            path = self._from_beside(path) or path
        if not is_inside(path):
            self.refuse(text, None, "the path leads out of the image folder")
            return None
        self._images.setdefault(path, {})
        self._ids.setdefault(path, number)
        return path

    def _from_beside(self, path: str) -> str | None:
        """The path of an image beside the file as one in the image folder; None: it is not."""
        if "\0" in path:
            return None
        folder, place = self.folder.resolve(), (self.beside / path).resolve()
        is_there = place.is_relative_to(folder) and place.is_file()
        return place.relative_to(folder).as_posix() if is_there else None

    def name(self, image: str, given: str = "") -> str:
        """
        What the next object of an image is called.

        Args:
            image: Its path.
            given: What the file calls it; it gets a number where another is called so already.

        Returns:
            Without a given name its number among all objects of the image that the file lists.
        """
        self._counts[image] = number = self._counts.get(image, 0) + 1
        first = given or str(number)
        others = (f"{given}_{k}" if given else str(k) for k in count(2 if given else number + 1))
        taken = self._images[image]
        return next(name for name in chain([first], others) if name not in taken)

    def prompt(self, image: str, prompt: Prompt) -> None:
        """Keep an object, if it is another one than those that are there."""
        if prompt.name in self._images[image]:
            self.refuse(image, prompt.name, "the image has another object of this name")
        elif prompt.is_empty:
            reason = "nothing says where it is; give a click, a box, a scribble or a mask"
            self.refuse(image, prompt.name, reason)
        else:
            self._images[image][prompt.name] = prompt

    def refuse(self, image: str, name: str | None, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(image, name, reason))

    def all(self, labels: tuple[Label, ...] = ()) -> PromptSet:
        """Everything that was kept."""
        images = tuple(
            ImagePrompts(path, tuple(prompts.values()), self._ids[path])
            for path, prompts in self._images.items()
        )
        return PromptSet(images, labels, tuple(self.problems))
