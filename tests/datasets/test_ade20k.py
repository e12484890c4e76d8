from __future__ import annotations

import numpy as np
import pytest
from layout_drawings import boxes, draw_ade20k, picture, save

from latentcut.datasets.ade20k import instances_of
from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing


def areas(dataset):
    return {ref.name: int(dataset.sample(ref).gt_mask.sum()) for ref in dataset.objects()}


@pytest.mark.parametrize("inner", ["ADE", ""])
def test_objects_parts_and_parts_of_parts_are_maps_of_their_own(tmp_path, inner):
    dataset = open_dataset(draw_ade20k(tmp_path, inner))

    assert dataset.format == "ade20k"
    assert areas(dataset) == {
        "ADE_val_00000001:1": 192 - 48 - 48,
        "ADE_val_00000001:2": 48,
        "ADE_val_00000001:3": 48,
        "ADE_val_00000001_parts_1:1": 12,
        "ADE_val_00000001_parts_1:2": 12,
        "ADE_val_00000001_parts_2:1": 1,
    }


def test_training_takes_the_pictures_of_training(tmp_path):
    dataset = open_dataset(draw_ade20k(tmp_path), split="train")

    assert areas(dataset) == {"ADE_train_00000005:1": 16}


def test_objects_of_one_blue_value_and_different_classes_are_two():
    mask = np.array([[[10, 3, 5], [10, 4, 5], [0, 0, 5], [10, 3, 0]]], dtype=np.uint8)

    labels = instances_of(mask)

    assert labels.tolist() == [[1, 2, 0, 0]]


def test_a_picture_without_background_has_only_objects():
    mask = np.array([[[10, 3, 5], [10, 3, 9]]], dtype=np.uint8)

    labels = instances_of(mask)

    assert labels.tolist() == [[1, 2]]


def test_instances_of_the_challenge_are_in_the_green_channel(tmp_path):
    mask = np.zeros((12, 16, 3), dtype=np.uint8)
    mask[:, :, 1] = boxes((1, 1, 1, 4, 4), (2, 5, 5, 7, 7))
    mask[:, :, 0] = 8 * (mask[:, :, 1] > 0)
    save(tmp_path / "images" / "validation" / "ADE_val_00000001.jpg", picture())
    save(tmp_path / "annotations_instance" / "validation" / "ADE_val_00000001.png", mask)

    dataset = open_dataset(tmp_path)

    assert dataset.format == "ade20k"
    assert areas(dataset) == {"ADE_val_00000001:1": 9, "ADE_val_00000001:2": 4}


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_mask_without_its_picture_is_refused(tmp_path, split):
    root = draw_ade20k(tmp_path)
    picture = next(root.rglob(f"ADE_{split}_*.jpg"))
    picture.unlink()

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root, split=split)

    mask = picture.with_name(f"{picture.stem}_seg.png")
    assert str(caught.value) == f"{picture} is missing; {mask} is its mask"


def test_a_mask_that_is_grey_is_refused(tmp_path):
    dataset = open_dataset(draw_ade20k(tmp_path))
    path = save(dataset.images[0].mask_paths[1], boxes())

    with pytest.raises(DatasetBroken) as caught:
        list(dataset.objects())

    assert str(caught.value) == f"{path} is no ADE20K mask: expected an 8-bit RGB picture"


def test_a_folder_that_is_missing_is_named_with_the_download(tmp_path):
    with pytest.raises(FileMissing) as caught:
        open_dataset(f"ade20k:{tmp_path}")

    assert str(caught.value) == (
        f"{tmp_path / 'images'} does not exist or is not a folder (ADE20K has images/ with "
        "*_seg.png, or images/ and annotations_instance/; download: https://ade20k.csail.mit.edu)"
    )
