"""Pascal VOC: palette pictures, pixel by pixel."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from format_samples import (
    NASTY_NAMES,
    A,
    B,
    Z,
    disc,
    files_of,
    image_of,
    job_of,
    notes_of,
    write_photos,
)
from PIL import Image

from latentcut.errors import BadMask
from latentcut.formats.pictures import voc_palette
from latentcut.formats.voc import check_voc, voc_files

NOT_COPIED = "images are not copied; readers look for them in JPEGImages/"
NO_VAL = "there is no separate validation set: val.txt is empty"


def written(*images, **options):
    job = job_of(*images, **options)
    return files_of(voc_files, job), job


def pixels(data):
    return np.array(Image.open(io.BytesIO(data)))


def test_the_palette_is_that_of_voc():
    palette = voc_palette()

    assert palette[:5] == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)]
    assert palette[255] == (224, 224, 192)
    assert len(set(palette)) == 256


def test_every_entry_of_the_palette_is_in_the_file():
    files, _ = written(image_of(A))

    image = Image.open(io.BytesIO(files["SegmentationClass/a.png"]))

    assert (image.mode, image.format) == ("P", "PNG")
    flat = image.getpalette("RGB")
    assert [tuple(flat[3 * n : 3 * n + 3]) for n in range(256)] == voc_palette()


def test_classes_and_objects_are_numbered_from_one():
    images = image_of(A, B, labels=["cat", "cat"])

    files, job = written(images, labels=["dog", "cat"])

    # B is in front of A and covers it: (1, 2) is B's alone
    expected = np.zeros((4, 5), int)
    expected[1:3, 2:4] = 2
    np.testing.assert_array_equal(pixels(files["SegmentationObject/a.png"]), expected)
    np.testing.assert_array_equal(pixels(files["SegmentationClass/a.png"]), expected)  # cat is 2
    assert notes_of(job) == {
        "objects are hidden by those in front of them": ["a.jpg object 1"],
        NOT_COPIED: [],
        NO_VAL: [],
    }


def test_the_pixels_that_an_overlap_costs_are_counted():
    _, job = written(image_of(B, A))

    sentence = "where objects overlap, the one in front is kept (pixels lost by the other)"
    assert notes_of(job)[sentence] == ["a.jpg object 1 (3)"]


def test_all_files_are_there_and_lists_come_last():
    files, _ = written(
        image_of(A, path="a.jpg"),
        image_of(path="sub/a.png"),
        labels=["cat"],
    )

    assert list(files) == [
        "SegmentationObject/a.png",
        "SegmentationClass/a.png",
        "SegmentationObject/sub__a.png",
        "SegmentationClass/sub__a.png",
        "ImageSets/Segmentation/trainval.txt",
        "ImageSets/Segmentation/train.txt",
        "ImageSets/Segmentation/val.txt",
        "labelmap.txt",
        "classes.json",
    ]
    assert files["ImageSets/Segmentation/train.txt"] == b"a\nsub__a\n"
    assert files["ImageSets/Segmentation/val.txt"] == b""
    assert files["labelmap.txt"] == (
        b"# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\n"
    )
    assert json.loads(files["classes.json"]) == [
        {"index": 0, "name": "background", "colour": [0, 0, 0]},
        {"index": 1, "name": "cat", "colour": [128, 0, 0]},
    ]


def test_a_void_border_is_drawn_on_demand():
    mask = disc(60)

    files, _ = written(image_of(mask), void_px=2)

    indices = pixels(files["SegmentationObject/a.png"])
    assert set(np.unique(indices)) == {0, 1, 255}
    np.testing.assert_array_equal(indices == 1, disc(60) & (indices != 255))
    assert (indices[disc(57)] == 1).all()
    assert (indices[~disc(63)] == 0).all()
    assert (indices[128, 187:191] == 255).all()  # two px on each side of the edge at 188


def test_more_objects_than_a_byte_holds_are_refused_with_the_image():
    image = image_of(*[A] * 255, path="crowd.jpg")

    with pytest.raises(BadMask) as caught:
        check_voc(job_of(image).annotations)

    assert str(caught.value) == (
        "crowd.jpg has 255 objects: a VOC picture holds at most 254; export it as png instead"
    )


def test_254_objects_are_not_too_many():
    image = image_of(*[A] * 254)
    check_voc(job_of(image).annotations)

    files, _ = written(image)

    assert pixels(files["SegmentationObject/a.png"]).max() == 254


def test_more_labels_than_a_byte_holds_are_refused():
    job = job_of(image_of(A), labels=[f"label {n}" for n in range(254)])

    with pytest.raises(BadMask) as caught:
        check_voc(job.annotations)

    assert str(caught.value) == (
        "there are 255 labels with 'unlabelled': "
        "a VOC picture holds at most 254; export it as png instead"
    )


def test_photos_become_jpeg_where_they_are_not(tmp_path):
    write_photos(tmp_path, A.shape, names=("a.jpg", "b.png"))
    images = [image_of(A, path="a.jpg"), image_of(A, path="b.png"), image_of(A, path="gone.jpg")]

    files, job = written(*images, folder=tmp_path, copy_images=True)

    assert files["JPEGImages/a.jpg"] == (tmp_path / "a.jpg").read_bytes()
    assert Image.open(io.BytesIO(files["JPEGImages/b.jpg"])).format == "JPEG"
    assert "JPEGImages/gone.jpg" not in files
    assert notes_of(job) == {
        "images are copied as they are, with their metadata": [],
        "images of other formats or stored lying are new JPEG files": ["b.png"],
        "images that cannot be read are not copied": ["gone.jpg"],
        NO_VAL: [],
    }


def test_empty_objects_are_left_out():
    files, job = written(image_of(Z, A))

    assert pixels(files["SegmentationObject/a.png"]).max() == 1
    assert notes_of(job)["empty objects are left out"] == ["a.jpg object 1"]


def test_names_are_data():
    images = [image_of(A, labels=[name], path=f"{name}.jpg") for name in NASTY_NAMES]

    files, _ = written(*images)

    lines = files["labelmap.txt"].decode("utf-8").split("\n")
    num_names = len({*NASTY_NAMES, "unlabelled"})
    assert len(lines) == 2 + num_names + 1  # heading, background, and after the last line break
    assert all(line.count(":") == 3 for line in lines[1:-1])
    assert len({line.partition(":")[0] for line in lines[1:-1]}) == num_names + 1
    entries = json.loads(files["classes.json"])
    assert {entry["name"] for entry in entries[1:]} == {*NASTY_NAMES, "unlabelled"}
    stems = files["ImageSets/Segmentation/train.txt"].decode("utf-8").split("\n")[:-1]
    assert len(set(stems)) == len(NASTY_NAMES)
    assert all(f"SegmentationClass/{stem}.png" in files for stem in stems)
    assert not any(set(stem) & set('/\\:<>"|?*\r\0') for stem in stems)
