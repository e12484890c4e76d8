"""Errors carry no stack traces, paths or tokens (C9), and each has its status."""

from __future__ import annotations

import inspect
import logging
import re
from pathlib import Path

import pytest
from web_servers import TOKEN, act, click, dot, error_of

from latentcut import errors
from latentcut.web.failures import CODES, STATUSES, code_of, without_paths

CANARIES = ("canary-of-a-label", "canary-of-an-object", "canary.png", "12345.678", "31.41592")


def test_every_error_has_a_code_of_its_own_and_a_status():
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LatentcutError)
    ]

    codes = {code_of(kind) for kind in kinds}

    assert len(codes) == len(kinds)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    assert {code_of(kind) for kind in CODES} == {"busy"}
    allowed = {403, 404, 409, 412, 413, 415, 422, 503, 507}
    assert {STATUSES[kind] for kind in STATUSES} <= allowed


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/images/999", (404, "not_in_project")),
        ("GET", "/api/v1/images/0", (404, "not_in_project")),
        ("GET", "/api/v1/images/999/view.png", (404, "not_in_project")),
        ("GET", "/api/v1/images/1/tiles/5/0.png", (404, "not_in_project")),
        ("GET", "/api/v1/images/1/objects/7/candidates", (404, "not_in_project")),
        ("GET", f"/api/v1/masks/{'0' * 32}", (404, "not_in_project")),
        ("GET", "/api/v1/masks/x", (404, "not_in_project")),
        ("GET", "/api/v1/exports/coco.zip", (404, "no_export")),
        ("GET", "/api/v1/exports/docx.zip", (404, "not_found")),
        ("GET", "/api/v1/nothing", (404, "not_found")),
        ("GET", "/api/v1/project/", (404, "not_found")),
        ("DELETE", "/api/v1/project", (405, "method_not_allowed")),
        ("POST", "/api/v1/images/1/undo", (428, "no_revision")),
    ],
)
def test_what_is_not_there_has_its_status_and_code(method, path, expected, server):
    with server.client() as client:
        assert error_of(client.request(method, path)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", (412, "revision_conflict")),
        ('"1"', (412, "revision_conflict")),
        ("*", (400, "bad_revision")),
        ('W/"1"', (400, "bad_revision")),
        ("-1", (400, "bad_revision")),
        ('"0", "1"', (400, "bad_revision")),
        ("9" * 30, (400, "bad_revision")),
        ("", (400, "bad_revision")),
    ],
)
def test_the_revision_must_be_one(value, expected, server):
    with server.client() as client:
        answer = client.post("/api/v1/images/1/undo", headers={"If-Match": value})

    assert error_of(answer) == expected


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"kind": "explode"}, "does_not_fit"),
        ({}, "does_not_fit"),
        ([], "does_not_fit"),
        ({"kind": "done", "done": True, "more": 1}, "does_not_fit"),
        ({"kind": "click", "clicks": []}, "does_not_fit"),
        ({"kind": "click", "clicks": [{"x": "12345.678x", "y": 1}]}, "does_not_fit"),
        ({"kind": "click", "clicks": [{"x": 64, "y": 1}]}, "click_outside_image"),
        ({"kind": "click", "clicks": [{"x": -1, "y": 1}]}, "click_outside_image"),
        ({"kind": "split", "object": 7}, "not_in_project"),
        ({"kind": "label", "object": 7, "label": None}, "not_in_project"),
        ({"kind": "reorder", "objects": [7]}, "bad_action"),
        (
            {"kind": "stroke", "tool": "eraser", "radius_px": 3, "points": [[1, 1]]},
            "bad_action",
        ),
        ({"kind": "stroke", "tool": "brush", "radius_px": 0, "points": [[1, 1]]}, "does_not_fit"),
        ({"kind": "stroke", "tool": "brush", "radius_px": 3, "points": []}, "does_not_fit"),
        ({"kind": "rename", "object": 7, "name": "x" * 201}, "does_not_fit"),
    ],
)
def test_an_action_that_does_not_fit_is_the_senders_mistake_and_changes_nothing(
    action, code, server
):
    headers = {"If-Match": '"0"'}
    with server.client() as client:
        answer = client.post("/api/v1/images/1/actions", json=action, headers=headers)
        revision = client.get("/api/v1/images/1").json()["revision"]

    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["code"] == code
    assert "12345.678" not in answer.text  # what was sent is not repeated
    assert revision == 0


def test_a_broken_image_is_told_with_the_reason_and_shown_in_the_list(pictures, start):
    (pictures / "3.png").write_bytes(b"%PDF-1.7 not a picture")
    with start(pictures).client() as client:
        before = client.get("/api/v1/project").json()["images"][2]["problem"]
        answers = [
            client.get(f"/api/v1/images/3{what}")
            for what in ("", "/view.png", "/thumbnail.jpg", "/tiles/0/0.png")
        ]
        clicked = click(client, 3, 0, 5, 5)
        after = client.get("/api/v1/project").json()["images"][2]["problem"]

    reason = "it is a PDF document; give a PNG, JPEG, WebP, TIFF, BMP or GIF file"
    message = f"3.png cannot be read as an image: {reason}"
    told = [answer.json()["error"] for answer in (*answers, clicked)]
    assert told == [{"code": "unreadable_image", "message": message}] * 5
    assert {answer.status_code for answer in answers} == {422}
    assert (before, after) == (None, reason)


