"""YOLO text files, judged by the rules of its loader and drawn by OpenCV in two ways."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from format_samples import (
    MASK_NAMES,
    MASKS,
    NASTY_NAMES,
    RING,
    A,
    B,
    Z,
    any_mask,
    disc,
    dots,
    files_of,
    image_of,
    job_of,
    notes_of,
    write_photos,
)
from hypothesis import given
from PIL import Image

from latentcut.core.masks import mask_to_polygons_centres
from latentcut.core.metrics import iou
from latentcut.formats.yolo import yolo_files

NOT_COPIED = (
    "images are not copied; training needs them in images/, with the names of their label files"
)
NO_VAL = "there is no separate validation set: val is the same as train"


def written(*images, **options):
    job = job_of(*images, **options)
    return files_of(yolo_files, job), job


def loaded(data, num_classes):
    """The rows (class, points (N, 2) in shares) that the loader of ultralytics accepts."""
    rows = [line.split() for line in data.decode("utf-8-sig").strip().splitlines() if line]
    if not rows:
        return []
    assert any(len(row) > 6 for row in rows)
    assert all(len(row) > 6 and len(row) % 2 for row in rows), "mixes segments and boxes"
    numbers = np.array([float(value) for row in rows for value in row[1:]])
    assert numbers.min() >= 0
    assert numbers.max() <= 1.01
    classes = [int(row[0]) for row in rows]
    assert 0 <= min(classes) <= max(classes) < num_classes
    points = [np.array(row[1:], dtype=np.float64).reshape(-1, 2) for row in rows]
    return list(zip(classes, points, strict=True))


def drawn(rows, size_hw, to_pixels):
    canvas = np.zeros(size_hw, dtype=np.uint8)
    for _, points in rows:
        pixels = to_pixels(points * np.array(size_hw[::-1])).astype(np.int32)
        cv2.fillPoly(canvas, [pixels], 1)
    return canvas.astype(bool)


def read_yaml(data):
    """The keys of our data.yaml; quoted text as YAML 1.1 reads it."""
    found, names = {}, {}
    text = data.decode("utf-8")
    assert text.replace("\n", "").isprintable()
    for line in text.splitlines():
        key, _, value = line.partition(": ")
        if line.startswith("  "):
            body = re.fullmatch(r'"((?:[^"\\]|\\["\\]|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*)"', value)[1]
            names[int(key)] = re.sub(
                r"\\(?:u(....)|U(........)|(.))",
                lambda m: m[3] or chr(int(m[1] or m[2], 16)),
                body,
            )
        else:
            found[key.rstrip(":")] = value
    return found, names


def test_the_golden_block_is_written_as_it_should_be():
    files, job = written(image_of(B), labels=["dog", "cat"])

    # down on the left, (2.25 / 5, 1.25 / 4) to (2.25 / 5, 2.25 / 4), and up on the right
    assert files == {
        "labels/a.txt": b"1 0.450000 0.312500 0.450000 0.562500 "
        b"0.650000 0.562500 0.650000 0.312500\n",
        "data.yaml": b'train: images\nval: images\nnames:\n  0: "dog"\n  1: "cat"\n',
    }
    assert notes_of(job) == {NOT_COPIED: [], NO_VAL: []}


@pytest.mark.parametrize("to_pixels", [np.round, np.trunc], ids=["rounding", "truncating"])
@pytest.mark.parametrize("mask", MASKS, ids=MASK_NAMES)
def test_parts_in_lines_of_their_own_are_exact_however_they_are_read(mask, to_pixels):
    files, _ = written(image_of(mask), separate_lines=True)

    actual = drawn(loaded(files["labels/a.txt"], 1), mask.shape, to_pixels)

    np.testing.assert_array_equal(actual, mask)


@given(any_mask)
def test_any_mask_is_exact_in_lines_of_parts_and_whole_in_one_line(mask):
    separate, _ = written(image_of(mask), separate_lines=True)
    bridged, _ = written(image_of(mask))

    parts = loaded(separate["labels/a.txt"], 1)
    whole = loaded(bridged["labels/a.txt"], 1)

    assert len(whole) == int(mask.any())
    for to_pixels in (np.round, np.trunc):
        np.testing.assert_array_equal(drawn(parts, mask.shape, to_pixels), mask)
        assert not (mask & ~drawn(whole, mask.shape, to_pixels)).any()  # bridges only add


@pytest.mark.parametrize(
    "mask",
    [disc(100) & ~disc(60), disc(100) & ~disc(40, 80) & ~disc(30, 170), RING],
    ids=["donut", "two holes", "ring"],
)
def test_holes_are_bridged_without_losing_a_pixel(mask):
    files, job = written(image_of(mask))
    rows = loaded(files["labels/a.txt"], 1)

    assert len(rows) == 1
    assert iou(drawn(rows, mask.shape, np.round), mask) == 1.0
    assert notes_of(job)["holes are bridged into the outline, which loses no pixel"] == [
        "a.jpg object 1"
    ]


def test_a_ring_of_its_outer_outline_alone_would_lose_the_hole():
    donut = disc(100) & ~disc(60)
    canvas = np.zeros(donut.shape, dtype=np.uint8)
    for polygon in mask_to_polygons_centres(donut):
        cv2.fillPoly(canvas, [polygon.astype(np.int32)], 1)

    assert iou(canvas > 0, donut) < 0.65  # 1 - 0.6 ** 2


def test_the_price_of_joining_parts_is_measured_and_reported():
    mask = disc(40, 60) | disc(40, 200)  # 60 px apart

    files, job = written(image_of(mask))

    rows = loaded(files["labels/a.txt"], 1)
    measured = iou(drawn(rows, mask.shape, np.round), mask)
    assert len(rows) == 1
    assert notes_of(job)["parts are joined by lines one pixel wide (IoU with the mask)"] == [
        f"a.jpg object 1 ({measured:.4f})"
    ]
    assert measured > 0.99


def test_ten_parts_are_one_line_or_ten():
    one, _ = written(image_of(dots(10)))
    ten, job = written(image_of(dots(10)), separate_lines=True)

    assert (one["labels/a.txt"].count(b"\n"), ten["labels/a.txt"].count(b"\n")) == (1, 10)
    assert notes_of(job)["objects of several parts have one line per part"] == ["a.jpg object 1"]


def test_an_image_without_objects_is_background():
    files, job = written(image_of(path="empty.jpg"), image_of(Z, path="z.jpg"))

    assert (files["labels/empty.txt"], files["labels/z.txt"]) == (b"", b"")
    assert notes_of(job)["empty objects are left out"] == ["z.jpg object 1"]


def test_objects_that_readers_take_for_the_same_are_noted():
    hollow = np.array([[1, 1], [1, 0]], dtype=bool)
    images = image_of(hollow, ~np.rot90(~hollow, 2), np.ones((2, 2), dtype=bool))

    _, job = written(images)

    sentence = "objects have the label and box of another one; readers may keep only one"
    assert notes_of(job)[sentence] == ["a.jpg object 2", "a.jpg object 3"]


def test_unlabelled_objects_are_the_last_class():
    files, _ = written(image_of(A, B, labels=[None, "cat"]), labels=["dog", "cat"])

    rows = loaded(files["labels/a.txt"], 3)
    assert [number for number, _ in rows] == [2, 1]
    assert read_yaml(files["data.yaml"])[1] == {0: "dog", 1: "cat", 2: "unlabelled"}


def test_a_project_without_labels_has_no_names():
    files, _ = written(image_of())

    assert files["data.yaml"] == b"train: images\nval: images\nnames: {}\n"


def test_pictures_get_the_names_of_their_labels(tmp_path):
    write_photos(tmp_path, A.shape, names=("a.jpg", "a.png", "sub/b.gif"))
    turned = Image.fromarray(np.zeros((5, 4, 3), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    paths = ("a.jpg", "a.png", "sub/b.gif", "turned.jpg", "gone.jpg")

    files, job = written(
        *(image_of(A, path=path) for path in paths), folder=tmp_path, copy_images=True
    )

    assert list(files) == [
        "labels/a.txt",
        "images/a.jpg",
        "labels/a_png.txt",
        "images/a_png.png",
        "labels/sub/b.txt",
        "images/sub/b.png",
        "labels/turned.txt",
        "images/turned.png",
        "labels/gone.txt",
        "data.yaml",
    ]
    assert files["images/a.jpg"] == (tmp_path / "a.jpg").read_bytes()
    assert notes_of(job) == {
        "images are copied as they are, with their metadata": [],
        "files have another name than their image": ["a.png (a_png)"],
        "images of other formats or stored lying are now PNG": ["sub/b.gif", "turned.jpg"],
        "images that cannot be read are not copied": ["gone.jpg"],
        NO_VAL: [],
    }


def test_names_are_data():
    files, _ = written(*(image_of(A, labels=[name], path=f"{name}.jpg") for name in NASTY_NAMES))

    found, names = read_yaml(files["data.yaml"])
    assert found == {"train": "images", "val": "images", "names": ""}
    assert list(names.values()) == NASTY_NAMES
    assert len(files) == len(NASTY_NAMES) + 1
    for path in files:
        assert path == "data.yaml" or re.fullmatch(r"labels(/[^/\\:\0]+)+\.txt", path)
        assert ".." not in path.split("/")
