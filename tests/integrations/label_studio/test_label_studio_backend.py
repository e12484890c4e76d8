"""The backend over HTTP, as Label Studio asks it."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_servers import KEY

from latentcut import __version__
from latentcut.core.predictor import Predictor
from latentcut.integrations.label_studio.brush_rle import decode_brush, encode_brush

GOLDEN = Path(__file__).parent / "golden"
VERSION = f"latentcut-{__version__}"
CASES = ("one_click", "five_clicks_and_a_box", "nobody_clicked", "negative_clicks_alone")


def golden(name: str) -> tuple[dict, dict]:
    """A request, and the answer to it with what the weights decide left out."""
    case = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return case["request"], case["response"]


def without_weights(answer: dict) -> dict:
    """The answer with signs in the place of what another model answers otherwise."""
    text = json.dumps(answer).replace(VERSION, "VERSION")
    answer = json.loads(text)
    for result in answer["results"]:
        result["score"] = "SCORE" if result["result"] else result["score"]
        for region in result["result"]:
            region["id"], region["score"], region["value"]["rle"] = "ID", "SCORE", "RLE"
    return answer


def asked(config: str, *prompts: dict) -> dict:
    request, _ = golden("one_click")
    context = {"result": list(prompts)}
    return {**request, "label_config": config, "params": {"context": context}}


def click(x: float, y: float, positive: int = 1) -> dict:
    """A smart keypoint at a place in percent."""
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": ["Cat"]}
    return {"type": "keypointlabels", "value": value, "is_positive": positive}


def view(tag: str) -> str:
    labels = f'<{tag} name="tag" toName="image"><Label value="Cat"/></{tag}>'
    return f'<View><Image name="image" value="$image"/>{labels}</View>'


@pytest.fixture
def backend(start_backend):
    return start_backend()


@pytest.mark.parametrize("path", ["/", "/health"])
def test_health_says_that_the_process_is_up(backend, path):
    response = backend.get(path)

    assert response.json() == {"status": "UP", "model_class": "latentcut"}


def test_setup_names_the_model(backend):
    body = {"project": "1.1700000000", "schema": view("BrushLabels"), "access_token": "x"}

    response = backend.post("/setup", json=body)

    assert (response.status_code, response.json()) == (200, {"model_version": VERSION})


def test_setup_refuses_a_configuration_that_answers_cannot_be_drawn_with(backend):
    body = {"project": "1.1700000000", "schema": view("Labels"), "access_token": "x"}

    response = backend.post("/setup", json=body)

    assert response.status_code == 422
    assert response.json()["error"]["message"] == (
        "the labelling configuration cannot be used: it has an Image with none of "
        "BitmaskLabels, BrushLabels, PolygonLabels, RectangleLabels: add one of them"
    )


@pytest.mark.parametrize("name", CASES)
def test_an_answer_has_the_form_that_label_studio_reads(backend, name):
    request, expected = golden(name)

    response = backend.post("/predict", json=request)

    assert response.status_code == 200
    assert without_weights(response.json()) == expected


def test_an_unknown_tag_is_refused(backend):
    response = backend.post("/predict", json=asked(view("Labels"), click(47, 42)))

    assert response.status_code == 422


def test_a_click_finds_the_disc_that_it_is_on(backend, photo):
    response = backend.post("/predict", json=asked(view("BrushLabels"), click(47, 42)))

    region = response.json()["results"][0]["result"][0]
    found = decode_brush(region["value"]["rle"], (96, 128))
    rows, columns = np.mgrid[:96, :128]
    disc = (columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2
    assert (found & disc).sum() / (found | disc).sum() > 0.8
    assert region["value"]["brushlabels"] == ["Cat"]


def test_all_kinds_of_regions_show_the_same_mask(backend):
    values = {}
    for tag in ("BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels"):
        response = backend.post("/predict", json=asked(view(tag), click(47, 42)))
        region = response.json()["results"][0]["result"][0]
        values[region["type"]] = region["value"]

    mask = decode_brush(values["brushlabels"]["rle"], (96, 128))
    uri = values["bitmasklabels"]["imageDataURL"].removeprefix("data:image/png;base64,")
    with Image.open(io.BytesIO(base64.b64decode(uri))) as image:
        assert np.array_equal(np.asarray(image.convert("RGBA"))[:, :, 3], mask * np.uint8(255))
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = values["rectanglelabels"]
    assert box["x"] / 100 * 128 == pytest.approx(columns[0])
    assert box["width"] / 100 * 128 == pytest.approx(columns[-1] - columns[0] + 1)
    assert box["y"] / 100 * 96 == pytest.approx(rows[0])
    assert box["height"] / 100 * 96 == pytest.approx(rows[-1] - rows[0] + 1)
    points = np.array(values["polygonlabels"]["points"]) / 100 * [128, 96]
    assert np.abs(points[:, 0].min() - columns[0]) <= 2
    assert np.abs(points[:, 1].max() - rows[-1] - 1) <= 2


@pytest.mark.parametrize("kind", ["brush", "bitmask"])
def test_a_painted_region_is_where_the_answer_starts_from(start_backend, predictor, kind):
    starts = []

    class Noting(Predictor):
        def predict(self, encoded, clicks, previous_mask=None, box=None):
            starts.append(previous_mask)
            return super().predict(encoded, clicks, previous_mask, box=box)

    painted = np.zeros((96, 128), bool)
    painted[20:60, 40:80] = True
    value = {"rle": encode_brush(painted), "format": "rle"}
    if kind == "bitmask":
        file = io.BytesIO()
        pixels = np.zeros((96, 128, 4), np.uint8)  # as the page paints: black on nothing
        pixels[:, :, 3] = painted * np.uint8(255)
        Image.fromarray(pixels).save(file, "PNG")
        uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        value = {"imageDataURL": uri}
    noting = Noting(predictor.backend, predictor.frame_info, predictor.selection)
    backend = start_backend(noting)
    region = {"type": f"{kind}labels", "value": {**value, f"{kind}labels": ["Cat"]}}

    response = backend.post("/predict", json=asked(view("BrushLabels"), region, click(47, 42)))

    assert response.status_code == 200
    assert np.array_equal(starts[0], painted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_rotation": 90}, "it is shown turned by 90 degrees: turn it back"),
        (
            {"original_width": 96, "original_height": 128},
            "it is shown with 96 x 128 pixels, and has 128 x 96",
        ),
    ],
)
def test_a_picture_that_is_shown_otherwise_than_it_is_is_refused(backend, change, message):
    request = asked(view("BrushLabels"), {**click(47, 42), **change})

    response = backend.post("/predict", json=request)

    assert response.status_code == 422
    assert response.json()["error"]["message"] == f"the picture cannot be used: {message}"


def test_a_picture_with_an_exif_turn_is_answered_as_it_is_shown(backend, studio, photo):
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.fromarray(np.rot90(photo)).save(file, "PNG", exif=exif)
    studio.files["/data/upload/1/a.png"] = file.getvalue()

    response = backend.post("/predict", json=asked(view("BrushLabels"), click(47, 42)))

    region = response.json()["results"][0]["result"][0]
    assert (region["original_width"], region["original_height"]) == (128, 96)
    assert decode_brush(region["value"]["rle"], (96, 128))[40, 60]


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ("ANNOTATION_CREATED", 201, {"result": None, "status": "ok"}),
        ("START_TRAINING", 201, {"result": None, "status": "ok"}),
        ("TASKS_CREATED", 200, {"status": "Unknown event"}),
    ],
)
def test_events_are_acknowledged(backend, action, status, body):
    response = backend.post("/webhook", json={"action": action, "project": {"id": 1}})

    assert (response.status_code, response.json()) == (status, body)


@pytest.mark.parametrize("given", [None, ("ann", "wrong"), ("bob", "secret"), ("ann", "sécret")])
def test_who_does_not_know_the_password_is_not_answered(start_backend, given):
    backend = start_backend(login=("ann", "secret"))

    response = backend.get("/versions", auth=given)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Basic realm="latentcut"'


def test_who_knows_the_password_is_answered(start_backend):
    backend = start_backend(login=("ann", "secret"))

    response = backend.get("/versions", auth=("ann", "secret"))

    assert response.json() == {"versions": [VERSION]}


def test_failures_are_told_in_the_log_without_keys(start_backend, caplog):
    backend = start_backend(api_key="wrong-key-1234")
    request = asked(view("BrushLabels"), click(47, 42))
    request["params"] |= {"login": "ann", "password": "pw-of-ann-1234"}
    setup = {"schema": view("BrushLabels"), "access_token": KEY}

    with caplog.at_level(logging.DEBUG):
        backend.post("/setup", json=setup)
        response = backend.post("/predict", json=request)

    assert response.status_code == 422
    assert "/predict: the image cannot be had from" in caplog.text
    secrets = (KEY, "wrong-key-1234", "pw-of-ann-1234")
    assert [secret for secret in secrets if secret in caplog.text + response.text] == []


def test_health_is_answered_while_twenty_predictions_are_waited_for(start_backend, predictor):
    release = threading.Event()

    class Held(Predictor):
        def predict(self, *args, **options):
            release.wait(30)
            return super().predict(*args, **options)

    backend = start_backend(Held(predictor.backend, predictor.frame_info, predictor.selection))
    request = asked(view("BrushLabels"), click(47, 42))
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(backend.post("/predict", json=request).status_code)
        )
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)

    response = backend.get("/health")

    assert (response.status_code, statuses) == (200, [])
    release.set()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
