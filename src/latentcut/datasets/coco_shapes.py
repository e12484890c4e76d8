"""COCO's shapes as masks: polygons by COCO's own rasteriser, run lengths by ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentcut.core.masks import decode_rle, mask_from_coco_rle
from latentcut.datasets.coco_records import CocoObject
from latentcut.datasets.dataset import BoolArray
from latentcut.datasets.extras import extra_module
from latentcut.errors import BadMask, DatasetBroken

MAX_COORDINATE = 1e6


def polygon_tool() -> Any:
    """The module pycocotools.mask. Raises MissingExtra."""
    return extra_module("pycocotools.mask", "reading COCO polygons")


def mask_of(thing: CocoObject, size_hw: tuple[int, int], tool: Any, file: Path) -> BoolArray:
    """
    The pixels of an object, bool (H0, W0).

    Args:
        thing: Polygons or run lengths.
        size_hw: Of the picture.
        tool: As of ``polygon_tool``; only polygons need it.
        file: Named in errors.

    Raises:
        DatasetBroken: Run lengths do not fit the picture.
    """
    if thing.is_polygon:
        # decoded by ours: pycocotools' own decoder warns under NumPy 2
        return mask_from_coco_rle(drawn(thing, size_hw, tool, file))
    assert isinstance(thing.shape, dict)
    size = thing.shape.get("size")
    if not isinstance(size, list) or tuple(size) != size_hw:
        raise DatasetBroken(
            f"{file}: annotation {thing.object_id} has size {size}, but its image is "
            f"{size_hw[0]} px high and {size_hw[1]} px wide"
        )
    counts = thing.shape["counts"]
    try:
        if isinstance(counts, str):
            return mask_from_coco_rle(thing.shape)
        return decode_rle(counts, size_hw)
    except (BadMask, TypeError, ValueError) as error:
        raise DatasetBroken(f"{file}: annotation {thing.object_id}: {error}") from error


def area_of(thing: CocoObject, size_hw: tuple[int, int], tool: Any, file: Path) -> int:
    """Number of pixels of an object, for polygons without making the mask."""
    if thing.is_polygon:
        return int(tool.area(drawn(thing, size_hw, tool, file)))
    return int(mask_of(thing, size_hw, tool, file).sum())


def drawn(thing: CocoObject, size_hw: tuple[int, int], tool: Any, file: Path) -> Any:
    """
    The polygons of an object joined, in pycocotools' form.

    Raises:
        DatasetBroken: A coordinate is no number, or one that no picture has: the rasteriser
            would take memory for every pixel of such an outline.
    """
    try:
        polygons = [np.asarray(polygon, dtype=np.float64) for polygon in thing.shape]
        are_numbers = all((np.abs(p) < MAX_COORDINATE).all() for p in polygons)  # no NaN either
    except (TypeError, ValueError):
        are_numbers = False
    if not are_numbers:
        raise DatasetBroken(
            f"{file}: annotation {thing.object_id} has a coordinate that is no number of pixels"
        )
    height, width = size_hw
    return tool.merge(tool.frPyObjects([list(p) for p in polygons], height, width))
