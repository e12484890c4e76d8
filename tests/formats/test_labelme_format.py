"""labelme JSON: what labelme would draw, and what we read, is the mask."""

from __future__ import annotations

import base64
import io
import json
import math

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
    dots,
    files_of,
    image_of,
    job_of,
    masks_of,
    notes_of,
    write_photos,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from latentcut.formats.labelme import labelme_files, read_labelme, runs_of_shape
from latentcut.formats.records import Job, Notes
from latentcut.formats.runs import crop


def written(image, **options):
    job = job_of(image, **options)
    ((path, data),) = files_of(labelme_files, job).items()
    return json.loads(data), path, job


def png_of_text(text):
    return np.array(Image.open(io.BytesIO(base64.b64decode(text))))


def drawn_by_labelme(shape, size_hw):
    """What labelme does: Pillow draws, outline and inside, mask shapes by corners."""
    canvas = Image.new("L", (size_hw[1], size_hw[0]))
    draw, points = ImageDraw.Draw(canvas), [tuple(point) for point in shape["points"]]
    kind = shape["shape_type"]
    if kind == "mask":
        (x1, y1), (x2, y2) = (map(int, point) for point in points)
        mask = np.zeros(size_hw, dtype=bool)
        mask[y1 : y2 + 1, x1 : x2 + 1] = png_of_text(shape["mask"]).astype(bool)
        return mask
    if kind == "circle":
        (cx, cy), (px, py) = points
        radius = math.sqrt((cx - px) ** 2 + (cy - py) ** 2)
        draw.ellipse([cx - radius, cy - radius, cx + radius, cy + radius], outline=1, fill=1)
    elif kind == "rectangle":
        (x1, y1), (x2, y2) = points
        box = [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]
        draw.rectangle(box, outline=1, fill=1)
    else:
        draw.polygon(points, outline=1, fill=1)
    return np.asarray(canvas).astype(bool)


def labelme_file(*shapes, size_hw=(4, 5), **facts):
    document = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg"}
    document |= {"imageData": None, "imageHeight": size_hw[0], "imageWidth": size_hw[1]}
    return document | facts


def shape_of(points, kind="polygon", label="cat", **facts):
    return {"label": label, "points": points, "group_id": None, "shape_type": kind} | facts


def test_the_golden_masks_are_written_as_they_should_be():
    document, path, _ = written(image_of(A, B, Z), mask_shapes=True)

    shapes = [(s["shape_type"], s["points"], png_of_text(s["mask"])) for s in document["shapes"]]
    assert path == "annotations/a.json"
    assert [shape[:2] for shape in shapes] == [("mask", [[2.0, 1.0], [3.0, 2.0]])] * 2
    assert shapes[0][2].astype(bool).tolist() == [[False, True], [True, True]]
    assert shapes[1][2].astype(bool).all()


def test_the_golden_block_as_polygon_has_its_vertices_at_centres():
    document, _, _ = written(image_of(B))

    (shape,) = document["shapes"]
    assert shape["points"] == [[2, 1], [3, 1], [3, 2], [2, 2]]
    assert shape["shape_type"] == "polygon"
    assert drawn_by_labelme(shape, (4, 5)).sum() == 4
    edges = shape | {"points": [[2, 1], [4, 1], [4, 3], [2, 3]]}
    assert drawn_by_labelme(edges, (4, 5)).sum() == 9


def test_the_file_has_what_labelme_wants():
    image = image_of(A, path="sub/a.jpg", labels=[None], names=["Tom"])

    document, path, _ = written(image, to_images="../..")
    (shape,) = document.pop("shapes")

    assert path == "annotations/sub/a.json"
    assert document == {
        "version": "7.1.0",
        "flags": {},
        "imagePath": "../../../../sub/a.jpg",
        "imageData": None,
        "imageHeight": 4,
        "imageWidth": 5,
    }
    shape.pop("points")
    assert shape == {
        "label": "unlabelled",
        "group_id": None,
        "description": "Tom",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
        "latentcut": {"position": 0, "id": 1, "label": None},
    }


def test_several_parts_are_one_group():
    document, _, _ = written(image_of(B, dots(3), width=7, height=4, labels=["cat", "cat"]))

    groups = [(shape["group_id"], shape["shape_type"]) for shape in document["shapes"]]
    assert groups == [(None, "polygon"), *[(2, "polygon")] * 3]


def test_what_polygons_cannot_show_is_a_mask_and_said_so():
    document, _, job = written(image_of(RING, HOOK))

    assert [shape["shape_type"] for shape in document["shapes"]] == ["mask", "polygon"]
    assert notes_of(job) == {
        "objects that polygons cannot show exactly are mask shapes": ["a.jpg object 1"]
    }


def test_an_object_of_many_parts_is_one_mask():
    document, _, _ = written(image_of(dots(51)))

    assert [shape["shape_type"] for shape in document["shapes"]] == ["mask"]


