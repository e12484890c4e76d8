"""Files from strangers: refused quickly, in one sentence, or read; never anything else."""

from __future__ import annotations

import base64
import copy
import json
import random

import numpy as np
import pytest
from format_samples import A, as_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from latentcut.errors import BadAnnotationFile
from latentcut.formats.importing import READERS
from latentcut.formats.pictures import png_of
from latentcut.formats.records import Notes

COCO = {
    "images": [{"id": 1, "width": 5, "height": 4, "file_name": "a.jpg"}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "segmentation": {"size": [4, 5], "counts": [10, 1, 2, 2, 5]},
        },
        {
            "id": 2,
            "image_id": 1,
            "category_id": 1,
            "segmentation": [[2.0, 1.0, 4.0, 1.0, 4.0, 3.0]],
        },
    ],
}
LABELME = {
    "shapes": [
        {
            "label": "cat",
            "points": [[1, 1], [3, 1], [3, 3]],
            "shape_type": "polygon",
            "group_id": None,
        },
        {
            "label": "cat",
            "points": [[2, 1], [3, 2]],
            "shape_type": "mask",
            "mask": base64.b64encode(png_of(A[1:3, 2:4])).decode(),
        },
    ],
    "imagePath": "a.jpg",
    "imageHeight": 4,
    "imageWidth": 5,
}
VALUES = [
    None, True, -1, 0, 1.5, 10**400, -(10**9), 1e308, "", "x", "\ud800", [], [[]], {}, {"a": []},
    [None], [True], ["1"], [1e308] * 6, [[1e308] * 6], [10**9, 10**9], [-4, -5], [0, 0], [4, 5, 6],
]  # fmt: skip


def read(format_name, data):
    annotations = READERS[format_name]("evil.json", data, Notes())
    return [o.mask() for image in annotations.read_images() for o in image.objects]


def read_or_refused(format_name, data):
    """The refusal, or nothing; whatever else is raised fails the test."""
    try:
        read(format_name, data)
    except BadAnnotationFile as error:
        return str(error)
    return ""


def refusal(format_name, data):
    with pytest.raises(BadAnnotationFile) as caught:
        read(format_name, data)
    text = str(caught.value)
    assert text.startswith("evil.json cannot be imported: ")
    assert text.isprintable()
    return text.removeprefix("evil.json cannot be imported: ")


