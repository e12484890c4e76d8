"""
YOLO segmentation: one text file per image, one line per object, and data.yaml.

A line is one polygon, so holes and parts are bridged; what that costs is measured and reported.
Vertices are written a quarter of a pixel right of and below the centre of their pixel: readers
round or cut to whole pixels, and either way they then arrive at the right one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from latentcut.core.masks import has_holes
from latentcut.core.metrics import iou
from latentcut.errors import LatentcutError
from latentcut.formats.bridges import Points, bridged_outlines, drawn_by_opencv
from latentcut.formats.names import Stems, yaml_string
from latentcut.formats.pictures import copy_of, path_in
from latentcut.formats.records import (
    UNLABELLED,
    AnnotatedImage,
    AnnotatedObject,
    ExportedFile,
    Job,
    Outlook,
)

LABELS = "labels"
IMAGES = "images"
DATA_FILE = "data.yaml"
VERTEX_SHIFT_PX = 0.25
READ_BY_YOLO = ("PNG", "JPEG", "WebP")

BoolArray = NDArray[np.bool_]


def yolo_files(job: Job) -> Iterator[ExportedFile]:
    """Label files, pictures where they are wanted, and at last data.yaml."""
    names = job.annotations.label_names
    classes = {name: number for number, name in enumerate([*names, UNLABELLED])}
    if UNLABELLED in names:
        classes[UNLABELLED] = names.index(UNLABELLED)
    stems = Stems()
    uses_unlabelled = False
    for image in job.annotations.read_images():
        stem = job.stem_of(image, stems)
        lines, boxes = [], set()
        for record, outlook in job.objects(image):
            name = job.class_of(image, record)
            uses_unlabelled |= name == UNLABELLED
            if (name, outlook.box_xyxy) in boxes:
                job.notes.add(
                    "objects have the label and box of another one; readers may keep only one",
                    image.place(record),
                )
            boxes.add((name, outlook.box_xyxy))
            lines += _lines(job, image, record, outlook, classes[name])
        yield ExportedFile(f"{LABELS}/{stem}.txt", "".join(lines).encode("ascii"))
        if job.options.copy_images:
            yield from _picture(job, image, stem)
    if not job.options.copy_images:
        job.notes.add(
            "images are not copied; training needs them in images/, with the names of their "
            "label files"
        )
    if uses_unlabelled and UNLABELLED not in names:
        names = (*names, UNLABELLED)
    job.notes.add("there is no separate validation set: val is the same as train")
    yield ExportedFile(DATA_FILE, _data_yaml(names).encode("utf-8"))


def _lines(
    job: Job, image: AnnotatedImage, record: AnnotatedObject, outlook: Outlook, number: int
) -> list[str]:
    """The line of an object, or one per part; what differs from the mask is noted."""
    mask, corner_xy = outlook.crop()
    outlines = bridged_outlines(mask, join_parts=not job.options.separate_lines)
    _note_bridges(job, image.place(record), mask, outlines)
    lines = []
    for outline in outlines:
        shifted = outline + np.array(corner_xy) + VERTEX_SHIFT_PX
        shares = shifted / np.array([image.width, image.height])
        lines.append(f"{number} {' '.join(f'{share:.6f}' for share in shares.ravel())}\n")
    return lines


def _note_bridges(job: Job, place: str, mask: BoolArray, outlines: list[Points]) -> None:
    if has_holes(mask):
        job.notes.add("holes are bridged into the outline, which loses no pixel", place)
    if len(outlines) > 1:
        job.notes.add("objects of several parts have one line per part", place)
    overlap = iou(drawn_by_opencv(outlines, mask.shape), mask)
    if overlap < 1:
        job.notes.add(
            "parts are joined by lines one pixel wide (IoU with the mask)",
            f"{place} ({overlap:.4f})",
        )


def _picture(job: Job, image: AnnotatedImage, stem: str) -> Iterator[ExportedFile]:
    try:
        path = path_in(job.annotations.folder, image.path)
        data, suffix, is_same = copy_of(path, READ_BY_YOLO, "PNG")
    except LatentcutError:
        job.notes.add("images that cannot be read are not copied", image.path)
        return
    if is_same:
        job.notes.add("images are copied as they are, with their metadata")
    else:
        job.notes.add("images of other formats or stored lying are now PNG", image.path)
    yield ExportedFile(f"{IMAGES}/{stem}{suffix}", data)


def _data_yaml(names: tuple[str, ...]) -> str:
    """Without `path`, readers take paths as relative to this file."""
    lines = [f"train: {IMAGES}", f"val: {IMAGES}", "names:" if names else "names: {}"]
    lines += [f"  {number}: {yaml_string(name)}" for number, name in enumerate(names)]
    return "".join(f"{line}\n" for line in lines)
