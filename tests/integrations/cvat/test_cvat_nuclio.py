from __future__ import annotations

import base64
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.integrations.cvat import nuclio
from latentcut.integrations.cvat.nuclio import RECIPE, cropped, handler, init_context, respond

CLICKS = Click(60, 40), Click(5, 5, positive=False)


@pytest.fixture(scope="module")
def image(photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def context():
    """nuclio's, as far as it is used."""

    def response(body, headers, content_type, status_code):
        return SimpleNamespace(
            body=body, headers=headers, content_type=content_type, status_code=status_code
        )

    said = []
    context = SimpleNamespace(
        user_data=SimpleNamespace(),
        logger=SimpleNamespace(info=said.append),
        Response=response,
        said=said,
    )
    init_context(context)
    return context


def pasted(answer, size_hw):
    """The whole mask of an answer, as CVAT's page makes it of the crop."""
    left, top, right, bottom = answer["bounds"]
    mask = np.zeros(size_hw, dtype=bool)
    mask[top : bottom + 1, left : right + 1] = np.array(answer["mask"]) > 0
    return mask


def test_the_model_is_loaded_before_the_first_request(context):
    assert context.user_data.predictor.num_masks > 1
    assert context.said == ["latentcut is ready"]


def test_a_request_of_a_newer_server_is_answered_with_the_crop_and_its_bounds(
    context, image, predictor, encoded
):
    body = {
        "image": image,
        "pos_points": [[60.5, 40.5]],
        "neg_points": [[5.5, 5.5]],
        "obj_bbox": None,
        "threshold": 0.5,
    }

    response = handler(context, SimpleNamespace(body=json.dumps(body).encode()))

    answer = json.loads(response.body)
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert sorted(answer) == ["bounds", "mask"]
    expected = replayed(predictor, encoded, CLICKS)
    assert (pasted(answer, (96, 128)) == expected.mask).all()


def test_a_body_that_nuclio_has_parsed_is_answered_the_same(context, image):
    body = {"image": image, "pos_points": [[60.5, 40.5]], "neg_points": []}

    parsed = handler(context, SimpleNamespace(body=body))

    raw = handler(context, SimpleNamespace(body=json.dumps(body)))
    assert parsed.body == raw.body


def test_the_mask_holds_two_values_only(context, image):
    body = {"image": image, "pos_points": [[60.5, 40.5]], "neg_points": []}

    response = handler(context, SimpleNamespace(body=body))

    values = {value for row in json.loads(response.body)["mask"] for value in row}
    assert values <= {0, 255}
    assert 255 in values


def test_a_box_of_its_own_and_one_in_the_first_two_points_are_the_same(context, image, monkeypatch):
    corners = [[30, 10], [90, 70]]
    newer = {"image": image, "pos_points": [[60, 40]], "neg_points": [], "obj_bbox": corners}
    older = {"image": image, "pos_points": [*corners, [60, 40]], "neg_points": []}
    of_newer = handler(context, SimpleNamespace(body=newer))

    monkeypatch.setenv("LATENTCUT_BOX_FIRST", "1")
    of_older = handler(context, SimpleNamespace(body=older))

    assert of_older.body == of_newer.body


def test_an_old_server_without_a_box_is_not_misread(context, image):
    older = {"image": image, "pos_points": [[60, 40], [62, 42]], "neg_points": []}
    clicks = [Click(59.5, 39.5), Click(61.5, 41.5)]
    predictor = context.user_data.predictor

    answer = respond(predictor, older)

    encoded = predictor.encode(base64.b64decode(image))
    assert (pasted(answer, (96, 128)) == replayed(predictor, encoded, clicks).mask).all()


def test_negative_points_alone_give_an_empty_mask(predictor, image):
    answer = respond(predictor, {"image": image, "pos_points": [], "neg_points": [[5, 5]]})

    assert answer == {"mask": [[0]], "bounds": [0, 0, 0, 0]}


def test_the_crop_holds_the_whole_mask():
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 2:4] = True

    crop, bounds = cropped(mask)

    assert (crop.tolist(), bounds) == ([[True, True], [True, True]], [2, 1, 3, 2])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the request cannot be used: it is no JSON"),
        ([1], "the request cannot be used: it is no JSON object"),
        ({}, "image cannot be used: it is missing"),
        ({"image": "@"}, "image cannot be used: it is not in base64"),
        ({"pos_points": 3}, "pos_points cannot be used: it is no list of at most 10,000 points"),
        ({"pos_points": "ab"}, "pos_points cannot be used: it is no list of at most 10,000 points"),
        ({"pos_points": [[1]]}, "pos_points cannot be used: a point is two numbers, [x, y]"),
        ({"neg_points": [[1, "2"]]}, "neg_points cannot be used: a point is two numbers, [x, y]"),
        (
            {"pos_points": [[1, 2]], "obj_bbox": [[1, 2]]},
            "obj_bbox cannot be used: a box is two corners",
        ),
        (
            {"pos_points": [[200, 2]]},
            "click (x=199.5, y=1.5) is outside the image, which is 128 px wide and 96 px high: "
            "x must be 0 to 127 and y 0 to 95",
        ),
    ],
)
def test_what_cannot_be_used_is_answered_with_400_and_a_sentence(context, image, body, message):
    if isinstance(body, dict) and body and "image" not in body:
        body = {"image": image, **body}

    response = handler(context, SimpleNamespace(body=body))

    assert (response.status_code, json.loads(response.body)) == (400, {"error": message})


def test_the_recipe_calls_the_handler_and_says_nothing_that_cvat_would_misread():
    main = (RECIPE / "main.py").read_text()
    recipe = (RECIPE / "function.yaml").read_text()

    assert "from latentcut.integrations.cvat.nuclio import handler, init_context" in main
    assert "\n    type: interactor\n    spec:\n" in recipe
    assert "startswith_box:" not in recipe  # any value of it is taken for true
    assert nuclio.THREADS_VARIABLE in recipe
