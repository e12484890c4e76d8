"""What the store answers with. Immutable; a record is a moment, not a live object."""

from __future__ import annotations

from dataclasses import dataclass

from latentcut.annotation.records import Label, ObjectRecord


@dataclass(frozen=True, slots=True)
class ImageRow:
    """
    An image of the project, without its objects.

    Attributes:
        id: Unique in the project, for ever.
        path: Of the file, relative to the project's folder, with "/" between its parts.
        missing: Whether the file was not there when the folder was last read.
        width: In pixels, of the upright image; None until it was opened once.
        height: The same.
        done: Whether a person has declared it done.
        num_objects: Objects it has now.
        revision: 0 at first; one more with every commit, undo and redo.
        touched: Whether an action is in force; False again when all were undone.
    """

    id: int
    path: str
    missing: bool
    width: int | None
    height: int | None
    done: bool
    num_objects: int
    revision: int
    touched: bool


@dataclass(frozen=True, slots=True)
class Document:
    """
    An image and everything on it.

    Attributes:
        image: The image.
        objects: From back to front.
        can_undo: Kind of the action that undo would take back; None: there is none.
        can_redo: Kind of the action that redo would bring back; None: there is none.
    """

    image: ImageRow
    objects: tuple[ObjectRecord, ...]
    can_undo: str | None
    can_redo: str | None

    @property
    def revision(self) -> int:
        """Of the image; what the next commit, undo or redo has to expect."""
        return self.image.revision


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of the project in their order, and how often they were changed."""

    revision: int
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Whether a change could be saved now; if not, why, in a sentence for the user."""

    writable: bool
    reason: str | None
