"""The sample photos inside the package, and the things to cut out of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentcut.core.clicks import Click

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


@dataclass(frozen=True)
class Entry:
    """
    One thing to cut out.

    Attributes:
        name: No other entry has it.
        photo: Path of the picture.
        clicks: In order, at least one.
    """

    name: str
    photo: Path
    clicks: tuple[Click, ...]


def read_entries() -> tuple[Entry, ...]:
    """The entries of clicks.json, in order."""
    from latentcut.core.clicks import Click

    entries = json.loads((SAMPLES / "clicks.json").read_text(encoding="utf-8"))
    return tuple(
        Entry(e["name"], SAMPLES / e["photo"], tuple(Click(**c) for c in e["clicks"]))
        for e in entries
    )
