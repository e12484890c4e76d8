from __future__ import annotations

import numpy as np
import pytest

from latentcut.core.metrics import iou, is_failure, number_of_clicks
from latentcut.errors import MaskSizeMismatch

GT_MASK = np.array([[1, 1, 0], [1, 1, 0]], dtype=bool)


def test_iou_is_the_common_area_over_the_joint_area():
    mask = np.array([[0, 1, 1], [0, 1, 1]], dtype=bool)

    actual = iou(mask, GT_MASK)

    assert actual == 1 / 3  # 2 pixels in common, 6 in either


def test_iou_is_higher_for_a_mask_that_misses_less():
    misses_one = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    misses_two = np.array([[1, 1, 0], [0, 0, 0]], dtype=bool)

    actual = iou(misses_one, GT_MASK), iou(misses_two, GT_MASK)

    assert actual == (3 / 4, 2 / 4)


@pytest.mark.parametrize(
    ("mask", "gt_mask", "expected"),
    [
        pytest.param([[0, 0]], [[0, 0]], 1.0, id="both-empty"),
        pytest.param([[1, 0]], [[0, 0]], 0.0, id="only-the-ground-truth-empty"),
        pytest.param([[0, 0]], [[1, 0]], 0.0, id="only-the-mask-empty"),
        pytest.param([[1, 1]], [[1, 1]], 1.0, id="both-full"),
    ],
)
def test_iou_of_empty_and_full_masks_is_defined(mask, gt_mask, expected):
    given, gt = np.array(mask, dtype=bool), np.array(gt_mask, dtype=bool)

    actual = iou(given, gt)

    assert actual == expected


def test_iou_counts_ignored_pixels_neither_way():
    mask = np.array([[0, 1, 1], [0, 1, 1]], dtype=bool)
    ignore_mask = np.array([[0, 0, 1], [0, 0, 1]], dtype=bool)

    actual = iou(mask, GT_MASK, ignore_mask)

    assert actual == 0.5  # without the last column: 2 in common, 4 in either


def test_iou_is_one_where_both_masks_are_empty_outside_the_ignored_pixels():
    mask = np.array([[0, 1]], dtype=bool)
    gt_mask = np.array([[0, 0]], dtype=bool)
    ignore_mask = np.array([[0, 1]], dtype=bool)

    actual = iou(mask, gt_mask, ignore_mask)

    assert actual == 1.0


@pytest.mark.parametrize(
    ("mask", "ignore_mask"),
    [
        pytest.param(np.zeros((3, 2), bool), None, id="mask"),
        pytest.param(GT_MASK, np.zeros((3, 2), bool), id="ignore-mask"),
    ],
)
def test_a_mask_of_another_size_is_refused(mask, ignore_mask):
    with pytest.raises(MaskSizeMismatch) as caught:
        iou(mask, GT_MASK, ignore_mask)

    assert str(caught.value) == (
        "the mask has shape (3, 2), but the image is 2 px high and 3 px wide: "
        "the mask must have shape (2, 3)"
    )


@pytest.mark.parametrize(
    ("ious", "expected_clicks", "expected_failure"),
    [
        pytest.param([0.95], 1, False, id="first-click"),
        pytest.param([0.5, 0.9, 0.4], 2, False, id="exactly-the-threshold"),
        pytest.param([0.5, 0.89], 20, True, id="never"),
        pytest.param([], 20, True, id="no-click"),
        pytest.param([0.5] * 19 + [0.9], 20, False, id="solved-by-the-last-click"),
        pytest.param([0.5] * 20 + [0.9], 20, True, id="solved-after-the-budget"),
        pytest.param([float("nan"), 0.9], 2, False, id="nan-is-not-good-enough"),
    ],
)
def test_number_of_clicks_is_the_first_that_reaches_the_threshold_within_the_budget(
    ious, expected_clicks, expected_failure
):
    threshold = 0.9

    actual = number_of_clicks(ious, threshold), is_failure(ious, threshold)

    assert actual == (expected_clicks, expected_failure)


def test_the_click_budget_can_be_changed():
    ious = np.array([0.1, 0.2, 0.9])

    actual = number_of_clicks(ious, 0.9, max_clicks=2), is_failure(ious, 0.9, max_clicks=2)

    assert actual == (2, True)


def test_number_of_clicks_is_never_smaller_for_a_higher_threshold():
    ious = [0.3, 0.86, 0.88, 0.91]

    actual = [number_of_clicks(ious, threshold) for threshold in (0.3, 0.85, 0.9, 0.95)]

    assert actual == [1, 2, 4, 20]
