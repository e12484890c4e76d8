from __future__ import annotations

import base64
import io
from functools import partial

import numpy as np
import pytest
from adapter_servers import answering
from PIL import Image

from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.errors import PromptUnusable
from latentcut.integrations.osam.prompts import prompts_of
from latentcut.integrations.osam.server import create_osam_app
from latentcut.web.service import PredictionService

SIZE_HW = (96, 128)


@pytest.fixture(scope="module")
def image(photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def client(predictor):
    with answering(partial(serving, predictor=predictor)) as client:
        yield client


def serving(settings, predictor):
    return create_osam_app(settings, PredictionService(lambda: predictor))


def generate(client, image, points, labels, more=None):
    prompt = {"points": points, "point_labels": labels, "iou_threshold": 0.5}
    body = {"model": "latentcut", "image": image, "prompt": prompt, **(more or {})}
    return client.post("/api/generate", json=body)


def whole_mask(annotation):
    box, mask = annotation["bounding_box"], np.zeros(SIZE_HW, dtype=bool)
    crop = np.asarray(Image.open(io.BytesIO(base64.b64decode(annotation["mask"]))))
    mask[box["ymin"] : box["ymax"] + 1, box["xmin"] : box["xmax"] + 1] = crop > 0
    return mask


def test_points_are_answered_with_the_crop_of_the_mask_in_its_box(
    client, image, predictor, encoded
):
    expected = replayed(predictor, encoded, [Click(60, 40), Click(5, 5, positive=False)])

    answer = generate(client, image, [[60.5, 40.5], [5.5, 5.5]], [1, 0]).json()

    (annotation,) = answer["annotations"]
    assert (answer["model"], answer["image_embedding"]) == ("latentcut", None)
    assert (whole_mask(annotation) == expected.mask).all()
    assert annotation["score"] == pytest.approx(expected.expected_iou[expected.selected])
    assert annotation["text"] is None


def test_labels_2_and_3_are_the_corners_of_a_box(client, image, predictor, encoded):
    expected = replayed(predictor, encoded, (), (29.5, 9.5, 89.5, 69.5))

    answer = generate(client, image, [[30, 10], [90, 70]], [2, 3]).json()

    assert (whole_mask(answer["annotations"][0]) == expected.mask).all()


def test_negative_points_alone_are_answered_with_no_annotation(client, image):
    answer = generate(client, image, [[5, 5]], [0])

    assert answer.json()["annotations"] == []


def test_somebody_who_looks_whether_osam_runs_is_told_so(client):
    assert client.get("/").text == "osam is running"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "sam2"}, "model cannot be used: there is latentcut:latest here, not 'sam2'"),
        ({"image": None}, "image cannot be used: it is missing"),
        (
            {"prompt": {"texts": ["cat"]}},
            "prompt cannot be used: give points and point_labels; texts are not understood",
        ),
        ({"image": "@"}, "the image cannot be read as an image: it is not in base64"),
        (
            {"image": "http://x/y.png,AAAA"},
            "the image cannot be read as an image: it is no data URI in base64",
        ),
    ],
)
def test_what_is_not_understood_is_answered_with_a_sentence(client, image, body, message):
    answer = generate(client, image, [[60, 40]], [1], body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (422, message)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1], "point_labels cannot be used: 1 labels for 2 points"),
        ([1, 7], "point_labels cannot be used: they are 1, 0, -1, and 2 and 3 once for a box"),
        ([2, 2], "point_labels cannot be used: they are 1, 0, -1, and 2 and 3 once for a box"),
        ([1, 3], "point_labels cannot be used: a box needs both of its corners, labelled 2 and 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(PromptUnusable) as caught:
        prompts_of([(60, 40), (5, 5)], labels, SIZE_HW)

    assert str(caught.value) == message


def test_points_labelled_minus_1_are_left_out():
    clicks, box = prompts_of([(60.5, 40.5), (5, 5)], [1, -1], SIZE_HW)

    assert (clicks, box) == ((Click(60, 40),), None)


def test_with_a_token_only_who_sends_it_is_answered(predictor, image):
    with answering(partial(serving, predictor=predictor), token="the-token") as client:
        without = generate(client, image, [[60, 40]], [1])
        client.headers["Authorization"] = "Bearer the-token"
        given = generate(client, image, [[60, 40]], [1])

    assert (without.status_code, given.status_code) == (401, 200)
    assert without.json()["error"]["message"] == (
        "no or wrong token: send Authorization: Bearer and the token that the server was started "
        "with"
    )


@pytest.mark.parametrize(("names", "status"), [((), 400), (("model.lan",), 200)])
def test_another_host_name_is_refused_unless_it_is_allowed(predictor, names, status):
    make = partial(serving, predictor=predictor)

    with answering(make, host="model.lan", names=names) as client:
        response = client.get("/health")

    assert response.status_code == status
