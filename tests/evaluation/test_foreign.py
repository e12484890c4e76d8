"""Predictors of other people, as a factory in a module gives them."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_helpers import OneAnswer, SamShaped

from latentcut.core.clicks import Click
from latentcut.errors import BadConfig, MaskSizeMismatch
from latentcut.evaluation.foreign import SamSegmenter, load_foreign

CLICKS = (Click(4, 5), Click(1, 0, positive=False))


@pytest.fixture
def image():
    image = np.zeros((12, 16, 3), dtype=np.uint8)
    image[4:8, 4:8] = 200
    return image


def test_what_has_start_is_used_as_it_is():
    segmenter = load_foreign("evaluation_helpers:OneAnswer", {"solved_after": "7"})

    assert isinstance(segmenter, OneAnswer)
    assert segmenter.solved_after == 7


def test_the_mask_of_the_largest_score_is_selected(image):
    segmenter = load_foreign("evaluation_helpers:SamShaped", {"best": "2"}, "sam")

    answer = segmenter.start(image).answer(CLICKS[:1])

    assert answer.candidates.shape == (3, 12, 16)
    assert answer.candidates.dtype == bool
    assert answer.selected == 2
    assert answer.mask.sum() == 64  # 4 x 4 px, grown twice by one on each side
    assert answer.expected_iou.tolist() == [0.25, 0.25, 1.0]  # no IoU is above 1
    assert answer.scores.tolist() == [0.25, 0.25, 1.5]


def test_points_have_the_form_that_segment_anything_takes(image):
    predictor = SamShaped()
    talk = SamSegmenter(predictor, "sam", "here").start(image)

    talk.answer(CLICKS[:1])
    talk.answer(CLICKS)

    (_, _, no_mask, several), (points, labels, fed_back, one) = predictor.asked
    assert no_mask is None
    assert (points.dtype, points.tolist()) == (np.float32, [[4, 5], [1, 0]])
    assert labels.tolist() == [1, 0]
    assert (fed_back.shape, fed_back.dtype) == ((1, 4, 4), np.float32)
    assert fed_back.max() == 11.0  # of candidate 1 after one click
    assert (several, one) == (True, False)


@pytest.mark.parametrize(("multimask", "asked"), [("always", [True] * 2), ("never", [False] * 2)])
def test_how_often_several_masks_are_asked_for_is_an_option(image, multimask, asked):
    predictor = SamShaped()
    talk = SamSegmenter(predictor, "sam", "here", multimask).start(image)

    talk.answer(CLICKS[:1])
    talk.answer(CLICKS)

    assert [several for *_, several in predictor.asked] == asked


def test_facts_and_fingerprint_say_where_it_comes_from():
    segmenter = load_foreign("evaluation_helpers:SamShaped", {"best": "0", "multimask": "never"})

    assert segmenter.name == "SamShaped"
    assert segmenter.fingerprint == "evaluation_helpers:SamShaped&best=0&multimask=never"
    assert segmenter.facts == {
        "kind": "foreign",
        "factory": "evaluation_helpers:SamShaped&best=0",
        "class": "SamShaped",
        "multimask": "never",
    }


def test_a_predictor_may_have_a_fingerprint_of_its_own():
    predictor = SamShaped()
    predictor.fingerprint = "abc"

    assert SamSegmenter(predictor, "sam", "here").fingerprint == "abc"


def test_masks_of_another_size_are_refused(image):
    predictor = SamShaped()
    talk = SamSegmenter(predictor, "sam", "here").start(image)
    predictor.set_image(image[:5])

    with pytest.raises(MaskSizeMismatch) as caught:
        talk.answer(CLICKS[:1])

    assert (caught.value.given_shape, caught.value.size_hw) == ((5, 16), (12, 16))


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        pytest.param(
            "no_such_module:make",
            {},
            "no_such_module:make cannot be imported: No module named 'no_such_module'; give "
            "module:factory, importable from where the command runs (PYTHONPATH)",
            id="module",
        ),
        pytest.param(
            "evaluation_helpers:nothing",
            {},
            "evaluation_helpers:nothing cannot be imported: module 'evaluation_helpers' has no "
            "attribute 'nothing'; give module:factory, importable from where the command runs "
            "(PYTHONPATH)",
            id="factory",
        ),
        pytest.param(
            "evaluation_helpers:no_predictor",
            {"colour": "red"},
            "evaluation_helpers:no_predictor refused its arguments: no_predictor() got an "
            "unexpected keyword argument 'colour'",
            id="argument",
        ),
        pytest.param(
            "evaluation_helpers:no_predictor",
            {},
            "no_predictor is a SimpleNamespace without predict: it must have set_image and "
            "predict as Segment Anything's predictor, or start as "
            "latentcut.evaluation.segmenter.Segmenter",
            id="result",
        ),
        pytest.param(
            "evaluation_helpers:SamShaped",
            {"multimask": "twice"},
            "multimask=twice is unknown: give first, always, never",
            id="multimask",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(target, options, message):
    with pytest.raises(BadConfig) as caught:
        load_foreign(target, options)

    assert str(caught.value) == message
