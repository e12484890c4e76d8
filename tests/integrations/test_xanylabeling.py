from __future__ import annotations

import base64
import io
from functools import partial

import cv2
import numpy as np
import pytest
from adapter_servers import answering
from PIL import Image

from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.errors import PromptUnusable, ServerBusy
from latentcut.integrations.xanylabeling import (
    Mark,
    create_xanylabeling_app,
    polygons_of,
    prompts_of,
    shapes_of,
)
from latentcut.web.service import PredictionService

POINT = {"type": "point", "data": [60, 40], "label": 1}
NOT_HERE = {"type": "point", "data": [5, 5], "label": 0}


@pytest.fixture(scope="module")
def image(photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def client(predictor):
    with answering(partial(serving, predictor=predictor)) as client:
        yield client


def serving(settings, predictor, api_key=None):
    service = PredictionService(lambda: predictor)
    return create_xanylabeling_app(settings, api_key, service)


def predict(client, image, marks, **params):
    params = {"marks": marks, "conf_threshold": 0.0, "iou_threshold": 0.0, **params}
    body = {"model": "latentcut", "image": image, "params": params}
    return client.post("/v1/predict", json=body)


def test_the_list_names_one_model_and_only_buttons_that_the_client_knows(client):
    listed = client.get("/v1/models").json()

    info = listed["data"]["latentcut"]
    assert (listed["success"], list(listed["data"])) == (True, ["latentcut"])
    assert [widget["name"] for widget in info["widgets"]] == [
        "button_add_point",
        "button_remove_point",
        "button_add_rect",
        "button_clear",
        "button_finish_object",
        "mask_fineness_slider",
        "mask_fineness_value_label",
        "toggle_preserve_existing_annotations",
    ]


def test_shapes_on_the_canvas_are_kept_from_the_start_also_after_a_failed_request(client):
    widgets = client.get("/v1/models").json()["data"]["latentcut"]["widgets"]

    assert {"name": "toggle_preserve_existing_annotations", "value": True} in widgets


def test_the_model_can_be_asked_about_alone(client):
    told = client.get("/v1/models/latentcut/info").json()

    assert (told["success"], told["data"]["model_id"]) == (True, "latentcut")


def test_health_tells_how_many_models_are_loaded(client):
    told = client.get("/health").json()

    assert sorted(told) == ["models_loaded", "status", "timestamp"]
    assert told["status"] == "healthy"


def test_marks_are_answered_with_closed_polygons_of_the_mask(client, image, predictor, encoded):
    clicks = Click(60, 40), Click(5, 5, positive=False)
    mask = replayed(predictor, encoded, clicks).mask

    answer = predict(client, image, [POINT, NOT_HERE]).json()

    shapes = answer["data"]["shapes"]
    drawn = np.zeros(mask.shape, dtype=np.uint8)
    for shape in shapes:
        cv2.fillPoly(drawn, [np.array(shape["points"], dtype=np.int32)], 1)
    assert (answer["success"], answer["data"]["replace"]) == (True, False)
    assert all(shape["points"][0] == shape["points"][-1] for shape in shapes)
    assert {shape["label"] for shape in shapes} == {"AUTOLABEL_OBJECT"}
    assert (drawn.astype(bool) == mask).all()


def test_the_last_box_counts_whatever_its_corners(client, image, predictor, encoded):
    boxes = [[0, 0, 20, 20], [90, 70, 30, 10]]
    marks = [{"type": "rectangle", "data": box, "label": 1} for box in boxes]
    mask = replayed(predictor, encoded, (), (29.5, 9.5, 89.5, 69.5)).mask

    shapes = predict(client, image, marks).json()["data"]["shapes"]

    assert shapes == shapes_of_mask(mask, shapes[0]["score"])


def shapes_of_mask(mask, score):
    """What the server says of a mask."""

    class Answered:
        selected, expected_iou = 0, [score]

    Answered.mask = mask
    return shapes_of(Answered, 0.0)


@pytest.mark.parametrize("marks", [[], [NOT_HERE]])
def test_without_a_positive_mark_there_are_no_shapes(client, image, marks):
    answer = predict(client, image, marks)

    assert answer.json() == {
        "success": True,
        "data": {"shapes": [], "description": "", "replace": False},
    }


def test_an_object_with_a_hole_says_that_polygons_cannot_show_it():
    mask = np.ones((9, 9), dtype=bool)
    mask[4, 4] = False

    (shape,) = shapes_of_mask(mask, 0.5)

    assert shape["description"] == "the object has holes, which a polygon cannot show"


def test_the_parts_of_an_object_come_largest_first():
    mask = np.zeros((20, 20), dtype=bool)
    mask[1:4, 1:4] = mask[8:18, 8:18] = True

    polygons = polygons_of(mask, 0.0)

    assert polygons == [
        [[8.0, 8.0], [17.0, 8.0], [17.0, 17.0], [8.0, 17.0]],
        [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]],
    ]


