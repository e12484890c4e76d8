"""``latentcut batch`` with the real model: as ``segment`` answers, whoever is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcut.core.masks import coco_rle

OUR_PATHS = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture
def photos(tmp_path, photo) -> Path:
    """Six pictures of 128 x 96 px: the disc, each a little darker."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(photo - np.uint8(2 * number)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def clicks(tmp_path) -> Path:
    """One click on every disc."""
    path = tmp_path / "clicks.csv"
    path.write_text("image,label,x,y\n" + "".join(f"{k}.png,disc,60,40\n" for k in range(6)))
    return path


@pytest.fixture
def many(tmp_path, photo) -> tuple[Path, Path]:
    """Fifty pictures and a click on each: enough to be still at work when a signal comes."""
    folder, path = tmp_path / "many", tmp_path / "many.csv"
    folder.mkdir()
    for number in range(50):
        Image.fromarray(photo - np.uint8(number)).save(folder / f"{number}.png")
    path.write_text("image,label,x,y\n" + "".join(f"{k}.png,disc,60,40\n" for k in range(50)))
    return folder, path


def annotations(path):
    return json.loads(path.read_text())["annotations"]


def command(*args):
    return [sys.executable, "-m", "latentcut", "batch", *map(str, args)]


def test_every_way_of_showing_an_object_is_answered_as_segment_answers_it(
    run, photos, tmp_path, predictor
):
    from latentcut.core.images import read_image

    mask = np.zeros((96, 128), dtype=bool)
    mask[20:60, 40:80] = True
    Image.fromarray(mask).save(photos / "mask.png")
    objects = [
        {"name": "clicks", "clicks": [{"x": 60, "y": 40}, {"x": 5, "y": 5, "positive": False}]},
        {"name": "box", "box": [36, 16, 84, 64], "clicks": [{"x": 60, "y": 40}]},
        {"name": "scribble", "scribbles": [{"points": [[45, 40], [75, 40]]}]},
        {"name": "mask", "previous": coco_rle(mask)},
        {"name": "picture", "previous": "mask.png"},
    ]
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps({"images": [{"file": "0.png", "objects": objects}]}))

    ran = run("batch", photos, "--prompts", prompts, "--output", tmp_path / "out.json")

    assert (ran.code, ran.err) == (0, "")
    pixels = read_image(photos / "0.png")
    sessions = {entry["name"]: predictor.open(pixels) for entry in objects[:3]}
    sessions["clicks"].click(60, 40)
    sessions["clicks"].click(5, 5, positive=False)
    sessions["box"].box(36, 16, 84, 64)
    sessions["box"].click(60, 40)
    sessions["scribble"].scribble([[45, 40], [75, 40]])
    expected = {name: coco_rle(session.mask) for name, session in sessions.items()}
    of_mask = coco_rle(predictor.predict(predictor.encode(pixels), (), mask).mask)
    found = {
        entry["attributes"]["latentcut"]["name"]: entry["segmentation"]
        for entry in annotations(tmp_path / "out.json")
    }
    assert found == {**expected, "mask": of_mask, "picture": of_mask}


