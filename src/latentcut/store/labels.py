"""The labels of a project, inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import pydantic

from latentcut.annotation.records import Label
from latentcut.errors import BadAction, LabelInUse, RevisionConflict
from latentcut.store.rows import LabelSet
from latentcut.store.sqlite import all_rows, first_row
from latentcut.store.trouble import damaged

MAX_LABEL_ID = 2**31 - 1  # a number above it is no id that was ever handed out


def all_labels(sqlite: apsw.Connection) -> LabelSet:
    rows = all_rows(sqlite, "SELECT id, name, colour, key FROM labels ORDER BY position")
    try:
        labels = tuple(
            Label(id=i, name=name, colour=colour, key=key) for i, name, colour, key in rows
        )
    except pydantic.ValidationError as error:
        raise damaged("a label") from error
    return LabelSet(first_row(sqlite, "SELECT labels_revision FROM project")[0], labels)


def replace_labels(
    sqlite: apsw.Connection, labels: Sequence[Label], expected_revision: int
) -> LabelSet:
    """
    Put a new list of labels in the place of the old one.

    Raises:
        RevisionConflict: The labels were changed since they were read.
        BadAction: Two labels have one id or one name.
        LabelInUse: A label that objects have is not in the new list.
    """
    found, last_id = first_row(sqlite, "SELECT labels_revision, last_label_id FROM project")
    if found != expected_revision:
        raise RevisionConflict("the list of labels", expected_revision, found)
    known = {label.id: label.name for label in all_labels(sqlite).labels}
    numbered, last_id = _with_ids(labels, set(known), last_id)
    for label_id in known.keys() - {label.id for label in numbered}:
        _remove(sqlite, label_id, known[label_id])
    for position, label in enumerate(numbered):
        sqlite.execute(
            "INSERT INTO labels (id, position, name, colour, key) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name, "
            "colour = excluded.colour, key = excluded.key",
            (label.id, position, label.name, label.colour, label.key),
        )
    sqlite.execute(
        "UPDATE project SET labels_revision = labels_revision + 1, last_label_id = ?", (last_id,)
    )
    return all_labels(sqlite)


def _with_ids(
    labels: Sequence[Label], known: set[int], last_id: int
) -> tuple[tuple[Label, ...], int]:
    """
    Give new labels an id that no label ever had.

    An id that is free again would give old objects, brought back by undo, a new meaning.
    """
    kept = [label.id for label in labels if label.id in known or last_id < label.id <= MAX_LABEL_ID]
    if len(set(kept)) < len(kept):
        raise BadAction("two labels of the list have the same id: give the new one the id 0")
    names = [label.name for label in labels]
    for name in names:
        if names.count(name) > 1:
            raise BadAction(f"two labels are called {name!r}: give one of them another name")
    last_id = max([last_id, *kept])
    numbered = []
    for label in labels:
        if label.id not in kept:
            last_id += 1
            label = label.model_copy(update={"id": last_id})
        numbered.append(label)
    return tuple(numbered), last_id


def _remove(sqlite: apsw.Connection, label_id: int, name: str) -> None:
    users = first_row(sqlite, "SELECT count(*) FROM objects WHERE label = ?", (label_id,))[0]
    if users:
        raise LabelInUse(name, users)
    sqlite.execute("DELETE FROM labels WHERE id = ?", (label_id,))
