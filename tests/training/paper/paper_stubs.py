"""Models whose answers are known beforehand, and batches for them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentcut import Click
from latentcut.nets.paper.model import LatentDiversity
from latentcut.training.batches import Batch


def constant_model(
    probs: tuple[float, ...], scores: tuple[float, ...] = (), stride: int = 1
) -> LatentDiversity:
    """Masks of one value each."""
    torch.manual_seed(0)
    count = len(probs)
    model = LatentDiversity(count, 2, (1,), stride, features="none").eval()
    for network, biases in (
        (model.f, [math.log(p / (1 - p)) for p in probs]),
        (model.g, list(scores) or [0.0] * count),
    ):
        network.last.weight.data.zero_()
        network.last.bias.data.copy_(torch.tensor(biases))
    return model


def upper_half() -> Tensor:
    """8 of 16 pixels."""
    target = torch.zeros(4, 4, dtype=torch.bool)
    target[:2] = True
    return target


def batch_of(
    targets: list[Tensor], clicks: list[tuple[Click, ...]], images: int = 1, index: int = 0
) -> Batch:
    height, width = targets[0].shape
    generator = torch.Generator().manual_seed(index)
    return Batch(
        index,
        torch.randint(0, 256, (images, 3, height, width), generator=generator).byte(),
        torch.stack(targets),
        torch.zeros(images, height, width, dtype=torch.bool),
        clicks,
        list(range(len(targets))),
    )