def test_the_output_of_a_batch_is_a_file_of_prompts_for_another(run, photos, clicks, tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"

    codes = [
        run("batch", photos, "--prompts", clicks, "--output", first).code,
        run("batch", photos, "--prompts", first, "--output", second).code,
    ]

    assert codes == [0, 0]
    assert second.read_bytes() == first.read_bytes()


def test_all_candidates_are_kept_where_they_are_asked_for(run, photos, clicks, tmp_path):
    out = tmp_path / "out.json"

    ran = run("batch", photos, "--prompts", clicks, "--output", out, "--candidates", "--json")

    ours = annotations(out)[0]["attributes"]["latentcut"]
    assert json.loads(ran.out)["num_objects"] == 6
    assert len(ours["candidates"]) == 6
    chosen = ours["candidates"][ours["selected"]]
    assert chosen["rle"] == annotations(out)[0]["segmentation"]
    assert chosen["score"] == ours["score"]


def test_what_cannot_be_answered_is_listed_and_the_rest_is_written(run, photos, tmp_path):
    (photos / "text.png").write_bytes(b"no picture")
    rows = [("0.png", "1", 60, 40), ("0.png", "2", 600, 40), ("none.png", "1", 1, 1)]
    rows += [("text.png", "1", 1, 1), ("../x.png", "1", 1, 1), ("1.png", "1", "left", 1)]
    prompts = tmp_path / "clicks.csv"
    with prompts.open("w", newline="") as file:
        csv.writer(file).writerows([("image", "object", "x", "y"), *rows])

    ran = run("batch", photos, "--prompts", prompts, "--output", tmp_path / "out.json")

    assert ran.code == 1
    assert ran.err.splitlines() == [
        "Left out: ../x.png: the path leads out of the image folder",
        "Left out: 1.png object 1: line 7: x is 'left', which is no number",
        "Left out: 0.png object 2: click (x=600, y=40) is outside the image, which is 128 px "
        "wide and 96 px high: x must be 0 to 127 and y 0 to 95",
        "Left out: none.png: none.png does not exist or is not an image file in the image folder",
        f"Left out: text.png: {photos / 'text.png'} is of no known image format: give a PNG, JPEG, "
        "WebP, TIFF, BMP or GIF file",
    ]
    assert ran.out.splitlines()[0] == f"1 object of 2 images: {tmp_path / 'out.json'}"
    assert len(annotations(tmp_path / "out.json")) == 1


def test_everything_needs_no_prompts(run, photos, tmp_path):
    out = tmp_path / "out.json"
    for number in range(1, 6):
        (photos / f"{number}.png").unlink()

    ran = run("batch", photos, "--everything", "--points-per-side", 4, "--output", out)

    assert ran.code == 0
    assert [image["file_name"] for image in json.loads(out.read_text())["images"]] == [
        "photos/0.png"
    ]
    assert annotations(out)
    assert annotations(out)[0]["attributes"]["latentcut"]["stability"] > 0.5


@pytest.mark.parametrize("asked", [(), ("--everything", "--prompts", "p.csv")])
def test_prompts_and_everything_exclude_each_other(run, photos, tmp_path, asked):
    ran = run("batch", photos, "--output", tmp_path / "out.json", *asked)

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --prompts: give a file of prompts, or --everything, and not both"
    )


def test_candidates_belong_to_prompts(run, photos, tmp_path):
    ran = run("batch", photos, "--output", tmp_path / "out.json", "--everything", "--candidates")

    assert ran.code == 2
    assert ran.usage_error == "Invalid value for --candidates: it belongs to --prompts"


def test_a_batch_that_was_killed_ends_with_the_bytes_of_one_that_was_not(run, many, tmp_path):
    photos, clicks = many
    whole, killed = tmp_path / "whole.json", tmp_path / "killed.json"
    run("batch", photos, "--prompts", clicks, "--output", whole)
    journal = Path(f"{killed}.journal")

    asked = command(photos, "--prompts", clicks, "--output", killed, "--workers", 2)
    process = subprocess.Popen(asked, env=OUR_PATHS)
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there_before = killed.exists()
    with journal.open("ab") as file:
        file.write(b'{"key":"torn')
    ran = run("batch", photos, "--prompts", clicks, "--output", killed, "--workers", 1)

    assert not there_before
    assert ran.code == 0
    assert " done earlier): " in ran.out
    assert killed.read_bytes() == whole.read_bytes()


def test_an_interrupt_says_how_to_go_on(many, tmp_path):
    photos, clicks = many
    out = tmp_path / "out.json"
    asked = command(photos, "--prompts", clicks, "--output", out, "--workers", 2)

    process = subprocess.Popen(asked, env=OUR_PATHS, stderr=subprocess.PIPE, text=True)
    journal = Path(f"{out}.journal")
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert process.returncode == 130
    assert err == (
        f"Interrupted; {journal} holds what is done, the same command goes on from there\n"
    )


@pytest.mark.slow
def test_a_ray_of_two_with_one_killed_ends_with_the_bytes_of_one_process(
    run, photos, clicks, tmp_path
):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'latentcut[ray]'")
    whole, killed = tmp_path / "whole.json", tmp_path / "killed.json"
    pids = tmp_path / "pids"
    pids.mkdir()
    run("batch", photos, "--prompts", clicks, "--output", whole, "--workers", 1)

    script = Path(__file__).with_name("batch_killing.py")
    ran = subprocess.run(
        [sys.executable, script, photos, clicks, killed, pids],
        env=OUR_PATHS, capture_output=True, text=True,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert killed.read_bytes() == whole.read_bytes()
    lines = Path(f"{killed}.journal").read_text().splitlines()[1:]
    assert len({json.loads(line)["key"] for line in lines}) == len(lines) == 6
    assert len(list(pids.iterdir())) == 3  # two actors, and the one that took a place
