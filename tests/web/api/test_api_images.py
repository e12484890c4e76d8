"""Sending images: the ways to do it, what is refused, and what is kept."""

from __future__ import annotations

import hashlib
import io

import pytest
from api_servers import OCTETS, PHOTO, PHOTO_WH, api_in_thread, ask, problem_of, send
from PIL import Image

from latentcut.cli.samples import SAMPLES
from latentcut.web.settings import ServerLimits

HOW_TO_SEND = (
    "send the file itself with Content-Type: application/octet-stream or image/..., "
    'or as the field "file" of multipart/form-data, or JSON with a path'
)


def png(width: int, height: int, orientation: int = 1) -> bytes:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height), (90, 120, 30)).save(data, "PNG", exif=exif)
    return data.getvalue()


@pytest.fixture(scope="module")
def rooted(tmp_path_factory, predictor):
    """A server that may read the sample photos, and a folder beside them."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.png").write_bytes(png(8, 8))
    root = tmp_path_factory.mktemp("root")
    (root / "below").mkdir()
    (root / "below" / "cat.jpg").write_bytes(PHOTO)
    (root / "link.png").symlink_to(outside / "secret.png")
    (root / "note.txt").write_text("no image")
    with api_in_thread(predictor, tmp_path_factory.mktemp("s"), roots=(SAMPLES, root)) as running:
        running.outside, running.root = outside, root
        yield running


def test_an_image_is_known_by_the_digest_of_its_bytes_whichever_way_it_is_sent(rooted):
    with rooted.client() as client:
        raw = client.post("/api/v1/images", content=PHOTO, headers=OCTETS)
        typed = client.post("/api/v1/images", content=PHOTO, headers={"Content-Type": "image/jpeg"})
        form = client.post("/api/v1/images", files={"file": ("cat.jpg", PHOTO)})
        path = client.post("/api/v1/images", json={"path": "chelsea.jpg"})

    digest = hashlib.sha256(PHOTO).hexdigest()
    width, height = PHOTO_WH
    expected = {"image_id": digest, "width": width, "height": height, "sha256": digest}
    assert [a.json() for a in (raw, typed, form, path)] == [expected] * 4
    assert [a.status_code for a in (raw, typed, form, path)] == [201] * 4


def test_size_is_that_of_the_upright_image(client):
    answer = client.post("/api/v1/images", content=png(40, 30, orientation=6), headers=OCTETS)

    assert (answer.json()["width"], answer.json()["height"]) == (30, 40)


@pytest.mark.parametrize("path", ["below/cat.jpg", "ROOT/below/cat.jpg"])
def test_a_path_may_be_relative_to_a_root_or_absolute_inside_one(path, rooted):
    with rooted.client() as client:
        answer = client.post(
            "/api/v1/images", json={"path": path.replace("ROOT", str(rooted.root))}
        )

    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["../outside/secret.png", "OUTSIDE/secret.png", "/etc/passwd"])
def test_a_path_outside_of_all_roots_is_refused_whether_it_is_there_or_not(path, rooted):
    given = path.replace("OUTSIDE", str(rooted.outside))

    with rooted.client() as client:
        answer = client.post("/api/v1/images", json={"path": given})

    assert problem_of(answer) == (
        403,
        "path_not_served",
        f"{given} cannot be opened: it is not inside a folder that the server was started with",
    )


@pytest.mark.parametrize("path", ["link.png", "no such.png", "below", "a\0b"])
def test_what_is_no_file_inside_a_root_is_not_found_and_links_lead_nowhere(path, rooted):
    with rooted.client() as client:
        answer = client.post("/api/v1/images", json={"path": path})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "file_missing")


def test_a_file_inside_a_root_that_is_no_image_is_refused_without_its_content(rooted):
    with rooted.client() as client:
        answer = client.post("/api/v1/images", json={"path": "note.txt"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_image")
    assert "no image" not in answer.text


def test_a_server_without_roots_opens_no_paths(client):
    answer = client.post("/api/v1/images", json={"path": "chelsea.jpg"})

    assert problem_of(answer) == (
        403,
        "path_not_served",
        "chelsea.jpg cannot be opened: no folder is served: start the server with --root, or "
        "send the file itself",
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"content": PHOTO, "headers": {"Content-Type": "text/plain"}}, (415, "no_image")),
        ({"content": b"%PDF-1.7", "headers": OCTETS}, (415, "unsupported_image")),
        ({"content": b"", "headers": OCTETS}, (422, "unreadable_image")),
        ({"content": PHOTO[:2000], "headers": OCTETS}, (422, "unreadable_image")),
        ({"json": {"path": 3}}, (422, "does_not_fit")),
        ({"json": {"file": "a.png"}}, (422, "does_not_fit")),
        ({"json": []}, (422, "does_not_fit")),
        ({"files": {"picture": PHOTO}}, (422, "does_not_fit")),
        ({"data": {"file": "text"}, "files": {"other": b"1"}}, (422, "does_not_fit")),
        (
            {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
            (400, "bad_form"),
        ),
        (
            {"content": b"?", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            (400, "bad_form"),
        ),
        (
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            (400, "bad_json"),
        ),
    ],
    ids=[
        "text",
        "PDF",
        "empty",
        "cut off",
        "number for path",
        "no path",
        "list",
        "other field",
        "no file",
        "no boundary",
        "broken form",
        "broken JSON",
    ],
)
def test_what_is_no_image_gets_a_status_and_a_code(options, expected, client):
    answer = client.post("/api/v1/images", **options)

    assert (answer.status_code, answer.json()["error"]["code"]) == expected


def test_another_kind_of_content_is_answered_with_the_ways_that_are_allowed(client):
    answer = client.post("/api/v1/images", content=b"x", headers={"Content-Type": "text/html"})

    assert problem_of(answer) == (415, "no_image", HOW_TO_SEND)


def test_a_body_that_is_too_large_is_refused(predictor, tmp_path):
    limits = ServerLimits(body_bytes=1000)
    with api_in_thread(predictor, tmp_path, limits=limits) as running, running.client() as client:
        answer = client.post("/api/v1/images", content=bytes(1001), headers=OCTETS)

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_images_that_were_not_used_for_longest_make_room_for_new_ones(predictor, tmp_path):
    with (
        api_in_thread(predictor, tmp_path, spool_bytes=2 * len(PHOTO)) as running,
        running.client() as client,
    ):
        first = send(client)
        for number in range(3):  # zeros after the end of the file are no part of the image
            newest = send(client, PHOTO + bytes(1 + number))
        answers = [ask(client, first), ask(client, newest)]

    assert problem_of(answers[0]) == (
        404,
        "not_kept",
        f"there is no image {first} here, or no longer: send it with POST /api/v1/images",
    )
    assert answers[1].status_code == 200
