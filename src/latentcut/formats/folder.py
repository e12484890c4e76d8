"""
The folder of an export: files whole or not at all, and nothing stale left behind.

A list of what was written lies in it, `latentcut-export.json`. Only what the list names is ever
replaced or removed. While an export runs, a journal names each file before it is written, so
that one that was killed is taken up by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from latentcut import __version__
from latentcut.core.files import write_atomically
from latentcut.errors import FileMissing, OutputExists
from latentcut.formats.names import is_inside, json_bytes, shown
from latentcut.formats.records import ExportedFile, Notes

LIST_NAME = "latentcut-export.json"
JOURNAL_NAME = "latentcut-export.journal"
LIST_VERSION = 1
BATCH_FILES = 32
BATCH_BYTES = 16_000_000
TEMPORARY = ".latentcut-*.tmp"  # what `core.files` calls a file that is not whole yet

Hashes = dict[str, set[str]]  # path in the folder -> SHA-256 of the contents we gave it


class ExportFolder:
    """
    One export into one folder.

    Args:
        path: The folder; made if new.
        format_name: Of the export.

    Raises:
        OutputExists: The path is a file, or a folder that holds something else than an earlier
            export of this format, or another export is running in it.
    """

    def __init__(self, path: Path, format_name: str) -> None:
        self.path, self.format_name = path, format_name
        self.written: dict[str, str] = {}

    def write(self, files: Iterable[ExportedFile], notes: Notes) -> tuple[str, ...]:
        """
        Write files in order, then remove what an earlier export wrote and this one did not.

        Returns:
            The paths written, sorted.

        Raises:
            OutputExists: A file that is not ours is in the way; it stays as it is.
        """
        was_interrupted = self._check()
        with _locked(self.path / JOURNAL_NAME) as journal:
            known = self._known_files()
            if was_interrupted:
                self._remove_temporary_files()
                journal.write(b"\n")  # its last line may have been cut off
            for batch in _batches(files):
                self._announce(batch, known, journal)
                for file in batch:
                    write_atomically(self.path / file.path, file.data)
            self._remove_stale(known, notes)
            self._write_list(notes)
        (self.path / JOURNAL_NAME).unlink(missing_ok=True)
        return tuple(sorted(self.written))

    def _check(self) -> bool:
        """Make the folder, unless it is somebody else's; say whether an export was cut off."""
        if self.path.exists() and not self.path.is_dir():
            raise OutputExists(f"{self.path} is a file; give the name of a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        has_journal = (self.path / JOURNAL_NAME).is_file()
        if (self.path / LIST_NAME).is_file():
            listed_files(self.path, self.format_name)
        elif not has_journal:
            for entry in self.path.iterdir():
                if not entry.name.startswith("."):
                    raise OutputExists(
                        f"{self.path} holds {shown(entry.name)}, which no export wrote; "
                        "give the name of a new or empty folder"
                    )
        return has_journal

    def _known_files(self) -> Hashes:
        known: Hashes = {}
        if (self.path / LIST_NAME).is_file():
            for path, digest in listed_files(self.path, self.format_name).items():
                known.setdefault(path, set()).add(digest)
        for path, digest in _journal_entries(self.path / JOURNAL_NAME):
            known.setdefault(path, set()).add(digest)
        return known

    def _announce(self, batch: list[ExportedFile], known: Hashes, journal: IO[bytes]) -> None:
        """Make room for files and enter them in the journal, which reaches the disk first."""
        for file in batch:
            target = self.path / file.path
            if not is_inside(file.path) or file.path in self.written:
                raise AssertionError(f"{file.path!r} is no path for an exported file")
            if file.path not in known and os.path.lexists(target):
                raise OutputExists(
                    f"{target} is there and no export wrote it; move it, or give another folder"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(self.path.resolve()):
                raise OutputExists(f"{target.parent} leads out of {self.path}; give another folder")
            self.written[file.path] = hashlib.sha256(file.data).hexdigest()
        journal.write(b"".join(json_bytes([f.path, self.written[f.path]]) for f in batch))
        journal.flush()
        os.fsync(journal.fileno())

    def _remove_stale(self, known: Hashes, notes: Notes) -> None:
        for path in sorted(set(known) - set(self.written)):
            target = self.path / path
            if not target.is_file() or target.is_symlink():
                continue
            if not target.parent.resolve().is_relative_to(self.path.resolve()):
                continue
            if hashlib.sha256(target.read_bytes()).hexdigest() not in known[path]:
                notes.add("files of an earlier export were changed since and are kept", path)
                continue
            target.unlink()
            self._remove_empty_folders(target.parent)

    def _remove_empty_folders(self, folder: Path) -> None:
        with suppress(OSError):  # not empty
            while folder != self.path:
                folder.rmdir()
                folder = folder.parent

    def _remove_temporary_files(self) -> None:
        for path in self.path.rglob(TEMPORARY):
            if path.is_file() and not path.is_symlink():
                path.unlink()

    def _write_list(self, notes: Notes) -> None:
        facts = {
            "version": LIST_VERSION,
            "format": self.format_name,
            "written_by": f"latentcut {__version__}",
            "report": [{"what": n.sentence, "where": list(n.places)} for n in notes.all()],
            "files": dict(sorted(self.written.items())),
        }
        write_atomically(self.path / LIST_NAME, json_bytes(facts, indent=1))


def listed_files(path: Path, format_name: str | None = None) -> dict[str, str]:
    """
    What the last finished export into a folder wrote: path in the folder -> SHA-256.

    Args:
        path: The folder.
        format_name: Of the export; None: any.

    Raises:
        FileMissing: There is no finished export.
        OutputExists: The list cannot be read, or the export has another format.
    """
    try:
        facts = json.loads((path / LIST_NAME).read_bytes())
        files, found = dict(facts["files"]), str(facts["format"])
        if not all(isinstance(digest, str) for digest in files.values()):
            raise ValueError("a digest is no text")
    except FileNotFoundError as error:
        raise FileMissing(path, "a folder with a finished export") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutputExists(
            f"{path / LIST_NAME} cannot be read; move {path} away, or give another folder"
        ) from error
    if format_name not in (None, found):
        raise OutputExists(
            f"{path} holds an export of format {found}, not {format_name}; give another folder"
        )
    return {name: digest for name, digest in files.items() if is_inside(name)}


def _batches(files: Iterable[ExportedFile]) -> Iterator[list[ExportedFile]]:
    """Files in small groups, so that the journal need not be flushed for each."""
    batch: list[ExportedFile] = []
    for file in files:
        batch.append(file)
        if len(batch) == BATCH_FILES or sum(len(f.data) for f in batch) > BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _journal_entries(path: Path) -> Iterator[tuple[str, str]]:
    """Files that an interrupted export had begun; a line that was cut off is none."""
    for line in path.read_bytes().splitlines():
        try:
            entry: Any = json.loads(line)
        except ValueError:
            continue
        is_entry = isinstance(entry, list) and [type(item) for item in entry] == [str, str]
        if is_entry and is_inside(entry[0]):
            yield entry[0], entry[1]


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The journal, open for appending, and held against other exports where systems can."""
    with path.open("ab") as journal:
        try:
            import fcntl

            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows
            pass
        except OSError as error:
            raise OutputExists(
                f"another export is writing into {path.parent}; wait until it is done"
            ) from error
        yield journal
