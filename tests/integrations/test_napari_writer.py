from __future__ import annotations

import json

import numpy as np

from latentcut.core.masks import mask_from_coco_rle
from latentcut.formats.coco import read_coco
from latentcut.formats.records import Notes
from latentcut.integrations.napari.writer import write_coco


def test_every_number_of_a_label_layer_is_an_object(tmp_path):
    labels = np.zeros((4, 6), np.int32)
    labels[1:3, 1:4], labels[3, 5] = 8, 2
    path = tmp_path / "out.json"

    written = write_coco(str(path), [(labels, {"name": "cells"}, "labels")])

    document = json.loads(path.read_text())
    assert written == [str(path)]
    assert [image["file_name"] for image in document["images"]] == ["cells"]
    assert [entry["bbox"] for entry in document["annotations"]] == [[5, 3, 1, 1], [1, 1, 3, 2]]
    assert [
        mask_from_coco_rle(entry["segmentation"]).sum() for entry in document["annotations"]
    ] == [1, 6]


def test_every_plane_of_a_stack_with_an_object_is_an_image(tmp_path):
    labels = np.zeros((3, 4, 6), np.int32)
    labels[0, 1, 1] = labels[2, 3, 5] = 1
    path = tmp_path / "out.json"

    write_coco(str(path), [(labels, {"name": "cells"}, "labels")])

    images = json.loads(path.read_text())["images"]
    assert [image["file_name"] for image in images] == ["cells[0]", "cells[2]"]
    assert [image["napari"] for image in images] == [
        {"layer": "cells", "plane": [0]},
        {"layer": "cells", "plane": [2]},
    ]
    assert [image["id"] for image in images] == [1, 2]


def test_labels_clicks_and_the_name_of_the_picture_are_written(tmp_path):
    labels = np.zeros((4, 6), np.int32)
    labels[1, 1] = 1
    parts = [{"op": "new", "clicks": [{"x": 1.0, "y": 1.0, "positive": True}]}]
    known = {((), 1): {"label": "nucleus", "attributes": {"parts": parts}}}
    facts = {"metadata": {"latentcut": {"image": "/data/a.tif", "objects": known}}}
    path = tmp_path / "out.json"

    write_coco(str(path), [(labels, facts, "labels")])

    document = json.loads(path.read_text())
    (entry,) = document["annotations"]
    assert document["images"][0]["file_name"] == "a.tif"
    assert [category["name"] for category in document["categories"]] == ["nucleus"]
    assert entry["attributes"]["latentcut"]["parts"] == parts
    assert entry["attributes"]["latentcut"]["napari_label"] == 1


def test_several_layers_go_into_one_file_that_is_read_back(tmp_path):
    first, second = np.zeros((4, 6), np.int32), np.zeros((5, 5), np.uint8)
    first[1, 1], second[2:4, 2:4] = 1, 1
    layers = [(first, {"name": "a"}, "labels"), (second, {"name": "b"}, "labels")]
    path = tmp_path / "out.json"

    write_coco(str(path), layers)

    images = list(read_coco("out.json", path.read_bytes(), Notes()).read_images())
    assert [(image.path, image.size_hw) for image in images] == [("a", (4, 6)), ("b", (5, 5))]
    assert np.array_equal(images[1].objects[0].mask(), second > 0)


def test_a_picture_without_objects_is_written_as_background(tmp_path):
    path = tmp_path / "out.json"

    write_coco(str(path), [(np.zeros((4, 6), np.int32), {"name": "cells"}, "labels")])

    document = json.loads(path.read_text())
    assert [image["file_name"] for image in document["images"]] == ["cells"]
    assert document["annotations"] == []
