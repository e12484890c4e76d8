"""Paths stay inside the folder (C5), and files are never served as they came (C7)."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from web_servers import IS_SOAK, TOKEN, error_of, raw

from latentcut.errors import FileMissing, UnreadableImage
from latentcut.web.folder import ImageFolder

SECRET = b"the secret outside of the folder"

STEPS = [
    "..",
    "%2e%2e",
    ".%2e",
    "%252e%252e",
    "..;",
    "%c0%ae%c0%ae",
    "%uff0e%uff0e",
    "\uff0e\uff0e",  # full-width
    "....",
]
SLASHES = ["/", "%2f", "%5c", "\\", "%252f", "%c0%af", "\uff0f", "//"]
SPELLINGS = [
    *[f"{step}{slash}{step}{slash}secret.png" for step in STEPS for slash in SLASHES],
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "C:%5cWindows%5cwin.ini",
    "%5c%5cserver%5cshare%5cx.png",
    "/proc/self/environ",
    "%2fproc%2fself%2fenviron",
    "1.png%00.jpg",
    "%00",
    "1.png/../secret.png",
    ".latentcut/project.db",
    ".",
    "~/secret.png",
    "-1",
    "+1",
    "1.0",
    "1e0",
    "01%0a",
    "%201",
    "\u0661",  # a digit one that is not ASCII
    "9" * 30,
    "9" * 5000,
]
ROUTES = [
    "/api/v1/images/{}",
    "/api/v1/images/{}/view.png",
    "/api/v1/images/{}/thumbnail.jpg",
    "/api/v1/images/1/tiles/{}/0.png",
    "/api/v1/images/1/tiles/0/{}.png",
    "/api/v1/images/1/objects/{}/candidates",
    "/api/v1/masks/{}",
    "/api/v1/exports/{}.zip",
    "/static/{}",
    "/{}",
]


def targets(name: str) -> list[str]:
    """Every route with a spelling in it, as it goes over the wire."""
    return [route.format(name) for route in ROUTES]


@pytest.mark.parametrize("route", ROUTES)
def test_no_spelling_of_a_path_leaves_the_folder(route, server):
    assert len(SPELLINGS) >= 80
    wrong = []
    for spelling in SPELLINGS:
        target = route.format(spelling).encode()
        head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        answer = raw(server.port, b"GET " + target + head.encode() + b"Connection: close\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        if status not in (400, 403, 404):  # 400: not even HTTP
            wrong.append((spelling, status))

    assert wrong == []


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_no_spelling_changes_anything_either(method, server):
    wrong = []
    for spelling in SPELLINGS[:20]:
        for path in ("/api/v1/images/{}/actions", "/api/v1/images/{}/undo", "/static/{}"):
            target = path.format(spelling).encode()
            head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
            more = 'If-Match: "0"\r\nConnection: close\r\n\r\n'
            line = method.encode() + b" " + target + head.encode() + more.encode()
            status = int(raw(server.port, line).split(b" ", 2)[1])
            if status not in (400, 404, 405, 415):
                wrong.append((path, spelling, status))

    assert wrong == []


@pytest.fixture
def secret(tmp_path) -> Path:
    """A real image outside of the folder."""
    path = tmp_path / "secret.png"
    Image.new("RGB", (8, 8), (250, 1, 2)).save(path)
    return path


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "/etc/passwd", "sub/../../secret.png", "a\0.png", "", ".", "nothing.png"],
)
def test_the_folder_reads_nothing_that_is_named_outside(name, pictures, secret):
    with pytest.raises(FileMissing) as caught:
        ImageFolder(pictures).read(name)

    message = f"{name} does not exist or is not an image file in the opened folder"
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["link.png", "linked/secret.png"])
def test_links_that_lead_out_are_left_out_and_never_read(name, pictures, secret, start):
    (pictures / "link.png").symlink_to(secret)
    (pictures / "linked").symlink_to(secret.parent, target_is_directory=True)
    folder = ImageFolder(pictures)

    with pytest.raises(FileMissing):
        folder.read(name)

    scan = folder.scan()
    assert scan.images == ("1.png", "2.png")
    assert scan.left_out == (
        "link.png: the link leads out of the folder or to nothing; copy the image here",
    )


def test_a_hostile_project_file_does_not_name_files_outside(pictures, secret, start):
    running = start(pictures)
    running.app.state.workplace.store.sync_images(["1.png", "../secret.png", str(secret)])
    with running.client() as client:
        rows = client.get("/api/v1/project").json()["images"]
        ids = [row["id"] for row in rows if "secret" in row["path"]]
        answers = [
            client.get(f"/api/v1/images/{image}{what}")
            for image in ids
            for what in ("", "/view.png", "/thumbnail.jpg", "/tiles/0/0.png")
        ]

    assert len(ids) == 2
    assert {error_of(answer) for answer in answers} == {(404, "file_missing")}


def test_links_inside_the_folder_are_read(pictures):
    (pictures / "sub").mkdir()
    (pictures / "sub" / "again.png").symlink_to("../1.png")

    folder = ImageFolder(pictures)

    assert folder.scan().images == ("1.png", "2.png", "sub/again.png")
    assert np.array_equal(folder.read("sub/again.png"), folder.read("1.png"))


@pytest.mark.parametrize("is_folder", [False, True], ids=["file", "folder"])
def test_a_link_that_is_swapped_in_meanwhile_leads_nowhere(is_folder, pictures, secret):
    inside = pictures / "sub"
    inside.mkdir()
    Image.new("RGB", (8, 8), (1, 2, 250)).save(inside / "secret.png")
    folder, stop = ImageFolder(pictures), threading.Event()
    target = inside if is_folder else inside / "secret.png"
    aside, link = pictures / "aside", pictures / "link"
    link.symlink_to(secret.parent if is_folder else secret)

    def swap() -> None:
        while not stop.is_set():  # the real one, then the link, and so on
            target.rename(aside)
            link.rename(target)
            target.rename(link)
            aside.rename(target)

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen, num_rounds = set(), 20_000 if IS_SOAK else 1000
    for _ in range(num_rounds):
        try:
            seen.add(tuple(folder.read("sub/secret.png")[0, 0].tolist()))
        except (FileMissing, UnreadableImage):
            seen.add(None)
    stop.set()
    swapper.join()

    assert seen - {None} == {(1, 2, 250)}
    if IS_SOAK:
        print(
            f"C5: link of a {'folder' if is_folder else 'file'} swapped in: {num_rounds:,} reads,"
            " 0 left the folder"
        )


def polyglots() -> dict[str, bytes]:
    """Files that are a picture and something else as well, or only pretend to be one."""
    png, gif = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (8, 8), (10, 20, 30)).save(png, "PNG")
    Image.new("P", (8, 8)).save(gif, "GIF")
    script = b"<script>alert(1)</script>"
    return {
        "html_tail.png": png.getvalue() + b"<html>" + script,
        "script.gif": gif.getvalue() + b"*/=1;alert(1);//",
        "page.png": b"<html>" + script,
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg">' + script + b"</svg>",
    }


def test_files_are_drawn_anew_and_never_served_as_they_came(tmp_path, start):
    folder = tmp_path / "polyglots"
    folder.mkdir()
    for name, content in polyglots().items():
        (folder / name).write_bytes(content)
    with start(folder).client() as client:
        rows = client.get("/api/v1/project").json()["images"]
        answers = {
            row["name"]: [
                client.get(f"/api/v1/images/{row['id']}/{what}")
                for what in ("view.png", "tiles/0/0.png", "thumbnail.jpg")
            ]
            for row in rows
        }

    bodies = b"".join(answer.content for three in answers.values() for answer in three)
    kinds = {n: [a.headers["content-type"] for a in three] for n, three in answers.items()}
    drawn, refused = ["image/png", "image/png", "image/jpeg"], ["application/json"] * 3
    assert kinds == {
        "drawing.png": refused,
        "html_tail.png": drawn,
        "page.png": refused,
        "script.gif": drawn,
    }
    assert not any(word in bodies for word in (b"<script", b"<svg", b"alert"))
    headers = [answer.headers for three in answers.values() for answer in three]
    assert {h["x-content-type-options"] for h in headers} == {"nosniff"}
    assert all("default-src 'none'" in h["content-security-policy"] for h in headers)
