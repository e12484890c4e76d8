"""The parts that can be put into a trained model: self-attention, and more for g to look at."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from latentcut.core.guidance import NUM_GUIDANCE, guidance_maps
from latentcut.nets.encoder import ContextBlock
from latentcut.nets.export import export_graphs, largest_difference
from latentcut.nets.model import G_PARTS, ClickModel
from latentcut.nets.scorer import (
    DEPTH_CELLS,
    PEAK,
    POSITIVE_NEARNESS,
    click_depths,
    erode,
    surroundings,
)

SMALL = {"trunk": 16, "head": 8, "detail": 8, "embedding": 8, "dilations": (1, 2)}


def grown() -> ClickModel:
    torch.manual_seed(0)
    return ClickModel(**SMALL, semantics=12, context_blocks=2).eval()


def with_a_say(model: ClickModel) -> ClickModel:
    """The same with random weights where training starts from zeros."""
    for name, parameter in model.named_parameters():
        if name.startswith(("encoder.context.", "scorer.more")):
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def inputs(size: int = 64):
    image = torch.rand(1, 3, size, size) * 255
    guidance = torch.rand(1, NUM_GUIDANCE, size // 4, size // 4)
    return image, guidance, torch.tensor([[3]]), torch.tensor([[1.0]])


def peaks(*points_xy: tuple[float, float], size: int = 256) -> torch.Tensor:
    maps = guidance_maps(np.array(points_xy).reshape(-1, 2), np.zeros((0, 2)), (size, size))
    return torch.from_numpy(maps)[None, POSITIVE_NEARNESS] ** PEAK


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


def test_eroding_takes_the_least_of_nine_and_nothing_beyond_the_edges():
    maps = torch.rand(2, 3, 11, 17)

    ours = erode(maps)

    theirs = ndimage.minimum_filter(maps.numpy(), size=(1, 1, 3, 3), mode="constant", cval=0.0)
    np.testing.assert_array_equal(ours.numpy(), theirs)


def test_depth_is_the_chessboard_distance_to_the_outside():
    rng = np.random.default_rng(0)
    mask = ndimage.binary_opening(rng.random((64, 64)) > 0.25, iterations=2)
    mask[20:45, 15:60] = True
    padded = np.pad(mask, 1)
    expected = ndimage.distance_transform_cdt(padded, "chessboard")[1:-1, 1:-1]
    assert expected.max() < DEPTH_CELLS

    probs = torch.from_numpy(mask.astype(np.float32))[None, None]
    depths = click_depths(probs, probs.new_zeros(1, 64, 64))

    assert depths[0, 0, 2].exp().item() == pytest.approx(expected.max() + 0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("x", "in_the_square", "in_the_bar"), [(78, 1.0, 1.0), (42, 0.1, 0.1), (118, 0.1, 1.0)]
)
def test_a_click_is_as_deep_as_it_lies_from_the_nearest_edge(x, in_the_square, in_the_bar):
    # cells are 4 px: a square of 20 x 20 cells whose middle is at 78 px, and a bar twice as long
    candidates = torch.zeros(1, 2, 64, 64)
    candidates[0, 0, 10:30, 10:30] = 1
    candidates[0, 1, 10:30, 10:50] = 1

    depths = click_depths(candidates, peaks((float(x), 78.0)))

    largest = depths[0, :, 1]
    assert largest.tolist() == pytest.approx([in_the_square, in_the_bar], abs=0.12)


def test_without_clicks_every_candidate_is_at_no_depth():
    depths = click_depths(torch.ones(1, 2, 64, 64), peaks())

    assert depths[0, :, :2].abs().max().item() == 0.0


def test_the_mean_depth_counts_every_click_and_the_largest_the_deepest_one():
    candidate = torch.zeros(1, 1, 64, 64)
    candidate[0, 0, 10:30, 10:30] = 1

    depths = click_depths(candidate, peaks((78.0, 78.0), (42.0, 78.0)))[0, 0]

    assert depths[1].item() == pytest.approx(1.0, abs=0.05)
    assert depths[0].item() == pytest.approx(0.55, abs=0.1)


def test_surroundings_are_a_band_of_two_cells_outside_the_candidate():
    probs = torch.zeros(1, 1, 12, 12)
    probs[0, 0, 4:8, 4:8] = 1

    band = surroundings(probs)[0, 0]

    expected = torch.zeros(12, 12)
    expected[2:10, 2:10] = 1
    expected[4:8, 4:8] = 0
    torch.testing.assert_close(band, expected)
