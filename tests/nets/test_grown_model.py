"""The parts that can be put into a trained model: self-attention, and more for g to look at."""

from __future__ import annotations

import pytest
import torch

from latentcut.core.guidance import NUM_GUIDANCE
from latentcut.nets.decoder import MoreBlocks
from latentcut.nets.encoder import ContextBlock, same_conv
from latentcut.nets.export import export_graphs, largest_difference
from latentcut.nets.model import G_PARTS, ClickModel
from latentcut.nets.scorer import surroundings

MORE = ("decoder.trunk_more.", "decoder.head_more.", "decoder.detail_more.")
SMALL = {"trunk": 16, "head": 8, "detail": 8, "embedding": 8, "dilations": (1, 2)}


def grown() -> ClickModel:
    torch.manual_seed(0)
    return ClickModel(
        **SMALL, semantics=12, context_blocks=2, changes=True, more=MoreBlocks(1, (2, 1), 1, 1)
    ).eval()


def with_a_say(model: ClickModel) -> ClickModel:
    """The same with random weights where training starts from zeros."""
    for name, parameter in model.named_parameters():
        if name.startswith(("encoder.context.", "scorer.more", "scorer.changes", *MORE)):
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def inputs(size: int = 64):
    image = torch.rand(1, 3, size, size) * 255
    guidance = torch.rand(1, NUM_GUIDANCE, size // 4, size // 4)
    return image, guidance, torch.tensor([[3]]), torch.tensor([[1.0]])


def test_a_grown_model_answers_at_first_as_the_small_one():
    model, small = grown(), ClickModel(**SMALL).eval()
    small.load_state_dict({k: v for k, v in model.state_dict().items() if k in small.state_dict()})
    values = inputs()

    ours, theirs = model(*values), small(*values)

    torch.testing.assert_close(ours.decoded.logits, theirs.decoded.logits)
    torch.testing.assert_close(ours.scores, theirs.scores)


def test_with_other_weights_the_new_parts_change_masks_and_scores():
    before, after, values = grown(), with_a_say(grown()), inputs()

    a, b = before(*values), after(*values)

    assert (a.decoded.logits - b.decoded.logits).abs().max() > 1e-3
    assert (a.scores - b.scores).abs().max() > 1e-3


def test_a_context_block_lets_every_cell_see_every_other():
    torch.manual_seed(0)
    block = ContextBlock(8, heads=2)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(1, 8, 6, 9)
    changed = x.clone()
    changed[0, :, 0, 0] += 1

    difference = (block(x) - block(changed)).abs().amax(1)[0]

    assert difference.shape == (6, 9)
    assert (difference > 1e-6).all()  # the far corner, too


def test_a_grown_model_is_exported_as_it_is():
    model = with_a_say(grown())

    assert largest_difference(model, *export_graphs(model)) <= 1e-4


def test_what_g_reads_for_itself_never_changes_f():
    model = with_a_say(grown())

    model(*inputs()).scores.sum().backward()

    parameters = dict(model.named_parameters())
    learned = [n for n, p in parameters.items() if p.grad is not None and p.grad.abs().sum() > 0]
    assert learned
    assert all(name.startswith(G_PARTS) for name in learned)


def test_a_frozen_f_keeps_weights_and_batch_statistics():
    model = with_a_say(grown()).train()
    model.freeze_f()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)

    answer = model(*inputs())
    (answer.scores.sum() + answer.decoded.logits.sum()).backward()
    optimiser.step()

    changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(name.startswith(G_PARTS) for name in changed)


def test_a_model_that_went_through_evaluation_is_still_frozen():
    model = grown()
    model.freeze_f()

    model.eval()
    model.train()

    assert model.scorer.training
    assert not model.encoder.training
    assert not model.decoder.training


def test_surroundings_are_a_band_of_two_cells_outside_the_candidate():
    probs = torch.zeros(1, 1, 12, 12)
    probs[0, 0, 4:8, 4:8] = 1

    band = surroundings(probs)[0, 0]

    expected = torch.zeros(12, 12)
    expected[2:10, 2:10] = 1
    expected[4:8, 4:8] = 0
    torch.testing.assert_close(band, expected)


@pytest.mark.parametrize("size_hw", [(16, 16), (12, 9), (7, 10)])
def test_the_quick_way_to_a_gradient_is_the_same_dilated_convolution(size_hw):
    torch.manual_seed(0)
    conv = same_conv(6, 6, 3, dilation=2, groups=6)
    x = torch.randn(2, 6, *size_hw)
    expected = conv(x)  # no gradient wanted: the plain way
    plain = torch.nn.functional.conv2d(
        x.requires_grad_(), conv.weight, conv.bias, 1, 2, 2, conv.groups
    )
    wanted = torch.autograd.grad((plain**2).sum(), [x, conv.weight])

    ours = conv(x)

    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad((ours**2).sum(), [x, conv.weight]), wanted)
