"""Files of prompts: what they say, and what is listed instead of being understood."""

from __future__ import annotations

import json

import numpy as np
import pytest

from latentcut.batch.prompts import ImagePrompts, Prompt, Scribble
from latentcut.batch.reading import read_prompts
from latentcut.core.clicks import Click
from latentcut.core.masks import coco_rle
from latentcut.errors import BadAnnotationFile, BadPrompts, FileMissing

CLICK = {"x": 3, "y": 4}


@pytest.fixture
def read(tmp_path):
    def read(content, name="prompts.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_prompts(path, tmp_path / "photos")

    return read


def lines_of(prompts):
    return [problem.line for problem in prompts.problems]


# ---------------------------------------------------------------- tables


def test_a_table_has_one_click_or_box_per_line(read):
    prompts = read(
        "image,object,label,x,y,positive,x0,y0,x1,y1\n"
        "a/one.png,cup,thing,3,4,1,,,,\n"
        "a/one.png,cup,,5.5,6,0,,,,\n"
        "two.png,,,,,,1,2,30,40\n",
        "p.csv",
    )

    cup = Prompt("cup", "thing", clicks=(Click(3, 4), Click(5.5, 6, False)))
    assert prompts.images == (
        ImagePrompts("a/one.png", (cup,)),
        ImagePrompts("two.png", (Prompt("1", box_xyxy=(1, 2, 30, 40)),)),
    )
    assert prompts.problems == ()


def test_a_table_of_positions_alone_is_of_positive_clicks(read):
    prompts = read("image,x,y\none.png,3,4\n", "p.csv")

    assert prompts.images == (ImagePrompts("one.png", (Prompt("1", clicks=(Click(3, 4),)),)),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.png,1,,3,,,,,,", "y is '', which is no number"),
        ("a.png,1,,three,4,,,,,", "x is 'three', which is no number"),
        ("a.png,1,,3,4,maybe,,,,", "positive is 'maybe'; write 1 or 0"),
        ("a.png,1,,,,,,,,", "give either x and y or x0, y0, x1 and y1"),
        ("a.png,1,,3,4,,1,2,3,4", "give either x and y or x0, y0, x1 and y1"),
        ("a.png,1,,3,4,,,,,,9", "it has more values than there are columns"),
    ],
)
def test_an_object_with_a_bad_line_is_left_out_as_a_whole(read, line, reason):
    prompts = read(
        "image,object,label,x,y,positive,x0,y0,x1,y1\n"
        f"a.png,1,,1,2,,,,,\n{line}\na.png,2,,1,2,,,,,\n",
        "p.csv",
    )

    assert [prompt.name for prompt in prompts.images[0].prompts] == ["2"]
    assert lines_of(prompts) == [f"a.png object 1: line 3: {reason}"]


def test_an_object_of_a_table_has_one_label_and_one_box(read):
    prompts = read(
        "image,object,label,x0,y0,x1,y1\n"
        "a.png,1,cat,1,2,3,4\na.png,1,dog,,,,\n"
        "a.png,2,,1,2,3,4\na.png,2,,1,2,3,4\n",
        "p.csv",
    )

    assert lines_of(prompts) == [
        "a.png object 1: line 3: its label is 'dog', but 'cat' on another line",
        "a.png object 2: line 5: an object has one box",
    ]


@pytest.mark.parametrize(
    ("content", "beginning"),
    [
        ("picture,x,y\n", "p.csv is no table of prompts: its first line must name columns: "),
        ("image,x\n", "p.csv is no table of prompts: its first line must name columns: "),
        ("image,x,y,z\n", "p.csv has a column 'z' that means nothing: its first line must name "),
        ("", "p.csv is no table of prompts: its first line must name columns: "),
    ],
)
def test_another_table_is_refused(read, content, beginning):
    with pytest.raises(BadPrompts) as caught:
        read(content, "p.csv")

    assert str(caught.value).startswith(beginning)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"image,x,y\n\xff\xfe,1,2\n")

    with pytest.raises(BadPrompts) as caught:
        read_prompts(path, tmp_path)

    assert str(caught.value).startswith("p.csv cannot be read as CSV: 'utf-8' codec can't decode")


# ---------------------------------------------------------------- our own JSON


