from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from latentcut import Click
from latentcut.nets.decoder import Decoded
from latentcut.nets.encoder import Features
from latentcut.nets.model import Answer
from latentcut.training.batches import Batch
from latentcut.training.config import ClickConfig, Config, LossConfig
from latentcut.training.objective import add_corrective_clicks, click_targets, pair_losses

NO_DIVERSITY = LossConfig(rank_weights=(0.0, 0.0))


def half_masks() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N=2, M=2, 4, 4) of the left and of the right half, and the targets of 8 px."""
    left = torch.full((4, 4), -1.0)
    left[:, :2] = 1.0
    logits = torch.stack([left, left.flip(1)]).repeat(2, 1, 1, 1)
    targets = torch.zeros(2, 8, 8)
    targets[0, :, :4] = targets[1, :, 4:] = 1.0  # pair 0 means the left half, pair 1 the right
    return logits, targets


def answer_of(logits: torch.Tensor) -> Answer:
    coarse = torch.nn.functional.avg_pool2d(logits, 2)
    nothing = torch.zeros(2, 1, 1, 1)
    return Answer(Decoded(logits, coarse, nothing, nothing), torch.zeros(2, 2))


CENTRES = [(Click(1.0, 4.0),), (Click(6.0, 4.0),)]


def test_only_the_best_mask_of_each_pair_is_pulled_towards_its_ground_truth():
    logits, targets = half_masks()
    logits.requires_grad_()

    total, _ = pair_losses(
        answer_of(logits), targets, torch.ones_like(targets), CENTRES, NO_DIVERSITY
    )
    total.backward()

    pulled = logits.grad.abs().sum((2, 3)) > 0
    assert pulled.tolist() == [[True, False], [False, True]]


def test_ranked_diversity_gives_every_mask_a_gradient():
    logits, targets = half_masks()
    logits.requires_grad_()
    loss = LossConfig(rank_weights=(0.02, 0.01))

    total, _ = pair_losses(answer_of(logits), targets, torch.ones_like(targets), CENTRES, loss)
    total.backward()

    assert (logits.grad.abs().sum((2, 3)) > 0).all()


@pytest.mark.parametrize("selection", ["expected_iou", "cross_entropy"])
def test_both_objectives_of_g_reward_scores_that_name_the_right_mask(selection):
    logits, targets = half_masks()
    decoded = answer_of(logits).decoded
    right = torch.tensor([[4.0, -4.0], [-4.0, 4.0]])
    loss = LossConfig(rank_weights=(0.0, 0.0), selection=selection)

    good, bad = (
        pair_losses(Answer(decoded, scores), targets, torch.ones_like(targets), CENTRES, loss)[1]
        for scores in (right, -right)
    )

    assert good["selection"] < bad["selection"]
    assert (good["iou_selected"], bad["iou_selected"]) == (1.0, 0.0)


def test_a_cell_with_clicks_of_both_signs_asks_for_nothing():
    clicks = [(Click(0, 0), Click(1, 1, positive=False), Click(7, 7, positive=False))]

    positive, negative = click_targets(clicks, 8, 4)

    assert positive.tolist() == [[[0.0, 0.0], [0.0, 0.0]]]
    assert negative.tolist() == [[[0.0, 0.0], [0.0, 1.0]]]


def test_the_weights_of_ranked_diversity_are_those_of_the_paper():
    weights = LossConfig().rank_weights

    assert weights == tuple(0.0025 * factor for factor in (32, 16, 8, 4, 2, 1))


@pytest.mark.parametrize(
    ("share", "masks_fed_back"),
    [pytest.param(0.0, {0}, id="the best one"), pytest.param(1.0, {0, 1, 2}, id="any candidate")],
)
def test_corrective_clicks_also_answer_masks_of_other_things(share, masks_fed_back):
    size, pairs = 32, 24
    halves = torch.full((3, size // 2, size // 2), -1.0)
    halves[0, :8], halves[1, 8:], halves[2, :, :8] = 1.0, 1.0, 1.0  # what is meant is above
    targets = torch.zeros(pairs, size, size, dtype=torch.bool)
    targets[:, :16, :24] = True

    class Scripted:
        def decode(self, features, guidance, index, sign):
            nothing = torch.zeros(1)
            logits = halves.repeat(len(guidance), 1, 1, 1)
            return Answer(Decoded(logits, logits, nothing, nothing), torch.zeros(len(guidance), 3))

    batch = Batch(
        0,
        torch.zeros(pairs, 3, size, size, dtype=torch.uint8),
        targets,
        torch.zeros(pairs, size, size, dtype=torch.bool),
        [(Click(10.0, 8.0),)] * pairs,
        list(range(pairs)),
    )
    how = ClickConfig(
        corrective_shares=(0.0, 1.0),
        selected_share=0.0,
        any_candidate_share=share,
        drop_previous_share=0.0,
    )

    clicks, previous = add_corrective_clicks(
        Scripted(), Features(*[torch.zeros(pairs, 1)] * 4), batch, Config(clicks=how)
    )

    small = [F.avg_pool2d((half > 0).float()[None], 2)[0] for half in halves]
    found = [next(i for i, half in enumerate(small) if torch.equal(half, m)) for m in previous]
    assert set(found) == masks_fed_back
    for which, pair in zip(found, clicks, strict=True):
        click = pair[-1]  # on an error of the mask that was fed back
        column, row = click.pixel_xy
        assert click.positive == bool(targets[0, row, column])
        assert click.positive != bool(halves[which, row // 2, column // 2] > 0)
