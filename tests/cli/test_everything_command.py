"""Real runs of ``latentcut everything``; and scribbles of ``latentcut segment``."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image
from pycocotools.coco import COCO

import latentcut
from latentcut.core.everything import EverythingOptions
from latentcut.core.masks import coco_rle

FAST = ("--threads", 1, "--points-per-side", 5)


def test_the_file_holds_what_the_api_finds(run, coffee, tmp_path):
    target = tmp_path / "all.json"

    ran = run("everything", coffee, "--output", target, *FAST)

    found = latentcut.load(threads=1).find_all(coffee, EverythingOptions(points_per_side=5))
    coco = COCO(str(target))
    entries = list(coco.anns.values())
    assert (ran.code, ran.err) == (0, "")
    assert [entry["segmentation"] for entry in entries] == [thing.rle for thing in found]
    assert [entry["area"] for entry in entries] == [thing.area for thing in found]
    (image,) = coco.imgs.values()
    assert (target.parent / image["file_name"]).resolve() == coffee.resolve()


def test_the_overlay_shows_the_picture_painted_where_things_are(run, coffee, tmp_path):
    target = tmp_path / "all.png"

    ran = run("everything", coffee, "--overlay", target, "--json", *FAST)

    facts = json.loads(ran.out)
    photo, painted = np.asarray(Image.open(coffee)), np.asarray(Image.open(target))
    assert ran.code == 0
    assert painted.shape == photo.shape
    assert facts["objects"]
    assert facts["bundle"] == latentcut.load(threads=1).fingerprint
    x0, y0, x1, y1 = facts["objects"][0]["box_xyxy"]
    assert (painted[y0:y1, x0:x1] != photo[y0:y1, x0:x1]).any()


def test_without_an_output_nothing_is_begun(run, coffee):
    ran = run("everything", coffee)

    assert ran.code == 2
    assert "nothing would be written" in ran.err


def test_a_score_that_nothing_reaches_finds_nothing(run, coffee, tmp_path):
    target = tmp_path / "all.json"

    ran = run("everything", coffee, "--output", target, "--min-score", 1, *FAST)

    assert ran.code == 0
    assert ran.out.startswith("0 things in ")
    assert json.loads(target.read_text())["annotations"] == []


def test_scribbles_and_clicks_are_answered_in_the_order_they_are_written(run, coffee, tmp_path):
    given = (
        *("--scribble", "250,130 285,155 320,180", "--negative", "130,250"),
        *("--negative-scribble", "20,20 60,30"),
    )

    ran = run("segment", coffee, *given, "--json", "--threads", 1)

    session = latentcut.load(threads=1).open(coffee)
    session.scribble([(250, 130), (285, 155), (320, 180)])
    session.click(130, 250, positive=False)
    prediction = session.scribble([(20, 20), (60, 30)], positive=False)
    facts = json.loads(ran.out)
    assert ran.code == 0
    assert facts["rle"] == coco_rle(prediction.mask)
    assert [(c["x"], c["y"], c["positive"]) for c in facts["clicks"]] == [
        (click.x, click.y, click.positive) for click in session.clicks
    ]


def test_a_scribble_that_is_no_line_is_refused(run, coffee):
    ran = run("segment", coffee, "--scribble", "250,130 285", "--json")

    assert ran.code == 2
    assert "'285' is no position" in ran.err
