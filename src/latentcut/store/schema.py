"""
Tables of a project file, and the way from each version of them to the next.

The version is SQLite's `user_version`; `application_id` tells our files from those of other
programs. A migration is one function and one transaction: a kill in the middle leaves the
version before it. Released migrations are never edited; a change of the tables is a new one.
"""

from __future__ import annotations

from collections.abc import Callable

import apsw

from latentcut.errors import ProjectBroken, ProjectTooNew
from latentcut.store.sqlite import first_row

APPLICATION_ID = 0x4C617443  # "LatC"
HEADER_BYTES = 100  # of a database file; the two numbers above lie in it
MAGIC = b"SQLite format 3\x00"

VERSION_1 = """
    -- the one row of what belongs to the project as a whole
    CREATE TABLE project (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        key TEXT NOT NULL,                  -- random; tells this project from every other
        labels_revision INTEGER NOT NULL DEFAULT 0,
        last_object_id INTEGER NOT NULL DEFAULT 0,  -- ids are never used twice, so they are
        last_label_id INTEGER NOT NULL DEFAULT 0,   -- counted here and not taken from the rows
        settings TEXT NOT NULL DEFAULT '{}'
    ) STRICT;
    INSERT INTO project (only, key) VALUES (1, lower(hex(randomblob(16))));

    CREATE TABLE images (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        position INTEGER NOT NULL,          -- in the folder when it was last read
        missing INTEGER NOT NULL DEFAULT 0,
        width INTEGER,
        height INTEGER,
        done INTEGER NOT NULL DEFAULT 0,
        revision INTEGER NOT NULL DEFAULT 0,
        head INTEGER NOT NULL DEFAULT 0     -- seq of the newest action in force; 0: none
    ) STRICT;

    CREATE TABLE labels (
        id INTEGER PRIMARY KEY,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        colour INTEGER NOT NULL,
        key TEXT
    ) STRICT;

    -- named by their content: written once, never changed
    CREATE TABLE masks (
        id TEXT PRIMARY KEY,
        height INTEGER NOT NULL,
        width INTEGER NOT NULL,
        counts TEXT NOT NULL
    ) STRICT;

    -- the objects that exist now
    CREATE TABLE objects (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES images,
        label INTEGER REFERENCES labels,    -- also in the record, as is position
        position INTEGER NOT NULL,
        record TEXT NOT NULL                -- JSON of an ObjectRecord
    ) STRICT;
    CREATE INDEX objects_by_image ON objects (image_id);
    CREATE INDEX objects_by_label ON objects (label);

    -- the history: per image one line of actions, seq 1, 2, 3 ...
    CREATE TABLE actions (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES images,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        other_done INTEGER,                 -- NULL: it does not touch `done`
        UNIQUE (image_id, seq)
    ) STRICT;

    -- what an action changes, from the side that is not in force: the record before it while
    -- it is, the record after it once it is undone. The side in force is in `objects`.
    CREATE TABLE changes (
        action_id INTEGER NOT NULL REFERENCES actions,
        object_id INTEGER NOT NULL,
        other BLOB,                         -- record, compressed; NULL: the object does not exist
        PRIMARY KEY (action_id, object_id)
    ) STRICT;

    -- written to find out whether writing is possible again
    CREATE TABLE write_test (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        data BLOB
    ) STRICT;
    INSERT INTO write_test (only) VALUES (1);
"""


VERSION_2 = """
    -- whether g's choice among candidates shall follow what this project's people choose
    ALTER TABLE project ADD COLUMN preferences INTEGER NOT NULL DEFAULT 1;

    -- what an object's candidates looked like after its first click; written once, never changed
    CREATE TABLE looks (
        object_id INTEGER PRIMARY KEY,
        look TEXT NOT NULL                  -- JSON of a Look
    ) STRICT;

    -- how much what the object became resembles each of them, for every mask it ever had: undo
    -- brings an old mask back, and with it what had been learned from it
    CREATE TABLE outcomes (
        object_id INTEGER NOT NULL,
        mask TEXT NOT NULL,
        agreement TEXT NOT NULL,            -- JSON list of numbers, one per candidate
        PRIMARY KEY (object_id, mask)
    ) STRICT;
"""


def _make_version_1(connection: apsw.Connection) -> None:
    connection.execute(VERSION_1)


def _make_version_2(connection: apsw.Connection) -> None:
    connection.execute(VERSION_2)


# MIGRATIONS[n] takes a project of version n to version n + 1
MIGRATIONS: tuple[Callable[[apsw.Connection], None], ...] = (
    _make_version_1,
    _make_version_2,
)


def newest_version() -> int:
    """Version that this program writes, and the highest it reads."""
    return len(MIGRATIONS)


def version_of(connection: apsw.Connection) -> int:
    """Version of the tables; 0 when there are none yet."""
    return int(first_row(connection, "PRAGMA user_version")[0])


def check_version(version: int, name: str) -> None:
    """
    Refuse what a newer program wrote.

    Raises:
        ProjectTooNew: The version is above the one this program writes.
    """
    if version > newest_version():
        raise ProjectTooNew(
            f"{name} was written by a newer latentcut (format {version}; this one reads up to "
            f"{newest_version()}), and was left as it is: run pip install --upgrade latentcut"
        )


def check_header(header: bytes, name: str) -> None:
    """
    Judge a file by its first 100 bytes, before SQLite opens it and may change something.

    Args:
        header: What there is of the first 100 bytes; none: a file that was only created.
        name: How errors call the file.

    Raises:
        ProjectBroken: It is no database, or one of another program.
        ProjectTooNew: A newer latentcut wrote it.
    """
    if not header:
        return
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise ProjectBroken(f"{name} is no project file: it is not an SQLite database")
    version = int.from_bytes(header[60:64], "big")
    application = int.from_bytes(header[68:72], "big")
    if application == APPLICATION_ID:
        check_version(version, name)
    elif application or version:
        raise ProjectBroken(f"{name} is no project file: it is a database of another program")


def check_owner(connection: apsw.Connection, name: str) -> None:
    """
    Make sure that a database is ours or empty, this time with what its journal adds.

    Raises:
        ProjectBroken: It belongs to another program.
        ProjectTooNew: A newer latentcut wrote it.
    """
    # the tables first: another process that begins this project commits both at once
    has_tables = first_row(connection, "SELECT 1 FROM sqlite_schema LIMIT 1") is not None
    application = first_row(connection, "PRAGMA application_id")[0]
    if application == APPLICATION_ID:
        check_version(version_of(connection), name)
    elif application or has_tables:
        raise ProjectBroken(f"{name} is no project file: it is a database of another program")


def bring_up_to_date(
    connection: apsw.Connection, name: str, back_up: Callable[[int], None]
) -> None:
    """
    Run the migrations that a project still lacks, each in one transaction.

    Args:
        connection: Outside of a transaction.
        name: How errors call the file.
        back_up: Called with the version before anything of an existing project changes.

    Raises:
        ProjectTooNew: Another process has brought it further than this program can read.
    """
    version = version_of(connection)
    if 0 < version < newest_version():
        back_up(version)
    while version < newest_version():
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)  # another process may have been faster
            if version < newest_version():
                MIGRATIONS[version](connection)
                version += 1
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    check_version(version, name)
