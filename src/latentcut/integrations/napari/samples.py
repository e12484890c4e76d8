"""The sample photos of the package in napari's menu File > Open Sample."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.images import read_image

LayerData = tuple[NDArray[np.uint8], dict[str, Any], str]


def cat() -> list[LayerData]:
    """A cat, uint8 (300, 451, 3)."""
    return _photo("chelsea")


def astronaut() -> list[LayerData]:
    """An astronaut, uint8 (512, 512, 3)."""
    return _photo("astronaut")


def coffee() -> list[LayerData]:
    """A cup of coffee, uint8 (400, 600, 3)."""
    return _photo("coffee")


def _photo(name: str) -> list[LayerData]:
    data = (resources.files("latentcut") / "samples" / f"{name}.jpg").read_bytes()
    return [(read_image(data), {"name": name}, "image")]
