"""Going through a whole data set: what is in it, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from latentcut.core.images import read_image
from latentcut.datasets.dataset import Annotated, LabelMap, MapDataset
from latentcut.errors import LatentcutError

TINY_PX = 100  # of the source image: a click on less is a matter of luck

Progress = Callable[[int, int], None]  # pictures done, pictures in all


@dataclass
class Findings:
    """
    What was counted.

    Attributes:
        problems: Sentences, each about one file or object.
        widths, heights: Of the pictures that can be read, px.
        maps: Label maps.
        object_px: Area of every object, px.
        pixels, ignored: Of all label maps.
    """

    problems: list[str]
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    maps: int = 0
    object_px: list[int] = field(default_factory=list)
    pixels: int = 0
    ignored: int = 0


def check_dataset(
    dataset: MapDataset, problems: list[str], progress: Progress | None = None
) -> dict[str, Any]:
    """
    Read every picture and every label map.

    Args:
        dataset: Opened with ``problems``, so that what did not fit is in there already.
        problems: Problems so far.
        progress: Called after each picture.

    Returns:
        Plain values for JSON: name, format, counts, sizes in px as [least, median, largest],
        share of pixels that do not count, tiny objects, problems.
    """
    found = Findings(list(problems))
    for number, entry in enumerate(dataset.images, start=1):
        check_entry(dataset, entry, found)
        if progress:
            progress(number, len(dataset.images))
    return {
        "name": dataset.name,
        "format": dataset.format,
        "images": len(dataset.images),
        "maps": found.maps,
        "objects": len(found.object_px),
        "width": spread(found.widths),
        "height": spread(found.heights),
        "object_px": spread(found.object_px),
        "tiny_objects": sum(area < TINY_PX for area in found.object_px),
        "ignored_share": round(found.ignored / found.pixels, 5) if found.pixels else 0.0,
        "problems": found.problems,
    }


def check_entry(dataset: MapDataset, entry: Annotated, found: Findings) -> None:
    """One picture and its maps; what cannot be read is a problem and ends neither."""
    size_hw: tuple[int, int] | None = None
    try:
        height, width, _ = read_image(entry.image_path).shape
        size_hw = (height, width)
        found.widths.append(width)
        found.heights.append(height)
    except (LatentcutError, OSError) as error:
        found.problems.append(str(error))
    try:
        maps = dataset.label_maps(entry)
        empty = dataset.empty_objects(entry)
    except (LatentcutError, OSError) as error:
        found.problems.append(str(error))
        return
    found.problems += [f"{name} of {entry.image_path} has no pixel" for name in empty]
    for label_map in maps:
        check_map(entry, label_map, size_hw, found)


def check_map(
    entry: Annotated, label_map: LabelMap, size_hw: tuple[int, int] | None, found: Findings
) -> None:
    """Size, areas and ignored pixels of one map."""
    labels, what = label_map.labels, f"mask {label_map.name} of {entry.image_path}"
    if size_hw is not None and labels.shape != size_hw:
        found.problems.append(
            f"{what} is {labels.shape[1]} x {labels.shape[0]} px, but the picture is "
            f"{size_hw[1]} x {size_hw[0]} px"
        )
    found.maps += 1
    found.pixels += labels.size
    values, counts = np.unique(labels, return_counts=True)
    areas = dict(zip(values.tolist(), counts.tolist(), strict=True))
    areas.pop(0, None)
    if label_map.ignore_value is not None:
        found.ignored += areas.pop(label_map.ignore_value, 0)
    if not areas:
        found.problems.append(f"{what} holds no object")
    found.object_px += areas.values()


def spread(values: list[int]) -> list[float] | None:
    """Least, median and largest; None for nothing."""
    return [min(values), median(values), max(values)] if values else None
