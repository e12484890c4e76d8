"""Asking: prompts of all kinds, masks in all formats, and what is refused."""

from __future__ import annotations

import io
import threading
import time

import cv2
import httpx
import numpy as np
import pytest
from api_servers import (
    OFF_CAT,
    ON_CAT,
    PHOTO,
    PHOTO_WH,
    api_in_thread,
    ask,
    eventually,
    in_base64,
    masks_of,
    problem_of,
    send,
)
from PIL import Image
from web_servers import counting

from latentcut.core.clicks import Click
from latentcut.core.masks import coco_rle, has_holes
from latentcut.core.replay import replayed
from latentcut.web.api.answers import drawn
from latentcut.web.settings import ServerLimits

CLICK = Click(ON_CAT["x"], ON_CAT["y"])
WIDTH, HEIGHT = PHOTO_WH


@pytest.fixture(scope="module")
def cat(predictor):
    """The photo, encoded by the predictor itself."""
    return predictor.encode(PHOTO)


def test_an_answer_is_the_predictors_own(client, image_id, predictor, cat):
    answer = ask(client, image_id)

    own = predictor.predict(cat, [CLICK])
    told = answer.json()
    np.testing.assert_array_equal(masks_of(answer), own.candidates)
    assert told["selected"] == own.selected
    assert told["clicks_satisfied"] is True
    assert [c["score"] for c in told["candidates"]] == [round(float(s), 6) for s in own.scores]
    assert [c["area"] for c in told["candidates"]] == [int(m.sum()) for m in own.candidates]
    assert [c["index"] for c in told["candidates"]] == list(range(own.num_masks))
    assert told["image_id"] == image_id


def test_the_selected_candidate_alone_is_the_same_one(client, image_id, predictor, cat):
    answer = ask(client, image_id, clicks=[ON_CAT], candidates=False)

    own = predictor.predict(cat, [CLICK])
    assert [c["index"] for c in answer.json()["candidates"]] == [own.selected]
    np.testing.assert_array_equal(masks_of(answer)[0], own.mask)


def test_a_box_is_answered_as_by_the_predictor(client, image_id, predictor, cat):
    box = (100.0, 5.0, 400.0, 290.0)

    answer = ask(client, image_id, box=box)

    np.testing.assert_array_equal(masks_of(answer), predictor.predict(cat, [], box=box).candidates)


def test_a_refinement_starts_from_a_candidate_by_its_id_or_by_its_code(
    client, image_id, predictor, cat
):
    first = ask(client, image_id).json()
    chosen = first["candidates"][2]
    clicks = [ON_CAT, OFF_CAT]

    by_id = ask(client, image_id, clicks=clicks, previous=chosen["id"])
    by_code = ask(client, image_id, clicks=clicks, previous=chosen["rle"])

    before = predictor.predict(cat, [CLICK]).candidate(2)
    own = predictor.predict(cat, [CLICK, Click(OFF_CAT["x"], OFF_CAT["y"], False)], before)
    np.testing.assert_array_equal(masks_of(by_id), own.candidates)
    np.testing.assert_array_equal(masks_of(by_code), own.candidates)


def test_a_scribble_is_answered_like_the_clicks_it_is_sampled_into(
    client, image_id, predictor, cat
):
    from latentcut.core.scribbles import scribble_clicks

    stroke = [[150, 100], [225, 120], [300, 160]]

    answer = ask(client, image_id, scribbles=[{"points": stroke, "positive": True}])

    clicks = scribble_clicks(np.array(stroke, dtype=float), True, (HEIGHT, WIDTH))
    expected = replayed(predictor, cat, clicks)
    np.testing.assert_array_equal(masks_of(answer), expected.candidates)


def test_several_clicks_at_once_are_answered_as_a_session_where_that_is_better(
    client, image_id, predictor, cat
):
    clicks = [{"x": 225, "y": 120}, {"x": 20, "y": 20, "positive": False}, {"x": 150, "y": 200}]
    points = [Click(**click) for click in clicks]
    session = [predictor.predict(cat, points[:1])]
    for number in (2, 3):
        session.append(predictor.predict(cat, points[:number], session[-1].mask))
    both = session[-1], predictor.predict(cat, points)

    answer = ask(client, image_id, clicks=clicks)

    better = max(both, key=lambda prediction: prediction.expected_iou.max())
    np.testing.assert_array_equal(masks_of(answer), better.candidates)


def test_more_than_twenty_clicks_are_answered_in_one_run(client, image_id, predictor, cat):
    clicks = [{"x": 200.0 + 2 * number, "y": 120.0} for number in range(21)]

    answer = ask(client, image_id, clicks=clicks)

    at_once = predictor.predict(cat, [Click(**click) for click in clicks])
    np.testing.assert_array_equal(masks_of(answer), at_once.candidates)


