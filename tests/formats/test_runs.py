"""Runs of pixels against the masks they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from format_samples import MASK_NAMES, MASKS, A, B, Z, any_mask
from hypothesis import given
from hypothesis import strategies as st

from latentcut.core.masks import coco_rle, mask_area, mask_box_xyxy
from latentcut.errors import BadMask
from latentcut.formats import runs as run_lengths
from latentcut.formats.runs import (
    crop,
    merged,
    rle_of_runs,
    runs_by_value,
    runs_of_crop,
    runs_of_mask,
    runs_of_rle,
    union,
)


def test_runs_of_the_golden_masks_go_down_the_columns():
    actual = [runs_of_mask(mask).tolist() for mask in (A, B, Z)]

    # A has counts [10, 1, 2, 2, 5], B [9, 2, 2, 2, 5]
    assert actual == [[[10, 11], [13, 15]], [[9, 11], [13, 15]], []]


@pytest.mark.parametrize("mask", MASKS, ids=MASK_NAMES)
def test_named_masks_have_the_code_area_and_box_of_their_pixels(mask):
    runs = runs_of_mask(mask)

    assert rle_of_runs(runs, mask.shape) == coco_rle(mask)
    assert run_lengths.area(runs) == mask_area(mask)
    assert run_lengths.box_xyxy(runs, mask.shape[0]) == mask_box_xyxy(mask)


@given(any_mask)
def test_any_mask_survives_its_code(mask):
    runs = runs_of_rle(coco_rle(mask))

    assert runs.tolist() == runs_of_mask(mask).tolist()
    assert rle_of_runs(runs, mask.shape) == coco_rle(mask)
    assert run_lengths.box_xyxy(runs, mask.shape[0]) == mask_box_xyxy(mask)


@given(any_mask, st.data())
def test_a_crop_is_that_of_the_mask_and_goes_back_to_its_place(mask, data):
    height, width = mask.shape
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    alone = np.zeros_like(mask)
    alone[y0:y1, x0:x1] = mask[y0:y1, x0:x1]

    cropped = crop(runs_of_mask(mask), mask.shape, (x0, y0, x1, y1))

    np.testing.assert_array_equal(cropped, mask[y0:y1, x0:x1])
    back = runs_of_crop(cropped, mask.shape, (x0, y0))
    assert back.tolist() == runs_of_mask(alone).tolist()


@given(any_mask, st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
def test_a_union_has_the_pixels_of_all(mask, seeds):
    masks = [np.random.default_rng(seed).random(mask.shape) < 0.4 for seed in seeds]

    actual = union(runs_of_mask(m) for m in masks)

    assert actual.tolist() == runs_of_mask(np.logical_or.reduce(masks)).tolist()


def test_the_union_of_nothing_is_empty():
    assert union([]).shape == (0, 2)


def test_runs_that_touch_become_one_and_empty_ones_go():
    actual = merged(np.array([[0, 2], [2, 2], [2, 5], [7, 8], [8, 8]]))

    assert actual.tolist() == [[0, 5], [7, 8]]


@given(any_mask, st.integers(0, 2**32))
def test_every_value_of_a_label_map_has_the_runs_of_its_mask(mask, seed):
    numbers = np.random.default_rng(seed).integers(0, 4, mask.shape).astype(np.uint8)

    actual = runs_by_value(numbers)

    expected = {int(v): runs_of_mask(numbers == v).tolist() for v in np.unique(numbers)}
    assert {value: runs.tolist() for value, runs in actual.items()} == expected


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ([], "the run-length code has no size and counts: both keys must be there"),
        (
            {"size": [10**9, 10**9], "counts": [10**18]},
            "the mask is 1000000000 px wide and 1000000000 px high: "
            "at most 50,000,000 pixels are allowed",
        ),
        (
            {"size": [10**5000, 10], "counts": []},
            "the mask is huge: at most 50,000,000 pixels are allowed",
        ),
        (
            {"size": [-4, 5], "counts": [20]},
            "a side of the size is no whole number or below 1: "
            "size must be [height, width], two whole numbers of at least 1",
        ),
        (
            {"size": 4, "counts": [20]},
            "the size has not two numbers: "
            "size must be [height, width], two whole numbers of at least 1",
        ),
        (
            {"size": [4, 5], "counts": {"a": 1}},
            "counts is of type dict: give a list or a string",
        ),
        (
            {"size": [4, 5], "counts": [10.0, 10]},
            "a count is no whole number: "
            "counts must be whole numbers of at least 0 that add up to height x width",
        ),
        (
            {"size": [4, 5], "counts": [-1, 21]},
            "a count is negative or larger than the mask: "
            "counts must be whole numbers of at least 0 that add up to height x width",
        ),
        (
            {"size": [4, 5], "counts": [10, 11]},
            "the counts add up to 21, not to 4 x 5 = 20: "
            "counts must be whole numbers of at least 0 that add up to height x width",
        ),
        (
            {"size": [1, 1], "counts": [0] * 15},
            "there are more counts than pixels: "
            "counts must be whole numbers of at least 0 that add up to height x width",
        ),
    ],
    ids=["list", "large", "huge", "negative", "no size", "kind", "float", "count", "sum", "many"],
)
def test_a_hostile_code_is_refused_with_one_sentence(rle, message):
    with pytest.raises(BadMask) as caught:
        runs_of_rle(rle)

    assert str(caught.value) == message
