from __future__ import annotations

import sys

import numpy as np
import pytest
from layout_drawings import HEIGHT, WIDTH, coco_content, draw_coco, save, write, write_json

from latentcut.core.masks import coco_rle
from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing, MissingExtra

pytest.importorskip("pycocotools.mask", reason="COCO polygons need the extra evaluation")


def runs(top, left, bottom, right):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top:bottom, left:right] = True
    return coco_rle(mask)


def annotation(number=1, image_id=1, **changes):
    return {"id": number, "image_id": image_id, "segmentation": runs(1, 1, 3, 3), **changes}


def with_annotations(*found):
    return coco_content(annotations=list(found))


# ---------------------------------------------------------------- objects


def test_objects_are_named_by_the_ids_of_the_file_and_crowds_are_none(tmp_path):
    dataset = open_dataset(draw_coco(tmp_path))

    samples = {ref.name: dataset.sample(ref) for ref in dataset.objects()}

    assert (dataset.format, dataset.name) == ("coco", "instances_val2017")
    areas = {name: int(sample.gt_mask.sum()) for name, sample in samples.items()}
    assert areas == {"000000000139:11": 48, "000000000139:12": 60, "000000000139:14": 4}


def test_a_crowd_does_not_count_except_where_the_object_is(tmp_path):
    dataset = open_dataset(draw_coco(tmp_path))

    ignored = [dataset.sample(ref).ignore_mask for ref in dataset.objects()]

    crowd = np.zeros((HEIGHT, WIDTH), dtype=bool)
    crowd[:, 14:] = True
    assert np.array_equal(ignored[0], crowd)
    crowd[3:9, 14] = False  # object 12 ends one column inside the crowd
    assert np.array_equal(ignored[1], crowd)


def test_every_object_keeps_its_whole_mask_in_one_of_the_maps(tmp_path):
    dataset = open_dataset(draw_coco(tmp_path))

    first, second = dataset.label_maps(dataset.images[0])

    assert (first.name, first.values) == ("000000000139__1", [1, 3])
    assert (second.name, second.values) == ("000000000139__2", [2])
    assert [first.name_of(3), second.name_of(2)] == ["000000000139:14", "000000000139:12"]
    samples = [dataset.sample(ref).gt_mask for ref in dataset.objects()]
    assert np.array_equal(first.labels == 1, samples[0])
    assert np.array_equal(second.labels == 2, samples[1])
    assert int(first.ignore_mask.sum()) == 2 * HEIGHT
    assert int(second.ignore_mask.sum()) == 2 * HEIGHT - 6


def test_objects_side_by_side_share_one_map(tmp_path):
    content = with_annotations(annotation(1), annotation(2, segmentation=runs(5, 5, 9, 9)))
    dataset = open_dataset(draw_coco(tmp_path, content))

    (label_map,) = dataset.label_maps(dataset.images[0])

    assert (label_map.name, label_map.values) == ("000000000139", [1, 2])
    assert label_map.ignore_value is None


def test_pictures_without_objects_are_left_out(tmp_path):
    dataset = open_dataset(draw_coco(tmp_path))

    assert [entry.image_id for entry in dataset.images] == ["000000000139"]


def test_an_object_too_thin_for_a_pixel_is_not_listed(tmp_path):
    thin = annotation(5, segmentation=[[2.0, 2.0, 2.1, 2.0, 2.1, 2.1]])
    dataset = open_dataset(draw_coco(tmp_path, with_annotations(annotation(1), thin)))

    assert [ref.name for ref in dataset.objects()] == ["000000000139:1"]
    assert dataset.empty_objects(dataset.images[0]) == ["000000000139:5"]


def test_run_lengths_are_read_compressed_and_not(tmp_path):
    plain = {"size": [HEIGHT, WIDTH], "counts": [13, 2, 10, 2, HEIGHT * WIDTH - 27]}
    content = with_annotations(annotation(1), annotation(2, segmentation=plain))
    dataset = open_dataset(draw_coco(tmp_path, content))

    first, second = (dataset.sample(ref).gt_mask for ref in dataset.objects())

    assert np.array_equal(first, second)