def test_the_same_question_is_answered_with_the_same_ids(client, image_id):
    first, second = (ask(client, image_id).json() for _ in range(2))

    assert [c["id"] for c in first["candidates"]] == [c["id"] for c in second["candidates"]]


def test_an_image_may_come_with_the_question_and_is_kept(client, image_id):
    body = {"image": in_base64(PHOTO), "clicks": [ON_CAT]}
    uri = {**body, "image": "data:image/jpeg;base64," + body["image"]}

    at_once = client.post("/api/v1/predict", json=body)
    by_uri = client.post("/api/v1/predict", json=uri)

    in_two_steps = ask(client, image_id)
    for answer in (at_once, by_uri):
        assert answer.json()["image_id"] == image_id
        np.testing.assert_array_equal(masks_of(answer), masks_of(in_two_steps))


def test_a_candidate_can_be_fetched_as_png_and_kept_for_ever(client, image_id, predictor, cat):
    told = ask(client, image_id, clicks=[ON_CAT], format="png_url").json()
    candidate = told["candidates"][told["selected"]]

    answer = client.get(candidate["png_url"])

    own = predictor.predict(cat, [CLICK]).mask
    assert "rle" not in candidate
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(answer.content))), own * 255)


def test_polygons_follow_pixel_edges_and_a_mask_with_holes_comes_with_its_code():
    ring = np.zeros((12, 14), dtype=bool)
    ring[2:10, 3:11] = True
    ring[4:6, 5:8] = False
    block = np.zeros((12, 14), dtype=bool)
    block[1:3, 2:4] = True

    plain = drawn(block, coco_rle(block), "polygon", "/url")
    holed = drawn(ring, coco_rle(ring), "polygon", "/url")

    assert plain.model_dump(exclude_none=True) == {
        "area": 4,
        "box": (2, 1, 4, 3),
        "polygons": [[2.0, 1.0, 4.0, 1.0, 4.0, 3.0, 2.0, 3.0]],
        "has_holes": False,
    }
    assert holed.has_holes is True
    assert holed.rle.counts == coco_rle(ring)["counts"]


def test_polygons_of_the_server_enclose_the_masks_it_would_send_as_codes(client, image_id):
    masks = masks_of(ask(client, image_id))
    candidates = ask(client, image_id, clicks=[ON_CAT], format="polygon").json()["candidates"]

    for mask, candidate in zip(masks, candidates, strict=True):
        # centres of pixels inside of rings along pixel edges, drawn at twice the size
        canvas = np.zeros((2 * HEIGHT + 1, 2 * WIDTH + 1), np.uint8)
        rings = [np.array(flat).reshape(-1, 2) * 2 for flat in candidate["polygons"]]
        for ring in rings:  # one by one: together, a piece inside of a hole would be left out
            cv2.fillPoly(canvas, [ring.astype(np.int32)], 1)
        is_inside = canvas[1::2, 1::2].astype(bool)
        assert candidate["has_holes"] == has_holes(mask)
        assert (mask & ~is_inside).sum() == 0
        if not candidate["has_holes"]:
            np.testing.assert_array_equal(is_inside, mask)


def test_an_empty_mask_has_no_box():
    empty = np.zeros((4, 5), dtype=bool)

    answer = drawn(empty, coco_rle(empty), "rle", "/url")

    assert answer.model_dump(exclude_none=True) == {
        "area": 0,
        "rle": {"size": (4, 5), "counts": coco_rle(empty)["counts"]},
    }


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (
            {"clicks": []},
            (
                422,
                "no_clicks",
                "there is no click, box or previous mask: give at least one of them",
            ),
        ),
        (
            {"clicks": [{"x": 451, "y": 0}]},
            (
                422,
                "click_outside_image",
                "click (x=451, y=0) is outside the image, which is 451 px wide and 300 px high: "
                "x must be 0 to 450 and y 0 to 299",
            ),
        ),
        (
            {"clicks": [{"x": 1, "y": 1, "negative": True}]},
            (422, "does_not_fit", "clicks.0.negative: extra inputs are not permitted"),
        ),
        (
            {"clicks": [{"x": True, "y": 1}]},
            (422, "does_not_fit", "clicks.0.x: input should be a valid number"),
        ),
        (
            {"clicks": [{"x": 1, "y": 1, "positive": "yes"}]},
            (422, "does_not_fit", "clicks.0.positive: input should be a valid boolean"),
        ),
        (
            {"box": [5, 5, 5, 5]},
            (
                422,
                "bad_box",
                "box (x0=5, y0=5, x1=5, y1=5) holds nothing of the image, which is 451 px wide and "
                "300 px high: x0 must be less than x1 and y0 less than y1, and some of x 0 to 450 "
                "and y 0 to 299 must lie between them",
            ),
        ),
        (
            {"click": [ON_CAT]},
            (422, "does_not_fit", "click: extra inputs are not permitted"),
        ),
        (
            {"previous": {"size": [2, 2], "counts": [4]}},
            (
                422,
                "mask_size_mismatch",
                "the mask has shape (2, 2), but the image is 300 px high and 451 px wide: "
                "the mask must have shape (300, 451)",
            ),
        ),
        (
            {"previous": {"size": [2, 2], "counts": [5]}},
            (
                422,
                "bad_mask",
                "a count is negative or larger than the mask: counts must be whole numbers of at "
                "least 0 that add up to height x width",
            ),
        ),
        (
            {"previous": "0" * 32 + "-1"},
            (
                404,
                "not_kept",
                f"there is no candidate {'0' * 32}-1 here, or no longer: send the mask itself as "
                "previous",
            ),
        ),
    ],
    ids=[
        "nothing",
        "outside",
        "click key",
        "true for a number",
        "text for a flag",
        "empty box",
        "key",
        "size",
        "counts",
        "candidate",
    ],
)
def test_a_question_that_does_not_fit_is_answered_with_the_reason(
    prompts, expected, client, image_id
):
    assert problem_of(ask(client, image_id, **prompts)) == expected


