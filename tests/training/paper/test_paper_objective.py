"""
L_f and L_g against numbers worked out by hand.

The stub is a model whose last weights are zero: whatever the picture, mask m is
p_m everywhere and g's scores are its biases. For a target of n of N pixels
l = 1 - n p / (n + (N - n) p).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from paper_stubs import batch_of, constant_model, upper_half

from latentcut import Click
from latentcut.nets.paper.model import LatentDiversity
from latentcut.training.paper.config import PaperConfig
from latentcut.training.paper.objective import (
    at_stride,
    draw_maps,
    repeat,
    shuffled,
    step_loss,
)

MakeConfig = Callable[..., PaperConfig]
PLAIN = ("model.stride=1", "clicks.corrective_shares=[1.0]")  # no corrective clicks
NO_DIVERSITY = (*PLAIN, "loss.ranked_diversity=false")


def jaccard(p: float, inside: int, outside: int) -> float:
    return 1 - inside * p / (inside + outside * p)


# ---------------------------------------------------------------- L_f


def test_l_f_is_the_jaccard_distance_and_click_constraint_of_the_best_mask(
    paper_config: MakeConfig,
):
    model = constant_model((0.2, 0.8))
    clicks = (Click(0, 0), Click(1, 1), Click(3, 3, positive=False))

    loss, figures = step_loss(
        model, batch_of([upper_half()], [clicks]), paper_config(*NO_DIVERSITY), train_g=False
    )

    # mask 0: 1 - 1.6 / 9.6 = 0.833 and 0.8 + 0.8 + 0.2; mask 1: 1 - 6.4 / 14.4 and 0.2 + 0.2 + 0.8
    assert float(loss.detach()) == pytest.approx(1 - 6.4 / 14.4 + 1.2, abs=1e-5)
    assert figures == pytest.approx(
        {
            "iou_best": 6.4 / 14.4,
            "iou_first": 1.6 / 9.6,
            "click": 1.2,
            "loss": 1 - 6.4 / 14.4 + 1.2,
        },
        abs=1e-5,
    )


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        # of (0.5556 + w * 0.8) for p = 0.8 and (0.8333 + w * 0.2) for p = 0.2 the smaller one
        pytest.param("0.0", jaccard(0.8, 8, 8), id="none: the better mask"),
        pytest.param("0.25", jaccard(0.8, 8, 8) + 0.2, id="small: the better mask pays"),
        pytest.param("2.0", jaccard(0.2, 8, 8) + 0.4, id="large: the obedient mask wins"),
    ],
)
def test_the_click_constraint_has_a_weight_and_a_say_in_the_choice(
    paper_config: MakeConfig, weight: str, expected: float
):
    batch = batch_of([upper_half()], [(Click(0, 3, positive=False),)])
    config = paper_config(*NO_DIVERSITY, f"loss.click={weight}")

    loss, _ = step_loss(constant_model((0.2, 0.8)), batch, config, train_g=False)

    assert float(loss.detach()) == pytest.approx(expected, abs=1e-5)


def test_ranked_diversity_adds_every_masks_distance_by_its_rank(paper_config: MakeConfig):
    probs = (0.2, 0.8, 0.5)
    batch = batch_of([upper_half()], [(Click(0, 0),)])

    on, off = (
        step_loss(constant_model(probs), batch, paper_config(*options), train_g=False)[0]
        for options in (PLAIN, NO_DIVERSITY)
    )

    weighted = zip((0.08, 0.04, 0.02), probs, strict=True)
    expected = sum(weight * jaccard(p, 8, 8) for weight, p in weighted)
    assert float((on - off).detach()) == pytest.approx(expected, abs=1e-5)


def test_the_best_mask_is_chosen_for_each_pair_and_the_mean_is_taken(paper_config: MakeConfig):
    whole, small = torch.ones(4, 4, dtype=torch.bool), torch.zeros(4, 4, dtype=torch.bool)
    small[0, 0] = True
    # distances: 0.8 and 0.2 to the whole; 1 - 0.2 / (1 + 15 * 0.2) = 0.95 and 1 - 0.8 / 13 = 0.938
    # to the pixel; clicks: 0.8 and 0.2; 0.2 and 0.8
    batch = batch_of([whole, small], [(Click(1, 1),), (Click(2, 2, positive=False),)])
    config = paper_config(*NO_DIVERSITY)

    loss, figures = step_loss(constant_model((0.2, 0.8)), batch, config, train_g=False)

    # mask 1 for the whole, mask 0 for the pixel
    assert float(loss.detach()) == pytest.approx(((0.2 + 0.2) + (0.95 + 0.2)) / 2, abs=1e-5)
    assert figures["iou_best"] == pytest.approx((0.8 + 0.8 / 13) / 2, abs=1e-5)


def test_pixels_that_do_not_count_are_left_out_for_every_pair_of_their_image(
    paper_config: MakeConfig,
):
    batch = batch_of([upper_half()] * 2, [(Click(0, 0),)] * 2)
    batch.ignore[0, 2:] = True  # all that lies outside
    config = paper_config(*NO_DIVERSITY, "loss.click=0")

    loss, _ = step_loss(constant_model((0.8,)), batch, config, train_g=False)

    assert float(loss.detach()) == pytest.approx(1 - 0.8, abs=1e-5)


def test_a_cell_with_clicks_of_both_signs_asks_for_nothing(paper_config: MakeConfig):
    clicks = (Click(0, 0), Click(3, 3, positive=False))
    batch = batch_of([torch.ones(4, 8, dtype=torch.bool)], [clicks])  # two cells
    config = paper_config("clicks.corrective_shares=[1.0]", "loss.ranked_diversity=false")

    loss, figures = step_loss(constant_model((0.8,), stride=4), batch, config, train_g=False)

    assert figures["click"] == 0.0
    assert float(loss.detach()) == pytest.approx(0.2, abs=1e-5)


def test_at_a_stride_a_target_is_the_covered_share_of_each_cell():
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[0, :2, :3] = True

    assert at_stride(mask, 2).tolist() == [[[1.0, 0.5], [0.0, 0.0]]]
    assert at_stride(mask, 1).tolist() == mask.float().tolist()


def test_the_pairs_of_an_image_share_its_encoding_and_have_their_own_maps(
    paper_config: MakeConfig,
):
    model = LatentDiversity(2, 3, (1,), 4, features="none").eval()
    encoded = model.encode(torch.rand(2, 3, 16, 16) * 255)

    repeated = repeat(encoded, 2)
    maps = draw_maps([(Click(0, 0),), (Click(8, 8),)], (16, 16), paper_config())

    assert [torch.equal(repeated.for_f[i], encoded.for_f[i // 2]) for i in range(4)] == [True] * 4
    assert [torch.equal(repeated.for_g[i], encoded.for_g[i // 2]) for i in range(4)] == [True] * 4
    assert maps.shape == (2, 4, 4, 4)
    assert maps[:, 0].flatten(1).argmax(1).tolist() == [0, 2 * 4 + 2]


@pytest.mark.parametrize("train_g", [False, True])
def test_every_pair_is_answered_with_the_encoding_of_its_own_image(
    paper_config: MakeConfig, train_g: bool
):
    torch.manual_seed(0)
    model = LatentDiversity(1, 4, (1,), features="none").eval()  # one mask: nothing to shuffle
    pairs = [upper_half(), ~upper_half(), upper_half().T, ~upper_half().T]
    both = batch_of(pairs, [(Click(0, 0),)] * 4, images=2)
    config = paper_config(*PLAIN, "loss.selection=expected_iou")

    joint, _ = step_loss(model, both, config, train_g=train_g)

    halves = []
    for n in range(2):
        half = batch_of(pairs[2 * n : 2 * n + 2], [(Click(0, 0),)] * 2)
        half.images.copy_(both.images[n : n + 1])
        halves.append(float(step_loss(model, half, config, train_g=train_g)[0].detach()))
    assert float(joint.detach()) == pytest.approx(sum(halves) / 2, abs=1e-6)
    assert abs(halves[0] - halves[1]) > 1e-3


# ---------------------------------------------------------------- L_g


@pytest.mark.parametrize("index", range(6))
def test_l_g_names_the_place_that_the_best_mask_was_shuffled_to(
    paper_config: MakeConfig, index: int
):
    probs, scores = (0.2, 0.8, 0.5), (0.0, 1.0, 2.0)
    batch = batch_of([upper_half()] * 4, [(Click(0, 0),)] * 4, index=index)
    config = paper_config(*PLAIN)

    loss, figures = step_loss(constant_model(probs, scores), batch, config, train_g=True)

    order = shuffled(batch, 3, config.train.seed)
    total = math.log(sum(math.exp(s) for s in scores))
    places = [row.index(1) for row in order.tolist()]  # mask 1, p = 0.8, is best
    expected = np.mean([total - scores[place] for place in places])
    shown = [row[2] for row in order.tolist()]  # the largest score is in the last place
    assert float(loss.detach()) == pytest.approx(expected, abs=1e-5)
    assert figures["iou_selected"] == pytest.approx(
        np.mean([1 - jaccard(probs[mask], 8, 8) for mask in shown]), abs=1e-5
    )
    assert figures["iou_best"] == pytest.approx(6.4 / 14.4, abs=1e-5)


def test_g_may_learn_the_iou_of_each_mask_instead(paper_config: MakeConfig):
    probs, scores = (0.2, 0.8, 0.5), (0.0, math.log(3), -math.log(3))  # 0.5, 0.75, 0.25
    batch = batch_of([upper_half()] * 2, [(Click(0, 0),)] * 2)
    config = paper_config(*PLAIN, "loss.selection=expected_iou")

    loss, _ = step_loss(constant_model(probs, scores), batch, config, train_g=True)

    ious = [1 - jaccard(p, 8, 8) for p in probs]
    order = shuffled(batch, 3, config.train.seed).tolist()
    squares = [
        (said - ious[mask]) ** 2
        for row in order
        for said, mask in zip((0.5, 0.75, 0.25), row, strict=True)
    ]
    assert float(loss.detach()) == pytest.approx(np.mean(squares), abs=1e-5)


def test_g_is_given_the_masks_in_the_shuffled_order(
    paper_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    model = constant_model((0.2, 0.8, 0.5))
    batch = batch_of([upper_half()] * 4, [(Click(0, 0),)] * 4)
    config = paper_config(*PLAIN)
    seen = []
    forward = model.g.forward
    monkeypatch.setattr(
        model.g, "forward", lambda e, maps, masks: (seen.append(masks), forward(e, maps, masks))[1]
    )

    step_loss(model, batch, config, train_g=True)

    (masks,) = seen
    order = shuffled(batch, 3, config.train.seed)
    values = torch.tensor([0.2, 0.8, 0.5])[order]
    torch.testing.assert_close(masks.mean((2, 3)), values)


def test_orders_differ_between_pairs_and_steps_and_depend_on_nothing_else():
    first, second = (batch_of([upper_half()] * 8, [()] * 8, index=i) for i in (0, 1))

    orders = shuffled(first, 6, 0)

    assert orders.sort(1).values.tolist() == [list(range(6))] * 8
    assert len({tuple(row) for row in orders.tolist()}) > 4
    assert torch.equal(orders, shuffled(first, 6, 0))
    assert not torch.equal(orders, shuffled(second, 6, 0))
    assert not torch.equal(orders, shuffled(first, 6, 1))


# ---------------------------------------------------------------- who learns

CORRECTED = ("model.stride=1", "clicks.corrective_shares=[0.0, 1.0]")


def untouched(network: torch.nn.Module) -> list[str]:
    """Names of parameters without a gradient, or with none but zeros."""
    return [
        name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())
    ]


@pytest.mark.parametrize("bf16", ["true", "false"])
@pytest.mark.parametrize("train_g", [False, True])
@pytest.mark.parametrize("selection", ["context", "pooled"])
def test_all_of_one_network_learns_and_nothing_of_the_other(
    paper_config: MakeConfig, selection: str, train_g: bool, bf16: str
):
    torch.manual_seed(0)
    # nothing is frozen here
    model = LatentDiversity(3, 4, (1, 2), features="none", selection=selection)
    for network in (model.f, model.g):
        for name, parameter in network.named_parameters():
            if name.endswith("w1"):
                parameter.data.fill_(0.5)  # else the normalisation's own weights learn nothing
    batch = batch_of([upper_half()] * 4, [(Click(0, 0),)] * 4)
    config = paper_config(*CORRECTED, f"train.bf16={bf16}")

    loss, _ = step_loss(model, batch, config, train_g=train_g)
    loss.backward()

    learns, rests = (model.g, model.f) if train_g else (model.f, model.g)
    # corrective clicks answer without gradients first; that must not cost the weights theirs
    assert untouched(learns) == []
    assert [name for name, p in rests.named_parameters() if p.grad is not None] == []


@pytest.mark.parametrize("train_g", [False, True])
def test_corrective_clicks_leave_the_running_statistics_to_the_step_itself(
    paper_config: MakeConfig, train_g: bool
):
    model = LatentDiversity(3, 4, (1, 2), features="none").eval()
    learns, rests = (model.g, model.f) if train_g else (model.f, model.g)
    learns.train()
    batch = batch_of([upper_half()] * 4, [(Click(0, 0),)] * 4)

    step_loss(model, batch, paper_config(*CORRECTED), train_g=train_g)

    assert learns.training
    assert not rests.training
    assert learns.context.first_norm.norm.num_batches_tracked.item() == 1
    assert rests.context.first_norm.norm.num_batches_tracked.item() == 0
