from __future__ import annotations

import json

import numpy as np
from PIL import Image

from latentcut.cli.data_sheet import data_sheet
from latentcut.core.images import read_image
from latentcut.datasets.dataset import open_dataset


def test_check_counts_what_is_in_a_data_set(run, shapes):
    ran = run("data", "check", shapes)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "data set   shapes (format folder)",
        "pictures   2, 64 to 64 px wide (median 64), 48 to 48 px high (median 48)",
        "maps       2, 0.00 % of their pixels do not count",
        "objects    3, 520 to 720 px each (median 560); 0 tiny (under 100 px)",
        "problems   none",
    ]


def test_check_says_everything_as_json(run, shapes):
    ran = run("data", "check", shapes, "--json")

    assert json.loads(ran.out) == {
        "name": "shapes",
        "format": "folder",
        "images": 2,
        "maps": 2,
        "objects": 3,
        "width": [64, 64.0, 64],
        "height": [48, 48.0, 48],
        "object_px": [520, 560, 720],
        "tiny_objects": 0,
        "ignored_share": 0.0,
        "problems": [],
    }


def test_check_lists_every_problem_and_ends_with_1(run, shapes):
    (shapes / "masks" / "one.png").unlink()
    broken = shapes / "images" / "two.png"
    broken.write_bytes(b"")

    ran = run("data", "check", shapes)

    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[1] == "pictures   1, none can be read (wide), none can be read (high)"
    assert lines[4:] == [
        "problems   2",
        f"  {shapes / 'images' / 'one.png'} has no mask in {shapes / 'masks'}",
        f"  {broken} cannot be read as an image: it is empty (0 bytes); "
        "save it again or give another file",
    ]


def test_a_long_list_of_problems_is_cut_in_words_and_whole_as_json(run, shapes):
    for number in range(60):
        empty = Image.fromarray(np.zeros((48, 64), np.uint8))
        empty.save(shapes / "masks" / f"one__{number}.png")

    words = run("data", "check", shapes)
    facts = json.loads(run("data", "check", shapes, "--json").out)

    assert words.out.splitlines()[-1] == "  ... and 10 more; --json prints all of them"
    assert len(facts["problems"]) == 60


def test_the_layout_can_be_forced_in_front_of_the_path_or_as_an_option(run, shapes):
    in_front = json.loads(run("data", "check", f"pairs:{shapes}", "--json").out)
    as_option = json.loads(run("data", "check", shapes, "--format", "pairs", "--json").out)

    assert in_front == as_option
    assert (in_front["format"], in_front["objects"]) == ("pairs", 3)


def test_a_list_chooses_the_pictures(run, shapes, tmp_path):
    chosen = tmp_path / "list.txt"
    chosen.write_text("two\n", encoding="utf-8")

    facts = json.loads(run("data", "check", shapes, "--list", chosen, "--json").out)

    assert (facts["images"], facts["objects"]) == (1, 2)


def test_what_cannot_be_opened_ends_with_one_line(run, tmp_path):
    ran = run("data", "check", tmp_path / "none")

    assert ran.code == 1
    assert ran.err == (
        f"Error: {tmp_path / 'none'} does not exist or is not a data set: "
        "a folder, or a COCO JSON file\n"
    )


def test_what_was_found_before_nothing_was_left_is_said_too(run, shapes):
    images, masks = shapes / "images", shapes / "masks"
    for path in masks.iterdir():
        path.rename(path.with_name(f"other_{path.name}"))

    ran = run("data", "check", f"pairs:{shapes}")

    assert ran.code == 1
    assert ran.err.splitlines() == [
        f"{masks / 'other_one.png'} has no image other_one.* in {images}",
        f"{masks / 'other_two.png'} has no image other_two.* in {images}",
        f"{images / 'one.png'} has no mask in {masks}",
        f"{images / 'two.png'} has no mask in {masks}",
        f"Error: {images} and {masks} have no file name in common",
    ]


def test_an_unknown_split_is_refused(run, shapes):
    ran = run("data", "check", shapes, "--split", "test")

    expected = "Error: split=test is unknown: give train or val, or list=FILE\n"
    assert (ran.code, ran.err) == (1, expected)


# ---------------------------------------------------------------- the sheet


def test_the_sheet_is_written_in_the_format_of_its_name(run, shapes, tmp_path):
    jpeg, png = tmp_path / "sheet.jpg", tmp_path / "sheet.png"

    first = run("data", "check", shapes, "--sheet", jpeg)
    run("data", "check", shapes, "--sheet", png, "--samples", 1)

    assert f"sheet      {jpeg}" in first.out.splitlines()
    assert jpeg.read_bytes().startswith(b"\xff\xd8")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert read_image(jpeg).shape[1] > read_image(png).shape[1]


def test_a_sheet_of_another_name_is_refused_before_anything_is_read(run, tmp_path):
    ran = run("data", "check", tmp_path / "none", "--sheet", tmp_path / "sheet.txt")

    assert (ran.code, ran.err) == (
        1,
        f"Error: {tmp_path / 'sheet.txt'} is no JPEG or PNG name: "
        "give one that ends in .jpg, .jpeg, .png\n",
    )


def test_the_sheet_depends_on_the_seed_alone(shapes):
    dataset = open_dataset(shapes)

    first, again = (data_sheet(dataset, num_samples=1, seed=3) for _ in range(2))
    others = [data_sheet(dataset, num_samples=1, seed=seed) for seed in range(8)]

    assert np.array_equal(first, again)
    assert any(not np.array_equal(first, other) for other in others)


def test_pictures_that_cannot_be_read_are_left_out_of_the_sheet(shapes):
    whole = data_sheet(open_dataset(shapes), num_samples=2, seed=0)
    (shapes / "images" / "one.png").write_bytes(b"")

    sheet = data_sheet(open_dataset(shapes), num_samples=2, seed=0)

    assert sheet.shape[1] < whole.shape[1]


def test_a_data_set_without_a_readable_picture_still_has_a_sheet(shapes):
    for path in (shapes / "images").iterdir():
        path.write_bytes(b"")

    sheet = data_sheet(open_dataset(shapes), num_samples=2, seed=0)

    assert sheet.dtype == np.uint8