def test_an_object_of_json_has_clicks_a_box_scribbles_or_a_mask(read):
    rle = coco_rle(np.eye(4, dtype=bool))
    objects = [
        {"name": "cup", "label": "thing", "clicks": [CLICK, {"x": 1, "y": 2, "positive": False}]},
        {"box": [1, 2, 30, 40]},
        {"scribbles": [{"points": [[1, 2], [3, 4]]}]},
        {"previous": rle},
        {"previous": "masks/a.png", "clicks": [CLICK]},
    ]

    prompts = read({"images": [{"file": "a.png", "objects": objects}]})

    assert prompts.images[0].prompts == (
        Prompt("cup", "thing", clicks=(Click(3, 4), Click(1, 2, False))),
        Prompt("2", box_xyxy=(1, 2, 30, 40)),
        Prompt("3", scribbles=(Scribble(((1, 2), (3, 4))),)),
        Prompt("4", previous=rle),
        Prompt("5", clicks=(Click(3, 4),), previous="masks/a.png"),
    )
    assert prompts.problems == ()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "1: nothing says where it is; give a click, a box, a scribble or a mask"),
        ({"click": [CLICK]}, "1: click: extra inputs are not permitted"),
        ({"clicks": [{"x": 1}]}, "1: clicks[0].y: field required"),
        ({"clicks": [{"x": 1, "y": "NaN"}]}, "1: clicks[0].y: input should be a finite number"),
        ({"box": [1, 2, 3]}, "1: box[3]: field required"),
        ({"name": "", "box": [1, 2, 3, 4]}, ": name: string should have at least 1 character"),
        (7, "1: input should be a valid dictionary or instance of ObjectEntry"),
    ],
)
def test_an_object_that_is_not_understood_is_listed_and_the_rest_is_kept(read, given, problem):
    prompts = read({"images": [{"file": "a.png", "objects": [given, {"clicks": [CLICK]}]}]})

    assert lines_of(prompts) == [f"a.png object {problem}"]
    assert [prompt.clicks for prompt in prompts.images[0].prompts] == [(Click(3, 4),)]


def test_names_are_distinct_within_an_image(read):
    objects = [{"name": "cup", "clicks": [CLICK]}] * 2

    prompts = read({"images": [{"file": "a.png", "objects": objects}]})

    assert lines_of(prompts) == ["a.png object cup: the image has another object of this name"]
    assert len(prompts.images[0].prompts) == 1


def test_an_object_without_a_name_is_called_by_its_number_or_the_next_that_is_free(read):
    objects = [{"name": "3", "clicks": [CLICK]}, {}, {"clicks": [CLICK]}, {"clicks": [CLICK]}]

    prompts = read({"images": [{"file": "a.png", "objects": objects}]})

    assert [prompt.name for prompt in prompts.images[0].prompts] == ["3", "4", "5"]
    assert [problem.object_name for problem in prompts.problems] == ["2"]


def test_an_image_that_is_not_understood_is_listed(read):
    prompts = read({"images": [{"objects": []}, {"file": "a.png", "objects": []}]})

    assert lines_of(prompts) == ["images[0]: file: field required"]
    assert prompts.images == (ImagePrompts("a.png"),)


@pytest.mark.parametrize("path", ["../a.png", "/etc/a.png", "b/../../a.png", ".."])
def test_a_path_out_of_the_folder_is_listed(read, path):
    prompts = read({"images": [{"file": path, "objects": [{"clicks": [CLICK]}]}]})

    assert lines_of(prompts) == [f"{path}: the path leads out of the image folder"]
    assert prompts.images == ()


@pytest.mark.parametrize(("written", "meant"), [("./b//a.png", "b/a.png"), ("b\\a.png", "b/a.png")])
def test_paths_mean_the_same_however_they_are_written(read, written, meant):
    prompts = read({"images": [{"file": written, "objects": []}]})

    assert prompts.images == (ImagePrompts(meant),)


def test_a_path_may_begin_where_the_file_of_prompts_lies(tmp_path):
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    for place in (photos / "a.png", photos / "sub" / "b.png", photos / "c.png", tmp_path / "c.png"):
        place.touch()
    written = ["photos/a.png", "lists/../photos/sub/b.png", "c.png", "none.png"]
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"images": [{"file": name, "objects": []} for name in written]}))
    (tmp_path / "lists").mkdir()

    prompts = read_prompts(path, photos)

    assert [image.path for image in prompts.images] == ["a.png", "sub/b.png", "c.png", "none.png"]
    assert prompts.problems == ()


def test_json_without_images_is_refused(read):
    with pytest.raises(BadPrompts) as caught:
        read({"pictures": []})

    assert str(caught.value) == (
        'prompts.json is no file of prompts: it must hold {"images": [{"file": ..., "objects": '
        "[...]}]}, or be a COCO file"
    )


def test_what_is_no_json_is_refused(read):
    with pytest.raises(BadAnnotationFile) as caught:
        read("image;x;y", "prompts.txt")

    assert str(caught.value) == (
        "prompts.txt cannot be imported: it is no JSON (Expecting value: line 1 column 1 (char 0))"
    )


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileMissing) as caught:
        read_prompts(tmp_path / "none.json", tmp_path)

    assert str(caught.value) == (
        f"{tmp_path / 'none.json'} does not exist or is not a file of prompts"
    )


