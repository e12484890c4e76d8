"""The server learns which candidate a project's people mean, and unlearns what they take back."""

from __future__ import annotations

import json

import pytest

PROJECT = "/api/v1/project"
PLACES = [(150, 60), (250, 80), (330, 60), (100, 200), (200, 220), (320, 200), (420, 180), (60, 90)]


@pytest.fixture
def client(start, photos):
    running = start(photos)
    with running.client() as client:
        client.app = running.app
        yield client


def do(client, image=1, **action):
    """Do something on whatever revision the image is at; the answer."""
    revision = client.get(f"/api/v1/images/{image}").headers["etag"]
    url = f"/api/v1/images/{image}/actions"
    answer = client.post(url, json=action, headers={"If-Match": revision})
    assert answer.status_code == 200, answer.text
    return answer.json()


def travel(client, direction, image=1):
    revision = client.get(f"/api/v1/images/{image}").headers["etag"]
    answer = client.post(f"/api/v1/images/{image}/{direction}", headers={"If-Match": revision})
    assert answer.status_code == 200, answer.text


def click(client, x, y, image=1, label=None):
    """Click on something new; its id."""
    clicks = [{"x": x, "y": y, "positive": True}]
    return do(client, image, kind="click", label=label, clicks=clicks)["object"]


def candidates(client, object_id, image=1):
    return client.get(f"/api/v1/images/{image}/objects/{object_id}/candidates").json()


def take_largest(client, object_id, image=1):
    shown = candidates(client, object_id, image)["candidates"]
    index = max(range(len(shown)), key=lambda i: shown[i]["area"])
    do(client, image, kind="choose", object=object_id, index=index)


def teach_large(client):
    """Take the largest candidate of some objects of the coffee photo; their ids."""
    made = [click(client, x, y, 3) for x, y in PLACES]
    for object_id in made:
        take_largest(client, object_id, 3)
    return made


def preferences(client):
    return client.get(f"{PROJECT}/preferences").json()


def test_a_new_project_has_learned_nothing_and_is_ready_to(client):
    assert preferences(client) == {"enabled": True, "num_learned": 0}


def test_whoever_takes_the_largest_candidate_is_shown_larger_ones(client):
    before = [click(client, x, y) for x, y in PLACES[:4]]
    areas_before = [candidates(client, each)["candidates"] for each in before]
    for _ in before:
        travel(client, "undo")

    teach_large(client)
    after = [click(client, x, y) for x, y in PLACES[:4]]

    selected = [candidates(client, each) for each in after]
    taken = [answer["candidates"][answer["selected"]]["area"] for answer in selected]
    g_took = [max(each, key=lambda one: one["score"])["area"] for each in areas_before]
    assert sum(taken) > sum(g_took)
    assert preferences(client)["num_learned"] == len(PLACES) + 4


def test_every_object_counts_once_and_only_as_it_is(client):
    first = click(client, *PLACES[0])
    take_largest(client, first)
    travel(client, "undo")
    travel(client, "redo")
    travel(client, "undo")
    click(client, *PLACES[1])

    assert preferences(client)["num_learned"] == 2


def test_what_is_undone_is_unlearned(client, server):
    made = click(client, *PLACES[0])
    learned = [preferences(client)["num_learned"]]

    travel(client, "undo")
    learned.append(preferences(client)["num_learned"])
    travel(client, "redo")
    learned.append(preferences(client)["num_learned"])
    do(client, kind="delete", object=made)
    learned.append(preferences(client)["num_learned"])

    assert learned == [1, 0, 1, 0]


def test_undoing_choices_brings_the_ranking_of_before_back(client):
    def ranking():
        made = click(client, 300, 300)
        scores = [each["score"] for each in candidates(client, made)["candidates"]]
        travel(client, "undo")
        return scores

    made = [click(client, x, y, 3) for x, y in PLACES]
    before = ranking()
    for object_id in made:
        take_largest(client, object_id, 3)
    taught = ranking()
    for _ in made:
        travel(client, "undo", 3)

    assert taught != before
    assert ranking() == before


