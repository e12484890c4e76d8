"""
The one connection to a project file: opened, watched, and opened again after trouble.

A write is acknowledged only when it is in the file that lies at the project's path, flushed to
the disk. SQLite alone does not promise that: it writes happily into a file that was deleted or
replaced while it was open. So the files are looked at before and after every write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw

from latentcut.errors import FileMissing, StoreUnavailable
from latentcut.store import schema, trouble
from latentcut.store.sqlite import (
    check_release,
    close_untouched,
    distrust_content,
    first_row,
    read_header,
    use_wal,
)

BUSY_TIMEOUT_MS = 5_000  # how long a write waits for another process
SYNCHRONOUS = "FULL"  # a commit returns when it would survive a power cut; NORMAL loses some
AUTOCHECKPOINT_PAGES = 1_000  # of 4 kB: about every 200 clicks the journal goes into the database
MAX_IDLE_JOURNAL_BYTES = 16 * 2**20  # what an unusually large write leaves behind is cut to this

PROBE_LOCK_TIMEOUT_S = 0.8
PROBE_BUSY_TIMEOUT_MS = 500
PROBE_BYTES = 2**18  # room for a few large masks: "it works again" must hold for the next click

FileNumbers = tuple[int, int] | None  # device and inode; None: it is not there


class Connection:
    """
    A project file and the right to use it, one thread at a time.

    Args:
        path: The database file.
        vfs: SQLite's name of the file layer; empty for the system's. Tests put their own here.
    """

    def __init__(self, path: Path, vfs: str = "") -> None:
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"
        self._vfs = vfs
        self._lock = threading.RLock()
        self._sqlite: apsw.Connection | None = None
        self._numbers: tuple[FileNumbers, ...] = ()
        self._key: str | None = None
        self._busy_timeout_ms = BUSY_TIMEOUT_MS
        self._is_closed = False
        self._is_suspect = False
        self._last_write_failed = False

    # ---------------------------------------------------------------- opening and closing

    def open(self, create: bool) -> None:
        """
        Open the file, or make one; bring an older one up to date.

        Raises:
            FileMissing: There is none, and none shall be made.
            ProjectBroken: It is no project.
            ProjectTooNew: A newer latentcut wrote it; it was not touched.
            StoreUnavailable: Full, read-only, or SQLite itself is not fit.
        """
        check_release(apsw.sqlite_lib_version())
        with self._lock, self._in_plain_words():
            if create:
                try:
                    self.path.parent.mkdir(exist_ok=True)
                except OSError as error:
                    raise trouble.from_system(error.errno) from error
            elif not self.path.exists():
                raise FileMissing(self.path, "a project file (latentcut annotate makes one)")
            self._connect(create)

    def close(self) -> None:
        """Give the file back. A second time does nothing."""
        with self._lock:
            self._is_closed = True
            self._let_go()

    def _connect(self, create: bool = False) -> apsw.Connection:
        before = _file_numbers(self.path)[0]
        if before is not None:
            header = read_header(self.path, schema.HEADER_BYTES, self._vfs)
            # a power cut while the very first page is written leaves a journal that SQLite mends
            # it from; everything else that does not look like a database is none
            if header.startswith(schema.MAGIC) or not Path(f"{self.path}-journal").exists():
                schema.check_header(header, self.name)
        elif not create:
            raise StoreUnavailable(trouble.GONE)
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        sqlite = apsw.Connection(str(self.path), flags=flags, vfs=self._vfs or None)
        try:
            key = self._prepare(sqlite)
            numbers = _file_numbers(self.path)
            if before is None:
                self._flush_folders()
            elif before != numbers[0]:  # exchanged at this very moment
                raise StoreUnavailable(trouble.GONE)
            if self._key not in (None, key):
                raise StoreUnavailable(trouble.OTHER_PROJECT)
        except BaseException as error:
            situation = self._situation(error, sqlite)
            close_untouched(sqlite)
            if situation is not None:
                raise situation from error
            raise
        self._sqlite, self._numbers, self._key = sqlite, numbers, key
        self._is_suspect = False
        return sqlite

    def _prepare(self, sqlite: apsw.Connection) -> str:
        """Set a fresh connection up, migrate what is old, and return the project's key."""
        sqlite.set_busy_timeout(self._busy_timeout_ms)
        distrust_content(sqlite)
        schema.check_owner(sqlite, self.name)
        if sqlite.readonly("main"):
            raise StoreUnavailable(trouble.READ_ONLY)
        # EXTRA flushes the folder after it deletes a journal of the older kind: one that comes back
        # after a power cut would take back all that was written since. A new project has one
        # until it uses WAL; and where WAL is not possible, this stays.
        sqlite.execute("PRAGMA synchronous = EXTRA")
        if use_wal(sqlite, self._busy_timeout_ms / 1000):
            sqlite.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        sqlite.execute("PRAGMA fullfsync = ON")  # macOS: through the disk's own cache
        sqlite.execute("PRAGMA checkpoint_fullfsync = ON")
        sqlite.execute("PRAGMA foreign_keys = ON")
        sqlite.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}")
        sqlite.execute(f"PRAGMA journal_size_limit = {MAX_IDLE_JOURNAL_BYTES}")
        schema.bring_up_to_date(sqlite, self.name, lambda version: self._back_up(sqlite, version))
        row = first_row(sqlite, "SELECT key FROM project")
        if row is None:
            raise trouble.damaged(self.name)
        return str(row[0])

    def _back_up(self, sqlite: apsw.Connection, version: int) -> None:
        """Leave a whole copy of an older version beside the file, before it is changed."""
        copy = self.path.with_name(f"{self.path.stem}-format{version}{self.path.suffix}")
        unfinished = copy.with_name(f"{copy.name}.unfinished")
        try:
            unfinished.unlink(missing_ok=True)
            sqlite.execute("VACUUM INTO ?", (str(unfinished),))
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            unfinished.replace(copy)
        except OSError as error:
            raise trouble.from_system(error.errno) from error
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        self._flush_folders()

    def _flush_folders(self) -> None:
        """Make new names survive a power cut; systems without folder handles skip it."""
        if not hasattr(os, "O_DIRECTORY"):
            return
        for folder in (self.path.parent, self.path.parent.parent):
            with contextlib.suppress(OSError):  # some network disks refuse it
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def _let_go(self) -> None:
        sqlite, self._sqlite = self._sqlite, None
        if sqlite is not None:
            # where another file has taken the place, SQLite notices and leaves its journal alone
            with contextlib.suppress(apsw.Error):
                sqlite.close()

    # ---------------------------------------------------------------- using it

    @contextlib.contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """
        A moment of the project to read from: everything inside sees the same state.

        Raises:
            StoreUnavailable: The file cannot be read now.
        """
        with self._lock, self._in_plain_words():
            sqlite = self._usable(for_writing=False)
            with self._transaction(sqlite, "BEGIN"):
                yield sqlite

    @contextlib.contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """
        A transaction. On leaving the block it is on the disk, or nothing of it has happened.

        Raises:
            StoreUnavailable: It could not be written; it can be tried again.
        """
        with self._lock:
            try:
                with self._in_plain_words():
                    sqlite = self._usable(for_writing=True)
                    with self._transaction(sqlite, "BEGIN IMMEDIATE"):
                        yield sqlite
                    if _file_numbers(self.path) != self._numbers:
                        raise StoreUnavailable(trouble.GONE)
            except StoreUnavailable:
                self._last_write_failed = True
                raise
            self._last_write_failed = False

    def check_writable(self) -> None:
        """
        Find out, within about a second, whether a change could be saved now.

        While all is well the project itself is not written: a nameless file beside it must hold
        some bytes. After a write that failed, the project must take a real one.

        Raises:
            StoreUnavailable: It could not; the reason is a sentence for the user.
        """
        if not self._lock.acquire(timeout=PROBE_LOCK_TIMEOUT_S):
            raise StoreUnavailable(trouble.SLOW)
        try:
            with self._waiting_at_most(PROBE_BUSY_TIMEOUT_MS), self._in_plain_words():
                self._probe(self._usable(for_writing=True))
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _waiting_at_most(self, timeout_ms: int) -> Iterator[None]:
        self._set_busy_timeout(timeout_ms)
        try:
            yield
        finally:
            self._set_busy_timeout(BUSY_TIMEOUT_MS)

    def _set_busy_timeout(self, timeout_ms: int) -> None:
        self._busy_timeout_ms = timeout_ms
        if self._sqlite is not None:
            self._sqlite.set_busy_timeout(timeout_ms)

    def _probe(self, sqlite: apsw.Connection) -> None:
        try:
            with tempfile.TemporaryFile(dir=self.path.parent, buffering=0) as file:
                file.write(bytes(PROBE_BYTES))
        except OSError as error:
            raise trouble.from_system(error.errno) from error
        if self._last_write_failed:
            with self.writing() as sqlite:
                sqlite.execute("UPDATE write_test SET data = randomblob(?)", (PROBE_BYTES,))
        else:
            with self._transaction(sqlite, "BEGIN IMMEDIATE"):
                pass

    def _usable(self, for_writing: bool) -> apsw.Connection:
        """The connection, after a look at the files; a new one where they have changed."""
        if self._is_closed:
            raise StoreUnavailable(trouble.CLOSED)
        if self._sqlite is None:
            return self._connect()
        now = _file_numbers(self.path)
        if now[0] is None and for_writing:
            raise StoreUnavailable(trouble.GONE)
        if now[0] is None or (now == self._numbers and not (self._is_suspect and for_writing)):
            return self._sqlite  # a deleted file, as long as it is open, still has all its content
        if now[0] == self._numbers[0] and now[1] is None:
            self._save_deleted_journal(self._sqlite)
        if now == self._numbers:
            before = self._sqlite
            self._connect()  # first, so that reading goes on with the old one when this fails
            before.close()
        else:
            self._let_go()
            self._connect()
        return self._sqlite

    def _save_deleted_journal(self, sqlite: apsw.Connection) -> None:
        """
        Move what is in a journal that was deleted under us into the database.

        Leaving WAL does that, and only while nobody else has the project open: two programs with
        two journals would damage it.
        """
        sqlite.execute("PRAGMA journal_mode = DELETE")

    @contextlib.contextmanager
    def _transaction(self, sqlite: apsw.Connection, begin: str) -> Iterator[None]:
        sqlite.execute(begin)
        try:
            # a newer program may have changed the tables while this one was running
            schema.check_version(schema.version_of(sqlite), self.name)
            yield
            sqlite.execute("COMMIT")
        except BaseException:
            if sqlite.in_transaction:
                with contextlib.suppress(apsw.Error):  # the error underneath says more
                    sqlite.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            # a disk that was away may have come back under handles that no longer work
            self._is_suspect |= isinstance(error, apsw.IOError | apsw.CantOpenError)
            situation = self._situation(error, self._sqlite)
            if situation is None:
                raise
            raise situation from error

    def _situation(self, error: BaseException, sqlite: apsw.Connection | None) -> Exception | None:
        if not isinstance(error, apsw.Error):
            return None
        number = sqlite.system_errno if sqlite is not None else 0
        folder = self.path.parent
        if isinstance(error, apsw.IOError | apsw.CantOpenError) and not folder.is_dir():
            number = errno.ENOENT
        elif isinstance(error, apsw.CantOpenError) and not os.access(folder, os.W_OK):
            number = errno.EROFS  # SQLite tries again without writing, and keeps what that ends in
        elif number in trouble.GONE_NUMBERS:
            number = 0  # looking for a journal that need not be there leaves this behind
        return trouble.from_sqlite(error, self.name, number)


def _file_numbers(path: Path) -> tuple[FileNumbers, ...]:
    """Which files lie at the place of the database, of its journal and of its shared memory."""
    return tuple(_numbers(f"{path}{ending}") for ending in ("", "-wal", "-shm"))


def _numbers(path: str) -> FileNumbers:
    try:
        found = Path(path).stat()
    except OSError:  # not there, or on a disk that is not
        return None
    return found.st_dev, found.st_ino
