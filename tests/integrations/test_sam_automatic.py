"""Segment Anything's automatic masks and batches of prompts over our predictor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as judge

from latentcut.cli.samples import SAMPLES
from latentcut.integrations.sam import (
    SamAutomaticMaskGenerator,
    SamPredictor,
    sam_model_registry,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

KEYS = {
    *("segmentation", "area", "bbox", "predicted_iou", "point_coords", "stability_score"),
    "crop_box",
}


@pytest.fixture(scope="module")
def model():
    return sam_model_registry["vit_b"]()


@pytest.fixture(scope="module")
def photo():
    with Image.open(SAMPLES / "coffee.jpg") as image:
        return np.asarray(image.convert("RGB").resize((240, 160)))


@pytest.fixture(scope="module")
def predictor(model, photo):
    predictor = SamPredictor(model)
    predictor.set_image(photo)
    return predictor


def generated(model, photo, mode):
    return SamAutomaticMaskGenerator(model, points_per_side=4, output_mode=mode).generate(photo)


def test_records_have_segment_anythings_keys_and_shapes(model, photo):
    records = generated(model, photo, "binary_mask")

    assert records
    for record in records:
        x, y, width, height = record["bbox"]
        mask = record["segmentation"]
        assert set(record) == KEYS
        assert (mask.dtype, mask.shape) == (np.bool_, (160, 240))
        assert record["area"] == mask.sum() == mask[y : y + height, x : x + width].sum()
        assert record["crop_box"] == [0, 0, 240, 160]
        assert 0 <= record["predicted_iou"] <= 1
        assert 0 <= record["stability_score"] <= 1
        ((column, row),) = record["point_coords"]
        assert mask[round(row), round(column)]


def test_the_three_forms_of_a_mask_are_the_same_mask(model, photo):
    masks = [record["segmentation"] for record in generated(model, photo, "binary_mask")]
    compressed = [record["segmentation"] for record in generated(model, photo, "coco_rle")]
    plain = [record["segmentation"] for record in generated(model, photo, "uncompressed_rle")]

    for mask, one, other in zip(masks, compressed, plain, strict=True):
        np.testing.assert_array_equal(judge.decode(one), mask)
        np.testing.assert_array_equal(judge.decode(judge.frPyObjects(other, *other["size"])), mask)


def test_another_output_mode_is_refused(model):
    with pytest.raises(ValueError) as caught:
        SamAutomaticMaskGenerator(model, output_mode="polygon")

    assert str(caught.value) == (
        "output_mode must be one of ('binary_mask', 'uncompressed_rle', 'coco_rle'), "
        "given 'polygon'"
    )


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_batch_of_prompts_equals_its_prompts_one_by_one(predictor, kind):
    points = [[[120.0, 80.0], [20.0, 20.0]], [[30.0, 140.0], [200.0, 10.0]]]
    labels = [[1, 0], [1, 1]]

    masks, scores, logits = predictor.predict_torch(kind(points), kind(labels))

    assert type(masks) is type(kind(points))
    for place in range(2):
        own = predictor.predict(np.array(points[place]), np.array(labels[place]))
        for batched, single in zip((masks, scores, logits), own, strict=True):
            np.testing.assert_array_equal(np.asarray(batched[place]), single)


def test_boxes_alone_are_a_batch_too(predictor):
    boxes = np.array([[60.0, 30.0, 180.0, 130.0], [0.0, 0.0, 100.0, 100.0]])

    masks, scores, _ = predictor.predict_torch(None, None, boxes, multimask_output=False)

    assert masks.shape == (2, 1, 160, 240)
    assert scores.shape == (2, 1)


def test_prompts_that_are_not_equally_many_are_refused(predictor):
    with pytest.raises(ValueError) as caught:
        predictor.predict_torch(np.zeros((2, 1, 2)), np.ones((1, 1)))

    assert str(caught.value) == (
        "point_coords, point_labels, boxes and mask_input must hold equally many prompts, "
        "given {'point_coords': 2, 'point_labels': 1}"
    )


def test_the_embedding_has_a_cell_for_every_eight_pixels_of_the_frame(predictor):
    embedding = predictor.get_image_embedding()

    assert embedding.dtype == np.float32
    assert embedding.shape[0] == 1
    assert embedding.shape[2:] == (304 // 8, 448 // 8)
