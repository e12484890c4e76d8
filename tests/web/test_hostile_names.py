"""Names are data (B7): labels, objects, files and folders are called what they like."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image
from web_servers import act, dot, error_of

from latentcut.web.routes.exports import attachment

NASTY = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</script><script>alert(1)",
    '"><svg onload=alert(1)>', "javascript:alert(1)", "{{7*7}}", "${7*7}", "<%= 7 %>", "#{7}",
    "../x", "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "C:\\x", "\\\\server\\x",
    "a/b", "a\\b", "file:///etc/passwd", "~", "~root", ".", "..", "...", ".hidden",
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "|calc", ";rm -rf /", "$(id)", "`id`",
    "&& id", "%00", "%2e%2e%2f", "%s%s%n", "a\rb", "a\nb", "a\r\nSet-Cookie: x=1", "a\tb",
    "\x1b[31m",
    "con", "NUL", "aux.txt", "COM1", "lpt1.", "name.", "name ", " name",
    "\u202egnp.exe", "\u200b", "\u2028", "\ufeff", "e\u0301", "\u00e9",
    "\U0001f469\u200d\U0001f680",
    "\u65e5\u672c\u8a9e", "\u05e9\u05dc\u05d5\u05dd", "'; DROP TABLE labels; --", '"', "'",
    "a:b", "a*b?", "x" * 200,
    "null", "None", "true", "NaN", "__proto__", "constructor",
]  # fmt: skip
FORMATS = ("coco", "yolo", "voc", "labelme", "png", "cutouts")


def put_labels(client, names, revision=0):
    labels = [{"id": None, "name": name, "colour": 0, "key": None} for name in names]
    headers = {"If-Match": f'"{revision}"'}
    return client.put("/api/v1/project/labels", json={"labels": labels}, headers=headers)


def test_there_are_enough_nasty_names():
    assert len(set(NASTY)) == len(NASTY) >= 60


def test_labels_come_back_as_they_were_given(server):
    with server.client() as client:
        given = put_labels(client, NASTY)
        kept = client.get("/api/v1/project").json()["labels"]["labels"]

    assert given.status_code == 200
    assert given.headers["content-type"] == "application/json"
    assert [label["name"] for label in kept] == NASTY


def test_objects_come_back_as_they_were_named(pictures, start):
    names = []
    with start(pictures).client() as client:
        object_id = dot(client, 1, 0, 10, 10).json()["object"]
        for revision, name in enumerate(NASTY, start=1):
            told = act(client, 1, revision, kind="rename", object=object_id, name=name).json()
            names.append(told["document"]["objects"][0]["name"])

    assert names == NASTY


@pytest.mark.parametrize("name", ["", "x" * 201, "x" * 5000])
def test_labels_that_are_empty_or_too_long_are_refused(name, server):
    with server.client() as client:
        revision = client.get("/api/v1/project").json()["labels"]["revision"]
        answer = put_labels(client, [name], revision)

    assert error_of(answer) == (422, "does_not_fit")


def test_settings_with_nasty_keys_and_values_come_back(server):
    settings = {name: name for name in NASTY}
    with server.client() as client:
        client.put("/api/v1/project/settings", json=settings)

        assert client.get("/api/v1/project").json()["settings"] == settings


@pytest.fixture
def nasty_folder(tmp_path) -> Path:
    """Pictures with every nasty name that the file system takes."""
    folder = tmp_path / "nasty"
    folder.mkdir()
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(content, "PNG")
    for name in NASTY:
        if "/" not in name and not name.startswith("."):
            (folder / f"{name}.png").write_bytes(content.getvalue())
    return folder


def test_files_with_nasty_names_are_opened_and_shown(nasty_folder, start):
    with start(nasty_folder).client() as client:
        rows = client.get("/api/v1/project").json()["images"]
        statuses = {client.get(f"/api/v1/images/{r['id']}/thumbnail.jpg").status_code for r in rows}
        names = {client.get(f"/api/v1/images/{row['id']}").json()["name"] for row in rows}

    assert names == set(os.listdir(nasty_folder)) - {".latentcut"}  # noqa: PTH208
    assert len(names) >= 50
    assert statuses == {200}


def test_nasty_names_do_not_lead_out_of_an_export(nasty_folder, start):
    before = set(nasty_folder.parent.rglob("*"))
    told, packed = {}, {}
    with start(nasty_folder).client() as client:
        rows = client.get("/api/v1/project").json()["images"]
        put_labels(client, NASTY)
        for number, row in enumerate(rows):
            dot(client, row["id"], 0, 10, 10, label=number + 1)
            act(client, row["id"], 1, kind="rename", object=number + 1, name=NASTY[number])
        for name in FORMATS:
            told[name] = client.post("/api/v1/exports", json={"format": name}).json()
            packed[name] = client.get(f"/api/v1/exports/{name}.zip").content

    exports = nasty_folder / "latentcut-export"
    new = set(nasty_folder.parent.rglob("*")) - before
    files = {path for path in new if path.is_file() and ".latentcut" not in path.parts}
    expected = {exports / name / path for name in FORMATS for path in told[name]["files"]}
    lists = {exports / name / "latentcut-export.json" for name in FORMATS}
    assert files == expected | lists
    assert {answer["num_objects"] for answer in told.values()} == {len(rows)}
    for content in packed.values():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
        assert not any(path.startswith(("/", "\\")) for path in names)
        assert not any(".." in path.replace("\\", "/").split("/") for path in names)
        assert not any(control in path for path in names for control in "\r\n\t\0\x1b")


def test_labels_survive_the_way_out_and_in_again(pictures, start):
    with start(pictures).client() as client:
        put_labels(client, NASTY[:40])
        for number in range(40):
            dot(client, 1, number, number + 5, 20, label=number + 1)
        client.post("/api/v1/exports", json={"format": "coco"})
        data = (pictures / "latentcut-export" / "coco" / "annotations.json").read_bytes()
    categories = [category["name"] for category in json.loads(data)["categories"]]
    with start(pictures, project=pictures.parent / "other.db").client() as client:
        told = client.post("/api/v1/imports?format=coco&name=annotations.json", content=data)
        labels = [
            label["name"] for label in client.get("/api/v1/project").json()["labels"]["labels"]
        ]

    assert told.status_code == 200
    assert sorted(categories) == sorted(labels) == sorted(NASTY[:40])


@pytest.mark.parametrize("name", [*NASTY[:45], "/proc/self/environ", "x" * 5000])
def test_the_name_of_an_imported_file_is_no_path(name, server):
    with server.client() as client:
        answer = client.post(
            "/api/v1/imports", params={"format": "coco", "name": name}, content=b'{"images": []}'
        )

    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("name", NASTY)
def test_a_download_is_named_after_its_folder_without_touching_other_headers(name):
    header = attachment(f"{name}.zip")

    plain, _, encoded = header.partition("; filename*=UTF-8''")
    assert header.isascii()
    assert not set(header) & set("\r\n\0\x1b\t")
    assert plain.startswith('attachment; filename="')
    assert plain.count('"') == 2
    assert unquote(encoded) == f"{name}.zip"


def test_a_folder_with_a_nasty_name_can_be_exported_and_downloaded(tmp_path, start):
    folder = tmp_path / 'a\r\nSet-Cookie: x=1; <b>\u00e9\u65e5"'
    folder.mkdir()
    Image.new("RGB", (64, 48)).save(folder / "1.png")
    with start(folder).client() as client:
        dot(client, 1, 0, 10, 10)
        client.post("/api/v1/exports", json={"format": "coco"})
        packed = client.get("/api/v1/exports/coco.zip")
        name = client.get("/api/v1/project").json()["name"]

    assert packed.status_code == 200
    assert "set-cookie" not in packed.headers
    assert name == folder.name


def test_hostile_numbers_in_an_import_are_refused_quickly(server):
    huge = {"size": [10**9, 10**9], "counts": [10**18]}
    image = {"id": 1, "file_name": "1.png", "width": 10**9, "height": 10**9}
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": huge}
    content = {
        "images": [image],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "a"}],
    }
    with server.client() as client:
        answer = client.post(
            "/api/v1/imports?format=coco&name=a.json", content=json.dumps(content).encode()
        )

    assert answer.status_code in (200, 422)
    assert client.is_closed
