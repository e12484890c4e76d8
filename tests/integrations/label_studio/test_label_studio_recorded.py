"""Requests that the page of Label Studio 1.23.2 sent while a cat was clicked in it."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut.integrations.label_studio.brush_rle import decode_brush

RECORDED = Path(__file__).parent / "recorded"
PHOTO = Path(latentcut.__file__).parent / "samples" / "chelsea.jpg"
SIZE_HW = (300, 451)


@pytest.fixture
def answer(start_backend, studio):
    """Ask what was recorded; the request, and the values of the regions that come back."""

    def ask(name: str) -> tuple[dict, list[dict]]:
        request = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
        studio.files[request["tasks"][0]["data"]["image"]] = PHOTO.read_bytes()
        response = start_backend().post("/predict", json=request)
        assert response.status_code == 200
        regions = response.json()["results"][0]["result"]
        return request, [region["value"] for region in regions]

    return ask


def under_the_clicks(mask: np.ndarray, request: dict) -> list[tuple[bool, bool]]:
    """Of each click: whether it was positive, and what the mask (H, W) is there."""
    height, width = mask.shape
    found = []
    for prompt in request["params"]["context"]["result"]:
        row = int(prompt["value"]["y"] / 100 * height)
        column = int(prompt["value"]["x"] / 100 * width)
        found.append((prompt["is_positive"], bool(mask[row, column])))
    return found


def test_a_bitmask_is_black_on_nothing_as_the_page_draws_it(answer):
    request, values = answer("three_clicks_for_a_bitmask")

    uri = values[0]["imageDataURL"].removeprefix("data:image/png;base64,")
    with Image.open(io.BytesIO(base64.b64decode(uri))) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert pixels.shape == (*SIZE_HW, 4)
    assert np.unique(pixels[:, :, 3]).tolist() == [0, 255]
    assert pixels[:, :, :3].max() == 0
    clicks = under_the_clicks(pixels[:, :, 3] > 0, request)
    assert clicks == [(True, True), (True, True), (False, False)]


def test_polygons_go_round_the_positive_clicks_and_not_round_the_negative_one(answer):
    request, values = answer("three_clicks_for_polygons")

    drawn = np.zeros(SIZE_HW, np.uint8)
    for value in values:
        points = np.array(value["points"]) / 100 * SIZE_HW[::-1]
        cv2.fillPoly(drawn, [points.astype(np.int32)], 1)
    clicks = under_the_clicks(drawn > 0, request)
    assert clicks == [(True, True), (True, True), (False, False)]


def test_a_box_needs_no_sign_to_count_as_one_around_the_thing(answer):
    request, values = answer("a_box_for_a_brush")

    prompt = request["params"]["context"]["result"][0]
    assert "is_positive" not in prompt
    mask = decode_brush(values[0]["rle"], SIZE_HW)
    box = prompt["value"]
    x0, x1 = box["x"] / 100 * 451, (box["x"] + box["width"]) / 100 * 451
    y0, y1 = box["y"] / 100 * 300, (box["y"] + box["height"]) / 100 * 300
    inside = mask[round(y0) : round(y1), round(x0) : round(x1)]
    assert inside.mean() > 0.3
    assert inside.sum() > 0.9 * mask.sum()
