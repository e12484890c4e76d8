"""A project: what one can do with it. Everything is on the disk when a method returns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from latentcut.annotation.records import Label, MaskId, ObjectRecord
from latentcut.core.masks import CocoRle
from latentcut.errors import BadAction, FileMissing, LatentcutError
from latentcut.store import history
from latentcut.store.connection import Connection
from latentcut.store.images import FolderDifference, all_images, one_image
from latentcut.store.labels import all_labels, replace_labels
from latentcut.store.lessons import (
    NO_EVIDENCE,
    Evidence,
    LessonRow,
    forget,
    read_evidence,
    read_looks,
)
from latentcut.store.masks import one_mask
from latentcut.store.rows import Document, ImageRow, LabelSet, StoreStatus
from latentcut.store.sqlite import first_row
from latentcut.store.trouble import damaged

PROJECT_FOLDER = ".latentcut"
PROJECT_FILE = "project.db"
MAX_SETTINGS_BYTES = 2**16


class ProjectStore:
    """
    The database of a project. Threads and processes may share it.

    Every method is one transaction: it has happened completely and survives a power cut, or it
    raises and nothing has changed. Each may raise StoreUnavailable while the disk is full, away
    or read-only; the same store works again afterwards.

    Made with `open`. Works as a context manager.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: str | os.PathLike[str], create: bool = True, vfs: str = "") -> Self:
        """
        Open the project of a folder.

        Args:
            path: The folder of images; its database is path/.latentcut/project.db. A path that
                ends in .db is the database itself.

            create: Whether to begin a project where there is none.

            vfs: SQLite's name of the file layer; tests put faulty disks there.

        Raises:
            FileMissing: The folder does not exist, or there is no project and create is False.
            ProjectBroken: The file is no project of latentcut, or damaged.
            ProjectTooNew: A newer latentcut wrote it; it was not touched.
            StoreUnavailable: The folder cannot be written.
        """
        file = Path(path).absolute()  # the program may change its working directory
        if file.suffix != ".db":
            if not file.is_dir():
                raise FileMissing(path, "a folder")
            file = file / PROJECT_FOLDER / PROJECT_FILE
        connection = Connection(file, vfs)
        connection.open(create)
        return cls(connection)

    def close(self) -> None:
        """Give the file back. A second time does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._connection.path

    # ---------------------------------------------------------------- images

    def sync_images(self, paths: Sequence[str]) -> None:
        """
        Bring the list of images up to date with the folder.

        Args:
            paths: All image files, relative to the folder, with "/" between their parts, in the
                order they shall be listed. Those the project does not know are added. Those
                that are not among them are marked missing, and keep all their work.

        Raises:
            BadAction: A file name is no Unicode text.
        """
        with self._connection.reading() as sqlite:
            if not FolderDifference(sqlite, paths):
                return
        with self._connection.writing() as sqlite:
            FolderDifference(sqlite, paths).enter(sqlite)

    def images(self) -> tuple[ImageRow, ...]:
        """All images in the order of the folder, missing ones last."""
        with self._connection.reading() as sqlite:
            return all_images(sqlite)

    def image(self, image_id: int) -> ImageRow:
        """
        One image.

        Raises:
            NotInProject: There is no such image.
        """
        with self._connection.reading() as sqlite:
            return one_image(sqlite, image_id)

    def set_image_size(self, image_id: int, width: int, height: int) -> None:
        """
        Remember the size of an upright image, in pixels. It is no action and no new revision.

        Raises:
            NotInProject: There is no such image.
        """
        image = self.image(image_id)
        if (image.width, image.height) == (width, height):
            return
        with self._connection.writing() as sqlite:
            sqlite.execute(
                "UPDATE images SET width = ?, height = ? WHERE id = ?", (width, height, image_id)
            )

    # ---------------------------------------------------------------- labels and settings

    def labels(self) -> LabelSet:
        """The labels in their order."""
        with self._connection.reading() as sqlite:
            return all_labels(sqlite)

    def set_labels(self, labels: Sequence[Label], expected_revision: int) -> LabelSet:
        """
        Put a new list of labels in the place of the old one.

        Args:
            labels: In their new order. A label with an id the project does not have is new; its
                id is kept where no label ever had it, and otherwise (0, for example) replaced
                by the next free one.

            expected_revision: Of the list that the change was made to.

        Returns:
            The new list, with the ids as they are now.

        Raises:
            RevisionConflict: The labels were changed in the meantime.
            LabelInUse: Objects have a label that is not in the new list.
            BadAction: Two labels have the same id or the same name.
        """
        with self._connection.writing() as sqlite:
            return replace_labels(sqlite, labels, expected_revision)

    def settings(self) -> dict[str, Any]:
        """What the page remembers; empty at first."""
        with self._connection.reading() as sqlite:
            text = first_row(sqlite, "SELECT settings FROM project")[0]
        try:
            return dict(json.loads(text))
        except (TypeError, ValueError) as error:
            raise damaged("the list of settings") from error

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """
        Remember the page's settings in the place of those before.

        Raises:
            BadAction: They cannot be written as JSON, or take more than 64 kB.
        """
        try:
            text = json.dumps(dict(settings), ensure_ascii=False, allow_nan=False)
            num_bytes = len(text.encode("utf-8"))
        except (TypeError, ValueError) as error:
            raise BadAction(
                "the settings cannot be written as JSON: use objects, lists, text, finite "
                "numbers, true, false and null"
            ) from error
        if num_bytes > MAX_SETTINGS_BYTES:
            raise BadAction(
                f"the settings take {num_bytes:,} bytes, but at most {MAX_SETTINGS_BYTES:,} are "
                "allowed: leave some out"
            )
        with self._connection.writing() as sqlite:
            sqlite.execute("UPDATE project SET settings = ?", (text,))

    # ---------------------------------------------------------------- objects and their history

    def document(self, image_id: int) -> Document:
        """
        An image and everything on it.

        Raises:
            NotInProject: There is no such image.
        """
        with self._connection.reading() as sqlite:
            return history.read_document(sqlite, image_id)

    def new_object_id(self, image_id: int) -> int:
        """
        An id that no object of the project ever had, nor will be given again.

        Raises:
            NotInProject: There is no such image.
        """
        return self.new_object_ids(image_id, 1)[0]

    def new_object_ids(self, image_id: int, num_ids: int) -> range:
        """
        Several new ids for the price of one write, as an import of many objects needs them.

        Raises:
            NotInProject: There is no such image.
        """
        with self._connection.writing() as sqlite:
            return history.new_object_ids(sqlite, image_id, num_ids)

    def commit(
        self,
        image_id: int,
        expected_revision: int,
        kind: str,
        changes: Mapping[int, ObjectRecord | None],
        masks: Mapping[MaskId, CocoRle],
        done: bool | None = None,
        evidence: Evidence = NO_EVIDENCE,
    ) -> Document:
        """
        Do an action: one step of the history of an image. What was undone before is dropped.

        Args:
            image_id: The image.

            expected_revision: Of the document that the action was worked out on.

            kind: What it is called where it can be undone: "click", "stroke", "import" ...

            changes: The new record of every object it makes or changes; None: it is removed.

            masks: The masks that the records name and the project may not have yet, under their
                names (`mask_id_of`). Whether they have the size of the image is not checked.

            done: The image is declared done, or no longer; None: it stays as it is.

            evidence: What can be learned from it about the person's choices.

        Returns:
            The document after the action.

        Raises:
            RevisionConflict: The image was changed in the meantime.
            NotInProject: The image, the label or a mask of a record, or an object that is to be
                removed does not exist.
            BadAction: An object has another id than its record, or belongs to another image.
            BadMask: A mask has not the name that its content gives it.
        """
        with self._connection.writing() as sqlite:
            return history.commit(
                sqlite, image_id, expected_revision, kind, changes, masks, done, evidence
            )

    def undo(self, image_id: int, expected_revision: int) -> Document:
        """
        Take back the newest action that is in force.

        A label that was removed since does not come back: the object is then without one.

        Raises:
            RevisionConflict: The image was changed in the meantime.
            NothingToUndo: No action is in force.
            NotInProject: There is no such image.
        """
        with self._connection.writing() as sqlite:
            return history.step(sqlite, image_id, expected_revision, "undo")

    def redo(self, image_id: int, expected_revision: int) -> Document:
        """
        Do the action again that was taken back last.

        Raises:
            RevisionConflict: The image was changed in the meantime.
            NothingToUndo: Nothing was taken back since the last commit.
            NotInProject: There is no such image.
        """
        with self._connection.writing() as sqlite:
            return history.step(sqlite, image_id, expected_revision, "redo")

    def mask(self, mask_id: MaskId) -> CocoRle:
        """
        One mask.

        Raises:
            NotInProject: There is no such mask.
        """
        with self._connection.reading() as sqlite:
            return one_mask(sqlite, mask_id)

    def masks(self, mask_ids: Iterable[MaskId]) -> dict[MaskId, CocoRle]:
        """
        Several masks at once.

        Raises:
            NotInProject: One of them does not exist.
        """
        with self._connection.reading() as sqlite:
            return {mask_id: one_mask(sqlite, mask_id) for mask_id in mask_ids}

    # ---------------------------------------------------------------- what can be learned

    def evidence(self, limit: int) -> tuple[LessonRow, ...]:
        """
        What the newest objects teach that exist now, as they are now; oldest first.

        Undo and redo need no help here: an object teaches what its mask in force says.

        Args:
            limit: At most so many.
        """
        with self._connection.reading() as sqlite:
            return read_evidence(sqlite, limit)

    def looks(self, object_ids: Iterable[int]) -> dict[int, str]:
        """The looks of those objects that have one, as JSON."""
        with self._connection.reading() as sqlite:
            return read_looks(sqlite, object_ids)

    def forget_evidence(self) -> None:
        """Begin anew: nothing that was learned so far counts any more."""
        with self._connection.writing() as sqlite:
            forget(sqlite)

    def uses_preferences(self) -> bool:
        """Whether g's choice shall follow what was learned; at first it shall."""
        with self._connection.reading() as sqlite:
            return bool(first_row(sqlite, "SELECT preferences FROM project")[0])

    def use_preferences(self, enabled: bool) -> None:
        """Have g's choice follow what was learned, or not; learning goes on in either case."""
        with self._connection.writing() as sqlite:
            sqlite.execute("UPDATE project SET preferences = ?", (enabled,))

    # ---------------------------------------------------------------- can it be saved?

    def check_writable(self) -> None:
        """
        Find out, within about a second, whether a change could be saved now.

        Raises:
            StoreUnavailable: It could not; the reason is a sentence for the user.
        """
        self._connection.check_writable()

    def status(self) -> StoreStatus:
        """The same as an answer instead of an error, whatever keeps it from being saved."""
        try:
            self.check_writable()
        except LatentcutError as error:
            return StoreStatus(writable=False, reason=str(error))
        return StoreStatus(writable=True, reason=None)
