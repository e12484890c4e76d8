"""
The opened folder: which images it has, and reading them without ever leaving it.

Names come from the file system and from a project file, which may both be hostile. An image is
read only if its real place lies inside the real folder, and every folder on the way is opened
without following links, so that a link put there meanwhile leads nowhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from latentcut.core.images import DEFAULT_LIMITS, ImageLimits, read_image
from latentcut.errors import FileMissing, ImageTooLarge, UnreadableImage, UnsupportedImage
from latentcut.formats.exporting import EXPORT_FOLDER
from latentcut.formats.folder import LIST_NAME

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
EXPECTED = "an image file in the opened folder"
CAN_WALK = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")  # not on Windows

Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Scan:
    """
    What a folder holds.

    Attributes:
        images: Paths relative to the folder, with ``/``, in natural order.
        left_out: What was passed over, with the reason, for a person to read.
    """

    images: tuple[str, ...]
    left_out: tuple[str, ...]


class ImageFolder:
    """
    A folder of images.

    Args:
        root: The folder.
        limits: What images are accepted.

    Raises:
        FileMissing: It is no folder.
    """

    def __init__(self, root: Path, limits: ImageLimits = DEFAULT_LIMITS) -> None:
        if not root.is_dir():
            raise FileMissing(root, "a folder of images")
        self.root, self.limits = root.resolve(), limits

    @property
    def is_there(self) -> bool:
        """Whether the folder can still be reached."""
        return self.root.is_dir()

    def scan(self) -> Scan:
        """
        Look for images in the folder and below; hidden folders and exports are passed over.

        Raises:
            OSError: The folder itself cannot be listed.
        """
        images: list[str] = []
        left_out: list[str] = []
        with os.scandir(self.root):
            pass  # a folder that has vanished is not one without images
        for path, problem in self._found(""):
            if problem:
                left_out.append(f"{printable(path)}: {problem}")
            else:
                images.append(path)
        return Scan(tuple(sorted(images, key=natural_order)), tuple(left_out))

    def _found(self, folder: str) -> Iterator[tuple[str, str | None]]:
        """Images below a relative folder, and what is left out, with the reason."""
        try:
            entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
        except OSError as error:
            yield folder, f"cannot be listed ({error.strerror})"
            return
        # masks of an export elsewhere in the folder are pictures, too, but nobody's photos; a
        # folder that is opened itself is shown whatever it is
        if folder and any(entry.name == LIST_NAME for entry in entries):
            yield folder, "it holds an export; open it by itself to see its pictures"
            return
        for entry in entries:
            path = f"{folder}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name != EXPORT_FOLDER:
                    yield from self._found(f"{path}/")
            elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                yield path, self._problem(entry, path)

    def _problem(self, entry: os.DirEntry[str], path: str) -> str | None:
        """Why a file with the name of an image is passed over; None: it is not."""
        if not is_text(path):
            return "the name is not UTF-8; rename it"
        if entry.is_symlink() and self._inside(path) is None:
            return "the link leads out of the folder or to nothing; copy the image here"
        return None if entry.is_file() else "no file"

    def stamp(self, path: str) -> Stamp:
        """
        What tells one version of a file from another.

        Raises:
            FileMissing: It is not there, or not inside the folder.
        """
        place = self._inside(path)
        try:
            status = None if place is None else (self.root / place).lstat()
        except OSError:
            status = None
        if status is None:
            raise FileMissing(path, EXPECTED)
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self, path: str) -> NDArray[np.uint8]:
        """
        Read an image: uint8 RGB (H, W, 3), upright, read-only.

        Args:
            path: Relative to the folder.

        Raises:
            FileMissing: It is not there, or not inside the folder.
            UnreadableImage: It cannot be opened as an image, and why.
        """
        try:
            return read_image(self.bytes_of(path), self.limits)
        except UnsupportedImage as error:
            raise UnreadableImage(path, f"it is {error.found}; {error.allowed}") from error
        except ImageTooLarge as error:
            error.given = "it"
            raise UnreadableImage(path, str(error)) from error
        except UnreadableImage as error:
            raise UnreadableImage(path, error.reason) from error

    def bytes_of(self, path: str) -> bytes:
        """
        The bytes of a file, at most one more than the limit of images.

        Args:
            path: Relative to the folder.

        Raises:
            FileMissing: It is not there, no file, or not inside the folder.
            UnreadableImage: It cannot be opened.
        """
        descriptor = self._open(path)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a folder cannot even be wrapped
            os.close(descriptor)
            raise FileMissing(path, EXPECTED)
        with os.fdopen(descriptor, "rb") as file:
            # one byte more than allowed is enough for the limit to be noticed and named
            return file.read(self.limits.max_bytes + 1)

    def _open(self, path: str) -> int:
        """A descriptor of a file inside the folder."""
        place = self._inside(path)
        if place is None:
            raise FileMissing(path, EXPECTED)
        try:
            return open_below(self.root, place.parts)
        except PermissionError as error:
            reason = f"it cannot be opened ({error.strerror}); check who may read it"
            raise UnreadableImage(path, reason) from error
        except OSError as error:
            raise FileMissing(path, EXPECTED) from error

    def _inside(self, path: str) -> Path | None:
        """The real place of a file, relative to the folder; None: it lies elsewhere."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
            return None
        try:
            real = (self.root / pure).resolve(strict=True)
            return real.relative_to(self.root)
        except (OSError, ValueError, RuntimeError):  # gone, elsewhere, links in a circle
            return None


def open_below(root: Path, parts: tuple[str, ...]) -> int:
    """
    Open a file, and every folder on the way to it, without following links.

    Args:
        root: Where the way begins; this may be a link.
        parts: Names of folders, and last of the file.

    Returns:
        A descriptor to read from.

    Raises:
        OSError: It is not there, or a link is on the way.
    """
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if not CAN_WALK:
        return os.open(root.joinpath(*parts), flags)
    folder = os.open(root, flags | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, flags | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        # O_NONBLOCK: opening a pipe would wait for someone to write to it
        return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def natural_order(path: str) -> tuple[object, ...]:
    """Sorting key: numbers in names count as numbers, so 2.png comes before 10.png."""
    pieces = re.split(r"(\d+)", path.casefold().replace("/", "\0"))  # folders stay together
    return (*(int(p) if n % 2 else p for n, p in enumerate(pieces)), path)


def is_text(name: str) -> bool:
    """Whether a file name is valid UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    """A file name for a terminal or a page: what cannot be printed is escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    )
