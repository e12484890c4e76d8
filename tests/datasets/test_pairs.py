from __future__ import annotations

import numpy as np
import pytest
from layout_drawings import boxes, picture, save
from PIL import Image

from latentcut.datasets.dataset import open_dataset
from latentcut.datasets.pairs import flat_labels
from latentcut.errors import DatasetBroken, FileMissing

RELEASES = "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0"
OBJECT = (255, 3, 3, 9, 9)
BORDERED = boxes((128, 2, 2, 10, 10), OBJECT)


def areas(dataset):
    samples = {ref.name: dataset.sample(ref) for ref in dataset.objects()}
    return {n: (int(s.gt_mask.sum()), int(s.ignore_mask.sum())) for n, s in samples.items()}


# ---------------------------------------------------------------- GrabCut and Berkeley


def test_grabcut_has_one_object_per_picture_and_its_border_does_not_count(tmp_path):
    save(tmp_path / "data_GT" / "21077.jpg", picture())
    save(tmp_path / "data_GT" / "banana1.bmp", picture())
    save(tmp_path / "boundary_GT" / "21077.bmp", BORDERED)
    save(tmp_path / "boundary_GT" / "banana1.bmp", BORDERED)

    dataset = open_dataset(tmp_path)

    assert dataset.format == "grabcut"
    assert areas(dataset) == {"21077:1": (36, 28), "banana1:1": (36, 28)}


def test_berkeley_is_read_like_grabcut_from_its_own_folders(tmp_path):
    folder = tmp_path / "Berkeley"
    grey_as_rgb = np.stack([BORDERED] * 3, axis=2)
    save(folder / "images" / "2092#1.jpg", picture())
    save(folder / "masks" / "2092#1.png", grey_as_rgb)

    dataset = open_dataset(folder)

    assert dataset.format == "berkeley"
    assert areas(dataset) == {"2092#1:1": (36, 28)}


def test_masks_of_0_and_1_are_objects_too(tmp_path):
    save(tmp_path / "images" / "a.jpg", picture())
    save(tmp_path / "masks" / "a.png", boxes((1, 0, 0, 2, 3)))
    save(tmp_path / "images" / "b.jpg", picture())
    save(tmp_path / "masks" / "b.png", boxes((1, 0, 0, 2, 3)).astype(bool))

    dataset = open_dataset(f"berkeley:{tmp_path}")

    assert areas(dataset) == {"a:1": (6, 0), "b:1": (6, 0)}


def test_a_palette_of_greys_is_read_as_it_is_shown(tmp_path):
    save(tmp_path / "data_GT" / "a.jpg", picture())
    indices = boxes((1, 2, 2, 10, 10), (2, 3, 3, 9, 9))
    image = Image.fromarray(indices)
    image.putpalette([0, 0, 0, 128, 128, 128, 255, 255, 255])
    (tmp_path / "boundary_GT").mkdir()
    image.save(tmp_path / "boundary_GT" / "a.bmp")

    dataset = open_dataset(tmp_path)

    assert areas(dataset) == {"a:1": (36, 28)}


def test_an_empty_mask_of_grabcut_holds_no_object(tmp_path):
    save(tmp_path / "data_GT" / "a.jpg", picture())
    save(tmp_path / "boundary_GT" / "a.bmp", boxes())

    dataset = open_dataset(tmp_path)

    assert list(dataset.objects()) == []


def test_a_coloured_mask_is_no_mask_of_grabcut(tmp_path):
    save(tmp_path / "data_GT" / "a.jpg", picture())
    colours = picture(0)
    colours[2, 2] = (255, 0, 0)
    mask = save(tmp_path / "boundary_GT" / "a.bmp", colours)
    dataset = open_dataset(tmp_path)

    with pytest.raises(DatasetBroken) as caught:
        list(dataset.objects())

    assert str(caught.value) == f"{mask} has colours; the mask must be grey"