def test_an_image_that_was_repaired_opens_again(pictures, start):
    whole = (pictures / "1.png").read_bytes()
    (pictures / "1.png").write_bytes(whole[:50])
    with start(pictures).client() as client:
        broken = client.get("/api/v1/images/1").status_code
        (pictures / "1.png").write_bytes(whole)
        repaired = client.get("/api/v1/images/1").status_code
        problem = client.get("/api/v1/project").json()["images"][0]["problem"]

    assert (broken, repaired, problem) == (422, 200, None)


def test_an_annotated_image_exchanged_for_one_of_another_size_is_not_mixed_up(pictures, start):
    from PIL import Image

    with start(pictures).client() as client:
        dot(client, 1, 0, 20, 20)
        Image.new("RGB", (32, 16)).save(pictures / "1.png")
        answer = client.get("/api/v1/images/1")

    assert answer.json()["error"]["message"] == (
        "1.png cannot be read as an image: it is 32 x 16 px, but was 64 x 48 px when it was "
        "annotated; put the earlier picture back"
    )


class Canary(Exception):
    """Nobody foresees it."""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/project"),
        ("GET", "/api/v1/images/1"),
        ("GET", "/api/v1/images/1/view.png"),
        ("POST", "/api/v1/images/1/undo"),
        ("POST", "/api/v1/images/1/actions"),
        ("POST", "/api/v1/exports"),
        ("POST", "/api/v1/imports?format=coco&name=a.json"),
    ],
)
def test_what_nobody_foresaw_is_told_without_trace_path_or_text(
    method, path, pictures, start, monkeypatch, caplog
):
    running = start(pictures)
    caplog.set_level(logging.DEBUG)

    def fail(*_: object) -> None:
        raise Canary(f"canary-of-a-label in {pictures} with {TOKEN}")

    for name in ("images", "image", "document", "undo", "commit", "labels"):
        monkeypatch.setattr(running.app.state.workplace.store, name, fail)
    body = {"kind": "done", "done": True}
    if "exports" in path:
        body = {"format": "coco"}
    elif "imports" in path:
        body = {"images": [], "annotations": [], "categories": []}
    with running.client() as client:
        answer = client.request(method, path, json=body, headers={"If-Match": '"0"'})

    message = "the server met an error that it did not foresee; its log says where"
    assert answer.status_code == 500
    assert answer.json() == {"error": {"code": "internal", "message": message}}
    logged = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("latentcut"))
    assert re.search(r"Canary at (\S+:\d+ \S+, ){4}test_failures\.py:\d+ fail", logged)
    assert not any(secret in logged for secret in (str(pictures), TOKEN, "canary-of-a-label"))


def test_after_an_error_the_server_goes_on(pictures, start, monkeypatch):
    running = start(pictures)
    with running.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(running.app.state.workplace.store, "document", lambda _: 1 / 0)
            failed = client.get("/api/v1/images/1").status_code
        after = client.get("/api/v1/images/1").status_code

    assert (failed, after) == (500, 200)


def test_messages_hold_no_absolute_paths(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    message = f"{folder}/a.png, {folder}/.latentcut/project.db and {Path.home()}/other"

    shown = without_paths(message, [folder])

    assert shown == "photos/a.png, photos/.latentcut/project.db and ~/other"


def test_the_log_holds_no_tokens_clicks_or_names(pictures, launch):
    (pictures / "canary.png").write_bytes(b"canary-of-a-file")
    verbose = "import logging; logging.basicConfig(level=logging.INFO)"
    running = launch(pictures, code=verbose)
    label = {"id": None, "name": CANARIES[0], "colour": 1, "key": None}
    with running.client() as client, running.stranger() as stranger:
        stranger.get(f"/?token={TOKEN}")
        stranger.get("/?token=wrong-12345.678")
        rows = client.get("/api/v1/project").json()["images"]
        for row in rows:
            client.get(f"/api/v1/images/{row['id']}")
        labels = {"labels": [label]}
        client.put("/api/v1/project/labels", json=labels, headers={"If-Match": '"0"'})
        dot(client, 1, 0, 31.41592, 20)
        act(client, 1, 1, kind="rename", object=1, name=CANARIES[1])
        click(client, 1, 2, 12345.678, 1)
        client.post("/api/v1/exports", json={"format": "coco"})
        client.post("/api/v1/imports?format=coco&name=canary.png", content=b"{canary-of-a-label")
        client.get("/api/v1/images/canary.png")
    running.stop()

    log = running.log.read_text()
    secrets = (TOKEN, *CANARIES, "canary-of-a-file", str(pictures))
    assert [secret for secret in secrets if secret in log] == []
