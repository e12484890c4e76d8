"""The exported graphs compute what the torch modules compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentcut.core.onnx_backend import OnnxBackend
from latentcut.core.predictor import Predictor
from latentcut.nets.export import (
    PARITY_CLICKS,
    PARITY_SIZES_HW,
    TorchBackend,
    export_graphs,
    largest_difference,
)
from latentcut.nets.model import ClickModel


@pytest.fixture(scope="module")
def model() -> ClickModel:
    torch.manual_seed(0)
    model = ClickModel(num_masks=6, trunk=16, head=8, detail=8, embedding=8, dilations=(1, 2))
    for module in model.modules():  # statistics that a forgotten eval mode would get wrong
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    torch.nn.init.normal_(model.decoder.to_correction.weight, std=0.1)
    return model.eval()


@pytest.fixture(scope="module")
def graphs(model: ClickModel) -> tuple[bytes, bytes]:
    return export_graphs(model)


def test_parity_is_checked_on_odd_sizes_and_on_no_one_and_twenty_clicks():
    assert all((side // 16) % 2 == 1 for size_hw in PARITY_SIZES_HW for side in size_hw)
    assert PARITY_CLICKS == (0, 1, 20)


def test_exported_graphs_equal_torch(model, graphs):
    difference = largest_difference(model, *graphs)

    assert difference <= 1e-4


def test_a_changed_weight_shows_as_a_difference(model, graphs):
    weight = model.decoder.to_masks.weight
    before = weight.detach().clone()
    weight.data[0] += 0.5

    difference = largest_difference(model, *graphs)

    weight.data.copy_(before)
    assert difference > 1e-2


def test_both_backends_give_the_same_masks_through_the_predictor(model, graphs):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (61, 83, 3), dtype=np.uint8)  # odd on purpose
    torch_masks = Predictor(TorchBackend(model)).open(image).click(40, 30).candidates
    onnx_predictor = Predictor(OnnxBackend(*graphs, num_masks=6, threads=1))

    onnx_masks = onnx_predictor.open(image).click(40, 30).candidates

    assert (torch_masks == onnx_masks).mean() > 0.9995