def test_a_folder_of_grabcut_that_is_missing_is_named_with_the_download(tmp_path):
    save(tmp_path / "data_GT" / "a.jpg", picture())

    with pytest.raises(FileMissing) as caught:
        open_dataset(f"grabcut:{tmp_path}")

    assert str(caught.value) == (
        f"{tmp_path / 'boundary_GT'} does not exist or is not a folder "
        f"(GrabCut has data_GT/ and boundary_GT/; download: {RELEASES})"
    )


# ---------------------------------------------------------------- any two folders


def test_img_and_gt_hold_one_object_per_mask_whatever_its_colours(tmp_path):
    mask = np.zeros((12, 16, 3), dtype=np.uint8)
    mask[1:4, 1:4], mask[6:8, 6:8] = (128, 0, 0), (0, 128, 0)
    save(tmp_path / "img" / "00001.jpg", picture())
    save(tmp_path / "gt" / "00001.png", mask)

    dataset = open_dataset(tmp_path)

    assert dataset.format == "pairs"
    assert areas(dataset) == {"00001:1": (13, 0)}


def test_loose_pairs_are_found_by_a_folder_that_is_named_like_masks(tmp_path):
    save(tmp_path / "photos" / "a.png", picture())
    save(tmp_path / "my_labels" / "a.tif", boxes((3, 1, 1, 2, 2), (300, 5, 5, 7, 7), dtype="u2"))

    dataset = open_dataset(tmp_path)

    assert dataset.format == "pairs"
    assert areas(dataset) == {"a:3": (1, 0), "a:300": (4, 0)}


def test_options_of_loose_pairs_name_folders_ignored_value_and_rule(tmp_path):
    save(tmp_path / "one" / "a.png", picture())
    save(tmp_path / "two" / "a.png", boxes((255, 0, 0, 5, 5), (1, 1, 1, 3, 3), (2, 3, 3, 4, 4)))

    each = open_dataset(f"pairs:{tmp_path}?images=one&masks=two&ignore=255")
    one = open_dataset(f"pairs:{tmp_path}?images=one&masks=two&ignore=255&objects=one")

    assert areas(each) == {"a:1": (4, 20), "a:2": (1, 20)}
    assert areas(one) == {"a:1": (5, 20)}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("colour=red", "colour is no option here; "),
        ("objects=all", "objects=all is unknown: give each or one"),
        ("ignore=none", "ignore=none is no grey value: give 0 to 65535"),
        ("split=test", "split=test is unknown: give train or val, or list=FILE"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, query, message):
    save(tmp_path / "img" / "a.png", picture())
    save(tmp_path / "gt" / "a.png", boxes(OBJECT))

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(f"pairs:{tmp_path}?{query}")

    known = "known: ignore, images, list, masks, objects, split"
    assert str(caught.value) == message + (known if message.endswith("; ") else "")


def test_two_folders_that_cannot_be_told_apart_have_to_be_named(tmp_path):
    save(tmp_path / "one" / "a.png", picture())
    save(tmp_path / "two" / "a.png", boxes(OBJECT))

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(f"pairs:{tmp_path}")

    assert str(caught.value) == (
        f"{tmp_path} has no pair of folders that can be told apart; write "
        f"pairs:{tmp_path}?images=FOLDER&masks=FOLDER"
    )


def test_folders_without_a_common_name_are_refused(tmp_path):
    image = save(tmp_path / "img" / "a.png", picture())
    mask = save(tmp_path / "gt" / "b.png", boxes(OBJECT))
    problems = []

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(tmp_path, problems=problems)

    images, masks = tmp_path / "img", tmp_path / "gt"
    assert str(caught.value) == f"{images} and {masks} have no file name in common"
    assert problems == [f"{mask} has no image b.* in {images}", f"{image} has no mask in {masks}"]


def test_colours_are_numbered_and_black_is_background():
    colours = np.zeros((1, 4, 4), dtype=np.uint8)  # RGBA
    colours[0, :, :3] = [(0, 0, 0), (0, 0, 9), (9, 0, 0), (0, 0, 9)]

    labels = flat_labels(colours)
    without_black = flat_labels(colours[:, 1:])

    assert labels.tolist() == [[0, 1, 2, 1]]
    assert without_black.tolist() == [[1, 2, 1]]
