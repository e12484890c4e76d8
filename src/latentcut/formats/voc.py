"""
Pascal VOC segmentation: palette pictures of classes and of objects.

A pixel has one class and one object, so where masks overlap only the object in front is left.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.errors import BadMask, LatentcutError
from latentcut.formats.names import Stems, UniqueNames, json_bytes, safe_name
from latentcut.formats.overlaps import note_hidden
from latentcut.formats.pictures import VOID, copy_of, path_in, png_of_indices, voc_palette
from latentcut.formats.records import UNLABELLED, AnnotatedImage, AnnotationSet, ExportedFile, Job

MAX_INDEX = 254
CLASSES_FILE = "classes.json"
LABELMAP_FILE = "labelmap.txt"
READ_BY_VOC = ("JPEG",)  # readers look for NAME.jpg

Indices = NDArray[np.uint8]


def check_voc(annotations: AnnotationSet) -> None:
    """
    Whether 8 bits are enough, asked before anything is written.

    Raises:
        BadMask: An image has more than 254 objects, or the project more than 254 labels.
    """
    rule = f"a VOC picture holds at most {MAX_INDEX}; export it as png instead"
    names = {*annotations.label_names, UNLABELLED}
    if len(names) > MAX_INDEX:
        raise BadMask(f"there are {len(names)} labels with {UNLABELLED!r}", rule)
    for image in annotations.read_images():
        if len(image.objects) > MAX_INDEX:
            raise BadMask(f"{image.path} has {len(image.objects)} objects", rule)


def voc_files(job: Job) -> Iterator[ExportedFile]:
    """Pictures of classes and objects, photos where they are wanted, and at last the lists."""
    names = [*(n for n in job.annotations.label_names if n != UNLABELLED), UNLABELLED]
    numbers = {name: number for number, name in enumerate(names, start=1)}
    stems, written, used = Stems(flat=True), [], set()
    for image in job.annotations.read_images():
        stem = job.stem_of(image, stems)
        objects, classes = np.zeros(image.size_hw, np.uint8), np.zeros(image.size_hw, np.uint8)
        used |= _paint(job, image, numbers, objects, classes)
        for folder, indices in (("SegmentationObject", objects), ("SegmentationClass", classes)):
            yield ExportedFile(f"{folder}/{stem}.png", png_of_indices(indices))
        if job.options.copy_images:
            yield from _picture(job, image, stem)
        written.append(f"{stem}\n")
    if not job.options.copy_images:
        job.notes.add("images are not copied; readers look for them in JPEGImages/")
    job.notes.add("there is no separate validation set: val.txt is empty")
    if UNLABELLED not in used and UNLABELLED not in job.annotations.label_names:
        names.remove(UNLABELLED)
    lists = "".join(written).encode("utf-8")
    for list_name, content in (("trainval", lists), ("train", lists), ("val", b"")):
        yield ExportedFile(f"ImageSets/Segmentation/{list_name}.txt", content)
    yield from _class_files(job, names)


def _paint(
    job: Job, image: AnnotatedImage, numbers: dict[str, int], objects: Indices, classes: Indices
) -> set[str]:
    """Draw the objects of an image from back to front; the names of the labels they have."""
    used = set()
    for index, (record, outlook) in enumerate(job.objects(image), start=1):
        name = job.class_of(image, record)
        used.add(name)
        mask, (x0, y0) = outlook.crop()
        place = np.s_[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
        objects[place][mask], classes[place][mask] = index, numbers[name]
    note_hidden(job, image, objects)
    if job.options.void_px > 0:
        border = _borders(objects, job.options.void_px)
        objects[border] = classes[border] = VOID
        job.notes.add(f"a void border of {job.options.void_px} px is drawn around objects")
    return used


def _borders(objects: Indices, width_px: int) -> NDArray[np.bool_]:
    """Pixels within a distance of the edge between two objects or an object and background."""
    kernel = np.ones((3, 3), np.uint8)
    high = cv2.dilate(objects, kernel, iterations=width_px)
    low = cv2.erode(objects, kernel, iterations=width_px)
    return np.asarray(high != low, dtype=bool)


def _picture(job: Job, image: AnnotatedImage, stem: str) -> Iterator[ExportedFile]:
    try:
        path = path_in(job.annotations.folder, image.path)
        data, suffix, is_same = copy_of(path, READ_BY_VOC, "JPEG")
    except LatentcutError:
        job.notes.add("images that cannot be read are not copied", image.path)
        return
    if is_same:
        job.notes.add("images are copied as they are, with their metadata")
    else:
        job.notes.add("images of other formats or stored lying are new JPEG files", image.path)
    yield ExportedFile(f"JPEGImages/{stem}{suffix}", data)


def _class_files(job: Job, names: list[str]) -> Iterator[ExportedFile]:
    """Names and colours of the class numbers: as data, and as CVAT reads them."""
    palette = voc_palette()
    rows = list(enumerate(["background", *names]))
    lines, unique = ["# label:color_rgb:parts:actions\n"], UniqueNames()
    for number, name in rows:
        safe = unique.of(safe_name(name.lstrip("# ")))
        if safe != name:
            job.notes.add(f"labels have another name in {LABELMAP_FILE}", f"{name} ({safe})")
        lines.append(f"{safe}:{','.join(map(str, palette[number]))}::\n")
    entries = [{"index": n, "name": name, "colour": palette[n]} for n, name in rows]
    yield ExportedFile(LABELMAP_FILE, "".join(lines).encode("utf-8"))
    yield ExportedFile(CLASSES_FILE, json_bytes(entries, indent=1))
