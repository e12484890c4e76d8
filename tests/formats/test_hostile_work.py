"""Files that want to fill the memory or keep the processor busy, and names that are too much."""

from __future__ import annotations

import base64
import copy
import time
import tracemalloc

import pytest
from format_samples import A, as_bytes

from latentcut.errors import BadAnnotationFile
from latentcut.formats import json_input
from latentcut.formats.coco import read_coco
from latentcut.formats.importing import READERS, format_of_content
from latentcut.formats.labelme import read_labelme
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


def test_a_gigantic_code_is_refused_at_once_and_in_no_room():
    document = copy.deepcopy(COCO)
    document["images"][0] |= {"width": 10**9, "height": 10**9}
    document["annotations"][0]["segmentation"] = {"size": [10**9, 10**9], "counts": [10**18]}
    data = as_bytes(document)

    tracemalloc.start()
    started = time.perf_counter()
    refusal("coco", data)
    took_s = time.perf_counter() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took_s < 0.05
    assert peak < 1_000_000  # 50 MB are allowed


def test_outlines_that_reach_far_out_cost_no_more_than_the_width_of_the_image():
    far = [[-900_000, -900_000, 900_000, 900_000, -900_000, 900_000] * 100]
    document = changed(COCO, ("annotations", 1, "segmentation"), far)
    document["annotations"] *= 20

    started = time.perf_counter()
    masks = read("coco", as_bytes(document))

    assert len(masks) == 40
    assert time.perf_counter() - started < 5


def test_the_work_that_outlines_make_is_limited(monkeypatch):
    monkeypatch.setattr(json_input, "MAX_WORK_PX", 1_000)
    square = [[0, 0, 100, 0, 100, 100, 0, 100]]  # 200 columns and 4 vertices
    coco = changed(COCO, ("annotations", 1, "segmentation"), square)
    coco["images"][0] |= {"width": 100, "height": 100}
    coco["annotations"] = coco["annotations"][1:] * 4

    assert len(read("coco", as_bytes(coco))) == 4
    coco["annotations"] *= 2
    assert refusal("coco", as_bytes(coco)) == "its outlines make too much work"

    # 100 vertices in 100 rows: Pillow looks at every edge in every row
    points = [[x % 2, x] for x in range(100)]
    labelme = changed(LABELME, ("shapes",), [LABELME["shapes"][0] | {"points": points}])
    labelme |= {"imageWidth": 100, "imageHeight": 100}
    assert refusal("labelme", as_bytes(labelme)) == "its outlines make too much work"


def test_a_file_that_is_too_large_is_not_even_parsed(monkeypatch):
    monkeypatch.setattr(json_input, "MAX_FILE_BYTES", 10)

    reasons = [refusal(name, b"{" * 11) for name in ("coco", "labelme", "png")]

    assert reasons == ["it has 11 bytes, but at most 10 are allowed"] * 3


def test_a_file_of_brackets_is_refused_before_it_fills_the_memory():
    data = b'{"a": [' + b"[]," * 6_000_000 + b"1]}"

    started = time.perf_counter()
    reason = refusal("coco", data)

    assert reason == "it has more than 5,000,000 lists and objects"
    assert time.perf_counter() - started < 1


def test_names_that_cannot_be_stored_are_mended():
    document = changed(COCO, ("categories", 0, "name"), "half \ud83d a cat")

    (image,) = read_coco("a.json", as_bytes(document), Notes()).read_images()

    assert image.objects[0].label == "half \ufffd a cat"


def test_long_names_are_cut_to_what_a_project_holds():
    document = changed(LABELME, ("shapes", 0, "label"), "n" * 5_000)

    (image,) = read_labelme("a.json", as_bytes(document), Notes()).read_images()

    assert image.objects[0].label == "n" * 200


def test_the_name_of_the_file_is_shown_without_what_a_terminal_would_obey():
    with pytest.raises(BadAnnotationFile) as caught:
        read_coco("\x1b[31m\n.json", b"[]", Notes())

    assert str(caught.value) == (
        "\\x1b[31m\\n.json cannot be imported: it must hold a JSON object, found a list"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [(as_bytes(COCO), "coco"), (as_bytes(LABELME), "labelme"), (png_of(A), "png")],
    ids=["coco", "labelme", "png"],
)
def test_the_format_is_told_by_content(data, expected):
    assert format_of_content("a.dat", data) == expected


def test_a_file_of_no_known_format_is_refused():
    with pytest.raises(BadAnnotationFile) as caught:
        format_of_content("a.json", b"{}")

    assert str(caught.value) == (
        "a.json cannot be imported: it is neither COCO nor labelme JSON nor a PNG mask"
    )