@pytest.mark.parametrize("mask_shapes", [False, True], ids=["polygons", "masks"])
@pytest.mark.parametrize("mask", MASKS, ids=MASK_NAMES)
def test_labelme_and_we_read_every_mask_as_it_was(mask, mask_shapes):
    document, _, _ = written(image_of(mask), mask_shapes=mask_shapes)

    drawn = [drawn_by_labelme(shape, mask.shape) for shape in document["shapes"]]
    np.testing.assert_array_equal(np.logical_or.reduce(drawn), mask)
    back = read_labelme("a.json", as_bytes(document), Notes())
    np.testing.assert_array_equal(masks_of(back), [mask])


@given(any_mask, st.booleans())
def test_any_mask_survives_writing_and_reading(mask, mask_shapes):
    document, _, _ = written(image_of(mask), mask_shapes=mask_shapes)

    drawn = [drawn_by_labelme(shape, mask.shape) for shape in document["shapes"]]
    back = masks_of(read_labelme("a.json", as_bytes(document), Notes()))

    assert len(back) == int(mask.any())
    if len(back):
        np.testing.assert_array_equal(np.logical_or.reduce(drawn), mask)
        np.testing.assert_array_equal(back[0], mask)


@given(
    st.sampled_from(["polygon", "rectangle", "circle", "oriented_rectangle"]),
    st.lists(st.tuples(st.floats(-6, 20), st.floats(-6, 20)), min_size=3, max_size=7),
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
)
def test_any_shape_fills_the_pixels_that_labelme_fills(kind, points, size_hw):
    counts = {"rectangle": 2, "circle": 2, "oriented_rectangle": 4}
    points = (points * 2)[: counts.get(kind, len(points))]

    runs = runs_of_shape(kind, np.array(points), size_hw)

    expected = drawn_by_labelme(shape_of(points, kind), size_hw)
    box = (0, 0, size_hw[1], size_hw[0])
    np.testing.assert_array_equal(crop(runs, size_hw, box), expected)


def test_shapes_of_one_label_and_group_are_one_object():
    document = labelme_file(
        shape_of([[0, 0], [1, 1]], "rectangle", group_id=1),
        shape_of([[3, 0], [4, 1]], "rectangle", group_id=1),
        shape_of([[0, 3], [1, 3]], "rectangle", label="dog", group_id=1),
        shape_of([[3, 3], [4, 3]], "rectangle"),
    )

    read = read_labelme("a.json", as_bytes(document), Notes())

    (image,) = read.read_images()
    assert [(o.label, int(o.mask().sum())) for o in image.objects] == [
        ("cat", 8),
        ("dog", 2),
        ("cat", 2),
    ]


def test_lines_and_points_are_left_out_and_said_so():
    notes = Notes()
    document = labelme_file(
        shape_of([[0, 0]], "point"),
        shape_of([[0, 0], [1, 1]], "line"),
        shape_of([[0, 0], [2, 2]], "rectangle"),
    )

    read = read_labelme("a.json", as_bytes(document), notes)

    assert len(masks_of(read)) == 1
    assert [note.line for note in notes.all()] == [
        "shapes that cover no area are left out (2): shapes[0] (point), shapes[1] (line)"
    ]


def test_keys_of_other_programs_survive():
    shape = shape_of([[0, 0], [2, 0], [2, 2]], description="Tom", group_id=4)
    shape |= {"score": 0.9, "difficult": True, "attributes": {"pose": "left"}, "kie_linking": []}
    shape |= {"direction": 0.5, "flags": {"blurred": True}}
    document = labelme_file(shape, checked=True, imagePath="..\\photos\\a.jpg")

    read = read_labelme("a.json", as_bytes(document), Notes())
    (file,) = labelme_files(Job(read))
    again = json.loads(file.data)

    (back,) = again["shapes"]
    assert {key: back[key] for key in shape if key not in ("points", "mask")} == {
        key: value for key, value in shape.items() if key != "points"
    }
    assert again["checked"] is True
    assert next(iter(read.read_images())).path == "../photos/a.jpg"


def test_a_mask_with_fractional_corners_has_the_size_of_its_picture():
    document, _, _ = written(image_of(A), mask_shapes=True)
    document["shapes"][0]["points"] = [[2.25, 1.5], [3.75, 2.5]]

    read = read_labelme("a.json", as_bytes(document), Notes())

    np.testing.assert_array_equal(masks_of(read), [A])


def test_pictures_are_put_into_the_files_on_demand(tmp_path):
    write_photos(tmp_path, size_hw=A.shape, names=("a.jpg",))

    document, _, _ = written(image_of(A), folder=tmp_path, embed_images=True)

    assert base64.b64decode(document["imageData"]) == (tmp_path / "a.jpg").read_bytes()


def test_a_picture_that_is_gone_is_not_in_the_file_and_said_so(tmp_path):
    document, _, job = written(image_of(A), folder=tmp_path, embed_images=True)

    assert document["imageData"] is None
    assert notes_of(job) == {"images that cannot be read are not in their files": ["a.jpg"]}


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_names_are_data(name):
    document, path, _ = written(image_of(A, labels=[name], names=[name], path=f"{name}.jpg"))

    (image,) = read_labelme("a.json", as_bytes(document), Notes()).read_images()

    assert path.startswith("annotations/")
    assert path.endswith(".json")
    assert ".." not in path.split("/")
    assert (image.objects[0].label, image.objects[0].name) == (name, name)
