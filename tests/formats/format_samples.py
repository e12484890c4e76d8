"""Masks, names and small projects that the tests of the formats share."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from latentcut.annotation.records import ClickRecord, Label, ObjectRecord, Part, mask_id_of
from latentcut.core.masks import coco_rle, mask_area, mask_box_xyxy, mask_from_coco_rle
from latentcut.formats.records import (
    AnnotatedImage,
    ExportOptions,
    Job,
    images_as_set,
    object_of_mask,
)

A = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
B = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
Z = np.zeros((4, 5), dtype=bool)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
HOOK = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)  # its inside leaks at a corner
ROWS, COLUMNS = np.mgrid[:256, :256]


def disc(radius, x=128, y=128):
    return (COLUMNS - x) ** 2 + (ROWS - y) ** 2 <= radius**2


def dots(count):
    """Parts of one pixel that do not touch."""
    mask = np.zeros((3, 2 * count + 1), dtype=bool)
    mask[1, 1::2] = True
    return mask


NAMED_MASKS = {
    "A": A,
    "B": B,
    "full": np.ones((3, 4), dtype=bool),
    "one pixel": np.array([[0, 0], [0, 1]], dtype=bool),
    "only pixel": np.ones((1, 1), dtype=bool),
    "row": np.array([[0, 1, 1, 1]], dtype=bool),
    "column": np.ones((5, 1), dtype=bool),
    "ring": RING,
    "hook": HOOK,
    "diamond": np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool),
    "ten parts": dots(10),
    "disc": disc(60),
    "donut": disc(100) & ~disc(60),
    "two holes and an island": disc(100) & ~disc(40, 90) & ~disc(30, 180) | disc(10, 90),
}
MASKS = list(NAMED_MASKS.values())
MASK_NAMES = list(NAMED_MASKS)

any_mask = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda size_hw: arrays(np.bool_, size_hw)
)

# what people, and people with bad intentions, call things
NASTY_NAMES = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "../../x", "..", ".", "...",
    "/etc/passwd", "\\\\server\\share", "C:\\x", "C:x", "a/b", "a\\b", "a:b", "a*b?", '"quoted"',
    "'single'", "`tick`", "$(touch x)", "; rm -rf ~", "| cat", "&& x", "%2e%2e%2f", "%s%n", "{0}",
    "=cmd()", "+1", "-1", "@x", "con", "CON", "nul.txt", "com1", "lpt9.jpg", "aux.", "name.",
    "name ", " name", "new\nline", "tab\tstop", "return\r", "nul\0byte", "bell\a", "\x1b[31mred",
    "\x7f", "\x85next line", "\u2028separator", "\u202etxt.exe", "\u200fright to left", "\ufeffbom",
    "zero\u200bwidth", "é composed", "e\u0301 not composed", "日本語", "עברית", "👩\u200d🔬",
    "🦄" * 60, "n" * 200, "# comment", "key: value", "- item", "[1, 2]", "{a: b}",
    "!!python/object", "*alias", "&anchor", "null", "true", "1e3", "background", "unlabelled",
    "labels", "latentcut-export.json",
]  # fmt: skip


def image_of(*masks, path="a.jpg", labels=None, names=None, **facts):
    """An image with one object per mask; labels and names go by place."""
    labels = labels or ["cat"] * len(masks)
    names = names or [""] * len(masks)
    objects = [
        object_of_mask(mask, label=label, name=name, position=position, id=position + 1)
        for position, (mask, label, name) in enumerate(zip(masks, labels, names, strict=True))
    ]
    height, width = masks[0].shape if masks else (4, 5)
    facts = {"width": width, "height": height} | facts
    return AnnotatedImage(path=path, objects=tuple(objects), **facts)


def job_of(*images, labels=None, folder=Path(), to_images=".", **options):
    """What a writer gets; labels are names in order."""
    known = labels and [Label(id=n, name=name) for n, name in enumerate(labels, start=1)]
    annotations = images_as_set(images, known, folder)
    return Job(annotations, ExportOptions(**options), to_images=to_images)


def files_of(writer, job):
    """The files of an export by path."""
    return {file.path: file.data for file in writer(job)}


def notes_of(job):
    """What was noted, each with its places."""
    return {note.sentence: list(note.places) for note in job.notes.all()}


def masks_of(annotations):
    """The masks of the first image of a set."""
    image = next(iter(annotations.read_images()))
    return [record.mask() for record in image.objects]


def write_photos(folder, size_hw=(40, 50), names=("a.jpg", "b.png", "sub/c.jpg")):
    """Pictures of noise."""
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (*size_hw, 3), dtype=np.uint8)).save(path)


def add_objects(store, image_id, masks, labels=None, names=None):
    """Commit one object per mask to an image of a project, as a click would."""
    document = store.document(image_id)
    labels, names = labels or [None] * len(masks), names or [""] * len(masks)
    changes, codes = {}, {}
    for position, (mask, label, name) in enumerate(zip(masks, labels, names, strict=True)):
        rle = coco_rle(mask)
        mask_id = mask_id_of(rle)
        codes[mask_id] = rle
        part = Part(
            clicks=(ClickRecord(x=1.5, y=2), ClickRecord(x=3, y=0, positive=False)),
            selected=4,
            score=0.75,
            expected_iou=0.5,
            mask=mask_id,
        )
        number = store.new_object_id(image_id)
        changes[number] = ObjectRecord(
            id=number,
            label=label,
            name=name,
            position=position,
            parts=(part,),
            mask=mask_id,
            area=mask_area(mask),
            box_xyxy=mask_box_xyxy(mask),
        )
    return store.commit(image_id, document.revision, "click", changes, codes)


def set_labels(store, *names):
    """Put labels into a project; their ids by name."""
    found = store.set_labels([Label(id=0, name=name) for name in names], store.labels().revision)
    return {label.name: label.id for label in found.labels}


def as_bytes(document):
    return json.dumps(document).encode()


def png(mask):
    """A mask, or anything else that Pillow takes, as a PNG file."""
    encoded = io.BytesIO()
    Image.fromarray(np.asarray(mask)).save(encoded, "PNG")
    return encoded.getvalue()


def coco_of(mask, file_name="a.jpg", categories=None, **attributes):
    """A COCO file of one image and one object, in the last of its categories."""
    categories = categories or [{"id": 1, "name": "cat"}]
    height, width = mask.shape
    annotation = {"id": 1, "image_id": 1, "category_id": categories[-1]["id"]}
    annotation |= {"segmentation": coco_rle(mask), "attributes": attributes}
    image = {"id": 1, "width": width, "height": height, "file_name": file_name}
    return as_bytes({"images": [image], "categories": categories, "annotations": [annotation]})


def masks_in(store, image_id):
    """The masks of an image of a project."""
    return [mask_from_coco_rle(store.mask(o.mask)) for o in store.document(image_id).objects]


# three masks of the size of the photos: plain, with a hole, in two parts
SQUARE, FRAME, CORNERS = (np.zeros((40, 50), dtype=bool) for _ in range(3))
SQUARE[5:15, 5:20] = True
FRAME[20:30, 10:40] = True
FRAME[22:25, 12:15] = False
CORNERS[0:3, 0:3] = CORNERS[35:40, 45:50] = True
