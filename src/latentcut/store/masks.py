"""
The masks of a project, inside a transaction: each stored once, under the name of its content.

The count strings are stored as they are. Compressed they would be a third smaller, for about
the time that writing them takes; and this way any SQLite browser shows what is in a project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import apsw

from latentcut.annotation.records import ObjectRecord, mask_id_of
from latentcut.core.masks import CocoRle
from latentcut.errors import BadMask, NotInProject
from latentcut.store.sqlite import first_row


def store_masks(sqlite: apsw.Connection, masks: Mapping[str, CocoRle]) -> None:
    """
    Keep masks; those that are there already cost nothing.

    Raises:
        BadMask: A mask has not the name that its content gives it.
    """
    for mask_id, rle in masks.items():
        name = mask_id_of(rle)
        if name != mask_id:
            raise BadMask(f"a mask is called {mask_id}", f"its content gives it the name {name}")
        height, width = rle["size"]
        sqlite.execute(
            "INSERT INTO masks (id, height, width, counts) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO NOTHING",
            (mask_id, height, width, rle["counts"]),
        )


def one_mask(sqlite: apsw.Connection, mask_id: str) -> CocoRle:
    """
    One mask.

    Raises:
        NotInProject: There is no such mask.
    """
    row = first_row(sqlite, "SELECT height, width, counts FROM masks WHERE id = ?", (mask_id,))
    if row is None:
        raise NotInProject("mask", mask_id)
    height, width, counts = row
    return {"size": [height, width], "counts": counts}


def check_masks(sqlite: apsw.Connection, records: Iterable[ObjectRecord]) -> None:
    """
    Make sure that no record names a mask that nobody has.

    Raises:
        NotInProject: One does.
    """
    for mask_id in {name for record in records for name in _names_in(record)}:
        if first_row(sqlite, "SELECT 1 FROM masks WHERE id = ?", (mask_id,)) is None:
            raise NotInProject("mask", mask_id)


def _names_in(record: ObjectRecord) -> Iterator[str]:
    yield record.mask
    for part in record.parts:
        yield part.mask
        if part.previous is not None:
            yield part.previous
