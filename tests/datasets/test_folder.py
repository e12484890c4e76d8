from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from latentcut.datasets.dataset import ObjectRef, label_values, open_dataset, read_sample_image
from latentcut.datasets.files import read_label_map
from latentcut.datasets.folder import FolderDataset
from latentcut.errors import DatasetBroken, FileMissing

PICTURE = np.zeros((2, 3, 3), dtype=np.uint8)
LABELS = np.array([[0, 1, 1], [2, 2, 255]], dtype=np.uint8)
ONE_OBJECT = np.array([[0, 0, 7], [0, 0, 0]], dtype=np.uint8)


def names(dataset):
    return [ref.name for ref in dataset.objects()]


def test_every_label_of_every_map_is_an_object(make_dataset):
    folder = make_dataset(
        {"b.png": PICTURE, "a.jpg": PICTURE}, {"a.png": ONE_OBJECT, "b.png": LABELS}
    )

    dataset = FolderDataset(folder)

    assert names(dataset) == ["a:7", "b:1", "b:2", "b:255"]
    image = folder / "images" / "b.png"
    assert list(dataset.objects())[1] == ObjectRef("b:1", image, entry=1, key=(0, 1))
    assert dataset.name == "things"


def test_the_ignore_value_is_no_object_and_marks_what_does_not_count(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": LABELS}, meta={"ignore_value": 255})
    dataset = FolderDataset(folder)

    samples = [dataset.sample(ref) for ref in dataset.objects()]

    assert [sample.name for sample in samples] == ["a:1", "a:2"]
    assert samples[1].gt_mask.astype(int).tolist() == [[0, 0, 0], [1, 1, 0]]
    assert samples[1].ignore_mask.astype(int).tolist() == [[0, 0, 0], [0, 0, 1]]


def test_without_an_ignore_value_every_pixel_counts(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": LABELS}, meta={"ignore_value": None})
    dataset = FolderDataset(folder)

    sample = dataset.sample(next(dataset.objects()))

    assert sample.ignore_mask.astype(int).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_an_image_may_have_several_maps(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a__2.png": ONE_OBJECT, "a__parts.png": LABELS})

    dataset = FolderDataset(folder)

    assert len(dataset.images) == 1
    assert [path.name for path in dataset.images[0].mask_paths] == ["a__2.png", "a__parts.png"]
    assert names(dataset) == ["a__2:7", "a__parts:1", "a__parts:2", "a__parts:255"]


def test_an_object_of_a_later_map_is_read_from_that_map(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a__2.png": ONE_OBJECT, "a__parts.png": LABELS})
    dataset = FolderDataset(folder)
    maps = dataset.label_maps(dataset.images[0])

    samples = {ref.name: dataset.sample(ref) for ref in dataset.objects()}

    assert [label_map.name for label_map in maps] == ["a__2", "a__parts"]
    assert samples["a__2:7"].gt_mask.astype(int).tolist() == [[0, 0, 1], [0, 0, 0]]
    assert samples["a__parts:1"].gt_mask.astype(int).tolist() == [[0, 1, 1], [0, 0, 0]]


def test_a_list_takes_some_of_the_pictures_in_its_order(make_dataset, tmp_path):
    images = dict.fromkeys(("a.png", "b.jpg", "c.d.png"), PICTURE)
    folder = make_dataset(images, {f"{i}.png": ONE_OBJECT for i in ("a", "b", "c.d")})
    chosen = tmp_path / "list.txt"
    chosen.write_text("c.d\n\nimages/b.jpg\n", encoding="utf-8")

    dataset = open_dataset(folder, image_list=chosen)

    assert [entry.image_id for entry in dataset.images] == ["c.d", "b"]


def test_a_list_that_names_a_picture_that_is_not_there_is_refused(make_dataset, tmp_path):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": ONE_OBJECT})
    chosen = tmp_path / "list.txt"
    chosen.write_text("b\n", encoding="utf-8")

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(folder, image_list=chosen)

    assert str(caught.value) == f"{chosen} names b, which is not in the data set"


def test_ids_may_hold_the_sign_that_separates_maps(make_dataset):
    folder = make_dataset(
        {"a__b.png": PICTURE, "c__d.png": PICTURE},
        {"a__b.png": ONE_OBJECT, "c__d__1.png": ONE_OBJECT, "c__d__2.png": ONE_OBJECT},
    )

    dataset = FolderDataset(folder)

    assert [entry.image_id for entry in dataset.images] == ["a__b", "c__d"]
    assert names(dataset) == ["a__b:7", "c__d__1:7", "c__d__2:7"]


def test_files_that_file_managers_hide_do_not_belong_to_the_data_set(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": ONE_OBJECT})
    (folder / "images" / ".DS_Store").write_bytes(b"")
    (folder / "images" / "Thumbs.db").write_bytes(b"")
    (folder / "masks" / "._a.png").write_bytes(b"")

    dataset = FolderDataset(folder)

    assert names(dataset) == ["a:7"]


# ---------------------------------------------------------------- what does not fit together


def test_all_that_does_not_fit_is_collected_where_that_is_asked_for(make_dataset):
    folder = make_dataset(
        {"a.jpg": PICTURE, "a.png": PICTURE, "b.png": PICTURE, "c.png": PICTURE},
        {"a.png": ONE_OBJECT, "c.png": LABELS, "d.png": LABELS},
    )
    problems = []

    dataset = open_dataset(folder, problems=problems)

    images, masks = folder / "images", folder / "masks"
    assert [entry.image_id for entry in dataset.images] == ["a", "c"]
    assert problems == [
        f"{images / 'a.jpg'} and {images / 'a.png'} have the same id a",
        f"{masks / 'd.png'} has no image d.* in {images}",
        f"{images / 'b.png'} has no mask in {masks}",
    ]


@pytest.mark.parametrize("missing", [".", "images", "masks"])
def test_a_folder_that_is_missing_is_refused(make_dataset, missing):
    folder = make_dataset({}, {})
    for name in ("images", "masks"):
        if missing in (".", name):
            (folder / name).rmdir()
    if missing == ".":
        folder.rmdir()

    with pytest.raises(FileMissing) as caught:
        FolderDataset(folder)

    assert str(caught.value) == (
        f"{folder / missing} does not exist or is not a folder (a data set has images/ and masks/)"
    )


def test_a_data_set_without_images_is_refused(make_dataset):
    folder = make_dataset({}, {})

    with pytest.raises(DatasetBroken) as caught:
        FolderDataset(folder)

    assert str(caught.value) == f"{folder / 'images'} is empty"


def test_a_mask_without_an_image_is_refused(make_dataset):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": ONE_OBJECT, "b__1.png": ONE_OBJECT})

    with pytest.raises(DatasetBroken) as caught:
        FolderDataset(folder)

    assert str(caught.value) == (
        f"{folder / 'masks' / 'b__1.png'} has no image b.* in {folder / 'images'}"
    )


def test_an_image_without_a_mask_is_refused(make_dataset):
    folder = make_dataset({"a.png": PICTURE, "b.jpg": PICTURE}, {"a.png": ONE_OBJECT})

    with pytest.raises(DatasetBroken) as caught:
        FolderDataset(folder)

    assert str(caught.value) == f"{folder / 'images' / 'b.jpg'} has no mask in {folder / 'masks'}"


def test_two_images_of_one_id_are_refused(make_dataset):
    folder = make_dataset({"a.jpg": PICTURE, "a.png": PICTURE}, {"a.png": ONE_OBJECT})

    with pytest.raises(DatasetBroken) as caught:
        FolderDataset(folder)

    images = folder / "images"
    assert str(caught.value) == f"{images / 'a.jpg'} and {images / 'a.png'} have the same id a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "{",
            "is not JSON: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)",
            id="no-json",
        ),
        pytest.param("[255]", "must hold a JSON object, found list", id="no-object"),
        pytest.param(
            '{"ignore_value": "255"}',
            "has ignore_value '255'; it must be a whole number",
            id="ignore-value-in-quotes",
        ),
        pytest.param(
            '{"ignore_value": true}',
            "has ignore_value True; it must be a whole number",
            id="ignore-value-true",
        ),
    ],
)
def test_a_meta_file_that_does_not_fit_is_refused(make_dataset, text, message):
    folder = make_dataset({"a.png": PICTURE}, {"a.png": ONE_OBJECT})
    (folder / "META.json").write_text(text, encoding="utf-8")

    with pytest.raises(DatasetBroken) as caught:
        FolderDataset(folder)

    assert str(caught.value) == f"{folder / 'META.json'} {message}"


# ---------------------------------------------------------------- label maps


def test_sixteen_bit_label_maps_keep_their_values(tmp_path):
    path = tmp_path / "labels.png"
    Image.fromarray(np.array([[0, 300], [65_535, 1]], dtype=np.uint16)).save(path)

    labels = read_label_map(path)

    assert labels.tolist() == [[0, 300], [65_535, 1]]
    assert label_values(labels, ignore_value=65_535) == [1, 300]


def test_palette_label_maps_are_read_as_indices_not_as_colours(tmp_path):
    path = tmp_path / "labels.png"
    image = Image.fromarray(np.array([[0, 2], [1, 2]], dtype=np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    image.save(path)

    labels = read_label_map(path)

    assert image.mode == "P"
    assert labels.tolist() == [[0, 2], [1, 2]]


def test_black_and_white_label_maps_hold_0_and_1(tmp_path):
    path = tmp_path / "labels.png"
    Image.fromarray(np.array([[False, True]])).save(path)

    labels = read_label_map(path)

    assert (labels.tolist(), labels.dtype) == ([[0, 1]], np.uint8)


def test_a_colour_picture_is_no_label_map(tmp_path):
    path = tmp_path / "labels.png"
    Image.fromarray(PICTURE).save(path)

    with pytest.raises(DatasetBroken) as caught:
        read_label_map(path)

    assert str(caught.value) == f"{path} has 3 channels; a label map has one"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n and nothing more", id="cut-off"),
        pytest.param(b"GIF89a", id="another-format"),
    ],
)
def test_a_file_that_is_no_png_is_refused_by_name(tmp_path, content):
    path = tmp_path / "labels.png"
    path.write_bytes(content)

    with pytest.raises(DatasetBroken) as caught:
        read_label_map(path)

    # what follows is the decoder's own sentence
    assert str(caught.value).startswith(f"{path} cannot be read as a PNG label map: ")


def test_an_empty_label_map_has_no_objects():
    values = label_values(np.array([[0, 0], [0, 255]], dtype=np.uint8), ignore_value=255)

    assert values == []


def test_a_picture_of_another_size_than_its_mask_is_refused(make_dataset):
    folder = make_dataset({"a.png": np.zeros((4, 5, 3), dtype=np.uint8)}, {"a.png": ONE_OBJECT})
    dataset = FolderDataset(folder)
    sample = dataset.sample(next(dataset.objects()))

    with pytest.raises(DatasetBroken) as caught:
        read_sample_image(sample)

    assert str(caught.value) == (
        f"{folder / 'images' / 'a.png'} is 5 x 4 px, but its mask a:7 is 3 x 2 px"
    )


def test_a_picture_is_read_as_rgb(make_dataset):
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    dataset = FolderDataset(make_dataset({"a.png": picture}, {"a.png": ONE_OBJECT}))

    image = read_sample_image(dataset.sample(next(dataset.objects())))

    assert image.tolist() == picture.tolist()
