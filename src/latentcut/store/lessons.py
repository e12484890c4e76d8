"""
What can be learned from objects, inside a transaction.

Nothing that was learned is stored, only what it is learned from: what an object's candidates
looked like, and how much the object resembles each of them, for every mask it has had. An object
that is deleted, or whose mask is another one since, teaches what it is now. So undo and redo,
which know nothing of learning, unlearn and learn again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import apsw

from latentcut.annotation.records import MaskId
from latentcut.store.sqlite import all_rows, first_row
from latentcut.store.trouble import damaged

MAX_LOOK_BYTES = 2**18


@dataclass(frozen=True)
class Evidence:
    """
    What an action teaches.

    Attributes:
        looks: JSON of what the candidates of a new object look like, by object id.
        agreements: IoU of each of its candidates with an object's new mask, by object id and
            name of the mask.
    """

    looks: Mapping[int, str] = field(default_factory=dict)
    agreements: Mapping[tuple[int, MaskId], tuple[float, ...]] = field(default_factory=dict)


NO_EVIDENCE = Evidence()


class LessonRow(NamedTuple):
    """
    One object as a lesson.

    Attributes:
        object_id: The object; its look is had by `ProjectStore.looks`.
        mask: Name of the mask it has now.
        label: Id of the label it has now; None: not labelled.
        agreement: IoU of each candidate with its mask.
    """

    object_id: int
    mask: MaskId
    label: int | None
    agreement: tuple[float, ...]


def store_evidence(sqlite: apsw.Connection, evidence: Evidence) -> None:
    """Keep what an action teaches; what is there already stays as it is."""
    for object_id, look in evidence.looks.items():
        if len(look) <= MAX_LOOK_BYTES:
            sqlite.execute(
                "INSERT INTO looks (object_id, look) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (object_id, look),
            )
    for (object_id, mask), agreement in evidence.agreements.items():
        sqlite.execute(
            "INSERT INTO outcomes (object_id, mask, agreement) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (object_id, mask, json.dumps(agreement)),
        )


def read_evidence(sqlite: apsw.Connection, limit: int) -> tuple[LessonRow, ...]:
    """
    The newest lessons of objects that exist, oldest first.

    Raises:
        ProjectBroken: One cannot be read.
    """
    rows = all_rows(
        sqlite,
        "SELECT object_id, mask, label, agreement FROM objects "
        "JOIN outcomes ON object_id = objects.id AND mask = json_extract(record, '$.mask') "
        "WHERE object_id IN (SELECT object_id FROM looks) ORDER BY object_id DESC LIMIT ?",
        (limit,),
    )
    return tuple(LessonRow(i, mask, label, _agreement(text)) for i, mask, label, text in rows[::-1])


def read_looks(sqlite: apsw.Connection, object_ids: Iterable[int]) -> dict[int, str]:
    """Looks by object id, of the objects that have one."""
    query = "SELECT look FROM looks WHERE object_id = ?"
    rows = {object_id: first_row(sqlite, query, (object_id,)) for object_id in object_ids}
    return {object_id: str(row[0]) for object_id, row in rows.items() if row is not None}


def forget(sqlite: apsw.Connection) -> None:
    """Remove every lesson; objects that exist already will teach nothing any more."""
    sqlite.execute("DELETE FROM looks")
    sqlite.execute("DELETE FROM outcomes")


def _agreement(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in json.loads(text))
    except (TypeError, ValueError) as error:
        raise damaged("a lesson") from error
