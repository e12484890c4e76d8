"""
Finished images on disk: JSON lines, the first of which says what they belong to.

A line is on the disk before the next image is begun to be written. After a crash at any moment
only the last line can be cut off; it is dropped, and its image is answered again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

from latentcut.errors import FileMissing, OutputExists

JsonObject = dict[str, Any]


class Journal:
    """
    The finished images of one output. A context manager: one run at a time may write it.

    Args:
        path: Need not exist, but its folder must.
        header: Plain values: what all rows have in common.

    Raises:
        FileMissing: The folder does not exist.
        OutputExists: The file holds something else, rows of another header, or is being written
            by another run.
    """

    def __init__(self, path: Path, header: JsonObject) -> None:
        if not path.parent.is_dir():
            raise FileMissing(path.parent, "a folder")
        self.path, self.header = path, header
        self._places: dict[str, tuple[int, int]] = {}  # of each row: first byte and length
        self._file: IO[bytes] = path.open("a+b")
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        """The journal, with what earlier runs finished."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def row(self, key: str) -> JsonObject:
        """A finished image. Raises KeyError: it is not there."""
        start, length = self._places[key]
        self._file.seek(start)
        row: JsonObject = json.loads(self._file.read(length))["row"]
        return row

    def append(self, key: str, row: JsonObject) -> None:
        """Keep a finished image; it is on the disk when this returns."""
        start = self._write({"key": key, "row": row})
        self._places[key] = start, self._file.tell() - start

    def _write(self, line: JsonObject) -> int:
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return start

    def _lock(self) -> None:
        try:
            import fcntl
        except ModuleNotFoundError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputExists(
                f"{self.path} is being written by another run; wait for it, or give another output"
            ) from error

    def _read(self) -> None:
        """Find the rows, one line at a time, and cut off what a crash left of the last."""
        self._file.seek(0)
        first = self._file.readline()
        end = self._file.tell()
        if not first.endswith(b"\n"):
            expected = json.dumps(self.header, separators=(",", ":")).encode("ascii") + b"\n"
            if not expected.startswith(first):
                raise OutputExists(f"{self.path} is no journal of a batch; give another output")
            self._file.truncate(0)
            self._write(self.header)
            return
        if self._parsed(first) != self.header:
            raise OutputExists(
                f"{self.path} belongs to a batch with another model or other options; delete it "
                "to begin anew, or give another output"
            )
        while line := self._file.readline():
            if not line.endswith(b"\n"):
                self._file.truncate(end)
                return
            parsed = self._parsed(line)
            if not (isinstance(parsed.get("key"), str) and isinstance(parsed.get("row"), dict)):
                raise OutputExists(f"{self.path} is no journal of a batch; give another output")
            self._places[parsed["key"]] = end, len(line)
            end += len(line)

    def _parsed(self, line: bytes) -> JsonObject:
        try:
            parsed = json.loads(line)
        except ValueError as error:
            raise OutputExists(f"{self.path} is no journal of a batch: {error}") from error
        if not isinstance(parsed, dict):
            raise OutputExists(f"{self.path} is no journal of a batch; give another output")
        return parsed
