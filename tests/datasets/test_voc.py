from __future__ import annotations

import pytest
from layout_drawings import draw_voc, write

from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing


def test_objects_are_the_indices_of_the_palette_and_255_does_not_count(tmp_path):
    dataset = open_dataset(draw_voc(tmp_path))

    samples = [dataset.sample(ref) for ref in dataset.objects()]

    assert dataset.format == "voc"
    assert [sample.name for sample in samples] == [
        "2007_000033:1",
        "2007_000033:2",
        "2007_000042:1",
        "2007_000042:2",
    ]
    assert [int(sample.gt_mask.sum()) for sample in samples[:2]] == [25, 18]
    assert [int(sample.ignore_mask.sum()) for sample in samples[:2]] == [24, 24]


def test_training_takes_the_list_of_training(tmp_path):
    dataset = open_dataset(draw_voc(tmp_path), split="train")

    assert [entry.image_id for entry in dataset.images] == ["2007_000063"]


def test_a_list_of_ones_own_takes_the_place_of_the_official_one(tmp_path):
    root = draw_voc(tmp_path / "VOC2012")
    chosen = write(tmp_path / "mine.txt", "2007_000063\n2007_000033\n")

    dataset = open_dataset(f"voc:{root}?list={chosen}")

    assert [entry.image_id for entry in dataset.images] == ["2007_000063", "2007_000033"]


@pytest.mark.parametrize("inner", ["VOC2012", "VOCdevkit/VOC2012"])
def test_the_year_is_found_inside_the_devkit(tmp_path, inner):
    draw_voc(tmp_path / inner)

    dataset = open_dataset(tmp_path)

    assert (dataset.format, dataset.name) == ("voc", "VOC2012")


def test_pictures_that_are_no_jpeg_are_found_by_name(tmp_path):
    root = draw_voc(tmp_path)
    folder = root / "JPEGImages"
    (folder / "2007_000033.jpg").rename(folder / "2007_000033.png")

    dataset = open_dataset(root)

    assert dataset.images[0].image_path == folder / "2007_000033.png"


def test_files_of_the_list_that_are_missing_are_all_collected(tmp_path):
    root = draw_voc(tmp_path)
    picture = root / "JPEGImages" / "2007_000033.jpg"
    mask = root / "SegmentationObject" / "2007_000042.png"
    names = root / "ImageSets" / "Segmentation" / "val.txt"
    for path in (picture, mask):
        path.unlink()
    problems = []

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root, problems=problems)

    assert problems == [
        f"{picture} is missing; {names} names it",
        f"{mask} is missing; {names} names it",
    ]
    pictures = root / "JPEGImages"
    assert str(caught.value) == f"{names} names no picture that is in {pictures} with its mask"


def test_a_list_that_is_missing_is_named_with_the_download(tmp_path):
    root = draw_voc(tmp_path)
    names = root / "ImageSets" / "Segmentation" / "val.txt"
    names.unlink()

    with pytest.raises(FileMissing) as caught:
        open_dataset(root)

    assert str(caught.value) == (
        f"{names} does not exist or is not a file (Pascal VOC has JPEGImages/, "
        "SegmentationObject/ and ImageSets/Segmentation/; "
        "download: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/)"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\n \n", "names no picture"), (b"\xff\xfe", "is not UTF-8 text: ")],
)
def test_a_list_that_names_nothing_is_refused(tmp_path, content, message):
    root = draw_voc(tmp_path)
    names = root / "ImageSets" / "Segmentation" / "val.txt"
    names.write_bytes(content)

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root)

    assert str(caught.value).startswith(f"{names} {message}")