# ---------------------------------------------------------------- files


def test_lvis_pictures_are_found_by_their_address(tmp_path):
    content = coco_content()
    for image in content["images"]:
        image["coco_url"] = f"http://images.cocodataset.org/train2017/{image.pop('file_name')}"
    save(tmp_path / "train2017" / "000000000139.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    file = write_json(tmp_path / "annotations" / "lvis_v1_val.json", content)

    dataset = open_dataset(file)

    assert dataset.name == "lvis_v1_val"
    assert dataset.images[0].image_path == tmp_path / "train2017" / "000000000139.jpg"


@pytest.mark.parametrize("place", ["images/val2017", "images", "", "annotations"])
def test_pictures_are_looked_for_in_the_usual_places(tmp_path, place):
    root = draw_coco(tmp_path)
    (root / place).mkdir(parents=True, exist_ok=True)
    new = root / place / "000000000139.jpg"
    (root / "val2017" / "000000000139.jpg").rename(new)

    dataset = open_dataset(root)

    assert dataset.images[0].image_path == new


def test_the_folder_of_the_pictures_can_be_given(tmp_path):
    root = draw_coco(tmp_path / "coco")
    elsewhere = tmp_path / "elsewhere"
    (root / "val2017").rename(elsewhere)

    dataset = open_dataset(f"coco:{root}?images={elsewhere}")

    assert dataset.images[0].image_path == elsewhere / "000000000139.jpg"


@pytest.mark.parametrize("name", ["../photos/a.jpg", "photos/a.jpg", "somewhere/else/a.jpg"])
def test_pictures_of_an_export_are_found_beside_it_or_by_their_name(tmp_path, name):
    content = with_annotations(annotation(1))
    content["images"][0]["file_name"] = name
    photos = tmp_path / "photos"
    save(photos / "a.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    file = write_json(tmp_path / "export" / "annotations.json", content)

    dataset = open_dataset(f"{file}?images={photos}")

    assert dataset.images[0].image_path.resolve() == photos / "a.jpg"
    assert [ref.name for ref in dataset.objects()] == ["a:1"]


def test_the_split_chooses_among_several_files(tmp_path):
    root = draw_coco(tmp_path)
    write_json(root / "annotations" / "instances_train2017.json", coco_content())
    write_json(root / "annotations" / "captions_val2017.json", {})
    save(root / "train2017" / "000000000139.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8))

    val, train = open_dataset(root), open_dataset(root, split="train")

    assert (val.name, train.name) == ("instances_val2017", "instances_train2017")
    assert train.images[0].image_path == root / "train2017" / "000000000139.jpg"


def test_several_files_that_fit_have_to_be_told_apart(tmp_path):
    root = draw_coco(tmp_path)
    write_json(root / "annotations" / "lvis_v1_val.json", coco_content())

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(root)

    assert str(caught.value) == (
        f"{root / 'annotations'} holds several annotation files; give the path of one: "
        "instances_val2017.json, lvis_v1_val.json"
    )


def test_a_list_chooses_pictures(tmp_path):
    content = with_annotations(annotation(1), annotation(2, image_id=2))
    root = draw_coco(tmp_path / "coco", content)
    chosen = write(tmp_path / "list.txt", "000000000285.jpg\n")

    dataset = open_dataset(root, image_list=chosen)

    assert [entry.image_id for entry in dataset.images] == ["000000000285"]


def test_pictures_of_one_name_in_two_folders_get_ids_of_their_own(tmp_path):
    content = with_annotations(annotation(1), annotation(2, image_id=2))
    for image, folder in zip(content["images"], ("a", "b"), strict=True):
        image["file_name"] = f"{folder}/1.png"
        save(tmp_path / folder / "1.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    file = write_json(tmp_path / "own.json", content)

    dataset = open_dataset(file)

    assert [ref.name for ref in dataset.objects()] == ["1-1:1", "1-2:2"]


# ---------------------------------------------------------------- what does not fit


def test_a_folder_without_annotations_is_named_with_the_download(tmp_path):
    with pytest.raises(FileMissing) as caught:
        open_dataset(f"coco:{tmp_path}")

    assert str(caught.value) == (
        f"{tmp_path / 'instances_val2017.json'} does not exist or is not a file (COCO has "
        "annotations/instances_val2017.json and val2017/, LVIS lvis_v1_val.json; "
        "download: https://cocodataset.org/#download and https://www.lvisdataset.org/dataset)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", " is not JSON: Expecting property name enclosed in double quotes: "),
        ("[]", " is no COCO file: it has no list 'images'"),
        ('{"images": [], "annotations": [1]}', " is no COCO file: it has no list 'annotations'"),
        ('{"images": [], "annotations": []}', " has no object in a picture that is there"),
    ],
)
def test_a_file_that_is_not_coco_is_refused(tmp_path, text, message):
    file = write(tmp_path / "a.json", text)

    with pytest.raises(DatasetBroken) as caught:
        open_dataset(file)

    assert str(caught.value).startswith(f"{file}{message}")


def test_entries_that_break_the_rules_are_all_collected(tmp_path):
    content = with_annotations(
        annotation(1),
        annotation(2, segmentation=[[1, 1, 2, 2]]),
        annotation(3, segmentation=None),
        annotation(4, image_id=9),
        annotation(5, image_id=2),
    )
    content["images"][1]["file_name"] = ""
    content["images"].append({"id": 3, "file_name": "gone.jpg", "height": 2, "width": 2})
    content["annotations"].append(annotation(6, image_id=3))
    root = draw_coco(tmp_path, content)
    problems = []

    dataset = open_dataset(root, problems=problems)

    file = root / "annotations" / "instances_val2017.json"
    assert len(dataset.images) == 1
    assert problems == [
        f"{file}: annotation 2 has no usable segmentation",
        f"{file}: annotation 3 has no usable segmentation",
        f"{file}: annotation 4 belongs to image 9, which is not in the file",
        f"{file}: image 2 has no file name, width or height",
        f"gone.jpg is missing; {file} names it",
    ]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        pytest.param(
            {"size": [2, 2], "counts": [4]},
            " has size [2, 2], but its image is 12 px high and 16 px wide",
            id="size",
        ),
        pytest.param(
            {"size": [HEIGHT, WIDTH], "counts": [5]},
            ": the counts add up to 5, not to 12 x 16 = 192: ",
            id="too-few",
        ),
        pytest.param({"size": [HEIGHT, WIDTH], "counts": ["a"]}, ": ", id="no-numbers"),
        pytest.param(
            [[0, 0, 1e12, 0, 1e12, 5]],
            " has a coordinate that is no number of pixels",
            id="far-away",
        ),
        pytest.param(
            [[0, 0, float("nan"), 0, 5, 5]],
            " has a coordinate that is no number of pixels",
            id="not-a-number",
        ),
        pytest.param(
            [[0, 0, "9", 0, [], 5]], " has a coordinate that is no number of pixels", id="text"
        ),
    ],
)
def test_shapes_that_cannot_be_drawn_are_refused_by_the_id(tmp_path, shape, message):
    root = draw_coco(tmp_path, with_annotations(annotation(7, segmentation=shape)))
    dataset = open_dataset(root)

    with pytest.raises(DatasetBroken) as caught:
        list(dataset.objects())

    file = root / "annotations" / "instances_val2017.json"
    assert str(caught.value).startswith(f"{file}: annotation 7{message}")


def test_polygons_need_the_extra_and_run_lengths_do_not(tmp_path, monkeypatch):
    polygons = draw_coco(tmp_path / "polygons")
    only_runs = draw_coco(tmp_path / "runs", with_annotations(annotation(1)))
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    monkeypatch.setitem(sys.modules, "pycocotools", None)

    with pytest.raises(MissingExtra) as caught:
        open_dataset(polygons)
    dataset = open_dataset(only_runs)

    assert [ref.name for ref in dataset.objects()] == ["000000000139:1"]
    assert str(caught.value) == (
        "reading COCO polygons needs packages that are not installed: "
        "run pip install 'latentcut[evaluation]'"
    )