def test_a_candidate_that_the_prediction_did_not_have_is_not_kept(client, image_id):
    name = ask(client, image_id).json()["candidates"][0]["id"].replace("-0", "-7")

    answer = client.get(f"/api/v1/images/{image_id}/candidates/{name}.png")

    assert problem_of(answer)[:2] == (404, "not_kept")


@pytest.mark.parametrize("text", ["no base64!", "abc", "data:image/png;base64,?", "éé"])
def test_an_image_that_is_no_base64_is_refused(text, client):
    answer = client.post("/api/v1/predict", json={"image": text, "clicks": [ON_CAT]})

    assert problem_of(answer) == (422, "does_not_fit", "image: it is not base64")


def test_an_id_that_leads_out_of_the_spool_is_nothing(client):
    answers = [
        client.post(f"/api/v1/images/{name}/predict", json={"clicks": [ON_CAT]})
        for name in ("..%2F..%2Fetc%2Fpasswd", "A" * 64, "0" * 63)
    ]

    assert [a.status_code for a in answers] == [404] * 3


def test_a_full_queue_is_told_at_once_and_with_when_to_try_again(predictor, tmp_path):
    slow = counting(predictor, delay_s=0.5)
    limits = ServerLimits(waiting=1)
    with (
        api_in_thread(slow, tmp_path, limits=limits) as running,
        running.client() as client,
        running.client() as other,
    ):
        image_id = send(client)
        answers: list[httpx.Response] = []

        def press() -> None:
            answers.append(ask(client, image_id))

        presses = [threading.Thread(target=press) for _ in range(2)]
        presses[0].start()
        assert eventually(lambda: slow.backend.num_runs == 1)
        presses[1].start()
        queue = running.app.state.desk.service.queue
        assert eventually(lambda: queue.num_waiting == 1)
        refused = ask(other, image_id)
        for thread in presses:
            thread.join()

    assert problem_of(refused) == (
        503,
        "busy",
        "1 requests are waiting already: try again in a second",
    )
    assert refused.headers["retry-after"] == "1"
    assert [answer.status_code for answer in answers] == [200, 200]


def test_health_and_readiness_are_told_while_twenty_predictions_are_asked_for(api, image_id):
    def press() -> None:
        with api.client() as client:
            for _ in range(3):
                statuses.append(ask(client, image_id).status_code)

    statuses: list[int] = []
    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    healthy = []
    with api.client() as client:
        while any(thread.is_alive() for thread in threads):
            healthy.append(client.get("/health").status_code)
            healthy.append(client.get("/ready").status_code)
            time.sleep(0.01)
    for thread in threads:
        thread.join()

    assert set(healthy) == {200}
    assert len(statuses) == 60
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 20


def test_a_server_is_up_before_its_model_is_loaded_and_ready_after(predictor, tmp_path):
    may_load = threading.Event()

    class Patient:
        """Becomes the model when it may."""

        def __call__(self):
            may_load.wait(60)
            return predictor

    from latentcut.web.api.app import create_api
    from latentcut.web.api.settings import ApiSettings

    app = create_api(ApiSettings(spool=tmp_path, token=None), Patient())
    desk = app.state.desk
    desk.service.start()
    before = desk.service.is_ready
    may_load.set()

    assert before is False
    assert eventually(lambda: desk.service.is_ready)
    desk.stop()
