"""f and g against an independent reference that is written with NumPy and loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentcut.errors import BadConfig
from latentcut.nets.paper.context import PAPER_DILATIONS
from latentcut.nets.paper.model import LatentDiversity, SegmentationNet, SelectionNet

VGG_TAPS = (64, 128, 256, 512, 512)


def number_of_weights(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# ---------------------------------------------------------------- size


def test_f_of_the_paper_has_as_many_weights_as_its_description():
    f = SegmentationNet(6, VGG_TAPS, 64, PAPER_DILATIONS)

    first = (1472 + 3 + 4) * 64
    convolutions = 9 * (64 * 64 * 3 * 3)
    norms = 10 * (64 + 64 + 2)  # after the first layer and after each 3x3 convolution
    last = 64 * 6 + 6
    assert number_of_weights(f) == first + convolutions + norms + last == 428_122


def test_g_of_the_paper_has_six_inputs_more_and_a_linear_layer():
    g = SelectionNet(6, VGG_TAPS, 64, PAPER_DILATIONS)

    first = (1472 + 3 + 4 + 6) * 64
    convolutions, norms = 9 * (64 * 64 * 3 * 3), 10 * (64 + 64 + 2)
    linear = 64 * 6 + 6
    assert isinstance(g.last, torch.nn.Linear)
    assert number_of_weights(g) == first + convolutions + norms + linear == 428_506


def test_one_mask_makes_one_map_and_one_score():
    model = LatentDiversity(1, 2, (1,), features="none").eval()
    encoded, maps = model.encode(torch.rand(1, 3, 4, 4)), torch.rand(1, 4, 4, 4)

    logits = model.f(encoded.for_f, maps)
    scores = model.g(encoded.for_g, maps, model.masks(logits))

    assert (logits.shape, scores.shape) == ((1, 1, 4, 4), (1, 1))


# ---------------------------------------------------------------- reference


def conv_1x1(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(C, H, W) and (K, C, 1, 1) -> (K, H, W)."""
    return np.einsum("kc,chw->khw", weight[:, :, 0, 0], x)


def conv_3x3(x: np.ndarray, weight: np.ndarray, dilation: int) -> np.ndarray:
    """Cross-correlation with zeros around: (C, H, W) and (K, C, 3, 3) -> (K, H, W)."""
    _, height, width = x.shape
    y = np.zeros((weight.shape[0], height, width))
    for row in range(height):
        for column in range(width):
            for i in range(3):
                for j in range(3):
                    r, c = row + (i - 1) * dilation, column + (j - 1) * dilation
                    if 0 <= r < height and 0 <= c < width:
                        y[:, row, column] += weight[:, :, i, j] @ x[:, r, c]
    return y


def leaky_relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x)


def adaptive_norm(x: np.ndarray, state: dict[str, np.ndarray], name: str) -> np.ndarray:
    """w0 * x + w1 * BN(x) with running statistics."""
    mean, variance = state[f"{name}.norm.running_mean"], state[f"{name}.norm.running_var"]
    scale, shift = state[f"{name}.norm.weight"], state[f"{name}.norm.bias"]
    per_channel = [v[:, None, None] for v in (mean, variance, scale, shift)]
    mean, variance, scale, shift = per_channel
    normalised = (x - mean) / np.sqrt(variance + 1e-5) * scale + shift
    return state[f"{name}.w0"] * x + state[f"{name}.w1"] * normalised


def trunk(x: np.ndarray, state: dict[str, np.ndarray], dilations: tuple[int, ...]) -> np.ndarray:
    x = leaky_relu(
        adaptive_norm(conv_1x1(x, state["first.conv.weight"]), state, "context.first_norm")
    )
    for number, dilation in enumerate(dilations):
        x = conv_3x3(x, state[f"context.convs.{number}.weight"], dilation)
        x = leaky_relu(adaptive_norm(x, state, f"context.norms.{number}"))
    return x


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# ---------------------------------------------------------------- forward pass

DILATIONS = (1, 2, 1)


def scramble(network: torch.nn.Module, seed: int) -> dict[str, np.ndarray]:
    """Random weights and running statistics in place; returns them as float64 arrays."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if name.endswith(("running_var", ".w0", ".w1")):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        elif value.is_floating_point():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Image, feature map, click maps and masks of 5 x 6 px."""
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.rand(1, n, 5, 6, generator=generator) for n in (3, 5, 4, 2))  # type: ignore[return-value]


def test_f_is_what_the_paper_describes():
    f = SegmentationNet(2, (5,), 3, DILATIONS).eval()
    state = scramble(f, 2)
    image, tap, maps, _ = inputs()

    soft = f(f.first.of_image(image, [tap]), maps).sigmoid()

    x = trunk(torch.cat([image, maps, tap], 1)[0].double().numpy(), state, DILATIONS)
    logits = conv_1x1(x, state["last.weight"]) + state["last.bias"][:, None, None]
    assert soft[0].detach().numpy() == pytest.approx(sigmoid(logits), abs=1e-5)
    assert np.ptp(sigmoid(logits), axis=(1, 2)).min() > 0.05  # the reference says something


