"""SQLite's and the system's errors, said so that a user knows what to do."""

from __future__ import annotations

import errno
import os

import apsw

from latentcut.errors import LatentcutError, ProjectBroken, StoreUnavailable

FULL = "the disk is full: free some space, and saving goes on"
READ_ONLY = "the project folder is read-only: allow writing in it, and saving goes on"
GONE = "the project folder is gone: put it back or connect its disk, and saving goes on"
OTHER_PROJECT = "another project lies where this one was: start latentcut again to open it"
LOCKED = "another program is using the project: close it, or wait until it is done"
SLOW = "saving takes unusually long: the disk is slow, or another program is using the project"
CLOSED = "the project was closed: start latentcut again to open it"

FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
READ_ONLY_NUMBERS = (errno.EROFS, errno.EACCES, errno.EPERM)
GONE_NUMBERS = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO)


def damaged(what: str) -> ProjectBroken:
    """A row of the file breaks the rules that this package writes by."""
    return ProjectBroken(f"{what} is damaged: put a backup copy of the project in its place")


def from_system(number: int | None) -> StoreUnavailable:
    """The situation behind an `errno`; None or 0 where none is known."""
    if number in FULL_NUMBERS:
        return StoreUnavailable(FULL)
    if number in READ_ONLY_NUMBERS:
        return StoreUnavailable(READ_ONLY)
    if number in GONE_NUMBERS:
        return StoreUnavailable(GONE)
    said = f" ({os.strerror(number)})" if number else ""
    return StoreUnavailable(
        f"the disk reports trouble{said}: check it and its connection, and saving goes on"
    )


def from_sqlite(error: apsw.Error, name: str, number: int | None) -> LatentcutError | None:
    """
    The situation behind an error of SQLite.

    Args:
        error: As APSW raised it.
        name: How errors call the project file.
        number: The `errno` SQLite saw last, where there is a connection to ask.

    Returns:
        Our error, or None: it is a mistake in this package, not a situation.
    """
    if isinstance(error, apsw.FullError):
        return StoreUnavailable(FULL)
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.ProtocolError):
        return StoreUnavailable(LOCKED)
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError):
        return StoreUnavailable(READ_ONLY)
    if isinstance(error, apsw.CantOpenError | apsw.IOError):
        return from_system(number)
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return ProjectBroken(f"{name} is damaged: put a backup copy of it in its place ({error})")
    if isinstance(error, apsw.SQLError):  # tables are missing or are not ours
        return ProjectBroken(f"{name} cannot be read as a project: {error}")
    return None
