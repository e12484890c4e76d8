"""Finished rows on disk: JSON lines, the first of which says what they belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentcut.core.files import write_atomically
from latentcut.errors import FileMissing, OutputExists
from latentcut.evaluation.protocol import ObjectResult


class RowFile:
    """
    The rows of one run. A last line that was cut off is dropped from the file.

    Args:
        path: Need not exist, but its folder must.
        header: Plain values: predictor, data set, user, protocol.

    Attributes:
        done: Finished rows by the name of their object.

    Raises:
        FileMissing: The folder does not exist.
        OutputExists: The file holds something else, or rows of another header.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        if not path.parent.is_dir():
            raise FileMissing(path.parent, "a folder")
        self.path, self.header = path, header
        self.done: dict[str, ObjectResult] = {}
        if path.exists():
            self._read()

    def append(self, row: ObjectResult) -> None:
        """Keep a finished row."""
        is_new = not self.path.exists()
        with self.path.open("a", encoding="utf-8") as file:
            if is_new:
                file.write(json.dumps(self.header) + "\n")
            file.write(json.dumps(row.to_dict()) + "\n")
        self.done[row.name] = row

    def _read(self) -> None:
        lines = self.path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        if not whole and json.dumps(self.header).encode().startswith(b"".join(lines)):
            self.path.unlink()  # cut off within the first line
            return
        whole = whole or lines
        if self._parse(whole[0]) != self.header:
            raise OutputExists(
                f"{self.path} holds rows of another predictor, data set, user or protocol; "
                "delete it or give another output"
            )
        if len(whole) < len(lines):
            write_atomically(self.path, b"".join(whole))
        rows = [self._parse(line) for line in whole[1:]]
        self.done = {row["name"]: ObjectResult(**row) for row in rows}

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            parsed = json.loads(line)
        except ValueError as error:
            raise OutputExists(f"{self.path} is no file of evaluation rows: {error}") from error
        if not isinstance(parsed, dict):
            raise OutputExists(f"{self.path} is no file of evaluation rows")
        return parsed
