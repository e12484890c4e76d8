"""Every route with the real model on photos: what it takes and what it answers."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image
from web_servers import act, click, dot, error_of

import latentcut
from latentcut.core.images import read_image
from latentcut.core.masks import mask_from_coco_rle

COFFEE, COFFEE_XY = 3, (285, 155)  # third photo by name, and a point on the cup


@pytest.fixture
def client(start, photos):
    with start(photos).client() as client:
        yield client


def test_the_api_has_just_these_routes(server):
    with server.client() as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]

    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes == {
        "GET /api/v1/project",
        "PUT /api/v1/project/labels",
        "GET /api/v1/project/preferences",
        "PUT /api/v1/project/preferences",
        "DELETE /api/v1/project/preferences",
        "PUT /api/v1/project/settings",
        "GET /api/v1/status",
        "GET /api/v1/images/{image_id}",
        "GET /api/v1/images/{image_id}/view.png",
        "GET /api/v1/images/{image_id}/tiles/{column}/{row}.png",
        "GET /api/v1/images/{image_id}/thumbnail.jpg",
        "POST /api/v1/images/{image_id}/actions",
        "POST /api/v1/images/{image_id}/undo",
        "POST /api/v1/images/{image_id}/redo",
        "POST /api/v1/images/{image_id}/preview",
        "GET /api/v1/images/{image_id}/objects/{object_id}/candidates",
        "POST /api/v1/images/{image_id}/searches",
        "POST /api/v1/images/{image_id}/searches/{name}/advance",
        "GET /api/v1/images/{image_id}/searches/{name}",
        "DELETE /api/v1/images/{image_id}/searches/{name}",
        "GET /api/v1/masks/{mask_id}",
        "POST /api/v1/exports",
        "GET /api/v1/exports/{name}.zip",
        "POST /api/v1/imports",
    }


def test_documentation_pages_that_load_scripts_from_elsewhere_are_off(server):
    with server.client() as client:
        answers = [client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")]

    assert answers == [404, 404, 404]


def test_a_project_begins_with_its_images_and_nothing_else(client):
    project = client.get("/api/v1/project").json()

    first = project["images"][0]
    assert first == {
        "id": 1, "name": "astronaut.jpg", "path": "astronaut.jpg", "width": None, "height": None,
        "status": "untouched", "missing": False, "num_objects": 0, "revision": 0, "problem": None,
    }  # fmt: skip
    assert [image["name"] for image in project["images"]] == [
        "astronaut.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"
    ]  # fmt: skip
    del project["images"]
    assert project == {
        "name": "photos",
        "version": latentcut.__version__,
        "num_masks": 6,
        "labels": {"revision": 0, "labels": []},
        "settings": {},
        "preferences": {"enabled": True, "num_learned": 0},
    }


def test_images_that_come_and_go_are_noticed_when_the_page_is_loaded(client, photos):
    client.get("/api/v1/project")
    (photos / "rocket.jpg").rename(photos / "astronaut 2.jpg")

    images = client.get("/api/v1/project").json()["images"]

    assert [(image["name"], image["missing"]) for image in images] == [
        ("astronaut 2.jpg", False),
        ("astronaut.jpg", False),
        ("chelsea.jpg", False),
        ("coffee.jpg", False),
        ("rocket.jpg", True),
    ]


def test_labels_get_ids_and_are_changed_against_a_revision(client):
    drafts = [
        {"id": None, "name": "cup", "colour": 0, "key": "1"},
        {"id": None, "name": "spoon", "colour": 1, "key": None},
    ]

    made = client.put(
        "/api/v1/project/labels", json={"labels": drafts}, headers={"If-Match": '"0"'}
    )
    late = client.put("/api/v1/project/labels", json={"labels": []}, headers={"If-Match": '"0"'})
    blind = client.put("/api/v1/project/labels", json={"labels": []})

    labels = [{**draft, "id": number} for number, draft in enumerate(drafts, start=1)]
    assert made.json() == {"revision": 1, "labels": labels}
    assert made.headers["etag"] == '"1"'
    assert (error_of(late), error_of(blind)) == ((412, "revision_conflict"), (428, "no_revision"))
    assert client.get("/api/v1/project").json()["labels"] == made.json()


def test_a_label_that_objects_have_cannot_be_removed(client):
    label = {"id": None, "name": "cup", "colour": 0, "key": None}
    client.put("/api/v1/project/labels", json={"labels": [label]}, headers={"If-Match": '"0"'})
    dot(client, COFFEE, 0, 100, 100, label=1)

    answer = client.put("/api/v1/project/labels", json={"labels": []}, headers={"If-Match": '"1"'})

    assert error_of(answer) == (409, "label_in_use")


def test_settings_are_remembered(client):
    settings = {"opacity": 0.4, "keys": {"undo": "z"}}

    answer = client.put("/api/v1/project/settings", json=settings)

    assert answer.json() == settings
    assert client.get("/api/v1/project").json()["settings"] == settings


def test_settings_have_a_limit(client):
    answer = client.put("/api/v1/project/settings", json={"a": "x" * 70_000})

    assert error_of(answer) == (422, "bad_action")


def test_an_opened_image_has_its_size_and_is_made_ready_with_the_next_two(client):
    document = client.get(f"/api/v1/images/{1}")

    assert document.headers["etag"] == '"0"'
    assert document.json() == {
        "id": 1, "name": "astronaut.jpg", "width": 512, "height": 512, "status": "untouched",
        "done": False, "revision": 0, "can_undo": None, "can_redo": None, "objects": [],
        "masks": {},
    }  # fmt: skip
    deadline = time.monotonic() + 30
    while (status := client.get("/api/v1/status").json())["encoded"] != [1, 2, 3]:
        assert time.monotonic() < deadline
    del status["waiting"]
    assert status == {"store": "ok", "reason": None, "folder": "ok", "encoded": [1, 2, 3]}


def test_the_view_shows_the_pixels_that_the_model_sees(client, photos):
    answer = client.get(f"/api/v1/images/{COFFEE}/view.png")

    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert answer.headers["content-type"] == "image/png"
    assert np.array_equal(shown, read_image(photos / "coffee.jpg"))


def test_tiles_put_together_are_the_image(start, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    rng = np.random.default_rng(0)
    large = cv2.resize(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8), (2100, 700))
    Image.fromarray(large).save(folder / "large.png")
    with start(folder).client() as client:
        url = "/api/v1/images/1/tiles/{}/{}.png"
        rows = [
            np.hstack([
                np.asarray(Image.open(io.BytesIO(client.get(url.format(column, row)).content)))
                for column in range(5)
            ])
            for row in range(2)
        ]  # fmt: skip
        beyond = [
            client.get(url.format(5, 0)).status_code,
            client.get(url.format(0, 2)).status_code,
        ]
        view = Image.open(io.BytesIO(client.get("/api/v1/images/1/view.png").content))

    assert np.array_equal(np.vstack(rows), large)
    assert beyond == [404, 404]
    assert view.size == (2048, 683)  # 700 * 2048 / 2100 = 682.7


def test_pictures_are_turned_upright_as_the_model_sees_them(start, tmp_path):
    folder = tmp_path / "turned"
    folder.mkdir()
    image = Image.new("RGB", (40, 20), "white")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row is the right side
    image.save(folder / "a.png", exif=exif)
    with start(folder).client() as client:
        document = client.get("/api/v1/images/1").json()
        view = Image.open(io.BytesIO(client.get("/api/v1/images/1/view.png").content))

    assert (document["width"], document["height"]) == (20, 40)
    assert view.size == (20, 40)
    assert view.getpixel((19, 0)) == (255, 0, 0)


def test_thumbnails_are_small_and_keep_the_shape(client):
    answer = client.get(f"/api/v1/images/{COFFEE}/thumbnail.jpg")

    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (160, 107)  # of 600 x 400


@pytest.mark.parametrize("name", ["view.png", "thumbnail.jpg", "tiles/0/0.png"])
def test_a_picture_is_sent_again_only_when_it_has_changed(name, client, photos):
    url = f"/api/v1/images/1/{name}"
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    (photos / "chelsea.jpg").replace(photos / "astronaut.jpg")
    other = client.get(url, headers={"If-None-Match": first.headers["etag"]})

    assert [first.status_code, again.status_code, other.status_code] == [200, 304, 200]
    assert (again.content, again.headers["etag"]) == (b"", first.headers["etag"])
    assert other.content != first.content


def test_the_first_click_makes_an_object_whose_mask_holds_it(client):
    answer = click(client, COFFEE, 0, *COFFEE_XY)

    told = answer.json()
    document = told["document"]
    only = document["objects"][0]
    mask = mask_from_coco_rle(document["masks"][only["mask"]])
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert (told["object"], document["revision"], document["can_undo"]) == (only["id"], 1, "click")
    assert (document["status"], document["done"]) == ("in_work", False)
    assert mask.shape == (400, 600)
    assert mask[COFFEE_XY[1], COFFEE_XY[0]]
    assert only["area"] == mask.sum()
    part = only["parts"][0]
    assert part["clicks"] == [{"x": 285.0, "y": 155.0, "positive": True}]
    assert (part["op"], part["by_user"], part["box"]) == ("new", False, None)
    assert only["has_candidates"] is True
    assert told["took_ms"] > 0


def test_the_answer_is_what_the_library_answers(client, predictor, photos):
    session = predictor.open(photos / "coffee.jpg")
    session.click(*COFFEE_XY)
    session.click(130, 250, positive=False)

    object_id = click(client, COFFEE, 0, *COFFEE_XY).json()["object"]
    negative = [{"x": 130, "y": 250, "positive": False}]
    document = click(client, COFFEE, 1, 0, 0, object=object_id, clicks=negative).json()["document"]

    (code,) = document["masks"].values()
    assert np.array_equal(mask_from_coco_rle(code), session.mask)


def test_candidates_after_a_click_are_the_models_and_choosing_takes_one(client, predictor, photos):
    session = predictor.open(photos / "coffee.jpg")
    prediction = session.click(*COFFEE_XY)
    object_id = click(client, COFFEE, 0, *COFFEE_XY).json()["object"]
    url = f"/api/v1/images/{COFFEE}/objects/{object_id}/candidates"

    told = client.get(url).json()
    other = (told["selected"] + 1) % 6
    chosen = act(client, COFFEE, 1, kind="choose", object=object_id, index=other).json()
    after = client.get(url).json()

    masks = [mask_from_coco_rle(candidate["mask"]) for candidate in told["candidates"]]
    assert np.array_equal(np.stack(masks), prediction.candidates)
    assert [c["index"] for c in told["candidates"]] == [0, 1, 2, 3, 4, 5]
    assert [c["area"] for c in told["candidates"]] == [mask.sum() for mask in masks]
    assert [c["score"] for c in told["candidates"]] == pytest.approx(prediction.scores.tolist())
    assert (told["selected"], told["by_user"]) == (prediction.selected, False)
    assert (after["selected"], after["by_user"]) == (other, True)
    code = chosen["document"]["masks"][chosen["document"]["objects"][0]["mask"]]
    assert np.array_equal(mask_from_coco_rle(code), masks[other])
    assert sorted(told) == ["by_user", "candidates", "looks_good", "next_click", "selected"]


def test_candidates_of_large_images_are_sent_reduced(start, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    large = np.full((2500, 2500, 3), 230, np.uint8)
    large[800:1600, 900:1700] = (200, 30, 30)
    Image.fromarray(large).save(folder / "large.png")
    with start(folder).client() as client:
        click(client, 1, 0, 1300, 1200)
        told = client.get("/api/v1/images/1/objects/1/candidates").json()

    assert {tuple(c["mask"]["size"]) for c in told["candidates"]} == {(2000, 2000)}  # 4 MP


def test_an_object_that_was_painted_has_no_candidates(client):
    object_id = dot(client, COFFEE, 0, 100, 100).json()["object"]

    answer = client.get(f"/api/v1/images/{COFFEE}/objects/{object_id}/candidates")

    assert error_of(answer) == (404, "no_candidates")


def test_a_box_gives_an_object_inside_it(client):
    box = [130, 60, 440, 300]

    told = act(client, COFFEE, 0, kind="box", object=None, box=box, mode="refine", tab="t").json()

    only = told["document"]["objects"][0]
    assert only["parts"][0]["box"] == box
    assert only["area"] > 1000


def test_the_preview_shows_what_a_click_would_give_and_changes_nothing(client):
    told = client.post(
        f"/api/v1/images/{COFFEE}/preview", json={"x": 285, "y": 155, "tab": "t"}
    ).json()

    mask = mask_from_coco_rle(told["mask"])
    assert mask.sum() > 100
    assert 0 <= told["expected_iou"] <= 1
    assert client.get(f"/api/v1/images/{COFFEE}").json()["revision"] == 0


def test_a_preview_outside_the_image_is_refused(client):
    answer = client.post(f"/api/v1/images/{COFFEE}/preview", json={"x": 600, "y": 155, "tab": "t"})

    assert error_of(answer) == (422, "click_outside_image")


def test_undo_and_redo_walk_through_the_history_and_send_only_what_changed(client):
    first = dot(client, COFFEE, 0, 100, 100).json()["object"]
    second = dot(client, COFFEE, 1, 200, 200).json()["object"]
    url = f"/api/v1/images/{COFFEE}"

    undone = client.post(f"{url}/undo", headers={"If-Match": '"2"'}).json()
    redone = client.post(f"{url}/redo", headers={"If-Match": '"3"'}).json()
    all_masks = client.get(url).json()["masks"]

    assert [o["id"] for o in undone["document"]["objects"]] == [first]
    assert (undone["document"]["can_undo"], undone["document"]["can_redo"]) == ("stroke", "stroke")
    assert undone["document"]["masks"] == {}  # the object that is left has not changed
    assert [o["id"] for o in redone["document"]["objects"]] == [first, second]
    assert redone["object"] == second
    assert list(redone["document"]["masks"]) == [redone["document"]["objects"][1]["mask"]]
    assert len(all_masks) == 2
    assert redone["document"]["revision"] == 4


def test_the_history_has_two_ends(client):
    url = f"/api/v1/images/{COFFEE}"

    answers = [
        client.post(f"{url}/{step}", headers={"If-Match": '"0"'}) for step in ("undo", "redo")
    ]

    assert [error_of(answer) for answer in answers] == [(409, "nothing_to_undo")] * 2


def test_the_other_actions(client):
    label = {"id": None, "name": "cup", "colour": 0, "key": None}
    client.put("/api/v1/project/labels", json={"labels": [label]}, headers={"If-Match": '"0"'})
    first = dot(client, COFFEE, 0, 100, 100).json()["object"]
    dot(client, COFFEE, 1, 200, 200, object=first)
    split = act(client, COFFEE, 2, kind="split", object=first).json()["document"]
    second = split["objects"][1]["id"]
    act(client, COFFEE, 3, kind="label", object=first, label=1)
    act(client, COFFEE, 4, kind="rename", object=first, name="the cup")
    act(client, COFFEE, 5, kind="reorder", objects=[second, first])
    act(client, COFFEE, 6, kind="done", done=True)

    document = act(client, COFFEE, 7, kind="delete", object=second).json()["document"]

    only = document["objects"][0]
    assert (only["id"], only["label"], only["name"]) == (first, 1, "the cup")
    assert (document["status"], document["revision"]) == ("done", 8)


def test_a_mask_can_be_had_by_its_name_and_kept(client):
    document = dot(client, COFFEE, 0, 100, 100).json()["document"]
    ((name, code),) = document["masks"].items()

    answer = client.get(f"/api/v1/masks/{name}")

    assert answer.json() == code
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


FORMATS = ("coco", "yolo", "voc", "labelme", "png", "cutouts")


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_lies_in_the_folder_and_can_be_downloaded(name, client, photos):
    dot(client, COFFEE, 0, 100, 100)

    told = client.post("/api/v1/exports", json={"format": name}).json()
    packed = client.get(f"/api/v1/exports/{name}.zip")

    folder = photos / "latentcut-export" / name
    assert (told["folder"], told["num_images"], told["num_objects"]) == (
        f"latentcut-export/{name}", 1, 1
    )  # fmt: skip
    assert all((folder / path).is_file() for path in told["files"])
    assert packed.headers["content-type"] == "application/zip"
    assert packed.headers["content-disposition"] == (
        f"attachment; filename=\"photos-{name}.zip\"; filename*=UTF-8''photos-{name}.zip"
    )
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.testzip() is None
        assert set(told["files"]) <= set(archive.namelist())
        assert all(archive.read(path) == (folder / path).read_bytes() for path in told["files"])


def test_only_images_that_are_done_are_exported_on_request(client):
    dot(client, COFFEE, 0, 100, 100)

    before = client.post("/api/v1/exports", json={"format": "coco", "only_done": True}).json()
    act(client, COFFEE, 1, kind="done", done=True)
    after = client.post("/api/v1/exports", json={"format": "coco", "only_done": True}).json()

    assert (before["num_images"], after["num_images"]) == (0, 1)


def test_an_unknown_format_is_refused(client):
    answer = client.post("/api/v1/exports", json={"format": "docx"})

    assert error_of(answer) == (422, "does_not_fit")


def test_a_link_in_an_export_is_not_followed_out_of_it(client, photos, tmp_path):
    dot(client, COFFEE, 0, 100, 100)
    told = client.post("/api/v1/exports", json={"format": "png"}).json()
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"the secret outside")
    victim = photos / "latentcut-export" / "png" / told["files"][0]
    victim.unlink()
    victim.symlink_to(secret)

    answer = client.get("/api/v1/exports/png.zip")

    assert error_of(answer) == (409, "export_changed")


@pytest.mark.parametrize("name", ["coco", "labelme", "png"])
def test_an_import_adds_objects_in_one_step_that_can_be_undone(name, client, photos):
    code = dot(client, COFFEE, 0, 100, 100).json()["document"]["masks"]
    mask = mask_from_coco_rle(next(iter(code.values())))
    if name == "png":
        encoded = io.BytesIO()
        Image.fromarray(mask).save(encoded, "PNG")
        data = encoded.getvalue()
    else:
        files = client.post("/api/v1/exports", json={"format": name}).json()["files"]
        data = (
            photos / "latentcut-export" / name / next(f for f in files if f != "x")
        ).read_bytes()
    client.post(f"/api/v1/images/{COFFEE}/undo", headers={"If-Match": '"1"'})

    query = f"/api/v1/imports?format={name}&name=mask.{name}&image={COFFEE}"
    told = client.post(query, content=data).json()

    document = client.get(f"/api/v1/images/{COFFEE}").json()
    assert told["images"] == [{"id": COFFEE, "revision": 3}]
    assert (document["can_undo"], len(document["objects"])) == ("import", 1)
    (found,) = document["masks"].values()
    assert np.array_equal(mask_from_coco_rle(found), mask)
    assert document["objects"][0]["num_strokes"] == 0


def test_a_broken_import_changes_nothing(client):
    answer = client.post("/api/v1/imports?format=coco&name=a.json", content=b"{")

    assert error_of(answer) == (422, "bad_annotation_file")


def test_annotating_never_changes_the_images(client, photos):
    def hashes() -> dict[str, str]:
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in photos.glob("*.jpg")}

    before = hashes()
    for image in (1, 2, 3, 4):
        for what in ("", "/view.png", "/thumbnail.jpg", "/tiles/0/0.png"):
            client.get(f"/api/v1/images/{image}{what}")
        click(client, image, 0, 100, 100)
        dot(client, image, 1, 50, 50)
    for name in FORMATS:
        client.post("/api/v1/exports", json={"format": name})

    assert hashes() == before
    assert sorted(path.name for path in photos.iterdir()) == [
        ".latentcut", "astronaut.jpg", "chelsea.jpg", "coffee.jpg", "latentcut-export", "rocket.jpg"
    ]  # fmt: skip


def test_the_static_files_of_the_page_are_served_with_fixed_types(client):
    kinds = {
        path: client.get(f"/static/{path}").headers["content-type"]
        for path in ("main.js", "base.css", "favicon.svg")
    }
    first = client.get("/static/main.js")
    again = client.get("/static/main.js", headers={"If-None-Match": first.headers["etag"]})

    assert kinds == {
        "main.js": "text/javascript; charset=utf-8",
        "base.css": "text/css; charset=utf-8",
        "favicon.svg": "image/svg+xml",
    }
    assert again.status_code == 304
    assert client.get("/").text.startswith("<!doctype html>")
