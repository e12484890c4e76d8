"""Outlines and the spread of candidates, on masks drawn by hand."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from latentcut.core.metrics import iou
from latentcut.evaluation.metrics import boundary, boundary_f, diversity, near


def box(size_hw, top, left, bottom, right):
    mask = np.zeros(size_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_outline_marks_one_side_of_every_transition():
    mask = box((4, 5), 1, 2, 3, 4)

    outline = boundary(mask)

    assert outline.astype(int).tolist() == [
        [0, 1, 1, 1, 0],
        [0, 1, 0, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]


def test_the_image_border_is_no_outline():
    assert not boundary(np.ones((4, 4), dtype=bool)).any()


def test_what_is_near_an_outline_is_its_dilation_by_a_disc():
    rng = np.random.default_rng(0)
    outline = rng.random((40, 50)) < 0.01
    rows, columns = np.mgrid[-3:4, -3:4]
    disc = (rows**2 + columns**2 <= 9).astype(np.uint8)

    actual = near(outline, 3)

    np.testing.assert_array_equal(actual, cv2.dilate(outline.astype(np.uint8), disc) > 0)


def test_equal_masks_have_equal_outlines():
    mask = box((50, 60), 10, 10, 30, 40)

    assert boundary_f(mask, mask) == 1.0


def test_a_shift_within_the_tolerance_costs_nothing_and_beyond_it_something():
    gt = box((300, 400), 100, 100, 200, 200)  # diagonal 500: 4 px are allowed

    shifted = {by: boundary_f(np.roll(gt, by, axis=1), gt) for by in (4, 5, 40)}

    assert shifted[4] == 1.0
    assert 0.5 < shifted[5] < 1.0  # both vertical sides are lost
    assert 0.0 < shifted[40] < shifted[5]


def test_precision_and_recall_are_averaged_harmonically():
    gt = box((300, 400), 50, 50, 100, 100)
    both = gt | box((300, 400), 200, 300, 250, 350)  # a second one of the same size

    value = boundary_f(both, gt)

    assert value == pytest.approx(2 / 3)  # precision 1/2, recall 1


def test_a_mask_without_outline_agrees_only_with_another_such_one():
    empty, full = np.zeros((9, 9), dtype=bool), np.ones((9, 9), dtype=bool)
    some = box((9, 9), 2, 2, 5, 5)

    assert boundary_f(empty, full) == 1.0
    assert boundary_f(empty, some) == 0.0
    assert boundary_f(some, empty) == 0.0


def test_outlines_far_apart_agree_nowhere():
    assert boundary_f(box((99, 99), 2, 2, 9, 9), box((99, 99), 80, 80, 90, 90)) == 0.0


def test_outlines_in_ignored_pixels_do_not_count():
    gt = box((300, 400), 50, 50, 100, 100)
    both = gt | box((300, 400), 200, 300, 250, 350)
    ignore = box((300, 400), 150, 250, 300, 400)

    assert boundary_f(both, gt, ignore) == 1.0


def test_candidates_are_compared_in_pairs():
    full, half = np.ones((4, 4), dtype=bool), box((4, 4), 0, 0, 2, 4)
    other = box((4, 4), 2, 0, 4, 4)

    value = diversity(np.stack([full, half, other]))

    assert value == pytest.approx((0.5 + 0.5 + 0.0) / 3)


def test_one_candidate_has_no_pairs():
    assert diversity(np.ones((1, 4, 4), dtype=bool)) is None


def test_candidates_that_differ_in_ignored_pixels_are_the_same():
    full, half = np.ones((4, 4), dtype=bool), box((4, 4), 0, 0, 2, 4)

    assert diversity(np.stack([full, half]), box((4, 4), 2, 0, 4, 4)) == 1.0


def test_the_iou_of_pairs_is_that_of_the_metrics():
    rng = np.random.default_rng(0)
    candidates, ignore = rng.random((4, 13, 7)) < 0.4, rng.random((13, 7)) < 0.2
    pairs = [iou(a, b, ignore) for a, b in combinations(candidates, 2)]

    assert diversity(candidates, ignore) == pytest.approx(sum(pairs) / 6)


def test_empty_candidates_are_equal():
    assert diversity(np.zeros((2, 3, 3), dtype=bool)) == 1.0
