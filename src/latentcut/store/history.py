"""
The objects of an image and its history, inside a transaction.

Every image has one line of actions and a head, the newest one in force. A commit drops what was
undone and adds an action; undo and redo move the head by one and put the other side of every
change in force. Whatever happens, the revision grows by one: to a client that has read the image
before, an undo is a change like any other.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Literal, NamedTuple

import apsw
import pydantic

from latentcut.annotation.records import ObjectRecord
from latentcut.core.masks import CocoRle
from latentcut.errors import (
    BadAction,
    NothingToUndo,
    NotInProject,
    RevisionConflict,
)
from latentcut.store.images import one_image
from latentcut.store.lessons import NO_EVIDENCE, Evidence, store_evidence
from latentcut.store.masks import check_masks, store_masks
from latentcut.store.rows import Document
from latentcut.store.sqlite import all_rows, first_row
from latentcut.store.trouble import damaged

Direction = Literal["undo", "redo"]
MAX_OBJECT_ID = 2**53  # beyond it a browser cannot tell one whole number from the next
COMPRESSION_LEVEL = 1  # a record with many strokes shrinks to 40 %; more effort gains little
MAX_RECORD_BYTES = 2**26  # 4 million points; a stranger's few bytes may unpack to terabytes


class _Place(NamedTuple):
    """Where an image stands in its history."""

    head: int
    done: bool


def read_document(sqlite: apsw.Connection, image_id: int) -> Document:
    """
    An image and everything on it.

    Raises:
        NotInProject: There is no such image.
        ProjectBroken: The file has an object that breaks the rules of its record.
    """
    image = one_image(sqlite, image_id)
    head = first_row(sqlite, "SELECT head FROM images WHERE id = ?", (image_id,))[0]
    rows = all_rows(
        sqlite, "SELECT record FROM objects WHERE image_id = ? ORDER BY position, id", (image_id,)
    )
    objects = tuple(_record(text, image_id) for (text,) in rows)
    kinds: dict[int, str] = dict(
        all_rows(
            sqlite,
            "SELECT seq, kind FROM actions WHERE image_id = ? AND seq IN (?, ?)",
            (image_id, head, head + 1),
        )
    )
    return Document(image, objects, can_undo=kinds.get(head), can_redo=kinds.get(head + 1))


def commit(
    sqlite: apsw.Connection,
    image_id: int,
    expected_revision: int,
    kind: str,
    changes: Mapping[int, ObjectRecord | None],
    masks: Mapping[str, CocoRle],
    done: bool | None,
    evidence: Evidence = NO_EVIDENCE,
) -> Document:
    """Do an action; arguments and errors are those of `ProjectStore.commit`."""
    place = _place(sqlite, image_id, expected_revision)
    _drop_what_was_undone(sqlite, image_id, place.head)
    store_masks(sqlite, masks)
    check_masks(sqlite, (record for record in changes.values() if record is not None))
    sqlite.execute(
        "INSERT INTO actions (image_id, seq, kind, other_done) VALUES (?, ?, ?, ?)",
        (image_id, place.head + 1, kind, None if done is None else place.done),
    )
    action_id = sqlite.last_insert_rowid()
    for object_id, record in changes.items():
        _check_change(sqlite, object_id, record)
        before = _exchange(sqlite, image_id, object_id, record)
        if before is None and record is None:
            raise NotInProject("object", object_id)
        sqlite.execute(
            "INSERT INTO changes (action_id, object_id, other) VALUES (?, ?, ?)",
            (action_id, object_id, _packed(before)),
        )
    store_evidence(sqlite, evidence)
    _move(sqlite, image_id, place.head + 1, place.done if done is None else done)
    return read_document(sqlite, image_id)


def step(
    sqlite: apsw.Connection, image_id: int, expected_revision: int, direction: Direction
) -> Document:
    """Undo or redo an action; errors are those of `ProjectStore.undo`."""
    head, done = _place(sqlite, image_id, expected_revision)
    seq = head if direction == "undo" else head + 1
    action = first_row(
        sqlite, "SELECT id, other_done FROM actions WHERE image_id = ? AND seq = ?", (image_id, seq)
    )
    if action is None:
        raise NothingToUndo(f"there is nothing to {direction} in image {image_id}")
    action_id, other_done = action
    changes = all_rows(
        sqlite, "SELECT object_id, other FROM changes WHERE action_id = ?", (action_id,)
    )
    for object_id, other in changes:
        in_force = _exchange(sqlite, image_id, object_id, _unpacked(other, image_id))
        sqlite.execute(
            "UPDATE changes SET other = ? WHERE action_id = ? AND object_id = ?",
            (_packed(in_force), action_id, object_id),
        )
    if other_done is not None:
        sqlite.execute("UPDATE actions SET other_done = ? WHERE id = ?", (done, action_id))
        done = bool(other_done)
    _move(sqlite, image_id, head - 1 if direction == "undo" else head + 1, done)
    return read_document(sqlite, image_id)


def new_object_ids(sqlite: apsw.Connection, image_id: int, num_ids: int) -> range:
    """Take ids from the project's counter; errors are those of `ProjectStore.new_object_id`."""
    one_image(sqlite, image_id)
    last_id = first_row(
        sqlite,
        "UPDATE project SET last_object_id = last_object_id + ? RETURNING last_object_id",
        (num_ids,),
    )[0]
    return range(last_id - num_ids + 1, last_id + 1)


