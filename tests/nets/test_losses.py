from __future__ import annotations

import pytest
import torch

from latentcut.nets.losses import (
    click_constraint,
    hard_ious,
    hindsight_choice,
    normalised_focal,
    ranked_diversity,
    relaxed_jaccard,
    selection_cross_entropy,
    selection_expected_iou,
)


def test_relaxed_jaccard_of_a_soft_mask_is_one_minus_minima_over_maxima():
    target = torch.tensor([[[1.0, 0.0]]])  # (B=1, H=1, W=2)
    probs = torch.tensor([[[[0.5, 0.25]]]])  # (B=1, M=1, H=1, W=2)

    distance = relaxed_jaccard(probs, target)

    assert distance.item() == pytest.approx(0.6)  # 1 - (0.5 + 0) / (1 + 0.25)


def test_relaxed_jaccard_is_smaller_for_the_better_mask():
    target = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    probs = torch.tensor([[[[0.9, 0.8, 0.1, 0.0]], [[0.4, 0.8, 0.6, 0.0]]]])

    distance = relaxed_jaccard(probs, target)

    assert distance[0, 0] < distance[0, 1]


def test_relaxed_jaccard_of_empty_mask_and_empty_target_is_zero():
    target, probs = torch.zeros(1, 2, 2), torch.zeros(1, 1, 2, 2)

    distance = relaxed_jaccard(probs, target)

    assert distance.item() == 0.0


def test_relaxed_jaccard_is_per_image_and_not_per_batch():
    target = torch.tensor([[[1.0]], [[1.0]]])
    probs = torch.tensor([[[[1.0]]], [[[0.5]]]])

    distance = relaxed_jaccard(probs, target)

    assert distance.tolist() == [[0.0], [0.5]]  # summed over the batch both would be 0.25


def test_relaxed_jaccard_leaves_out_pixels_that_do_not_count():
    target = torch.tensor([[[1.0, 0.0]]])
    probs = torch.tensor([[[[1.0, 1.0]]]])
    valid = torch.tensor([[[1.0, 0.0]]])

    distance = relaxed_jaccard(probs, target, valid)

    assert distance.item() == 0.0


def test_click_constraint_sums_what_is_missing_at_clicks_of_both_signs():
    probs = torch.tensor([[[[0.75, 0.25, 0.5]]]])
    positive = torch.tensor([[[1.0, 0.0, 0.0]]])
    negative = torch.tensor([[[0.0, 1.0, 0.0]]])

    loss = click_constraint(probs, positive, negative)

    assert loss.tolist() == [[0.5]]  # |1 - 0.75| + |1 - (1 - 0.25)|


def test_click_constraint_without_clicks_is_zero():
    loss = click_constraint(torch.rand(1, 2, 2, 2), torch.zeros(1, 2, 2), torch.zeros(1, 2, 2))

    assert loss.tolist() == [[0.0, 0.0]]


def test_click_constraint_is_larger_for_a_mask_that_breaks_the_click():
    positive = torch.tensor([[[1.0]]])
    probs = torch.tensor([[[[0.9]], [[0.1]]]])

    loss = click_constraint(probs, positive, torch.zeros(1, 1, 1))

    assert loss[0, 0] < loss[0, 1]


def test_hindsight_chooses_the_best_mask_of_each_image_not_of_the_batch():
    # image 0 is best served by mask 0, image 1 by mask 1
    per_mask = torch.tensor([[0.25, 1.0], [0.75, 0.5]])  # (B=2, M=2)

    choice = hindsight_choice(per_mask)

    assert choice.tolist() == [0, 1]  # the batch means, 0.5 and 0.75, would give mask 0 twice


def test_ranked_diversity_weighs_the_first_masks_most():
    per_mask = torch.tensor([[1.0, 0.0], [0.5, 1.0]])

    loss = ranked_diversity(per_mask, (0.02, 0.01))

    assert loss.item() == pytest.approx(0.02)  # (0.02 + (0.01 + 0.01)) / 2


def test_normalised_focal_of_even_doubt_is_the_cross_entropy():
    logits, target = torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]])

    loss = normalised_focal(logits, target)

    # every weight is 0.5^2, so the weighted mean of ln 2 is ln 2
    assert loss.item() == pytest.approx(0.693147, abs=1e-4)


def test_normalised_focal_is_smaller_for_the_better_mask_and_per_image():
    logits = torch.tensor([[[4.0, -4.0]], [[-1.0, 1.0]]])
    target = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]]])

    loss = normalised_focal(logits, target)

    assert loss.shape == (2,)
    assert loss[0] < loss[1]


def test_selection_cross_entropy_asks_for_the_candidate_with_the_smallest_distance():
    distances = torch.tensor([[0.5, 0.1], [0.2, 0.9]])
    right = torch.tensor([[-5.0, 5.0], [5.0, -5.0]])

    losses = selection_cross_entropy(right, distances), selection_cross_entropy(-right, distances)

    assert losses[0] < 1e-3 < losses[1]


def test_selection_expected_iou_is_the_squared_gap_to_the_reached_iou():
    scores = torch.zeros(1, 2)  # sigmoid: 0.5
    ious = torch.tensor([[0.5, 1.0]])

    loss = selection_expected_iou(scores, ious)

    assert loss.item() == 0.125  # (0 + 0.25) / 2


def test_hard_ious_threshold_logits_at_zero_and_count_empty_pairs_as_right():
    logits = torch.tensor([[[[1.0, 1.0, -1.0]]], [[[-1.0, -1.0, -1.0]]]])
    target = torch.tensor([[[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]])

    ious = hard_ious(logits, target)

    assert ious.tolist() == [[0.5], [1.0]]
