"""
COCO JSON: one file for all images.

Masks are written as run-length codes, which lose nothing. Outlines, where they are wanted, have
their vertices at the edges of pixels, because COCO's rasteriser then fills the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from latentcut import __version__
from latentcut.annotation.records import Label
from latentcut.core.masks import has_holes, mask_to_polygons_edges
from latentcut.errors import BadMask
from latentcut.formats.coco_polygons import runs_of_polygon, work_px
from latentcut.formats.json_input import Source, cut_name, kind_of
from latentcut.formats.names import json_bytes
from latentcut.formats.records import (
    UNLABELLED,
    AnnotatedImage,
    AnnotatedObject,
    AnnotationSet,
    ExportedFile,
    Job,
    Notes,
    Outlook,
    images_as_set,
)
from latentcut.formats.runs import Runs, checked_size_hw, rle_of_runs, runs_of_rle, union

FILE_NAME = "annotations.json"
OURS = "latentcut"  # key of what only we know, under "attributes"

JsonObject = dict[str, Any]
IMAGE_KEYS = {"id", "width", "height", "file_name"}
CATEGORY_KEYS = {"id", "name"}
OBJECT_KEYS = {"id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd"}
OBJECT_KEYS |= {"attributes"}
FILE_KEYS = {"images", "categories", "annotations"}


def coco_files(job: Job) -> Iterator[ExportedFile]:
    """The one file of a COCO export; paths of images are relative to it."""
    category_ids, image_ids, object_ids = _category_ids(job), _Ids(), _Ids()
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    uses_unlabelled = False
    for image in job.annotations.read_images():
        image_id = image_ids.given(image.id)
        entry: JsonObject = {"id": image_id, "width": image.width, "height": image.height}
        entry["file_name"] = job.way_to(image, FILE_NAME)
        images.append(entry | _unknown(image.extra, entry))
        for record, outlook in job.objects(image):
            category = job.class_of(image, record)
            uses_unlabelled |= category == UNLABELLED
            entry = {"id": object_ids.given(record.id), "image_id": image_id}
            entry["category_id"] = category_ids[category]
            entry |= _mask_entries(job, image, record, outlook)
            entry["attributes"] = _attributes(record)
            annotations.append(entry | _unknown(record.extra, entry))
    extra = job.annotations.extra
    per_category = extra.get("categories", {})
    categories = [
        {"id": number, "name": name, "supercategory": "", **per_category.get(name, {})}
        for name, number in category_ids.items()
        if name != UNLABELLED or uses_unlabelled or name in job.annotations.label_names
    ]
    written_by = {"description": f"latentcut {__version__}", "version": "1.0"}
    document = {"info": extra.get("info", written_by), "licenses": extra.get("licenses", [])}
    document |= {"images": images, "categories": categories, "annotations": annotations}
    yield ExportedFile(FILE_NAME, json_bytes(document | _unknown(extra, document)))


class _Ids:
    """Numbers that are given once: the wanted one where it is free."""

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._last = 0

    def given(self, wanted: int) -> int:
        number = wanted if wanted > 0 and wanted not in self._used else self._last + 1
        self._used.add(number)
        self._last = max(self._last, number)
        return number


def _category_ids(job: Job) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for label in job.annotations.labels:
        numbers.setdefault(label.name, label.id)
    numbers.setdefault(UNLABELLED, max(numbers.values(), default=0) + 1)
    return numbers


def _mask_entries(
    job: Job, image: AnnotatedImage, record: AnnotatedObject, outlook: Outlook
) -> JsonObject:
    """Segmentation, area, box and crowd flag; area and box are those of the mask."""
    assert outlook.box_xyxy is not None
    x0, y0, x1, y1 = outlook.box_xyxy
    entries: JsonObject = {"segmentation": None, "area": outlook.area}
    entries |= {
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "iscrowd": int(record.extra.get("iscrowd") == 1),
    }
    if job.options.polygons:
        mask, _ = outlook.crop()
        if not has_holes(mask):
            rings = [ring + np.array([x0, y0]) for ring in mask_to_polygons_edges(mask)]
            entries["segmentation"] = [ring.astype(int).ravel().tolist() for ring in rings]
            return entries
        job.notes.add(
            "objects have holes, which outlines would lose, and are run-length codes",
            image.place(record),
        )
    entries["segmentation"] = outlook.rle
    if job.options.crowd_rle:
        entries["iscrowd"] = 1
    return entries


def _attributes(record: AnnotatedObject) -> JsonObject:
    ours = {"name": record.name, "position": record.position, **record.attributes}
    if record.label is None:
        ours["label"] = None  # its category is only a stand-in
    return {**record.extra.get("attributes", {}), OURS: ours}


def _unknown(extra: Any, known: JsonObject) -> JsonObject:
    return {key: value for key, value in extra.items() if key not in known}


def read_coco(name: str, data: bytes, notes: Notes) -> AnnotationSet:
    """
    Read a COCO file; every mask is checked before this returns.

    Args:
        name: Of the file, for messages.
        data: Its bytes.
        notes: Takes what is left out.

    Returns:
        The images as the file names them. Keys that nobody here knows are kept as `extra`, so
        that `coco_files` writes them again.

    Raises:
        BadAnnotationFile: It breaks the rules of the format or a limit.
    """
    source = Source(name, data)
    document = source.json_object()
    entries = source.objects(document, "images", "a COCO file")
    labels, category_extra = _read_categories(source, document)
    images: dict[int | str, AnnotatedImage] = {}
    objects: dict[int | str, list[AnnotatedObject]] = {}
    for index, entry in enumerate(entries):
        key = _key(source, entry.get("id"), f"images[{index}].id")
        if key in images:
            source.refuse(f"two images have the id {key!r}")
        images[key] = _read_image(source, entry, f"images[{index}]")
        objects[key] = []
    for index, entry in enumerate(source.objects(document, "annotations", "a COCO file")):
        what = f"annotations[{index}]"
        key = _key(source, entry.get("image_id"), f"{what}.image_id")
        if key not in images:
            notes.add("annotations of images that the file does not list are left out", what)
            continue
        runs = _read_mask(source, entry, what, images[key].size_hw, notes)
        if runs is None:
            notes.add("annotations without a segmentation are left out", what)
            continue
        label = labels.get(_key(source, entry.get("category_id", ""), f"{what}.category_id"))
        if label is None:
            notes.add("objects of categories that the file does not list get no label", what)
        objects[key].append(_read_object(entry, label, images[key], runs, len(objects[key])))
    filled = [replace(image, objects=tuple(objects[key])) for key, image in images.items()]
    extra = _without(document, FILE_KEYS) | {"categories": category_extra}
    return images_as_set(filled, labels.values(), extra=extra)


def _read_categories(
    source: Source, document: JsonObject
) -> tuple[dict[int | str, Label], dict[str, JsonObject]]:
    """Labels by category id, and by name what else the file says about each."""
    labels: dict[int | str, Label] = {}
    extra: dict[str, JsonObject] = {}
    for index, entry in enumerate(source.objects(document, "categories", "a COCO file")):
        what = f"categories[{index}]"
        key = _key(source, entry.get("id"), f"{what}.id")
        name = cut_name(source.text(entry.get("name"), f"{what}.name"))
        if not name:
            source.refuse(f"{what} has an empty name")
        if key in labels:
            source.refuse(f"two categories have the id {key!r}")
        labels[key] = Label(id=key if isinstance(key, int) else index + 1, name=name)
        extra[name] = _without(entry, CATEGORY_KEYS)
    return labels, extra


def _key(source: Source, value: Any, what: str) -> int | str:
    """An id: a whole number, or text in the files of some programs."""
    if type(value) is not int and not isinstance(value, str):
        source.refuse(f"{what} must be a whole number or text, found {kind_of(value)}")
    return value


def _read_image(source: Source, entry: JsonObject, what: str) -> AnnotatedImage:
    height = source.number(entry.get("height"), f"{what}.height")
    width = source.number(entry.get("width"), f"{what}.width")
    try:
        checked_size_hw([height, width])
    except BadMask as error:
        source.refuse(f"{what}: {error}")
    image_id = entry["id"] if type(entry["id"]) is int else 0
    return AnnotatedImage(
        path=source.text(entry.get("file_name"), f"{what}.file_name"),
        width=width,
        height=height,
        id=image_id,
        extra=_without(entry, IMAGE_KEYS),
    )


def _read_object(
    entry: JsonObject, label: Label | None, image: AnnotatedImage, runs: Runs, position: int
) -> AnnotatedObject:
    attributes = entry.get("attributes")
    extra = _without(entry, OBJECT_KEYS)
    ours: JsonObject = {}
    if isinstance(attributes, dict):
        if isinstance(attributes.get(OURS), dict):
            ours = attributes[OURS]
        others = _without(attributes, {OURS})
        extra |= {"attributes": others} if others else {}
    if entry.get("iscrowd") == 1:
        extra["iscrowd"] = 1
    is_unlabelled = label is None or ("label" in ours and ours["label"] is None)
    name = ours.get("name")
    return AnnotatedObject(
        size_hw=image.size_hw,
        read_runs=partial(runs_of_rle, rle_of_runs(runs, image.size_hw)),
        id=entry["id"] if type(entry.get("id")) is int else 0,
        label=None if is_unlabelled or label is None else label.name,
        name=cut_name(name) if isinstance(name, str) else "",
        position=position,
        attributes=_without(ours, {"name", "position", "label"}),
        extra=extra,
    )


def _read_mask(
    source: Source, entry: JsonObject, what: str, size_hw: tuple[int, int], notes: Notes
) -> Runs | None:
    """The mask of an annotation; None where it has no segmentation."""
    segmentation, what = entry.get("segmentation"), f"{what}.segmentation"
    if isinstance(segmentation, dict):
        try:
            if segmentation.get("size") != list(size_hw):
                raise BadMask("the size is not that of the image", "both must be equal")
            return runs_of_rle(segmentation)
        except BadMask as error:
            source.refuse(f"{what}: {error}")
    if segmentation is None or segmentation == []:
        return None
    if not isinstance(segmentation, list):
        source.refuse(f"{what} must be a list or an object, found {kind_of(segmentation)}")
    rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
    masks = []
    for ring in rings:
        numbers = source.coordinates(ring, what)
        if len(numbers) % 2:
            source.refuse(f"{what} has an outline with an odd number of coordinates")
        if len(numbers) < 6:
            notes.add("outlines of fewer than three points are left out", what)
            continue
        points_xy = numbers.reshape(-1, 2)
        source.spend(work_px(points_xy, size_hw[1]))
        masks.append(runs_of_polygon(points_xy, size_hw))
    return union(masks)


def _without(entry: JsonObject, keys: Iterable[str]) -> JsonObject:
    return {key: value for key, value in entry.items() if key not in keys}