def _place(sqlite: apsw.Connection, image_id: int, expected_revision: int) -> _Place:
    image = one_image(sqlite, image_id)
    if image.revision != expected_revision:
        raise RevisionConflict(f"image {image_id}", expected_revision, image.revision)
    head = first_row(sqlite, "SELECT head FROM images WHERE id = ?", (image_id,))[0]
    return _Place(head, image.done)


def _move(sqlite: apsw.Connection, image_id: int, head: int, done: bool) -> None:
    sqlite.execute(
        "UPDATE images SET head = ?, done = ?, revision = revision + 1 WHERE id = ?",
        (head, done, image_id),
    )


def _drop_what_was_undone(sqlite: apsw.Connection, image_id: int, head: int) -> None:
    tail = "FROM actions WHERE image_id = ? AND seq > ?"
    sqlite.execute(f"DELETE FROM changes WHERE action_id IN (SELECT id {tail})", (image_id, head))
    sqlite.execute(f"DELETE {tail}", (image_id, head))


def _check_change(sqlite: apsw.Connection, object_id: int, record: ObjectRecord | None) -> None:
    if not 0 < object_id <= MAX_OBJECT_ID:
        raise BadAction(f"{object_id} is no object id: new_object_id gives one")
    if record is None:
        return
    if record.id != object_id:
        raise BadAction(f"the record of object {object_id} has the id {record.id}: use one id")
    if record.label is not None and not _has_label(sqlite, record.label):
        raise NotInProject("label", record.label)
    # an id that was not taken from the counter is counted as well, so that nobody gets it later
    sqlite.execute("UPDATE project SET last_object_id = max(last_object_id, ?)", (object_id,))


def _exchange(
    sqlite: apsw.Connection, image_id: int, object_id: int, record: ObjectRecord | None
) -> str | None:
    """
    Put a record in force, None to remove the object.

    Returns:
        The JSON of the record whose place it takes; None: there was no such object.
    """
    row = first_row(sqlite, "SELECT image_id, record FROM objects WHERE id = ?", (object_id,))
    if row is not None and row[0] != image_id:
        raise BadAction(f"object {object_id} belongs to image {row[0]}, not to image {image_id}")
    if record is None:
        sqlite.execute("DELETE FROM objects WHERE id = ?", (object_id,))
    else:
        if record.label is not None and not _has_label(sqlite, record.label):
            # an old state comes back whose label was removed since: without it
            record = record.model_copy(update={"label": None})
        text = record.model_dump_json()
        num_bytes = len(text.encode("utf-8"))
        if num_bytes > MAX_RECORD_BYTES:
            raise BadAction(
                f"object {object_id} would take {num_bytes:,} bytes, but at most "
                f"{MAX_RECORD_BYTES:,} are allowed: go on with another object"
            )
        sqlite.execute(
            "INSERT INTO objects (id, image_id, label, position, record) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET label = excluded.label, "
            "position = excluded.position, record = excluded.record",
            (object_id, image_id, record.label, record.position, text),
        )
    return None if row is None else str(row[1])


def _has_label(sqlite: apsw.Connection, label_id: int) -> bool:
    if not 0 < label_id < 2**63:
        return False
    return first_row(sqlite, "SELECT 1 FROM labels WHERE id = ?", (label_id,)) is not None


def _record(text: str, image_id: int) -> ObjectRecord:
    try:
        return ObjectRecord.model_validate_json(text)
    except pydantic.ValidationError as error:
        raise damaged(f"an object of image {image_id}") from error


def _packed(text: str | None) -> bytes | None:
    return None if text is None else zlib.compress(text.encode("utf-8"), COMPRESSION_LEVEL)


def _unpacked(packed: bytes | None, image_id: int) -> ObjectRecord | None:
    if packed is None:
        return None
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(packed, MAX_RECORD_BYTES + 1).decode("utf-8")
    except (zlib.error, UnicodeDecodeError) as error:
        raise damaged(f"the history of image {image_id}") from error
    if not reader.eof:  # cut off, or it would fill the memory
        raise damaged(f"the history of image {image_id}")
    return _record(text, image_id)
