"""Finding all things over HTTP: the same as in the library, and without keeping others waiting."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from api_servers import PHOTO, PHOTO_WH, api_in_thread, ask, eventually, problem_of, send
from PIL import Image
from web_servers import counting

from latentcut.core.everything import EverythingOptions, find_all
from latentcut.web.settings import ServerLimits

WIDTH, HEIGHT = PHOTO_WH


def everything(client, image_id: str, **options):
    return client.post(f"/api/v1/images/{image_id}/everything", json=options)


def test_what_is_found_is_what_the_library_finds(client, image_id, predictor):
    answer = everything(client, image_id, points_per_side=4, min_score=0.3, min_stability=0.5)

    options = EverythingOptions(points_per_side=4, min_score=0.3, min_stability=0.5)
    own = find_all(predictor, predictor.encode(PHOTO), options)
    objects = answer.json()["objects"]
    assert len(own) > 0
    assert [found["rle"]["counts"] for found in objects] == [t.rle["counts"] for t in own]
    assert [found["click"] for found in objects] == [[t.click.x, t.click.y] for t in own]
    assert [found["area"] for found in objects] == [t.area for t in own]
    assert [tuple(found["box"]) for found in objects] == [t.box_xyxy for t in own]


def test_a_thing_that_was_found_can_be_fetched_and_refined(client, image_id):
    found = everything(
        client, image_id, points_per_side=3, min_score=0, min_stability=0, format="png_url"
    ).json()["objects"]

    picture = np.array(Image.open(io.BytesIO(client.get(found[-1]["png_url"]).content)))
    refined = ask(client, image_id, previous=found[-1]["id"])

    assert picture.shape == (HEIGHT, WIDTH)
    assert (picture > 0).sum() == found[-1]["area"]
    assert refined.status_code == 200


def test_nothing_found_is_an_empty_list(client, image_id):
    answer = everything(client, image_id, points_per_side=1, min_score=1)

    assert answer.json()["objects"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"points_per_side": 65},
            "points_per_side: input should be less than or equal to 64",
        ),
        ({"min_score": 1.5}, "min_score: input should be less than or equal to 1"),
        ({"points": 3}, "points: extra inputs are not permitted"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(options, message, client, image_id):
    answer = everything(client, image_id, **options)

    assert problem_of(answer) == (422, "does_not_fit", message)


def test_an_image_that_is_not_kept_is_not_searched(client):
    answer = everything(client, "0" * 64)

    assert problem_of(answer)[:2] == (404, "not_kept")


def test_clicks_of_others_go_first_and_even_a_full_queue_does_not_end_a_search(predictor, tmp_path):
    slow = counting(predictor, delay_s=0.05)
    with (
        api_in_thread(slow, tmp_path, limits=ServerLimits(waiting=1)) as running,
        running.client() as client,
        running.client() as other,
    ):
        image_id = send(client)
        searched = []
        search = threading.Thread(
            target=lambda: searched.append(everything(other, image_id, points_per_side=8))
        )
        search.start()
        assert eventually(lambda: slow.backend.num_runs > 4)
        before = slow.backend.num_runs
        answers = [ask(client, image_id).status_code for _ in range(5)]
        num_runs = slow.backend.num_runs - before
        search.join()

    num_clicks = 8 * round(8 * HEIGHT / WIDTH)
    assert answers == [200] * 5
    assert num_runs < num_clicks  # they did not wait for the end of the search
    assert searched[0].status_code == 200
