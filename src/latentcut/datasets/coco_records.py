"""What a COCO or LVIS file says of its pictures and objects, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from latentcut.datasets.dataset import ReaderOptions
from latentcut.errors import DatasetBroken

MAX_SIDE = 65_000


@dataclass(frozen=True)
class CocoObject:
    """
    One annotation.

    Attributes:
        object_id: The file's id.
        shape: Polygons [[x0, y0, x1, y1, ...], ...], or run lengths {"size", "counts"}.
        is_crowd: A region of things nobody told apart.
    """

    object_id: int
    shape: list[Any] | dict[str, Any]
    is_crowd: bool

    @property
    def is_polygon(self) -> bool:
        """Whether drawing it needs COCO's rasteriser."""
        return isinstance(self.shape, list)


@dataclass(frozen=True)
class CocoImage:
    """
    One picture and its annotations in the file's order.

    Attributes:
        image_id: The file's id.
        file_names: Paths under which the picture may lie, as the file has them first.
        size_hw: As the file says.
        objects: Crowds among them.
    """

    image_id: int
    file_names: tuple[str, ...]
    size_hw: tuple[int, int]
    objects: tuple[CocoObject, ...]


def read_records(file: Path, options: ReaderOptions) -> list[CocoImage]:
    """
    All pictures of a file, in its order.

    Raises:
        DatasetBroken: The file is no JSON or has no images and annotations; or an entry of it
            breaks the rules (a problem that may be collected).
    """
    images, annotations = read_lists(file)
    objects: dict[object, list[CocoObject]] = {}
    for entry in images:
        objects.setdefault(entry.get("id"), [])
    for entry in annotations:
        thing = object_of(entry)
        if thing is None:
            options.complain(f"{file}: annotation {entry.get('id')} has no usable segmentation")
        elif entry.get("image_id") not in objects:
            options.complain(
                f"{file}: annotation {thing.object_id} belongs to image {entry.get('image_id')}, "
                "which is not in the file"
            )
        else:
            objects[entry["image_id"]].append(thing)
    records = []
    for entry in images:
        image = image_of(entry, tuple(objects[entry.get("id")]))
        if image is None:
            options.complain(f"{file}: image {entry.get('id')} has no file name, width or height")
        else:
            records.append(image)
    return records


def read_lists(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lists ``images`` and ``annotations`` of a file. Raises DatasetBroken."""
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DatasetBroken(f"{file} is not JSON: {error}") from error
    lists = []
    for key in ("images", "annotations"):
        found = content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise DatasetBroken(f"{file} is no COCO file: it has no list {key!r}")
        lists.append(found)
    return lists[0], lists[1]


def object_of(entry: dict[str, Any]) -> CocoObject | None:
    """An annotation, or None if it has no shape that can be drawn."""
    shape, number = entry.get("segmentation"), entry.get("id")
    if type(number) is not int or not isinstance(shape, list | dict):
        return None
    if not is_polygons(shape) and not is_runs(shape):
        return None
    return CocoObject(number, shape, bool(entry.get("iscrowd", 0)))


def is_polygons(shape: object) -> bool:
    """A list of polygons with three corners each or more; numbers are checked when drawn."""
    if not isinstance(shape, list) or not shape:
        return False
    return all(isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0 for p in shape)


def is_runs(shape: object) -> bool:
    """Run lengths, compressed or not; what they hold is checked when they are decoded."""
    return isinstance(shape, dict) and isinstance(shape.get("counts"), list | str)


def image_of(entry: dict[str, Any], objects: tuple[CocoObject, ...]) -> CocoImage | None:
    """A picture, or None if the file does not say enough of it."""
    height, width, number = (entry.get(key) for key in ("height", "width", "id"))
    sides = (height, width)
    if type(number) is not int or not all(type(s) is int and 0 < s <= MAX_SIDE for s in sides):
        return None
    names = []
    if isinstance(entry.get("file_name"), str):
        names.append(entry["file_name"])
    if isinstance(entry.get("coco_url"), str):  # LVIS v1: http://.../val2017/000000000139.jpg
        names.append("/".join(PurePosixPath(entry["coco_url"]).parts[-2:]))
    names = [name for name in names if PurePosixPath(name).name]
    if not names:
        return None
    names.append(PurePosixPath(names[0]).name)  # pictures that were moved into one folder
    return CocoImage(number, tuple(names), (int(height or 0), int(width or 0)), objects)
