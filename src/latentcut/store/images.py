"""The images of a project, inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from latentcut.errors import BadAction, NotInProject
from latentcut.store.rows import ImageRow
from latentcut.store.sqlite import all_rows, first_row

COLUMNS = """
    SELECT id, path, missing, width, height, done, revision, head,
        (SELECT count(*) FROM objects WHERE objects.image_id = images.id)
    FROM images
"""
MAX_ROW_ID = 2**63 - 1  # of SQLite


def all_images(sqlite: apsw.Connection) -> tuple[ImageRow, ...]:
    rows = all_rows(sqlite, f"{COLUMNS} ORDER BY missing, position, path")
    return tuple(_image(row) for row in rows)


def one_image(sqlite: apsw.Connection, image_id: int) -> ImageRow:
    """
    One image.

    Raises:
        NotInProject: There is no such image.
    """
    row = None
    if 0 < image_id <= MAX_ROW_ID:
        row = first_row(sqlite, f"{COLUMNS} WHERE id = ?", (image_id,))
    if row is None:
        raise NotInProject("image", image_id)
    return _image(row)


def _image(row: tuple[Any, ...]) -> ImageRow:
    image_id, path, missing, width, height, done, revision, head, num_objects = row
    return ImageRow(
        id=image_id,
        path=path,
        missing=bool(missing),
        width=width,
        height=height,
        done=bool(done),
        num_objects=num_objects,
        revision=revision,
        touched=head > 0,
    )


class FolderDifference:
    """
    What a folder has that its project does not know yet.

    Args:
        sqlite: In a transaction.
        paths: Of all image files, in the order they shall be listed.

    Raises:
        BadAction: A file name is no Unicode text, which nothing can show or store.
    """

    def __init__(self, sqlite: apsw.Connection, paths: Sequence[str]) -> None:
        positions = {path: position for position, path in enumerate(dict.fromkeys(paths))}
        for path in positions:
            _check_unicode(path)
        rows = all_rows(sqlite, "SELECT path, position, missing FROM images")
        known = {path: (position, missing) for path, position, missing in rows}
        self.new = [(path, at) for path, at in positions.items() if path not in known]
        self.moved = [
            (at, path)
            for path, at in positions.items()
            if path in known and known[path] != (at, False)
        ]
        self.gone = [
            (path,) for path, (_, missing) in known.items() if path not in positions and not missing
        ]

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.gone)

    def enter(self, sqlite: apsw.Connection) -> None:
        """Write it down."""
        sqlite.executemany("INSERT INTO images (path, position) VALUES (?, ?)", self.new)
        sqlite.executemany("UPDATE images SET position = ?, missing = 0 WHERE path = ?", self.moved)
        sqlite.executemany("UPDATE images SET missing = 1 WHERE path = ?", self.gone)


def _check_unicode(path: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadAction(
            f"the file name {path!r} is not Unicode text: rename the file, or leave it out"
        ) from error