def test_switched_off_the_ranking_is_that_of_g_and_learning_goes_on(client):
    made = click(client, 300, 300)
    alone = candidates(client, made)
    travel(client, "undo")
    teach_large(client)

    answer = client.put(f"{PROJECT}/preferences", json={"enabled": False})
    made = click(client, 300, 300)

    assert answer.json() == {"enabled": False, "num_learned": len(PLACES)}
    assert candidates(client, made) == alone
    assert preferences(client) == {"enabled": False, "num_learned": len(PLACES) + 1}


def test_forgetting_begins_anew_and_changes_no_object(client):
    made = click(client, 300, 300)
    alone = candidates(client, made)
    travel(client, "undo")
    teach_large(client)
    before = client.get("/api/v1/images/3").json()

    answer = client.delete(f"{PROJECT}/preferences")
    made = click(client, 300, 300)

    assert answer.json() == {"enabled": True, "num_learned": 0}
    assert client.get("/api/v1/images/3").json() == before
    assert candidates(client, made) == alone


def test_candidates_of_an_old_object_stay_as_they_were_shown(client):
    made = click(client, 300, 300)
    shown = candidates(client, made)

    teach_large(client)

    assert candidates(client, made) == shown
    part = client.get("/api/v1/images/1").json()["objects"][0]["parts"][0]
    assert part["score"] == shown["candidates"][shown["selected"]]["score"]


def test_the_preview_under_the_mouse_follows_what_was_learned(client):
    def previews():
        answers = [
            client.post("/api/v1/images/1/preview", json={"x": x, "y": y}).json() for x, y in PLACES
        ]
        return [answer["mask"] for answer in answers]

    before = previews()
    teach_large(client)

    taught = previews()
    client.put(f"{PROJECT}/preferences", json={"enabled": False})

    assert taught != before
    assert previews() == before


def test_labels_learn_apart_from_each_other(client):
    drafts = [{"id": None, "name": name, "colour": 0, "key": None} for name in ("cup", "spoon")]
    body = {"labels": drafts}
    client.put("/api/v1/project/labels", json=body, headers={"If-Match": '"0"'})
    for x, y in PLACES:
        take_largest(client, click(client, x, y, 3, label=1), 3)
        click(client, x, y, 3, label=2)  # what g takes is good enough
    client.put(f"{PROJECT}/preferences", json={"enabled": False})
    alone = candidates(client, click(client, 300, 300))
    travel(client, "undo")
    client.put(f"{PROJECT}/preferences", json={"enabled": True})

    cup = candidates(client, click(client, 300, 300, label=1))
    travel(client, "undo")
    learner = client.app.state.workplace.learner

    assert cup["candidates"] != alone["candidates"]
    assert learner.learned(1) != learner.learned(2)


def test_what_was_learned_is_there_after_a_restart(start, photos):
    with start(photos).client() as client:
        teach_large(client)
        before = click(client, 300, 300)
        shown = candidates(client, before)
        travel(client, "undo")

    with start(photos).client() as client:
        made = click(client, 300, 300)

        assert candidates(client, made) == shown
        assert preferences(client)["num_learned"] == len(PLACES) + 1


@pytest.mark.parametrize("body", [{}, {"enabled": "yes"}, {"enabled": 1}, {"enabled": None}])
def test_a_switch_is_on_or_off(client, body):
    answer = client.put(f"{PROJECT}/preferences", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "does_not_fit")
    assert preferences(client)["enabled"] is True


@pytest.mark.parametrize(
    "look",
    [
        "{}",
        "[",
        '{"scores": [1], "masks": [{"size": [3, 3], "counts": "9"}]}',
        '{"scores": [1], "masks": [{"size": [99999, 99999], "counts": "9"}]}',
        json.dumps(
            {"scores": [1] * 6, "masks": [{"size": [1, i], "counts": "1"} for i in range(6)]}
        ),
    ],
    ids=["empty", "no JSON", "another number of candidates", "too large", "sizes that differ"],
)
def test_a_strangers_project_with_odd_lessons_can_be_clicked_on(start, photos, look):
    running = start(photos)
    with running.client() as client:
        made = click(client, *PLACES[0])
        with running.app.state.workplace.store._connection.writing() as sqlite:
            sqlite.execute("UPDATE looks SET look = ?", (look,))

        click(client, *PLACES[1])
        take_largest(client, made)

        assert preferences(client)["enabled"] is True
