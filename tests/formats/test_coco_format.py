"""COCO JSON, judged by pycocotools, and read back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from format_samples import (
    HOOK,
    MASK_NAMES,
    MASKS,
    NASTY_NAMES,
    RING,
    A,
    B,
    Z,
    any_mask,
    as_bytes,
    files_of,
    image_of,
    job_of,
    masks_of,
    notes_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from latentcut.formats.coco import coco_files, read_coco
from latentcut.formats.records import Job, Notes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def written(*images, **options):
    job = job_of(*images, **options)
    return json.loads(files_of(coco_files, job)["annotations.json"]), job


def judged_masks(document, tmp_path):
    """What pycocotools makes of every annotation, in order."""
    path = tmp_path / "annotations.json"
    path.write_bytes(as_bytes(document))
    judge = COCO(path)
    return [judge.annToMask(a).astype(bool) for a in judge.dataset["annotations"]]


def annotated(segmentation, **facts):
    """A COCO document with one annotation of one image, 4 x 5 px."""
    annotation = {"id": 1, "image_id": 7, "category_id": 3, "segmentation": segmentation}
    return {
        "images": [{"id": 7, "width": 5, "height": 4, "file_name": "a.jpg"}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [annotation | facts],
    }


def test_the_golden_masks_are_written_as_they_should_be():
    document, _ = written(image_of(A, B))

    codes = [
        (a["segmentation"], a["area"], a["bbox"], a["iscrowd"]) for a in document["annotations"]
    ]
    assert codes == [
        ({"size": [4, 5], "counts": ":1213"}, 3, [2, 1, 2, 2], 0),
        ({"size": [4, 5], "counts": "92203"}, 4, [2, 1, 2, 2], 0),
    ]


def test_the_golden_block_as_outline_has_its_vertices_at_the_edges():
    document, _ = written(image_of(B), polygons=True)

    assert document["annotations"][0]["segmentation"] == [[2, 1, 4, 1, 4, 3, 2, 3]]


@pytest.mark.parametrize(
    ("segmentation", "expected"),
    [
        ({"size": [4, 5], "counts": ":1213"}, A),
        ({"size": [4, 5], "counts": [10, 1, 2, 2, 5]}, A),
        ({"size": [4, 5], "counts": [9, 2, 2, 2, 5]}, B),
        ({"size": [4, 5], "counts": [20]}, Z),
        ([[2, 1, 4, 1, 4, 3, 2, 3]], B),
        ([2, 1, 4, 1, 4, 3, 2, 3], B),
    ],
    ids=["compressed", "uncompressed", "uncompressed B", "empty", "outline", "flat outline"],
)
def test_the_golden_codes_are_read(segmentation, expected):
    annotations = read_coco("a.json", as_bytes(annotated(segmentation)), Notes())

    np.testing.assert_array_equal(masks_of(annotations), [expected])


def test_an_empty_object_is_left_out_and_said_so():
    document, job = written(image_of(A, Z, names=["", "ghost"]))

    assert [a["id"] for a in document["annotations"]] == [1]
    assert notes_of(job) == {"empty objects are left out": ["a.jpg object 2 'ghost'"]}


def test_pictures_categories_and_extras_are_complete():
    image = image_of(A, B, path="sub/a.jpg", labels=["cat", None], names=["Tom", ""], id=12)

    document, job = written(image, labels=["dog", "cat"], to_images="../..")

    assert document["images"] == [
        {"id": 12, "width": 5, "height": 4, "file_name": "../../sub/a.jpg"}
    ]
    assert document["categories"] == [
        {"id": 1, "name": "dog", "supercategory": ""},
        {"id": 2, "name": "cat", "supercategory": ""},
        {"id": 3, "name": "unlabelled", "supercategory": ""},
    ]
    facts = [(a["image_id"], a["category_id"], a["attributes"]) for a in document["annotations"]]
    assert facts == [
        (12, 2, {"latentcut": {"name": "Tom", "position": 0}}),
        (12, 3, {"latentcut": {"name": "", "position": 1, "label": None}}),
    ]
    assert notes_of(job) == {"objects without a label are 'unlabelled'": ["sub/a.jpg object 2"]}


def test_crowd_codes_are_an_option():
    document, _ = written(image_of(A), crowd_rle=True)

    assert document["annotations"][0]["iscrowd"] == 1


def test_an_object_with_a_hole_is_never_an_outline():
    document, job = written(image_of(RING, HOOK), polygons=True)

    kinds = [type(a["segmentation"]) for a in document["annotations"]]
    assert kinds == [dict, list]  # what leaks at a corner is no hole
    assert notes_of(job) == {
        "objects have holes, which outlines would lose, and are run-length codes": [
            "a.jpg object 1"
        ]
    }


@pytest.mark.parametrize("polygons", [False, True], ids=["codes", "outlines"])
@pytest.mark.parametrize("mask", MASKS, ids=MASK_NAMES)
def test_pycocotools_and_we_read_every_mask_as_it_was(mask, polygons, tmp_path):
    document, _ = written(image_of(mask), polygons=polygons)

    np.testing.assert_array_equal(judged_masks(document, tmp_path), [mask])
    back = read_coco("a.json", as_bytes(document), Notes())
    np.testing.assert_array_equal(masks_of(back), [mask])


@settings(max_examples=60)
@given(st.lists(any_mask, min_size=1, max_size=3), st.booleans())
def test_any_masks_survive_writing_and_reading(tmp_path_factory, masks, polygons):
    images = [image_of(mask, path=f"{n}.jpg", id=n + 1) for n, mask in enumerate(masks)]
    document, _ = written(*images, polygons=polygons)

    judged = judged_masks(document, tmp_path_factory.mktemp("coco"))
    back = [
        record.mask()
        for image in read_coco("a.json", as_bytes(document), Notes()).read_images()
        for record in image.objects
    ]

    expected = [mask for mask in masks if mask.any()]
    assert len(judged) == len(back) == len(expected)
    for mask, ours, theirs in zip(expected, back, judged, strict=True):
        np.testing.assert_array_equal(ours, mask)
        np.testing.assert_array_equal(theirs, mask)


def test_a_file_of_coco_style_is_read_and_written_again_unchanged(tmp_path):
    document = annotated(
        [[0.4, 0.2, 3.9, 0.6, 2.2, 3.8], [3.1, 2.2, 4.9, 2.1, 4.7, 3.9]],
        id=900100,
        area=7.25,
        bbox=[0.4, 0.2, 4.5, 3.7],
        iscrowd=0,
        score=0.5,
        attributes={"occluded": True},
    )
    document["images"][0] |= {"license": 4, "coco_url": "http://images/a.jpg"}
    document["categories"][0] |= {"supercategory": "animal", "keypoints": ["nose"]}
    document |= {"info": {"year": 2017}, "licenses": [{"id": 4, "name": "BY"}], "type": "x"}
    notes = Notes()

    read = read_coco("a.json", as_bytes(document), notes)
    (file,) = coco_files(Job(read))
    again = json.loads(file.data)

    np.testing.assert_array_equal(judged_masks(again, tmp_path), judged_masks(document, tmp_path))
    for key in ("info", "licenses", "type", "images", "categories"):
        assert again[key] == document[key]
    (annotation,) = again["annotations"]
    assert (annotation["id"], annotation["score"]) == (900100, 0.5)
    assert annotation["attributes"]["occluded"] is True
    assert notes.all() == ()


def test_a_crowd_stays_one():
    document = annotated({"size": [4, 5], "counts": ":1213"}, iscrowd=1)

    read = read_coco("a.json", as_bytes(document), Notes())
    (file,) = coco_files(Job(read))

    assert json.loads(file.data)["annotations"][0]["iscrowd"] == 1


def test_what_we_know_of_an_object_comes_back():
    image = image_of(A, labels=[None], names=["Tom"])
    parts = {"parts": [{"clicks": [{"x": 1.0, "y": 2.0, "positive": True}]}]}
    record = image.objects[0]
    object.__setattr__(record, "attributes", parts)
    document, _ = written(image)

    (back,) = next(iter(read_coco("a.json", as_bytes(document), Notes()).read_images())).objects

    assert (back.name, back.label, back.attributes) == ("Tom", None, parts)


def test_names_are_data():
    images = [
        image_of(A, labels=[name], names=[name], path=f"{name}.jpg", id=n + 1)
        for n, name in enumerate(NASTY_NAMES)
    ]
    document, _ = written(*images)
    files = files_of(coco_files, job_of(*images))

    read = read_coco("a.json", as_bytes(document), Notes())

    assert list(files) == ["annotations.json"]
    names = [(i.path, o.label, o.name) for i in read.read_images() for o in i.objects]
    expected = [(f"{name}.jpg", name, name) for name in NASTY_NAMES]
    assert names == expected


def test_what_cannot_be_taken_over_is_noted():
    document = annotated({"size": [4, 5], "counts": ":1213"})
    more = [
        {"id": 2, "image_id": 8, "category_id": 3, "segmentation": []},
        {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 2, 2]},
        {"id": 4, "image_id": 7, "category_id": 9, "segmentation": [[0, 0, 2, 0, 2, 2]]},
        {"id": 5, "image_id": 7, "category_id": 3, "segmentation": [[0, 0, 2, 2]]},
    ]
    document["annotations"] += more
    notes = Notes()

    read = read_coco("a.json", as_bytes(document), notes)

    image = next(iter(read.read_images()))
    assert [record.label for record in image.objects] == ["cat", None, "cat"]
    assert {note.sentence: note.places for note in notes.all()} == {
        "annotations of images that the file does not list are left out": ("annotations[1]",),
        "annotations without a segmentation are left out": ("annotations[2]",),
        "objects of categories that the file does not list get no label": ("annotations[3]",),
        "outlines of fewer than three points are left out": ("annotations[4].segmentation",),
    }