def test_g_is_the_same_trunk_with_pooling_over_the_image_and_a_linear_layer():
    g = SelectionNet(2, (5,), 3, DILATIONS).eval()
    state = scramble(g, 3)
    image, tap, maps, masks = inputs()

    scores = g(g.first.of_image(image, [tap]), maps, masks)

    joined = torch.cat([image, maps, masks, tap], 1)[0].double().numpy()
    pooled = trunk(joined, state, DILATIONS).mean((1, 2))
    expected = state["last.weight"] @ pooled + state["last.bias"]
    assert scores[0].detach().numpy() == pytest.approx(expected, abs=1e-4)
    assert float(np.ptp(expected)) > 0.1


def test_the_image_is_divided_by_255_and_averaged_over_cells():
    model = LatentDiversity(2, 3, (1,), stride=2, features="none").eval()
    image = torch.arange(48.0).reshape(1, 3, 4, 4) * 5

    encoded = model.encode(image)

    cells = image[0].reshape(3, 2, 2, 2, 2).mean((2, 4)).double().numpy() / 255
    for network, found in ((model.f, encoded.for_f), (model.g, encoded.for_g)):
        weight = network.first.conv.weight.detach().double().numpy()
        assert found[0].detach().numpy() == pytest.approx(conv_1x1(cells, weight[:, :3]), abs=1e-5)


def test_what_clicks_do_not_change_is_computed_for_f_and_g_apart():
    model = LatentDiversity(2, 3, (1,), features="none").eval()

    encoded = model.encode(torch.full((1, 3, 4, 4), 100.0))

    assert not torch.equal(encoded.for_f, encoded.for_g)


# ---------------------------------------------------------------- outputs and modes


def test_sigmoid_masks_are_a_half_and_tanh_masks_zero_where_logits_are_zero():
    logits = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    soft = {
        output: LatentDiversity(1, 1, (1,), features="none", output=output).masks(logits)
        for output in ("sigmoid", "tanh")
    }

    assert soft["sigmoid"].flatten().tolist() == pytest.approx([0.268941, 0.5, 0.731059], abs=1e-6)
    assert soft["tanh"].flatten().tolist() == pytest.approx([0.0, 0.0, 0.761594], abs=1e-6)


def test_another_output_is_refused():
    with pytest.raises(BadConfig) as caught:
        LatentDiversity(features="none", output="relu")

    assert str(caught.value) == "model.output must be one of ('sigmoid', 'tanh'), given 'relu'"


def test_another_kind_of_g_is_refused():
    with pytest.raises(BadConfig) as caught:
        LatentDiversity(features="none", selection="mean")

    assert str(caught.value) == (
        "model.selection must be one of ('context', 'pooled'), given 'mean'"
    )


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_an_answer_is_that_of_f_and_then_of_g_on_its_masks(output: str):
    torch.manual_seed(0)
    model = LatentDiversity(3, 4, (1, 2), features="none", output=output).eval()
    image, maps = torch.rand(2, 3, 8, 8) * 255, torch.rand(2, 4, 8, 8)
    encoded = model.encode(image)

    logits, scores = model.answer(encoded, maps, torch.zeros(2, 2, 8, 8))

    expected = model.f(encoded.for_f, maps)
    assert torch.equal(logits, expected)
    assert torch.equal(scores, model.g(encoded.for_g, maps, model.masks(expected)))


def test_the_pooled_g_reads_the_trunk_of_f_and_the_discs_and_changes_neither():
    torch.manual_seed(0)
    model = LatentDiversity(3, 4, (1,), features="none", selection="pooled").eval()
    encoded = model.encode(torch.rand(2, 3, 8, 8) * 255)
    maps, none, one = torch.rand(2, 4, 8, 8), torch.zeros(2, 2, 8, 8), torch.zeros(2, 2, 8, 8)
    one[:, :, 3:6, 3:6] = 1.0

    logits, scores = model.answer(encoded, maps, one)
    scores.sum().backward()

    assert torch.equal(encoded.for_g, encoded.for_f)
    assert torch.equal(logits, model.f(encoded.for_f, maps))
    assert scores.shape == (2, 3)
    assert not torch.equal(scores, model.answer(encoded, maps, none)[1])
    assert [name for name, p in model.f.named_parameters() if p.grad is not None] == []


def test_training_mode_leaves_the_features_frozen():
    model = LatentDiversity(2, 2, (1,), features="mobilenetv2")
    before = {k: v.clone() for k, v in model.features.state_dict().items()}
    model.train()

    encoded = model.encode(torch.rand(1, 3, 16, 16) * 255)
    x = torch.rand(1, 4, 16, 16)
    logits = model.f(encoded.for_f, x)
    (logits.sum() + model.g(encoded.for_g, x, model.masks(logits)).sum()).backward()
    torch.optim.SGD(model.parameters(), lr=1.0, weight_decay=0.1).step()

    assert (model.training, model.f.training, model.g.training) == (True, True, True)
    assert [m.training for m in model.features.modules() if m.training] == []
    assert [p for p in model.features.parameters() if p.requires_grad or p.grad is not None] == []
    after = model.features.state_dict()
    assert [k for k in before if not torch.equal(before[k], after[k])] == []


def test_evaluation_mode_reaches_f_and_g():
    model = LatentDiversity(2, 2, (1,), features="none").train().eval()

    assert [m for m in model.modules() if m.training] == []