def changed(document, path, value):
    """A copy in which what lies at a path of keys is something else."""
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def paths_in(value, prefix=()):
    """Every place in a JSON document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        yield (*prefix, key)
        if isinstance(child, dict | list):
            yield from paths_in(child, (*prefix, key))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is no JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"null", "it must hold a JSON object, found nothing"),
        (b"[]", "it must hold a JSON object, found a list"),
        (b'{"a": NaN}', "NaN is no number that JSON allows"),
        (b'{"a": -Infinity}', "-Infinity is no number that JSON allows"),
        (b"[" * 1_000_000, "it is nested deeper than 50 levels"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "it is nested deeper than 50 levels"),
        (b'{"a": ' + b"9" * 5_000 + b"}", None),
        (b"\xff\xfe\x00", None),
        (b'{"a": "\xff"}', None),
        (b'{"a": 1}', "a COCO file must have a list 'images', found nothing"),
    ],
    ids=[
        "empty", "null", "list", "nan", "infinity", "deep list", "deep object", "long number",
        "half utf-16", "no utf-8", "keys",
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(data, reason):
    found = refusal("coco", data)

    assert found == reason if reason else found.startswith("it is no JSON (")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("images",), {}, "a COCO file must have a list 'images', found an object"),
        (("images", 0), 7, "images[0] must be a JSON object, found a number"),
        (
            ("images", 0, "width"),
            True,
            "images[0].width must be a whole number, found true or false",
        ),
        (
            ("images", 0, "width"),
            10**9,
            "images[0]: the mask is 1000000000 px wide and 4 px high: "
            "at most 50,000,000 pixels are allowed",
        ),
        (("images", 0, "file_name"), 5, "images[0].file_name must be text, found a number"),
        (
            ("images", 0, "id"),
            [1],
            "images[0].id must be a whole number or text, found a list",
        ),
        (("categories", 0, "name"), "", "categories[0] has an empty name"),
        (
            ("annotations", 0, "segmentation", "size"),
            [10**9, 10**9],
            "annotations[0].segmentation: the size is not that of the image: both must be equal",
        ),
        (
            ("annotations", 0, "segmentation", "counts"),
            [10, 11],
            "annotations[0].segmentation: the counts add up to 21, not to 4 x 5 = 20: counts "
            "must be whole numbers of at least 0 that add up to height x width",
        ),
        (
            ("annotations", 1, "segmentation"),
            [[0, 0, 1e7, 0, 1, 1]],
            "annotations[1].segmentation must lie within 1,000,000 px of the image",
        ),
        (
            ("annotations", 1, "segmentation"),
            [[0, 0, "1", 0, 1, 1]],
            "annotations[1].segmentation must hold numbers, found text",
        ),
        (
            ("annotations", 1, "segmentation"),
            [[0, 0, 1, 0, 1, 1, 5]],
            "annotations[1].segmentation has an outline with an odd number of coordinates",
        ),
        (
            ("annotations", 1, "segmentation"),
            "rle",
            "annotations[1].segmentation must be a list or an object, found text",
        ),
    ],
    ids=str,
)
def test_what_coco_does_not_allow_is_refused_with_its_place(path, value, reason):
    assert refusal("coco", as_bytes(changed(COCO, path, value))) == reason


@pytest.mark.parametrize("kind", ["images", "categories"])
def test_an_id_given_twice_is_refused(kind):
    document = changed(COCO, (kind,), COCO[kind] * 2)
    what = {"images": "images", "categories": "categories"}[kind]

    assert refusal("coco", as_bytes(document)) == f"two {what} have the id 1"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("shapes",), None, "a labelme file must have a list 'shapes', found nothing"),
        (("imageWidth",), "5", "imageWidth must be a whole number, found text"),
        (
            ("imageHeight",),
            0,
            "a side of the size is no whole number or below 1: "
            "size must be [height, width], two whole numbers of at least 1",
        ),
        (("imagePath",), None, "imagePath must be text, found nothing"),
        (("shapes", 0, "label"), 1, "shapes[0].label must be text, found a number"),
        (
            ("shapes", 0, "group_id"),
            "1",
            "shapes[0].group_id must be a whole number, found text",
        ),
        (
            ("shapes", 0, "points"),
            [[1, 1]],
            "shapes[0] is a polygon of 1 points, but must have at least 3",
        ),
        (
            ("shapes", 1, "points"),
            [[1, 1]],
            "shapes[1] is a mask of 1 points, but must have 2",
        ),
        (("shapes", 0, "points", 0), [1], "shapes[0].points must hold pairs [x, y]"),
        (
            ("shapes", 0, "points", 0),
            [True, 1],
            "shapes[0].points must hold numbers, found true or false",
        ),
        (("shapes", 1, "mask"), "?", "shapes[1].mask is no base64 text"),
        (("shapes", 1, "mask"), "AAAA", "shapes[1].mask is no PNG"),
        (
            ("shapes", 1, "points"),
            [[2, 1], [4, 2]],
            "shapes[1].mask is 2 x 2 px, but its points say 3 x 2",
        ),
        (
            ("shapes", 1, "points"),
            [[4, 1], [5, 2]],
            "shapes[1].mask does not lie inside the image",
        ),
        (
            ("shapes", 1, "mask"),
            base64.b64encode(png_of(np.ones((1, 6), dtype=bool))).decode(),
            "shapes[1].mask is too large: 6 x 1 px",
        ),
    ],
    ids=str,
)
def test_what_labelme_does_not_allow_is_refused_with_its_place(path, value, reason):
    assert refusal("labelme", as_bytes(changed(LABELME, path, value))) == reason


@pytest.mark.parametrize(
    ("format_name", "document"), [("coco", COCO), ("labelme", LABELME)], ids=["coco", "labelme"]
)
def test_any_other_value_at_any_place_is_read_or_refused(format_name, document):
    count = 0
    for path in paths_in(document):
        for value in VALUES:
            data = json.dumps(changed(document, path, value)).encode()
            count += 1
            assert read_or_refused(format_name, data).isprintable(), (path, value)

    assert count > 500


@settings(max_examples=60)
@given(
    st.sampled_from(["coco", "labelme"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda children: (
            st.lists(children)
            | st.dictionaries(
                st.sampled_from([*COCO, *LABELME, "counts", "size", "points", "label"]), children
            )
        ),
        max_leaves=20,
    ),
)
def test_any_json_is_read_or_refused(format_name, value):
    try:
        data = json.dumps(value, allow_nan=False).encode()
    except ValueError:  # infinity
        return
    assert read_or_refused(format_name, data).isprintable()


@pytest.mark.parametrize("format_name", ["coco", "labelme", "png"])
def test_files_with_broken_bytes_are_read_or_refused(format_name):
    documents = {"coco": as_bytes(COCO), "labelme": as_bytes(LABELME), "png": png_of(A)}
    rng = random.Random(0)
    for _ in range(300):
        data = bytearray(documents[format_name])
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            data[place : place + rng.choice([0, 1, 1, 5])] = rng.randbytes(rng.choice([0, 1, 1, 9]))
        assert read_or_refused(format_name, bytes(data)).isprintable()
