"""Data sets drawn by the tests in the layouts that the public downloads have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 12, 16


def picture(value=90):
    """uint8 (12, 16, 3), of one grey."""
    return np.full((HEIGHT, WIDTH, 3), value, dtype=np.uint8)


def boxes(*found, dtype=np.uint8):
    """A label map (12, 16) of boxes (value, top, left, bottom, right), later ones on top."""
    labels = np.zeros((HEIGHT, WIDTH), dtype=dtype)
    for value, top, left, bottom, right in found:
        labels[top:bottom, left:right] = value
    return labels


def save(path: Path, pixels) -> Path:
    """Write a picture in the format of its name, with the folders on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path)
    return path


def save_palette(path: Path, labels) -> Path:
    """Write a palette PNG whose indices are the labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, *[200] * (3 * 253)])
    image.save(path)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_json(path: Path, content) -> Path:
    return write(path, json.dumps(content))


def draw_voc(root: Path) -> Path:
    """Two pictures of val and one of train."""
    border = boxes((255, 1, 1, 8, 8), (1, 2, 2, 7, 7), (2, 8, 9, 11, 15))
    for name in ("2007_000033", "2007_000042", "2007_000063"):
        save(root / "JPEGImages" / f"{name}.jpg", picture())
        save_palette(root / "SegmentationObject" / f"{name}.png", border)
    lists = root / "ImageSets" / "Segmentation"
    write(lists / "val.txt", "2007_000033\n2007_000042\n")
    write(lists / "train.txt", "2007_000063\n")
    return root


def draw_davis(root: Path, resolution="480p") -> Path:
    """Two sequences; in the frames of bear two things, of which the second leaves the picture."""
    maps = {
        "bear/00000": boxes((1, 1, 1, 5, 5), (2, 6, 6, 9, 9)),
        "bear/00001": boxes((1, 1, 1, 5, 5)),
        "bmx-bumps/00000": boxes((1, 2, 2, 6, 6)),
    }
    for frame, labels in maps.items():
        save(root / "JPEGImages" / resolution / f"{frame}.jpg", picture())
        save_palette(root / "Annotations" / resolution / f"{frame}.png", labels)
    return root


def draw_sbd(root: Path) -> Path:
    """Two pictures of val and one of train, as MATLAB writes them."""
    from scipy.io import savemat

    data = root / "benchmark_RELEASE" / "dataset"
    labels = boxes((1, 1, 1, 6, 6), (2, 4, 8, 10, 14))
    for name in ("2008_000002", "2008_000003", "2008_000008"):
        save(data / "img" / f"{name}.jpg", picture())
        content = {"Segmentation": labels, "Boundaries": [], "Categories": [[5], [7]]}
        (data / "inst").mkdir(exist_ok=True)
        savemat(data / "inst" / f"{name}.mat", {"GTinst": content})
    write(data / "val.txt", "2008_000002\n2008_000003\n")
    write(data / "train.txt", "2008_000008\n")
    return root


def coco_content(**changes):
    """Two pictures; the first has two objects that overlap and a crowd, the second nothing."""
    crowd = {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * 14, HEIGHT * 2]}  # the last two columns
    annotations = [
        {"id": 11, "image_id": 1, "iscrowd": 0, "segmentation": [[1, 1, 9, 1, 9, 7, 1, 7]]},
        {"id": 12, "image_id": 1, "iscrowd": 0, "segmentation": [[5, 3, 15, 3, 15, 9, 5, 9]]},
        {"id": 13, "image_id": 1, "iscrowd": 1, "segmentation": crowd},
        {"id": 14, "image_id": 1, "iscrowd": 0, "segmentation": [[1, 9, 3, 9, 3, 11, 1, 11]]},
    ]
    images = [
        {"id": 1, "file_name": "000000000139.jpg", "height": HEIGHT, "width": WIDTH},
        {"id": 2, "file_name": "000000000285.jpg", "height": HEIGHT, "width": WIDTH},
    ]
    return {"images": images, "annotations": annotations, "categories": [], **changes}


def draw_coco(root: Path, content=None) -> Path:
    """val2017/ and annotations/instances_val2017.json."""
    for name in ("000000000139", "000000000285"):
        save(root / "val2017" / f"{name}.jpg", picture())
    write_json(root / "annotations" / "instances_val2017.json", content or coco_content())
    return root


def ade_colours(labels, kinds):
    """A mask of ADE20K's full release: (label -> class), instance = label in blue."""
    rgb = np.zeros((*labels.shape, 3), dtype=np.uint8)
    for label, kind in kinds.items():
        rgb[labels == label] = (kind // 256 * 10, kind % 256, label)
    return rgb


def draw_ade20k(root: Path, inner="ADE") -> Path:
    """A room of validation with parts on two levels, and a street of training without."""
    scene = root / "images" / inner / "validation" / "home_or_hotel" / "bedroom"
    room = boxes((3, 0, 0, 12, 16), (7, 2, 2, 10, 8), (9, 2, 9, 10, 15))
    save(scene / "ADE_val_00000001.jpg", picture())
    kinds = {3: 2978, 7: 165, 9: 165}
    save(scene / "ADE_val_00000001_seg.png", ade_colours(room, kinds))
    parts = boxes((1, 3, 3, 6, 7), (2, 3, 10, 6, 14))
    save(scene / "ADE_val_00000001_parts_1.png", ade_colours(parts, {1: 40, 2: 40}))
    knob = boxes((1, 4, 4, 5, 5))
    save(scene / "ADE_val_00000001_parts_2.png", ade_colours(knob, {1: 300}))
    street = root / "images" / inner / "training" / "urban" / "street"
    save(street / "ADE_train_00000005.jpg", picture())
    save(street / "ADE_train_00000005_seg.png", ade_colours(boxes((4, 1, 1, 5, 5)), {4: 12}))
    return root
