"""
A folder that holds what clients sent, for all workers, within bounds.

Files are named by the digest of their content, so two processes that write one at the same time
write the same. Nothing locks: a file appears whole by renaming, and one that is taken away while
another process reads it stays readable for that process.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from pathlib import Path
from typing import NamedTuple

RESCAN_SHARE = 20  # look at the whole folder after every 1/20 of its bounds


class _Kept(NamedTuple):
    used_ns: int
    num_bytes: int
    path: Path


class Spool:
    """
    The most recently used files, as many as fit, by their digest.

    Args:
        folder: Made if it is not there.
        max_bytes: Sum of the sizes; each process may exceed it by a twentieth for a moment.
        max_files: Their number; likewise.
        digits: Of the digest, in a name.
    """

    def __init__(self, folder: Path, max_bytes: int, max_files: int, digits: int = 64) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.digits = digits
        self.folder, self.max_bytes, self.max_files = folder, max_bytes, max_files
        self._lock = threading.Lock()
        self._new_bytes = self._new_files = 0

    def put(self, data: bytes) -> str:
        """
        Keep content; drop what was not used for longest.

        Returns:
            Its name: SHA-256 in hexadecimal, or the beginning of it.

        Raises:
            OSError: The disk is full, or the folder is gone.
        """
        digest = hashlib.sha256(data).hexdigest()[: self.digits]
        if self.has(digest):
            return digest
        temporary = self.folder / f".{secrets.token_hex(8)}"
        try:
            temporary.write_bytes(data)
            temporary.replace(self.folder / digest)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        with self._lock:
            self._new_bytes += len(data)
            self._new_files += 1
            is_due = (
                self._new_bytes * RESCAN_SHARE > self.max_bytes
                or self._new_files * RESCAN_SHARE > self.max_files
            )
            if is_due:
                self._new_bytes = self._new_files = 0
        if is_due:
            self._drop_oldest(newest=digest)
        return digest

    def has(self, digest: str) -> bool:
        """Whether it is kept; it is the most recently used from now on."""
        try:
            os.utime(self.folder / digest)
        except OSError:
            return False
        return True

    def get(self, digest: str) -> bytes | None:
        """The content, which is now the most recently used; None: it is not kept."""
        if not self.has(digest):
            return None
        try:
            return (self.folder / digest).read_bytes()
        except OSError:
            return None

    def _drop_oldest(self, newest: str) -> None:
        kept = sorted(self._scanned(), reverse=True)
        num_bytes = 0
        for place, file in enumerate(kept):
            num_bytes += file.num_bytes
            is_over = num_bytes > self.max_bytes or place >= self.max_files
            if is_over and file.path.name != newest:
                file.path.unlink(missing_ok=True)

    def _scanned(self) -> list[_Kept]:
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat()
                except OSError:  # another process has dropped it
                    continue
                if not entry.name.startswith("."):
                    found.append(_Kept(status.st_mtime_ns, status.st_size, Path(entry.path)))
        return found
