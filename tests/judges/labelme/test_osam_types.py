"""The model in osam's own registry and types, and osam's types as readers of our server's JSON."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osam
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import latentcut
from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.integrations.osam.registry import LatentcutModel, register
from latentcut.integrations.osam.server import create_osam_app
from latentcut.integrations.serving import AdapterSettings

SAMPLES = Path(__file__).resolve().parents[3] / "src" / "latentcut" / "samples"
PHOTO = SAMPLES / "chelsea.jpg"


@pytest.fixture(scope="module")
def image():
    return np.asarray(Image.open(PHOTO).convert("RGB"))


@pytest.fixture(scope="module")
def mask():
    """Of the clicks that the tests send."""
    predictor = latentcut.load(threads=1)
    clicks = Click(235, 160), Click(410, 140, positive=False)
    return replayed(predictor, predictor.encode(PHOTO), clicks).mask


def whole_mask(annotation, size_hw):
    box, mask = annotation.bounding_box, np.zeros(size_hw, dtype=bool)
    mask[box.ymin : box.ymax + 1, box.xmin : box.xmax + 1] = annotation.mask
    return mask


def generate(image, points, labels):
    prompt = osam.types.Prompt(points=np.array(points), point_labels=np.array(labels))
    request = osam.types.GenerateRequest(model="latentcut", image=image, prompt=prompt)
    return osam.apis.generate(request)


def test_osam_finds_the_model_by_its_name_and_has_nothing_to_download():
    register(threads=1)

    found = osam.apis.get_model_type_by_name("latentcut")

    assert found is LatentcutModel
    assert found.get_size() == 0


def test_registering_twice_lists_the_model_once():
    register(threads=1)

    register(threads=1)

    assert osam.apis.registered_model_types.count(LatentcutModel) == 1


def test_osam_answers_points_with_the_mask_of_the_same_clicks(image, mask):
    register(threads=1)

    response = generate(image, [[235.5, 160.5], [410.5, 140.5]], [1, 0])

    assert response.model == "latentcut"
    assert (whole_mask(response.annotations[0], image.shape[:2]) == mask).all()


def test_osam_answers_a_box_given_by_labels_2_and_3(image):
    register(threads=1)

    response = generate(image, [[60, 20], [440, 290]], [2, 3])

    mask = whole_mask(response.annotations[0], image.shape[:2])
    assert mask[160, 235]


def test_a_negative_point_alone_finds_nothing(image):
    register(threads=1)

    response = generate(image, [[235, 160]], [0])

    assert response.annotations == []


def test_a_request_without_points_says_what_to_give(image):
    register(threads=1)
    request = osam.types.GenerateRequest(model="latentcut", image=image)

    with pytest.raises(ValueError) as caught:
        osam.apis.generate(request)

    assert str(caught.value) == (
        "prompt cannot be used: give points and point_labels; texts are not understood"
    )


def test_osams_own_types_make_the_request_and_read_the_answer_of_our_server(image, mask):
    prompt = osam.types.Prompt(points=[[235.5, 160.5], [410.5, 140.5]], point_labels=[1, 0])
    request = osam.types.GenerateRequest(model="latentcut", prompt=prompt)
    body = request.model_dump(mode="json")
    body["image"] = osam._json.image_ndarray_to_b64data(image)
    app = create_osam_app(AdapterSettings(port=80, threads=1))

    with TestClient(app, base_url="http://127.0.0.1:80") as client:
        answer = client.post("/api/generate", json=body).json()

    annotation = answer["annotations"][0]
    annotation["mask"] = osam._json.image_b64data_to_ndarray(annotation["mask"]) > 0
    response = osam.types.GenerateResponse(**answer)
    assert (whole_mask(response.annotations[0], image.shape[:2]) == mask).all()
