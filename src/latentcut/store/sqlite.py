"""Single steps with SQLite that need a reason: which release, which journal, how to let go."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import apsw

from latentcut.errors import StoreUnavailable

# their WAL can damage the database when two connections write at the same moment as a reset
FIRST_AFFECTED, FIRST_REPAIRED = (3, 7, 0), (3, 51, 3)
REPAIRED_BRANCHES = {(3, 44): 6, (3, 50): 7}


def check_release(version: str) -> None:
    """
    Refuse the releases of SQLite whose WAL can damage a database.

    Raises:
        StoreUnavailable: The version, such as "3.40.1", is one of them.
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    is_repaired = patch >= REPAIRED_BRANCHES.get((major, minor), 10**6)
    if FIRST_AFFECTED <= (major, minor, patch) < FIRST_REPAIRED and not is_repaired:
        raise StoreUnavailable(
            f"SQLite {version} can damage projects (its write-ahead log has a fault that 3.51.3 "
            "repairs): run pip install --upgrade apsw"
        )


def all_rows(sqlite: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Rows of a query. What is in them is known from the tables, not from the types."""
    return sqlite.execute(sql, values).fetchall()


def first_row(sqlite: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> Any:
    """First row of a query, or None. All are read, so that no statement is left open."""
    rows = all_rows(sqlite, sql, values)
    return rows[0] if rows else None


def read_header(path: Path, num_bytes: int, vfs: str) -> bytes:
    """
    First bytes of a database, fewer where it is shorter.

    Through SQLite's file layer: a file opened and closed past it would take away the locks that
    another connection of this process holds on it (POSIX locks belong to the process).
    """
    file = apsw.VFSFile(vfs, str(path), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0])
    try:
        return file.xRead(num_bytes, 0)
    finally:
        file.xClose()


def distrust_content(sqlite: apsw.Connection) -> None:
    """A project file may come from a stranger: nothing in it may run."""
    sqlite.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    sqlite.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    sqlite.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    sqlite.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)


def use_wal(sqlite: apsw.Connection, timeout_s: float) -> bool:
    """
    Switch to the write-ahead log; two processes that do so at once need a wait of our own.

    Returns:
        False where it is not possible: on disks without shared memory.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return bool(first_row(sqlite, "PRAGMA journal_mode = WAL")[0] == "wal")
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def close_untouched(sqlite: apsw.Connection) -> None:
    """Close without moving the journal into the database, as closing does otherwise."""
    with contextlib.suppress(apsw.Error):
        sqlite.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        sqlite.close()
