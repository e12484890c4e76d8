"""PNG label maps and masks, out and in."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from format_samples import (
    MASK_NAMES,
    MASKS,
    NASTY_NAMES,
    A,
    B,
    Z,
    any_mask,
    disc,
    files_of,
    image_of,
    job_of,
    masks_of,
    notes_of,
)
from hypothesis import given
from PIL import Image

from latentcut.cli.samples import SAMPLES
from latentcut.datasets.folder import label_values, read_label_map
from latentcut.errors import BadAnnotationFile, BadMask
from latentcut.formats import png as png_module
from latentcut.formats.pictures import png_of, png_of_indices
from latentcut.formats.png import check_png, png_files, read_png
from latentcut.formats.records import Notes


def written(*images, **options):
    job = job_of(*images, **options)
    return files_of(png_files, job), job


def pixels(data):
    return np.array(Image.open(io.BytesIO(data)))


def png(array, mode=None):
    encoded = io.BytesIO()
    Image.fromarray(np.asarray(array), mode).save(encoded, "PNG")
    return encoded.getvalue()


def read(data, notes=None):
    return masks_of(read_png("a.png", data, notes or Notes()))


def test_a_label_map_numbers_the_objects_from_back_to_front():
    images = image_of(B, Z, A[::-1], labels=["cat", "cat", None], names=["Tom", "", ""], id=3)

    files, job = written(images, to_images="../..")

    # A upside down: (1, 2), (1, 3), (2, 3); the empty object gets no number
    expected = [[0, 0, 0, 0, 0], [0, 0, 2, 2, 0], [0, 0, 1, 2, 0], [0, 0, 0, 0, 0]]
    assert list(files) == ["masks/a.png", "objects.json"]
    assert pixels(files["masks/a.png"]).tolist() == expected
    assert json.loads(files["objects.json"]) == [
        {
            "image": "../../a.jpg",
            "map": "masks/a.png",
            "objects": [
                {"value": 1, "label": "cat", "name": "Tom", "id": 1, "area": 4},
                {"value": 2, "label": None, "name": "", "id": 3, "area": 3},
            ],
        }
    ]
    assert notes_of(job) == {
        "empty objects are left out": ["a.jpg object 2"],
        "where objects overlap, the one in front is kept (pixels lost by the other)": [
            "a.jpg object 1 'Tom' (3)"
        ],
    }


def test_a_label_map_is_what_our_own_data_sets_read(tmp_path):
    files, _ = written(image_of(A, np.roll(B, (2, -2), (0, 1))))
    path = tmp_path / "a.png"
    path.write_bytes(files["masks/a.png"])

    assert label_values(read_label_map(path), None) == [1, 2]


def test_more_than_255_objects_take_16_bits():
    masks = [np.zeros((20, 20), dtype=bool) for _ in range(300)]
    for number, mask in enumerate(masks):
        mask.flat[number] = True

    files, _ = written(image_of(*masks))

    indices = pixels(files["masks/a.png"])
    assert (indices.dtype, indices.max()) == (np.uint16, 300)
    np.testing.assert_array_equal(read(files["masks/a.png"]), masks)


def test_more_objects_than_16_bits_hold_are_refused_with_the_image():
    image = image_of(A, path="crowd.jpg")
    image = replace(image, objects=image.objects * 65_536)

    with pytest.raises(BadMask) as caught:
        check_png(job_of(image).annotations)

    assert str(caught.value) == (
        "crowd.jpg has 65536 objects: a label map holds at most 65,535; export it as coco instead"
    )


def test_one_mask_per_object_loses_nothing_where_objects_overlap():
    files, job = written(image_of(B, A, labels=["cat", "a/b"]), object_masks=True)

    assert list(files)[:2] == ["objects/a_01_cat.png", "objects/a_02_a_b.png"]
    np.testing.assert_array_equal(read(files["objects/a_01_cat.png"]), [B])
    np.testing.assert_array_equal(read(files["objects/a_02_a_b.png"]), [A])
    assert pixels(files["objects/a_01_cat.png"]).max() == 255
    entries = json.loads(files["objects.json"])[0]["objects"]
    assert [entry["mask"] for entry in entries] == list(files)[:2]
    assert notes_of(job)["labels are changed in names of files"] == ["a/b (a_b)"]


def test_masks_of_different_images_never_share_a_name():
    images = [
        image_of(A, path="a.jpg", labels=["01_b"]),
        image_of(A, path="a_01.jpg", labels=["b"]),
    ]

    files, _ = written(*images, object_masks=True)

    assert [path for path in files if path.startswith("objects/")] == [
        "objects/a_01_01_b.png",
        "objects/a_01_01_b_2.png",
    ]


@pytest.mark.parametrize("mask", MASKS, ids=MASK_NAMES)
def test_every_mask_is_read_as_it_was_written(mask):
    files, _ = written(image_of(mask))

    np.testing.assert_array_equal(read(files["masks/a.png"]), [mask])


@given(any_mask)
def test_any_binary_mask_is_read_in_every_mode(mask):
    grey = mask.astype(np.uint8)
    expected = [mask] if mask.any() else []

    for data in (
        png_of(mask),
        png(mask),  # one bit
        png(grey),
        png(grey * 200),
        png(grey.astype(np.uint16) * 60_000),
        png_of_indices(grey * 7),
        png(np.dstack([grey * 255] * 3)),
        png(np.dstack([grey * 255, grey * 0, grey * 9])),
        png(np.dstack([grey * 255, grey * 0 + 255])),  # grey with transparency
        png(np.dstack([grey * 255] * 3 + [grey * 0 + 255])),
    ):
        np.testing.assert_array_equal(read(data), expected)


def test_every_colour_is_an_object():
    colours = np.zeros((4, 5, 3), np.uint8)
    colours[A], colours[0, 0] = (255, 0, 0), (0, 0, 255)

    masks = read(png(colours))

    assert [int(mask.sum()) for mask in masks] == [1, 3]
    np.testing.assert_array_equal(masks[1], A)


def test_the_void_of_a_palette_picture_belongs_to_nothing():
    notes = Notes()
    indices = np.where(A, 1, 255).astype(np.uint8)

    masks = read(png_of_indices(indices), notes)

    np.testing.assert_array_equal(masks, [A])
    assert [note.line for note in notes.all()] == ["the void border (255) belongs to no object"]


def test_grey_edges_belong_to_one_object():
    notes = Notes()
    soft = np.zeros((256, 256))
    for radius in range(90, 110):
        soft += disc(radius) * (255 / 20)

    masks = read(png(np.rint(soft).astype(np.uint8)), notes)

    assert len(masks) == 1
    # what 10 of the 20 discs cover is half white; the 10th largest, which has radius 100
    np.testing.assert_array_equal(masks[0], disc(100))
    assert [note.line for note in notes.all()] == [
        "a grey mask with soft edges is one object: what is at least half white"
    ]


@pytest.mark.parametrize(
    ("shape", "num_pieces"), [((64, 64), 4065), ((64, 64, 3), 4096)], ids=["grey", "colour"]
)
def test_noise_is_no_mask(shape, num_pieces):
    noise = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)

    with pytest.raises(BadAnnotationFile) as caught:
        read(png(noise))

    num_values = len(np.unique(noise.reshape(-1, *shape[2:]), axis=0))
    assert str(caught.value) == (
        f"a.png cannot be imported: it looks like a photo ({num_values:,} values in "
        f"{num_pieces:,} pieces)"
    )


def test_noise_of_any_size_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(png_module, "MAX_CHANGES", 10)
    stripes = np.arange(12, dtype=np.uint8)[:, None] % 2

    with pytest.raises(BadAnnotationFile) as caught:
        read(png(stripes))

    assert str(caught.value) == (
        "a.png cannot be imported: it looks like a photo (its value changes 11 times)"
    )


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_photo_is_no_mask(name, mode):
    encoded = io.BytesIO()
    Image.open(SAMPLES / f"{name}.jpg").convert(mode).save(encoded, "PNG")

    with pytest.raises(BadAnnotationFile) as caught:
        read(encoded.getvalue())

    assert str(caught.value).startswith("a.png cannot be imported: it looks like a photo (")


def chunk(kind, body):
    crc = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + crc


def header(width, height):
    body = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is no PNG"),
        (b"GIF89a", "the file is no PNG"),
        (b"\x89PNG\r\n\x1a\n", "the file is a broken PNG"),
        (png_of(A)[:-30], "the file is a broken PNG"),
        (
            header(100_000, 100_000) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
            "the file is too large: 100000 x 100000 px",
        ),
    ],
    ids=["empty", "gif", "magic", "cut", "bomb"],
)
def test_what_is_no_mask_is_refused(data, reason):
    with pytest.raises(BadAnnotationFile) as caught:
        read(data)

    assert str(caught.value) == f"a.png cannot be imported: {reason}"


def test_names_are_data():
    images = [image_of(A, labels=[name], path=f"{name}.jpg") for name in NASTY_NAMES]

    files, _ = written(*images, object_masks=True)

    assert len(files) == 2 * len(NASTY_NAMES) + 1
    for path in files:
        segments = path.split("/")
        assert ".." not in segments
        assert not any(set(segment) & set('\\:<>"|?*\r\n\0') for segment in segments)
        assert all(0 < len(segment.encode()) <= 255 for segment in segments)
