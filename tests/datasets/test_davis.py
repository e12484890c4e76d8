from __future__ import annotations

import pytest
from layout_drawings import draw_davis, write

from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing


def areas(dataset):
    return {ref.name: int(dataset.sample(ref).gt_mask.sum()) for ref in dataset.objects()}


def test_all_that_moves_in_a_frame_is_one_object(tmp_path):
    dataset = open_dataset(draw_davis(tmp_path))

    assert dataset.format == "davis"
    assert areas(dataset) == {"bear/00000:1": 25, "bear/00001:1": 16, "bmx-bumps/00000:1": 16}


def test_each_value_is_an_object_where_that_is_asked_for(tmp_path):
    dataset = open_dataset(f"davis:{draw_davis(tmp_path)}?objects=each")

    assert list(areas(dataset)) == [
        "bear/00000:1",
        "bear/00000:2",
        "bear/00001:1",
        "bmx-bumps/00000:1",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("bmx-bumps_00000\nbear_00001\n", ["bmx-bumps/00000", "bear/00001"], id="flat"),
        pytest.param("bear/00001.jpg\n", ["bear/00001"], id="paths"),
        pytest.param("bear\n", ["bear/00000", "bear/00001"], id="sequence"),
        pytest.param(
            "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n",
            ["bear/00000"],
            id="of-the-release",
        ),
    ],
)
def test_a_list_names_frames_or_sequences(tmp_path, text, expected):
    root = draw_davis(tmp_path / "DAVIS")
    chosen = write(tmp_path / "frames.txt", text)

    dataset = open_dataset(f"{root}?list={chosen}")

    assert [entry.image_id for entry in dataset.images] == expected


def test_a_frame_of_the_list_that_is_not_there_is_refused(tmp_path):
    root = draw_davis(tmp_path / "DAVIS")
    chosen = write(tmp_path / "frames.txt", "bear/00007\n")

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root, image_list=chosen)

    masks = root / "Annotations" / "480p"
    assert str(caught.value) == f"{chosen} names bear/00007, which is not in {masks}"


def test_the_only_resolution_is_taken_and_another_can_be_named(tmp_path):
    full = draw_davis(tmp_path / "full", "Full-Resolution")
    both = draw_davis(draw_davis(tmp_path / "both"), "1080p")

    only, usual, named = (
        open_dataset(full),
        open_dataset(both),
        open_dataset(f"{both}?resolution=1080p"),
    )

    found = [data.images[0].image_path.parent.parent.name for data in (only, usual, named)]
    assert found == ["Full-Resolution", "480p", "1080p"]


def test_frames_without_a_picture_are_refused_by_name(tmp_path):
    root = draw_davis(tmp_path)
    picture = root / "JPEGImages" / "480p" / "bear" / "00001.jpg"
    picture.unlink()

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root)

    mask = root / "Annotations" / "480p" / "bear" / "00001.png"
    assert str(caught.value) == f"{picture} is missing; {mask} is its mask"


def test_a_resolution_that_is_missing_is_named_with_the_download(tmp_path):
    root = draw_davis(tmp_path)

    with pytest.raises(FileMissing) as caught:
        open_dataset(f"{root}?resolution=4k")

    assert str(caught.value) == (
        f"{root / 'Annotations' / '4k'} does not exist or is not a folder (DAVIS has "
        "JPEGImages/480p/ and Annotations/480p/, or another resolution; "
        "download: https://davischallenge.org)"
    )
