from __future__ import annotations

import numpy as np
import pytest
from layout_drawings import HEIGHT, WIDTH, boxes, coco_content, draw_coco, picture

from latentcut.datasets.check import check_dataset
from latentcut.datasets.dataset import open_dataset


def test_pictures_maps_objects_and_ignored_pixels_are_counted(make_dataset):
    large = np.zeros((20, 30, 3), dtype=np.uint8)
    whole = np.zeros((20, 30), dtype=np.uint8)
    whole[:10] = 1
    folder = make_dataset(
        {"a.png": picture(), "b.png": large},
        {
            "a__1.png": boxes((1, 1, 1, 4, 4), (255, 6, 0, 12, 16)),
            "a__2.png": boxes((2, 0, 0, 5, 5)),
            "b.png": whole,
        },
        meta={"ignore_value": 255},
    )
    steps = []

    facts = check_dataset(open_dataset(folder), [], lambda done, total: steps.append((done, total)))

    assert facts == {
        "name": "things",
        "format": "folder",
        "images": 2,
        "maps": 3,
        "objects": 3,
        "width": [16, 23.0, 30],
        "height": [12, 16.0, 20],
        "object_px": [9, 25, 300],
        "tiny_objects": 2,
        "ignored_share": round(96 / (2 * 192 + 600), 5),
        "problems": [],
    }
    assert steps == [(1, 2), (2, 2)]


def test_all_problems_are_listed_not_only_the_first(make_dataset):
    folder = make_dataset(
        {name: picture() for name in ("a.png", "b.png", "c.png", "d.png", "e.png")},
        {
            "a.png": boxes((1, 1, 1, 4, 4)),
            "b.png": boxes((1, 1, 1, 4, 4))[:, :10],
            "c.png": boxes(),
            "d.png": boxes((1, 1, 1, 4, 4)),
        },
    )
    images, masks = folder / "images", folder / "masks"
    (images / "a.png").write_bytes(b"GIF89a")
    (masks / "d.png").write_bytes(b"")
    problems = []

    facts = check_dataset(open_dataset(folder, problems=problems), problems)

    found = facts["problems"]
    assert found[0] == f"{images / 'e.png'} has no mask in {masks}"
    assert found[1].startswith(f"{images / 'a.png'} cannot be read as an image: ")
    assert found[2] == (
        f"mask b of {images / 'b.png'} is 10 x 12 px, but the picture is {WIDTH} x {HEIGHT} px"
    )
    assert found[3] == f"mask c of {images / 'c.png'} holds no object"
    assert found[4].startswith(f"{masks / 'd.png'} cannot be read as a PNG label map: ")
    assert len(found) == 5
    assert (facts["images"], facts["maps"], facts["objects"]) == (4, 3, 2)


def test_objects_of_coco_without_a_pixel_are_problems(tmp_path):
    pytest.importorskip("pycocotools.mask", reason="COCO polygons need the extra evaluation")
    content = coco_content()
    thin = [[2.0, 2.0, 2.1, 2.0, 2.1, 2.1]]
    content["annotations"].append({"id": 15, "image_id": 1, "segmentation": thin})
    dataset = open_dataset(draw_coco(tmp_path, content))

    facts = check_dataset(dataset, [])

    image = tmp_path / "val2017" / "000000000139.jpg"
    assert facts["problems"] == [f"000000000139:15 of {image} has no pixel"]
    assert facts["objects"] == 3
