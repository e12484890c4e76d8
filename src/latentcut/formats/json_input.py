"""
Annotation files from strangers: JSON within limits, and values that are what they should be.

Whatever is wrong becomes one `BadAnnotationFile`, which names the file and the place in it.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import BadAnnotationFile
from latentcut.formats.names import shown

MAX_FILE_BYTES = 128_000_000
MAX_BRACKETS = 5_000_000  # lists and objects take many times the room they have in the file
MAX_DEPTH = 50
MAX_TEXT = 200  # characters of a name, as records allow
MAX_COORDINATE_PX = 1_000_000.0
MAX_WORK_PX = 500_000_000.0  # of all outlines of a file together


class Source:
    """
    A file that is being read.

    Args:
        name: Of the file, for messages.
        data: Its bytes.

    Raises:
        BadAnnotationFile: It is larger than allowed.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self._work_px = 0.0
        if len(data) > MAX_FILE_BYTES:
            self.refuse(f"it has {len(data):,} bytes, but at most {MAX_FILE_BYTES:,} are allowed")

    def refuse(self, reason: str) -> NoReturn:
        """Raise BadAnnotationFile with a reason."""
        raise BadAnnotationFile(f"{shown(self.name)} cannot be imported: {reason}")

    def json_object(self) -> dict[str, Any]:
        """The whole file as one JSON object."""
        if self.data.count(b"[") + self.data.count(b"{") > MAX_BRACKETS:
            self.refuse(f"it has more than {MAX_BRACKETS:,} lists and objects")
        try:
            value = json.loads(self.data, parse_constant=self._no_number)
        except BadAnnotationFile:
            raise
        except RecursionError:
            self.refuse(f"it is nested deeper than {MAX_DEPTH} levels")
        except ValueError as error:  # also of text that is no UTF-8 and numbers too long to read
            reason = shown(str(error).partition(";")[0])[:200]
            self.refuse(f"it is no JSON ({reason})")
        if not isinstance(value, dict):
            self.refuse(f"it must hold a JSON object, found {kind_of(value)}")
        if _is_deeper(value, MAX_DEPTH):
            self.refuse(f"it is nested deeper than {MAX_DEPTH} levels")
        return value

    def _no_number(self, text: str) -> NoReturn:
        self.refuse(f"{text} is no number that JSON allows")

    def objects(self, parent: dict[str, Any], key: str, what: str) -> list[dict[str, Any]]:
        """A list of JSON objects that must be there."""
        value = parent.get(key)
        if not isinstance(value, list):
            self.refuse(f"{what} must have a list {key!r}, found {kind_of(value)}")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self.refuse(f"{key}[{index}] must be a JSON object, found {kind_of(item)}")
        return value

    def text(self, value: Any, what: str) -> str:
        """Text that must be there; half characters, which cannot be stored, are replaced."""
        if not isinstance(value, str):
            self.refuse(f"{what} must be text, found {kind_of(value)}")
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def number(self, value: Any, what: str) -> int:
        """A whole number that must be there."""
        if type(value) is not int:
            self.refuse(f"{what} must be a whole number, found {kind_of(value)}")
        return value

    def coordinates(self, values: Any, what: str) -> NDArray[np.float64]:
        """Numbers of pixels that must be there, float64 (N,), none of them absurd."""
        if not isinstance(values, list):
            self.refuse(f"{what} must be a list of numbers, found {kind_of(values)}")
        for value in values:
            if type(value) is not int and type(value) is not float:
                self.refuse(f"{what} must hold numbers, found {kind_of(value)}")
            if not -MAX_COORDINATE_PX <= value <= MAX_COORDINATE_PX:
                self.refuse(f"{what} must lie within {MAX_COORDINATE_PX:,.0f} px of the image")
        return np.array(values, dtype=np.float64)

    def spend(self, work_px: float) -> None:
        """Count what outlines cost, in pixels walked; a file may make only so much work."""
        self._work_px += work_px
        if self._work_px > MAX_WORK_PX:
            self.refuse("its outlines make too much work")


def cut_name(text: str) -> str:
    """A name as long as records allow."""
    return text[:MAX_TEXT]


def kind_of(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "nothing"
    return kinds.get(type(value), "a number")


def _is_deeper(value: Any, max_depth: int) -> bool:
    level: list[Any] = [value]
    for _ in range(max_depth):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