def test_the_slider_makes_polygons_coarser():
    rows, columns = np.mgrid[:200, :200]
    disc = (rows - 100) ** 2 + (columns - 100) ** 2 <= 80**2

    exact, coarse = (polygons_of(disc, epsilon)[0] for epsilon in (0.0, 0.01))

    assert len(coarse) < len(exact) / 4


def failure_of(response):
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


def test_failures_have_the_body_of_the_protocol_and_a_status(client, image):
    unknown = client.post("/v1/predict", json={"model": "sam", "image": image})
    broken = predict(client, "data:image/png;base64,AAAA", [POINT])
    plain = predict(client, "@", [POINT])
    outside = predict(client, image, [{**POINT, "data": [400, 40]}])
    negative = predict(
        client, image, [POINT, {"type": "rectangle", "data": [1, 1, 9, 9], "label": 0}]
    )
    misfit = client.post("/v1/predict", json={"model": 3, "image": image})

    assert failure_of(unknown) == (404, "MODEL_NOT_FOUND", "Model 'sam' not loaded")
    assert failure_of(broken)[:2] == (422, "INVALID_IMAGE")
    assert failure_of(plain) == (
        422,
        "INVALID_IMAGE",
        "the image cannot be read as an image: it is not in base64",
    )
    assert failure_of(outside) == (
        422,
        "INFERENCE_ERROR",
        "click (x=400, y=40) is outside the image, which is 128 px wide and 96 px high: "
        "x must be 0 to 127 and y 0 to 95",
    )
    assert failure_of(negative) == (
        422,
        "INFERENCE_ERROR",
        "a box that is background cannot be used: give a negative point instead",
    )
    assert failure_of(misfit) == (
        422,
        "INVALID_REQUEST",
        "model: input should be a valid string",
    )


def test_a_mark_with_another_number_of_values_is_refused():
    mark = Mark(type="rectangle", data=[1, 2, 3], label=1)

    with pytest.raises(PromptUnusable) as caught:
        prompts_of([mark], (96, 128))

    assert str(caught.value) == "a mark of type rectangle cannot be used: it has 3 numbers"


class Busy(PredictionService):
    """A service whose queue is full."""

    async def ask(self, image, question):
        raise ServerBusy(16)


def test_a_full_queue_is_answered_503_at_once(predictor, image):
    def make(settings):
        return create_xanylabeling_app(settings, service=Busy(lambda: predictor))

    with answering(make) as client:
        response = predict(client, image, [POINT])

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {"detail": "16 requests are waiting already: try again in a second"}


def test_with_a_key_only_who_sends_it_as_token_is_answered(predictor):
    with answering(partial(serving, predictor=predictor, api_key="the-key")) as client:
        without = client.get("/v1/models")
        wrong = client.get("/v1/models", headers={"Token": "another"})
        right = client.get("/v1/models", headers={"Token": "the-key"})
        health = client.get("/health")

    expected = (401, "UNAUTHORIZED", "Invalid or missing API Key")
    assert [failure_of(without), failure_of(wrong)] == [expected, expected]
    assert [right.status_code, health.status_code] == [200, 200]


def test_a_page_of_another_site_is_refused(client):
    response = client.get("/v1/models", headers={"Origin": "http://elsewhere.example"})

    assert response.status_code == 403
