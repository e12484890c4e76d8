from __future__ import annotations

import math

import pytest
import torch

from latentcut.nets.losses import selection_regret


def test_even_scores_lose_the_gap_between_the_best_iou_and_the_mean():
    scores, ious = torch.zeros(1, 4), torch.tensor([[0.9, 0.5, 0.3, 0.1]])

    regret = selection_regret(scores, ious)

    assert regret.item() == pytest.approx(0.9 - 0.45)


def test_the_share_of_each_candidate_is_the_softmax_of_its_score_over_the_temperature():
    # 0.25 * ln 3 / 0.25: the first is drawn three times as often as the second
    scores, ious = torch.tensor([[0.25 * math.log(3), 0.0]]), torch.tensor([[0.2, 1.0]])

    regret = selection_regret(scores, ious)

    assert regret.item() == pytest.approx(1.0 - (0.75 * 0.2 + 0.25 * 1.0))


def test_a_higher_temperature_draws_more_evenly():
    scores, ious = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[1.0, 0.0]])

    regrets = [selection_regret(scores, ious, t).item() for t in (1.0, 0.5)]

    assert regrets == pytest.approx([1 / 4, 1 / 10])  # shares 3 : 1 and 9 : 1


def test_a_clear_choice_of_the_best_loses_nothing_and_of_the_worst_the_whole_gap():
    ious = torch.tensor([[0.8, 0.3]])

    right = selection_regret(torch.tensor([[50.0, 0.0]]), ious)
    wrong = selection_regret(torch.tensor([[0.0, 50.0]]), ious)

    assert right.item() == pytest.approx(0.0, abs=1e-6)
    assert wrong.item() == pytest.approx(0.5)


def test_equal_candidates_cost_nothing_whatever_the_scores():
    scores = torch.tensor([[3.0, -1.0, 0.5]])

    regret = selection_regret(scores, torch.full((1, 3), 0.4))

    assert regret.item() == pytest.approx(0.0, abs=1e-6)


def test_the_best_is_taken_for_each_pair_and_the_mean_over_pairs():
    ious = torch.tensor([[1.0, 0.0], [0.0, 0.5]])

    regret = selection_regret(torch.zeros(2, 2), ious)

    assert regret.item() == pytest.approx((0.5 + 0.25) / 2)


def test_a_step_along_the_gradient_raises_the_best_candidates_score_alone():
    scores = torch.zeros(1, 3, requires_grad=True)

    selection_regret(scores, torch.tensor([[0.1, 0.9, 0.2]])).backward()

    assert (scores.grad < 0).tolist() == [[False, True, False]]  # descent: minus the gradient
    assert scores.grad.sum().item() == pytest.approx(0.0, abs=1e-6)
