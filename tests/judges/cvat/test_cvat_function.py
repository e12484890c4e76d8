"""The interaction function, called as cvat-sdk says that agents call it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import pytest
from cvat_sdk.masks import decode_mask
from PIL import Image

import latentcut
from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.integrations.cvat.interaction import create

SAMPLES = Path(__file__).resolve().parents[3] / "src" / "latentcut" / "samples"
PHOTO = SAMPLES / "chelsea.jpg"


@dataclass(frozen=True)
class Prompts(cvataa.InteractionPrompts):
    pos_points: tuple[tuple[float, float], ...] = ()
    neg_points: tuple[tuple[float, float], ...] = ()
    bounding_box: tuple[tuple[float, float], tuple[float, float]] | None = None


class Context(cvataa.InteractionFunctionContext):
    """Empty, as it is today."""


@pytest.fixture(scope="module")
def predictor():
    return latentcut.load(threads=1)


@pytest.fixture(scope="module")
def function():
    return create(threads=1)


@pytest.fixture(scope="module")
def pp_image(function):
    return function.preprocess_image(Context(), Image.open(PHOTO))


def mask_of(shape):
    return decode_mask(shape.points, image_width=451, image_height=300)


def test_the_spec_allows_points_of_both_signs_and_a_box_and_needs_none_of_them(function):
    spec = function.spec

    assert spec == cvataa.InteractionFunctionSpec(
        min_pos_points=0, min_neg_points=0, min_bounding_boxes=0
    )


def test_points_give_the_mask_of_the_same_clicks(function, pp_image, predictor):
    clicks = Click(235, 160), Click(410, 140, positive=False)
    prediction = replayed(predictor, predictor.encode(PHOTO), clicks)
    prompts = Prompts(pos_points=((235.5, 160.5),), neg_points=((410.5, 140.5),))

    (shape,) = function.detect(Context(), pp_image, prompts)

    assert shape.type == "mask"
    assert (mask_of(shape) == prediction.mask).all()
    expected_iou = prediction.expected_iou[prediction.selected]
    assert [(a.spec_id, a.value) for a in shape.attributes] == [(0, f"{expected_iou:.3f}")]


def test_a_box_alone_is_a_prompt(function, pp_image, predictor):
    session = predictor.open(PHOTO)
    session.box(59.5, 19.5, 439.5, 289.5)
    prompts = Prompts(bounding_box=((60.0, 20.0), (440.0, 290.0)))

    (shape,) = function.detect(Context(), pp_image, prompts)

    assert (mask_of(shape) == session.mask).all()


def test_negative_points_alone_give_no_shape(function, pp_image):
    shapes = function.detect(Context(), pp_image, Prompts(neg_points=((5.0, 5.0),)))

    assert shapes == []


def test_points_on_the_very_edge_of_the_image_count_as_its_last_pixels(function, pp_image):
    prompts = Prompts(pos_points=((451.0, 300.0), (0.0, 300.0)))

    (shape,) = function.detect(Context(), pp_image, prompts)

    mask = mask_of(shape)
    assert mask[299, 450]
    assert mask[299, 0]


def test_a_point_outside_is_refused_with_a_sentence_that_cvat_shows(function, pp_image):
    with pytest.raises(cvataa.BadFunctionError) as caught:
        function.detect(Context(), pp_image, Prompts(pos_points=((460.0, 3.0),)))

    assert str(caught.value) == (
        "click (x=459.5, y=2.5) is outside the image, which is 451 px wide and 300 px high: "
        "x must be 0 to 450 and y 0 to 299"
    )


def test_no_prompt_at_all_is_refused_with_a_sentence_that_cvat_shows(function, pp_image):
    with pytest.raises(cvataa.BadFunctionError) as caught:
        function.detect(Context(), pp_image, Prompts())

    assert str(caught.value) == (
        "there is no click, box or previous mask: give at least one of them"
    )


def test_detect_changes_nothing_in_the_preprocessed_image(function, pp_image):
    before = [array.copy() for array in (pp_image.image, *pp_image.features)]

    function.detect(Context(), pp_image, Prompts(pos_points=((235.5, 160.5),)))

    after = (pp_image.image, *pp_image.features)
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
