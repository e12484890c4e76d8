"""
PNG masks: one label map per image, and one black and white mask per object where wanted.

The label maps are what `latentcut evaluate` and `latentcut train` read: 0 is background, 1 to N
are the objects. What each number is stands in objects.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import BadMask
from latentcut.formats.json_input import Source
from latentcut.formats.names import Stems, UniqueNames, json_bytes
from latentcut.formats.overlaps import note_hidden
from latentcut.formats.pictures import VOID, png_of
from latentcut.formats.png_input import read_indices
from latentcut.formats.records import (
    AnnotatedImage,
    AnnotatedObject,
    AnnotationSet,
    ExportedFile,
    Job,
    Notes,
    images_as_set,
)
from latentcut.formats.runs import (
    rle_of_runs,
    runs_by_value,
    runs_of_rle,
    values_and_pieces,
)

MAPS = "masks"
OBJECT_MASKS = "objects"
INDEX_FILE = "objects.json"
MAX_OBJECTS = 65_535
MAX_FEW_VALUES = 16  # with more, grey levels may be soft edges, or the file a photo
MAX_PIECES_PER_VALUE = 8  # on average, where there are more values than that
MAX_COLOURS = 1_000
MAX_CHANGES = 10_000_000  # from one pixel to the one below

JsonObject = dict[str, Any]


def check_png(annotations: AnnotationSet) -> None:
    """
    Whether 16 bits are enough, asked before anything is written.

    Raises:
        BadMask: An image has more than 65,535 objects.
    """
    for image in annotations.read_images():
        if len(image.objects) > MAX_OBJECTS:
            raise BadMask(
                f"{image.path} has {len(image.objects)} objects",
                f"a label map holds at most {MAX_OBJECTS:,}; export it as coco instead",
            )


def png_files(job: Job) -> Iterator[ExportedFile]:
    """Label maps, masks where they are wanted, and at last what the numbers mean."""
    stems, names = Stems(max_bytes=120), UniqueNames()
    entries = []
    for image in job.annotations.read_images():
        stem = job.stem_of(image, stems)
        dtype = np.uint8 if len(image.objects) <= np.iinfo(np.uint8).max else np.uint16
        indices = np.zeros(image.size_hw, dtype)
        objects: list[JsonObject] = []
        for index, (record, outlook) in enumerate(job.objects(image), start=1):
            mask, (x0, y0) = outlook.crop()
            indices[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask] = index
            entry: JsonObject = {"value": index, "label": record.label, "name": record.name}
            if job.options.object_masks:
                mask_name = names.of(f"{stem}_{index:02}_{job.file_label(record)}")
                entry["mask"] = f"{OBJECT_MASKS}/{mask_name}.png"
                yield ExportedFile(entry["mask"], png_of(record.mask()))
            objects.append(entry | {"id": record.id, "area": outlook.area})
        note_hidden(job, image, indices)
        path = f"{MAPS}/{stem}.png"
        yield ExportedFile(path, png_of(indices))
        entries.append({"image": job.way_to(image, INDEX_FILE), "map": path, "objects": objects})
    yield ExportedFile(INDEX_FILE, json_bytes(entries, indent=1))


def read_png(name: str, data: bytes, notes: Notes) -> AnnotationSet:
    """
    Read a mask or a label map; every value but 0 is an object.

    Black and white, palette and 16-bit pictures are read, and coloured ones by colour, black
    being background. In a palette picture 255 is VOC's void and belongs to nothing. A grey
    picture that is mostly white and has many levels beside is one object with soft edges: what
    is at least half white belongs to it. A photo is refused.

    Args:
        name: Of the file; the image is the one whose name without suffix it is.
        data: Its bytes.
        notes: Takes what is left out.

    Returns:
        One image, whose path is the name of the file.

    Raises:
        BadAnnotationFile: It is no PNG, too large or broken, or no mask.
    """
    source = Source(name, data)
    numbers = read_indices(source, data, "the file")
    if numbers.ndim == 3:
        numbers = _numbered_colours(numbers)
    height, width = numbers.shape
    if not _has_palette(data) and _is_soft(numbers):
        notes.add("a grey mask with soft edges is one object: what is at least half white")
        numbers = np.asarray(numbers >= 128, dtype=np.uint8)
    _refuse_photo(source, numbers)
    by_value = runs_by_value(numbers)
    if _has_palette(data) and by_value.pop(VOID, None) is not None:
        notes.add("the void border (255) belongs to no object")
    by_value.pop(0, None)
    objects = [
        AnnotatedObject(
            size_hw=(height, width),
            read_runs=partial(runs_of_rle, rle_of_runs(runs, (height, width))),
            position=position,
        )
        for position, (_, runs) in enumerate(sorted(by_value.items()))
    ]
    image = AnnotatedImage(path=name, width=width, height=height, objects=tuple(objects))
    return images_as_set([image])


def _refuse_photo(source: Source, numbers: NDArray[np.integer[Any]]) -> None:
    """In a label map a value has few pieces, and colours are few; in a photo both are many."""
    num_changes = np.count_nonzero(numbers[1:] != numbers[:-1])
    if num_changes > MAX_CHANGES:
        source.refuse(f"it looks like a photo (its value changes {num_changes:,} times)")
    num_values, num_pieces = values_and_pieces(numbers)
    limit = MAX_COLOURS if int(numbers.max()) > MAX_OBJECTS else MAX_OBJECTS + 1
    is_scattered = num_values > MAX_FEW_VALUES and num_pieces > MAX_PIECES_PER_VALUE * num_values
    if num_values > limit or is_scattered:
        source.refuse(f"it looks like a photo ({num_values:,} values in {num_pieces:,} pieces)")


def _numbered_colours(colours: NDArray[Any]) -> NDArray[np.integer[Any]]:
    """One number per colour, (H, W); the level itself where all are grey."""
    red, green, blue = colours[:, :, 0], colours[:, :, 1], colours[:, :, 2]
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red)
    numbered = red.astype(np.int32)
    for channel in (green, blue):  # in place: the picture may be large
        numbered <<= 8
        numbered |= channel
    return numbered


def _is_soft(numbers: NDArray[np.integer[Any]]) -> bool:
    """Whether grey levels are edges of one object, not numbers of many."""
    if int(numbers.max()) != 255:
        return False
    areas = np.bincount(numbers.ravel())
    is_mostly_white = 2 * areas[255] > areas[1:].sum()
    return bool(is_mostly_white and np.count_nonzero(areas) > MAX_FEW_VALUES)


def _has_palette(data: bytes) -> bool:
    return data[25:26] == b"\x03"  # the colour type in the header
