"""
Names are data: what a label or a picture is called never becomes a path outside the export.

A safe name is one segment of a path on every system, and shows as what it is.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_NAME_BYTES = 200  # file systems allow 255; the rest is for suffixes and temporary names
OUTPUT_SUFFIXES = (".txt", ".json", ".png", ".jpg", ".webp")
FORBIDDEN = frozenset('<>:"/\\|?*')  # separators, and what Windows refuses
JOINERS = frozenset("\u200c\u200d")  # not printable by themselves, but part of words and emoji
DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)


def safe_name(text: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """
    A name that is one segment of a path on every system.

    What is a separator, not printable, or turns the direction of writing becomes "_", as does
    a dot at the beginning; dots and spaces at the end go; device names of Windows get a "_"
    in front. A name that is too long is cut and gets a hash, so that it stays unlike others.

    Args:
        text: Anything.
        max_bytes: Longest result, in bytes of UTF-8; at least 20.

    Returns:
        The name itself where it is safe already; never empty, "." or "..".
    """
    allowed = [c if (c.isprintable() or c in JOINERS) and c not in FORBIDDEN else "_" for c in text]
    name = "".join(allowed).rstrip(" .")
    if name.startswith("."):
        name = f"_{name[1:]}"
    if name.partition(".")[0].rstrip().casefold() in DEVICES:
        name = f"_{name}"
    encoded = name.encode()
    if len(encoded) > max_bytes:
        mark = hashlib.sha256(encoded).hexdigest()[:8]
        name = f"{encoded[: max_bytes - 9].decode(errors='ignore')}~{mark}"
    return name or "_"


class UniqueNames:
    """
    Names that are given once.

    Two are told apart also on systems where A is a and where accents are composed.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()

    def of(self, name: str, endings: Iterable[str] = ()) -> str:
        """The name, or where it is used already, with one of the endings or a number."""
        numbers = (f"_{number}" for number in itertools.count(2))
        for ending in itertools.chain(("",), endings, numbers):
            key = unicodedata.normalize("NFC", name + ending).casefold()
            if key not in self._used:
                self._used.add(key)
                return name + ending
        raise AssertionError("counting has an end")


class Stems:
    """
    Where the files of each image go: its path without suffix, made safe and used only once.

    Args:
        flat: Join folders with "__" into one name, for formats without sub-folders.
        max_bytes: Longest segment.
    """

    def __init__(self, *, flat: bool = False, max_bytes: int = MAX_NAME_BYTES) -> None:
        self.flat, self.max_bytes = flat, max_bytes
        self._unique = UniqueNames()

    def plain(self, path: str) -> str:
        """The stem an image would have if every name were safe."""
        stem = plain_stem(path)
        return stem.replace("/", "__") if self.flat else stem

    def of(self, path: str) -> str:
        """
        The stem of an image; ask once per image.

        Args:
            path: Of the image, with forward slashes.

        Returns:
            Segments with forward slashes, without suffix: "a/b" for "a/b.jpg".
        """
        *folders, file_name = path.split("/")
        pure = PurePosixPath(file_name)
        segments = [*(folder for folder in folders if folder), pure.stem or file_name]
        if self.flat:
            segments = ["__".join(segments)]
        parents = [safe_name(segment, self.max_bytes) for segment in segments[:-1]]
        # a folder called a.txt would be in the way of the label file of a.jpg
        parents = [f"{p}_" if p.lower().endswith(OUTPUT_SUFFIXES) else p for p in parents]
        stem = "/".join([*parents, safe_name(segments[-1], self.max_bytes)])
        return self._unique.of(stem, [safe_name(pure.suffix.replace(".", "_"))])


def plain_stem(path: str) -> str:
    """Path of an image without its suffix, as it is."""
    pure = PurePosixPath(path)
    return str(pure.with_suffix("")) if pure.name else path


def is_inside(path: str) -> bool:
    """Whether a relative path with forward slashes stays in the folder it begins in."""
    segments = path.split("/")
    if "" in segments or "." in segments or ".." in segments or "\0" in path:
        return False
    return os.name != "nt" or not any(c in path for c in "\\:")


def shown(text: str) -> str:
    """Text for a terminal: what is not printable is written as an escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def yaml_string(text: str) -> str:
    """
    Text as a double-quoted YAML string on one line.

    JSON's escapes of characters beyond 16 bits mean something else in YAML, so those are
    written as they are; whatever is not printable is escaped.
    """
    escaped = []
    for character in text:
        if character in '"\\':
            escaped.append(f"\\{character}")
        elif character.isprintable():
            escaped.append(character)
        elif ord(character) <= 0xFFFF:
            escaped.append(f"\\u{ord(character):04x}")
        else:
            escaped.append(f"\\U{ord(character):08x}")
    return '"' + "".join(escaped) + '"'


def json_bytes(value: object, indent: int | None = None) -> bytes:
    """JSON in ASCII, which every reader takes, ending in a line break; NaN is refused."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, allow_nan=False)
    return f"{text}\n".encode("ascii")
