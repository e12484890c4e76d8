from __future__ import annotations

from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
from layout_drawings import boxes, draw_davis, draw_voc, picture, save

from latentcut.datasets.dataset import open_dataset
from latentcut.datasets.layouts import READERS, parse_spec
from latentcut.errors import DatasetBroken, FileMissing


def draw_folder(root: Path) -> Path:
    save(root / "images" / "a.png", picture())
    save(root / "masks" / "a.png", boxes((1, 1, 1, 4, 4)))
    return root


def test_every_reader_is_known_by_its_format():
    assert sorted(READERS) == [
        "ade20k",
        "berkeley",
        "coco",
        "davis",
        "folder",
        "grabcut",
        "pairs",
        "sbd",
        "voc",
    ]


def test_a_format_in_front_of_the_path_or_beside_it_forces_a_layout(tmp_path):
    root = draw_folder(tmp_path)

    found, in_front, beside = (
        open_dataset(root),
        open_dataset(f"pairs:{root}"),
        open_dataset(root, "berkeley"),
    )

    assert [data.format for data in (found, in_front, beside)] == ["folder", "pairs", "berkeley"]


def test_a_path_that_exists_is_never_taken_apart(tmp_path):
    root = draw_folder(tmp_path / "coco:what?list=none")

    dataset = open_dataset(str(root))

    assert (dataset.format, dataset.name) == ("folder", "coco:what?list=none")


def test_voc_with_its_boxes_is_not_taken_for_davis(tmp_path):
    root = draw_voc(tmp_path)
    (root / "Annotations").mkdir()

    dataset = open_dataset(root)

    assert dataset.format == "voc"


def test_a_folder_of_images_alone_misses_its_masks(tmp_path):
    save(tmp_path / "images" / "a.png", picture())

    with pytest.raises(FileMissing) as caught:
        open_dataset(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path / 'masks'} does not exist or is not a folder "
        "(a data set has images/ and masks/)"
    )


def test_options_follow_a_question_mark():
    found = parse_spec("davis:some/DAVIS?list=my%20list.txt&resolution=1080p", None)

    assert found == ("davis", Path("some/DAVIS"), {"list": "my list.txt", "resolution": "1080p"})


def test_a_windows_drive_is_no_format():
    found = parse_spec(r"C:\data\things", None)

    assert found == (None, Path(r"C:\data\things"), {})


def test_the_current_folder_has_its_own_name(tmp_path, monkeypatch):
    monkeypatch.chdir(draw_folder(tmp_path / "mine"))

    dataset = open_dataset(".")

    assert dataset.name == "mine"


@pytest.mark.parametrize("spec", ["foldr:{root}", "{root}"])
def test_an_unknown_format_is_refused_with_the_nearest(tmp_path, spec):
    layout = None if spec.startswith("foldr") else "foldr"

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(spec.format(root=tmp_path), layout)

    assert str(caught.value) == (
        "there is no data set format 'foldr'; did you mean 'folder'? known: "
        "ade20k, berkeley, coco, davis, folder, grabcut, pairs, sbd, voc"
    )


def test_options_without_a_value_are_refused(tmp_path):
    with pytest.raises(DatasetBroken) as caught:
        open_dataset(f"{draw_folder(tmp_path)}?list")

    assert str(caught.value) == "?list is not key=value&key=value"


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileMissing) as caught:
        open_dataset(tmp_path / "none")

    assert str(caught.value) == (
        f"{tmp_path / 'none'} does not exist or is not a data set: a folder, or a COCO JSON file"
    )


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_layout_that_is_not_known_is_refused_with_those_that_are(tmp_path, kind):
    path = tmp_path / "things.zip"
    path.mkdir() if kind == "folder" else path.write_bytes(b"PK")

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(path)

    assert str(caught.value) == (
        f"{path} has no layout that is known: give FORMAT:PATH with one of "
        "ade20k, berkeley, coco, davis, folder, grabcut, pairs, sbd, voc"
    )


@pytest.mark.parametrize("draw", [draw_folder, draw_voc, draw_davis])
def test_an_object_can_be_sent_to_another_process_that_opened_the_same_set(tmp_path, draw):
    root = draw(tmp_path)
    ref = list(open_dataset(root).objects())[-1]

    here, there = Pipe()
    here.send(ref)
    sample = open_dataset(root).sample(there.recv())

    assert sample.name == ref.name
    assert sample.gt_mask.dtype == np.bool_
    assert sample.gt_mask.any()
