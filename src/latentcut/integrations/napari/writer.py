"""Label layers as a COCO file: every plane an image, every number an object."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.files import write_atomically
from latentcut.formats.coco import coco_files
from latentcut.formats.records import (
    AnnotatedImage,
    AnnotatedObject,
    Job,
    images_as_set,
    object_of_runs,
)
from latentcut.formats.runs import runs_by_value
from latentcut.integrations.napari.layers import METADATA

LayerData = tuple[Any, dict[str, Any], str]


def write_coco(path: str, layers: list[LayerData]) -> list[str]:
    """
    Write label layers as COCO JSON, which napari calls for File > Save.

    Args:
        path: Of the file; one that is there is replaced.
        layers: Pixels (..., H, W) of integers, the layer's facts, "labels". Of a stack every
            plane that holds an object becomes an image; its place is in the image's extra key
            "napari", and the object's number in its attributes.

    Returns:
        The path written.
    """
    images = [image for pixels, facts, _ in layers for image in _images(pixels, facts)]
    numbered = [replace(image, id=number) for number, image in enumerate(images, start=1)]
    (file,) = coco_files(Job(images_as_set(numbered)))
    write_atomically(Path(path), file.data)
    return [path]


def _images(pixels: Any, facts: dict[str, Any]) -> Iterator[AnnotatedImage]:
    """The planes of a label layer: of a picture the one, of a stack those that are not empty."""
    finest = pixels[0] if facts.get("multiscale") else pixels
    ours = facts.get("metadata", {}).get(METADATA, {})
    name = str(ours.get("image", facts.get("name", "labels")))
    leading = finest.shape[:-2]
    for place in itertools.product(*map(range, leading)):
        plane = np.asarray(finest[place])
        objects = tuple(_objects(plane, place, ours))
        if objects or not leading:
            yield AnnotatedImage(
                path=Path(name).name + "".join(f"[{number}]" for number in place),
                width=plane.shape[1],
                height=plane.shape[0],
                objects=objects,
                extra={"napari": {"layer": facts.get("name", ""), "plane": list(place)}},
            )


def _objects(
    plane: NDArray[np.integer[Any]], place: tuple[int, ...], ours: dict[str, Any]
) -> Iterator[AnnotatedObject]:
    known = ours.get("objects", {})
    height, width = plane.shape
    for position, (value, runs) in enumerate(sorted(runs_by_value(plane).items())):
        if value == 0:
            continue
        facts = known.get((place, value), {})
        yield object_of_runs(
            runs,
            (height, width),
            label=facts.get("label"),
            position=position,
            attributes={"napari_label": value, **facts.get("attributes", {})},
        )