# ---------------------------------------------------------------- COCO


@pytest.fixture
def coco(read):
    """The prompts of annotations of one image of 8 x 6 px with one category."""

    def coco(*annotations):
        document = {
            "images": [{"id": 7, "width": 8, "height": 6, "file_name": "a.png"}],
            "categories": [{"id": 3, "name": "cat"}],
            "annotations": [{"image_id": 7, "category_id": 3, **entry} for entry in annotations],
        }
        return read(document)

    return coco


def test_a_box_of_coco_is_counted_from_the_corner_of_the_first_pixel(coco):
    prompts = coco({"id": 5, "bbox": [1, 2, 3, 4]})

    prompt = Prompt("1", "cat", 5, box_xyxy=(0.5, 1.5, 3.5, 5.5))
    assert prompts.images == (ImagePrompts("a.png", (prompt,), 7),)
    assert [(label.id, label.name) for label in prompts.labels] == [(3, "cat")]


def test_a_segmentation_of_coco_is_a_mask_to_start_from_and_its_box_is_not_used(coco):
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:4, 2:5] = True

    prompts = coco(
        {"segmentation": coco_rle(mask), "bbox": [2, 1, 3, 3]},
        {"segmentation": [[2, 1, 5, 1, 5, 4, 2, 4]]},
    )

    assert [prompt.previous for prompt in prompts.images[0].prompts] == [coco_rle(mask)] * 2
    assert [prompt.box_xyxy for prompt in prompts.images[0].prompts] == [None, None]


def test_visible_key_points_of_coco_are_positive_clicks(coco):
    prompts = coco({"keypoints": [1, 2, 2, 0, 0, 0, 3, 4, 1], "bbox": []})

    assert prompts.images[0].prompts[0].clicks == (Click(1, 2), Click(3, 4))


def test_our_clicks_in_coco_go_before_its_segmentation(coco):
    ours = {"name": "tom", "clicks": [{"x": 1, "y": 2, "positive": False}], "box": [1, 2, 3, 4]}

    prompts = coco({"segmentation": [[2, 1, 5, 1, 5, 4]], "attributes": {"latentcut": ours}})

    assert prompts.images[0].prompts == (
        Prompt("tom", "cat", clicks=(Click(1, 2, False),), box_xyxy=(1, 2, 3, 4)),
    )


def test_names_of_the_page_may_repeat(coco):
    same = {"attributes": {"latentcut": {"name": "tom", "clicks": [CLICK]}}}

    prompts = coco(same, same, same)

    assert [prompt.name for prompt in prompts.images[0].prompts] == ["tom", "tom_2", "tom_3"]


def test_an_object_of_the_page_made_in_one_round_of_clicks_is_shown_by_them(coco):
    part = {"op": "new", "clicks": [CLICK], "box": None, "selected": 2}

    prompts = coco(
        {"segmentation": [[2, 1, 5, 1, 5, 4]], "attributes": {"latentcut": {"parts": [part]}}},
        {"segmentation": [[2, 1, 5, 1, 5, 4]], "attributes": {"latentcut": {"parts": [part] * 2}}},
    )

    once, twice = prompts.images[0].prompts
    assert (once.clicks, once.previous) == ((Click(3, 4),), None)
    assert (twice.clicks, twice.previous is None) == ((), False)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "nothing says where it is; give a click, a box, a scribble or a mask"),
        ({"bbox": [1, 2, "3", 4]}, "bbox must hold numbers, found text"),
        ({"bbox": [1, 2, 3]}, "bbox must be x, y, width and height"),
        ({"keypoints": [1, 2]}, "keypoints must be a list of x, y and visibility"),
        ({"segmentation": [[1, 2]]}, "an outline needs three points or more, each with x and y"),
        (
            {"segmentation": {"size": [6, 8], "counts": [1]}},
            "the counts add up to 1, not to 6 x 8 = 48: counts must be whole numbers of at least "
            "0 that add up to height x width",
        ),
        (
            {"attributes": {"latentcut": {"clicks": [{"x": 1}]}}},
            "attributes.latentcut.clicks[0].y: field required",
        ),
    ],
)
def test_an_annotation_that_is_not_understood_is_listed(coco, entry, reason):
    prompts = coco(entry, {"bbox": [1, 2, 3, 4]})

    assert lines_of(prompts) == [f"a.png object 1: {reason}"]
    assert len(prompts.images[0].prompts) == 1


def test_an_annotation_of_another_image_is_listed(coco):
    prompts = coco({"image_id": 8, "bbox": [1, 2, 3, 4]})

    assert lines_of(prompts) == ["annotations[0]: its image is not in the file"]
