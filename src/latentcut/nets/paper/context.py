"""
The context aggregation network (CAN): dilated convolutions at one resolution.

Yu & Koltun 2016; Chen, Xu & Koltun, "Fast Image Processing with Fully-Convolutional
Networks", ICCV 2017; as used by Li, Chen & Koltun 2018, section 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentcut.nets.normalisation import BatchNorm

PAPER_DILATIONS = (1, 2, 4, 8, 16, 32, 64, 128, 1)
SLOPE = 0.2  # of the leaky ReLU


class AdaptiveNorm(nn.Module):
    """w0 * x + w1 * BN(x), with w0 = 1 and w1 = 0 at the start: normalisation is learned."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.w0 = nn.Parameter(torch.ones(()))
        self.w1 = nn.Parameter(torch.zeros(()))
        self.norm = BatchNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.w0 * x + self.w1 * self.norm(x)


class FirstLayer(nn.Module):
    """
    The 1x1 convolution from all input channels, without ever joining them.

    A 1x1 convolution commutes with bilinear resizing, because one mixes channels and the
    other pixels. So features are projected at their own resolution and only the ``width``
    channels that come out are resized: the 1479-channel tensor never exists, and what
    depends on the image alone is computed once per image.

    Args:
        tap_channels: Channels of each feature map.
        num_maps: Click channels, and for g the M masks.
        width: Output channels.
    """

    def __init__(self, tap_channels: tuple[int, ...], num_maps: int, width: int) -> None:
        super().__init__()
        self.splits = (3, num_maps, *tap_channels)
        self.conv = nn.Conv2d(sum(self.splits), width, 1, bias=False)
        # each group of channels starts with the same say, or hundreds of feature channels would
        # drown four click maps
        with torch.no_grad():
            for part in self.conv.weight.split(self.splits, dim=1):
                nn.init.kaiming_normal_(part, a=SLOPE)
            self.conv.weight /= len(self.splits) ** 0.5

    def of_image(self, image: Tensor, taps: list[Tensor]) -> Tensor:
        """
        The part that clicks do not change.

        Args:
            image: (B, 3, h, w), RGB in [0, 1], at the network's resolution.
            taps: (B, C, ., .) each, at their own resolutions.

        Returns:
            (B, width, h, w).
        """
        parts = self.conv.weight.split(self.splits, dim=1)
        x = F.conv2d(image, parts[0])
        for tap, weight in zip(taps, parts[2:], strict=True):
            projected = F.conv2d(tap, weight)
            x = x + F.interpolate(projected, image.shape[2:], mode="bilinear")
        return x

    def of_maps(self, maps: Tensor) -> Tensor:
        """The part of clicks and masks: (B, num_maps, h, w) -> (B, width, h, w)."""
        return F.conv2d(maps, self.conv.weight.split(self.splits, dim=1)[1])


class Context(nn.Module):
    """
    The trunk after the first convolution: 3x3 convolutions of growing dilation.

    Shape:
        (B, width, h, w), the first layer's output -> the same.
    """

    def __init__(self, width: int, dilations: tuple[int, ...] = PAPER_DILATIONS) -> None:
        super().__init__()
        self.first_norm = AdaptiveNorm(width)
        self.convs = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=d, dilation=d, bias=False) for d in dilations
        )
        self.norms = nn.ModuleList(AdaptiveNorm(width) for _ in dilations)
        for conv in self.convs:
            nn.init.dirac_(conv.weight)  # type: ignore[arg-type]  # identity: out = in

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.first_norm(x), SLOPE)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), SLOPE)
        return x


def receptive_field(dilations: tuple[int, ...]) -> int:
    """Side in cells of what one output cell sees through 3x3 convolutions: 1 + 2 * sum."""
    return 1 + 2 * sum(dilations)
