"""Finding all things through the API: stretch by stretch, between clicks, added in one step."""

from __future__ import annotations

import threading
import time

import pytest
from web_servers import act, click, counting, error_of

from latentcut.core.masks import mask_from_coco_rle
from latentcut.core.metrics import iou

COFFEE, COFFEE_XY = 3, (285, 155)


@pytest.fixture
def client(start, photos):
    with start(photos).client() as client:
        yield client


def searches(image: int = COFFEE, rest: str = "") -> str:
    return f"/api/v1/images/{image}/searches{rest}"


def begin(client, image: int = COFFEE, **body) -> dict:
    answer = client.post(searches(image), json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def finish(client, name: str, image: int = COFFEE) -> list[dict]:
    """Every stretch until the search is done."""
    states = [client.post(searches(image, f"/{name}/advance")).json()]
    while states[-1]["num_done"] < states[-1]["num_clicks"]:
        states.append(client.post(searches(image, f"/{name}/advance")).json())
    return states


def things_of(client, name: str, image: int = COFFEE) -> list[dict]:
    return client.get(searches(image, f"/{name}")).json()["things"]


def test_a_search_goes_on_only_when_asked_and_says_how_far_it_is(client):
    begun = begin(client, points_per_side=5)
    name = begun["search"]
    time.sleep(0.3)
    assert begun == {"search": name, "num_done": 0, "num_clicks": 15}
    assert things_of(client, name) == []

    done = [state["num_done"] for state in finish(client, name)]

    assert done == sorted(set(done))
    assert done[0] > 0
    assert done[-1] == 15
    things = things_of(client, name)
    assert things
    scores = [thing["expected_iou"] for thing in things]
    assert min(scores) >= 0.3
    sizes = {tuple(thing["mask"]["size"]) for thing in things}
    assert sizes == {(400, 600)}


def test_what_was_found_is_added_in_one_step_and_taken_back_in_one(client):
    name = begin(client, points_per_side=4)["search"]
    finish(client, name)
    things = things_of(client, name)

    added = act(client, COFFEE, 0, kind="found", things=things).json()["document"]

    assert (added["revision"], added["can_undo"]) == (1, "found")
    assert len(added["objects"]) == len(things)
    assert all(thing["has_candidates"] for thing in added["objects"])
    assert {code["counts"] for code in added["masks"].values()} == {
        thing["mask"]["counts"] for thing in things
    }
    first = added["objects"][0]["id"]
    path = f"/api/v1/images/{COFFEE}/objects/{first}/candidates"
    candidates = client.get(path).json()
    shown = candidates["candidates"][candidates["selected"]]["mask"]["counts"]
    assert shown == added["masks"][added["objects"][0]["mask"]]["counts"]
    undone = client.post(f"/api/v1/images/{COFFEE}/undo", headers={"If-Match": '"1"'}).json()
    assert undone["document"]["objects"] == []
    redone = client.post(f"/api/v1/images/{COFFEE}/redo", headers={"If-Match": '"2"'}).json()
    assert len(redone["document"]["objects"]) == len(things)


def test_things_that_the_image_has_already_are_not_found_again(client):
    document = click(client, COFFEE, 0, *COFFEE_XY).json()["document"]
    cup = mask_from_coco_rle(document["masks"][document["objects"][0]["mask"]])
    name = begin(client, points_per_side=6)["search"]
    finish(client, name)

    things = things_of(client, name)
    act(client, COFFEE, 1, kind="found", things=things)

    assert max(iou(mask_from_coco_rle(thing["mask"]), cup) for thing in things) < 0.8
    assert things_of(client, name) == []


def test_a_search_that_is_dropped_forgotten_or_of_another_image_is_no_search(client):
    name = begin(client, points_per_side=2)["search"]

    assert error_of(client.get(searches(1, f"/{name}"))) == (404, "no_search")
    assert client.delete(searches(1, f"/{name}")).status_code == 204
    assert client.get(searches(COFFEE, f"/{name}")).status_code == 200
    assert client.delete(searches(COFFEE, f"/{name}")).status_code == 204
    assert error_of(client.post(searches(COFFEE, f"/{name}/advance"))) == (404, "no_search")
    names = [begin(client, points_per_side=1)["search"] for _ in range(5)]
    kept = [client.get(searches(COFFEE, f"/{each}")).status_code for each in names]
    assert kept == [404, 200, 200, 200, 200]


@pytest.mark.parametrize("body", [{"points_per_side": 0}, {"points_per_side": 65}, {"more": 1}])
def test_a_search_that_asks_for_what_is_not_allowed_is_refused(client, body):
    assert client.post(searches(), json=body).status_code == 422
    assert error_of(client.post(searches(99), json={})) == (404, "not_in_project")
    assert client.get(searches(COFFEE, "/no-name")).status_code == 404


def test_a_click_waits_for_one_click_of_the_search_at_most(start, pictures, predictor):
    slow = counting(predictor, delay_s=0.05)
    running = start(pictures, slow)
    with running.client() as client, running.client() as other:
        name = begin(client, 1, points_per_side=64)["search"]
        stretch = threading.Thread(target=client.post, args=[searches(1, f"/{name}/advance")])
        stretch.start()
        while slow.backend.num_runs == 0:
            time.sleep(0.001)
        before = slow.backend.num_runs

        answer = click(other, 1, 0, 20, 20)

        runs = slow.backend.num_runs - before
        stretch.join()
    assert answer.status_code == 200
    assert runs <= 6  # two looks of the search and two of the click, and one more begun meanwhile


def test_a_search_leaves_the_answers_that_are_kept_in_memory_alone(start, pictures, predictor):
    watched = counting(predictor)
    with start(pictures, watched).client() as client:
        clicked = click(client, 1, 0, 20, 20).json()
        name = begin(client, 1, points_per_side=12)["search"]
        finish(client, name, 1)
        before = watched.backend.num_runs

        path = f"/api/v1/images/1/objects/{clicked['object']}/candidates"
        assert client.get(path).status_code == 200

    assert watched.backend.num_runs == before
