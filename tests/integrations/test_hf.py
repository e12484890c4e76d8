"""Hugging Face's names over our predictor."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import latentcut
from latentcut.cli.samples import SAMPLES
from latentcut.core.clicks import Click
from latentcut.core.metrics import iou
from latentcut.integrations.hf import LatentcutModel, LatentcutProcessor


@pytest.fixture(scope="module")
def model():
    return LatentcutModel.from_pretrained(threads=1)


@pytest.fixture(scope="module")
def processor():
    return LatentcutProcessor.from_pretrained()


@pytest.fixture(scope="module")
def photos():
    opened = [Image.open(SAMPLES / name).convert("RGB") for name in ("coffee.jpg", "chelsea.jpg")]
    return [photo.resize((300, 200)) for photo in opened]


def answered(processor, model, inputs):
    outputs = model(**inputs)
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    return outputs, processor.post_process_masks(outputs.pred_masks, *sizes)


def test_masks_come_back_at_image_resolution_and_are_the_predictors(processor, model, photos):
    points = [[[[142, 77]]], [[[150, 80]]]]

    outputs, masks = answered(processor, model, processor(photos, input_points=points))

    assert outputs["pred_masks"].shape == (2, 1, 6, 256, 256)
    assert outputs.iou_scores.shape == (2, 1, 6)
    predictor = latentcut.load(threads=1)
    for place, photo in enumerate(photos):
        click = Click(*map(float, points[place][0][0]))
        own = predictor.predict(predictor.encode(photo), [click])
        assert (masks[place].shape, masks[place].dtype) == ((1, 6, 200, 300), np.bool_)
        np.testing.assert_array_equal(outputs.iou_scores[place, 0], own.expected_iou)
        best = own.selected
        nothing = np.zeros((200, 300), dtype=bool)
        assert iou(masks[place][0, best], own.candidate(best), nothing) > 0.95


def test_shorter_lists_are_filled_up_with_points_that_say_nothing(processor, model, photos):
    points = [[[[142, 77], [20, 20]], [[142, 77]]]]
    labels = [[[1, 0], [1]]]

    inputs = processor(photos[0], input_points=points, input_labels=labels)
    outputs = model(**inputs)

    alone = model(**processor(photos[0], input_points=[[[[142, 77]]]]))
    assert inputs["input_labels"].tolist() == [[[1, 0], [1, -10]]]
    np.testing.assert_array_equal(outputs.pred_masks[0, 1], alone.pred_masks[0, 0])


def test_boxes_need_no_points(processor, model, photos):
    inputs = processor(photos[0], input_boxes=[[[90, 40, 210, 160]]])

    outputs = model(**inputs, multimask_output=False)

    assert outputs.pred_masks.shape == (1, 1, 1, 256, 256)


def test_tensors_are_given_where_tensors_are_wanted(processor, model, photos):
    inputs = processor(photos[0], input_points=[[[[142, 77]]]], return_tensors="pt")
    arrays = processor(photos[0], input_points=[[[[142, 77]]]])

    outputs, masks = answered(processor, model, inputs)
    own, own_masks = answered(processor, model, arrays)

    assert isinstance(outputs.iou_scores, torch.Tensor)
    assert masks[0].dtype == torch.bool
    np.testing.assert_array_equal(outputs.pred_masks.numpy(), own.pred_masks)
    np.testing.assert_array_equal(masks[0].numpy(), own_masks[0])


def test_logits_can_be_had_in_place_of_masks(processor, model, photos):
    inputs = processor(photos[0], input_points=[[[[142, 77]]]])
    planes = model(**inputs).pred_masks
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]

    (soft,) = processor.post_process_masks(planes, *sizes, binarize=False)
    (hard,) = processor.post_process_masks(planes, *sizes)

    np.testing.assert_array_equal(soft > 0, hard)


def test_a_saved_folder_can_be_loaded_and_read(processor, model, photos, tmp_path):
    model.save_pretrained(tmp_path / "mine")
    processor.save_pretrained(tmp_path / "mine")

    again = LatentcutModel.from_pretrained(tmp_path / "mine", threads=1)
    inputs = LatentcutProcessor.from_pretrained(tmp_path / "mine")(
        photos[0], input_points=[[[[142, 77]]]]
    )

    config = json.loads((tmp_path / "mine" / "config.json").read_text())
    assert config == {
        "model_type": "latentcut",
        "architectures": ["LatentcutModel"],
        "num_masks": 6,
    }
    np.testing.assert_array_equal(again(**inputs).pred_masks, model(**inputs).pred_masks)


def test_a_folder_of_another_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "sam"}')

    with pytest.raises(ValueError) as caught:
        LatentcutModel.from_pretrained(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path / 'config.json'} says model_type 'sam', and only 'latentcut' can be used here"
    )


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (
            {"input_points": [[[[1, 1]]], [[[1, 1]]]]},
            "input_points must hold one list for each of 1 images, given 2",
        ),
        (
            {"input_points": [[[[1, 1]]]], "input_labels": [[[1, 0]]]},
            "image 0, object 0 has 1 points and labels of the shape (2,): "
            "give one label for each point",
        ),
        ({"input_labels": [[[1]]]}, "input_labels were given without input_points"),
        ({"return_tensors": "tf"}, 'return_tensors must be "np" or "pt", given \'tf\''),
    ],
)
def test_prompts_that_do_not_fit_are_refused(processor, photos, prompts, message):
    with pytest.raises(ValueError) as caught:
        processor(photos[0], **prompts)

    assert str(caught.value) == message


def test_an_image_without_prompts_is_refused(processor, model, photos):
    with pytest.raises(ValueError) as caught:
        model(**processor(photos[0]))

    assert str(caught.value) == "give input_points or input_boxes: there is nothing to answer"
