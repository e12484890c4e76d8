"""labelme's real window, without a screen, used with real mouse and key events."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import latentcut
from latentcut import Click
from latentcut.core.metrics import iou
from latentcut.core.replay import replayed

SAMPLES = Path(__file__).resolve().parents[3] / "src" / "latentcut" / "samples"
DRIVER = Path(__file__).with_name("labelme_driver.py")
CLICKS = [[235, 160, True], [410, 140, False]]
BOX = [[60, 20, True], [440, 290, True]]


def use_labelme(tmp_path, mode, clicks):
    """The shapes that labelme saved, after a user clicked."""
    photo, saved = tmp_path / "cat.jpg", tmp_path / "saved.json"
    shutil.copy(SAMPLES / "chelsea.jpg", photo)
    command = [sys.executable, DRIVER, photo, json.dumps(clicks), mode, saved, tmp_path / "p.png"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    assert saved.exists(), done.stdout + done.stderr
    return json.loads(saved.read_text())["shapes"]


def drawn(shape):
    picture = Image.new("1", (451, 300))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in shape["points"]], fill=1, outline=1)
    return np.asarray(picture)


@pytest.fixture(scope="module")
def predictor():
    return latentcut.load(threads=1)


def test_clicks_in_labelme_become_a_polygon_of_the_mask(tmp_path, predictor):
    clicks = [Click(*click) for click in CLICKS]
    mask = replayed(predictor, predictor.encode(SAMPLES / "chelsea.jpg"), clicks).mask

    shapes = use_labelme(tmp_path, "points", CLICKS)

    assert [(shape["label"], shape["shape_type"]) for shape in shapes] == [("thing", "polygon")]
    assert iou(drawn(shapes[0]), mask) > 0.95  # labelme simplifies its polygons


def test_a_box_in_labelme_becomes_a_polygon(tmp_path, predictor):
    session = predictor.open(SAMPLES / "chelsea.jpg")
    session.box(60, 20, 440, 290)

    shapes = use_labelme(tmp_path, "box", BOX)

    assert [(shape["label"], shape["shape_type"]) for shape in shapes] == [("thing", "polygon")]
    assert iou(drawn(shapes[0]), session.mask) > 0.9
