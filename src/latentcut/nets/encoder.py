"""
The encoder: run once per image, everything that does not depend on clicks.

MobileNetV2 (Sandler et al., CVPR 2018) at output stride 16, its batch normalisation
folded into the convolutions, and a neck that brings the taps to what the decoder adds to
its own maps.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentcut.nets.normalisation import conv_norm_relu

# (expansion, channels, repeats, stride, dilation after the first) of each stage; the
# 160-channel stage keeps stride 1 and dilates instead, as in DeepLab at output stride 16
STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 2, 1),
    (6, 96, 3, 1, 1),
    (6, 160, 3, 1, 2),
    (6, 320, 1, 1, 2),
)
TAPS = (0, 1, 2, 4, 6)  # stages whose output is used: 16 @ 2, 24 @ 4, 32 @ 8, 96 and 320 @ 16


class Features(NamedTuple):
    """
    What the decoder needs of an image; all float, channel counts fixed by the config.

    Attributes:
        trunk: (B, C_trunk + C_semantics, H/8, W/8): the first are added to the decoder's trunk
            input, the rest are read by g alone.
        embedding: (B, C_embedding, H/8, W/8), unit length per pixel; clicks are compared with it.
        head: (B, C_head, H/4, W/4), added in the head.
        detail: (B, C_detail, H/2, W/2), added in the refinement.
    """

    trunk: Tensor
    embedding: Tensor
    head: Tensor
    detail: Tensor


class SameConv(nn.Conv2d):
    """
    Convolution with TensorFlow's "same" padding, as the pretrained weights expect.

    At stride 2 on even sizes that is one row at the bottom and one column at the right only.
    """

    def forward(self, input: Tensor) -> Tensor:  # the base class's name
        if self.stride[0] == 2:
            return F.conv2d(
                F.pad(input, (0, 1, 0, 1)), self.weight, self.bias, 2, 0, 1, self.groups
            )
        if self.dilation[0] == 2 and self.groups > 1 and input.requires_grad:
            return self._of_quarters(input)
        return super().forward(input)

    def _of_quarters(self, x: Tensor) -> Tensor:
        """
        The dilated convolution as a plain one on every second row and column, four times.

        The same function; its gradient takes a twentieth of the time on a CPU.
        """
        height, width = x.shape[2:]
        x = F.pad(x, (0, width % 2, 0, height % 2))
        quarters = torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)])
        y = F.conv2d(quarters, self.weight, self.bias, 1, 1, 1, self.groups)
        upper_left, upper_right, lower_left, lower_right = y.chunk(4)
        upper = torch.stack([upper_left, upper_right], 4).flatten(3)
        lower = torch.stack([lower_left, lower_right], 4).flatten(3)
        return torch.stack([upper, lower], 3).flatten(2, 3)[:, :, :height, :width]


def same_conv(
    num_in: int, num_out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> SameConv:
    padding = 0 if stride == 2 else dilation * (kernel // 2)
    return SameConv(num_in, num_out, kernel, stride, padding, dilation, groups)


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise 3x3, project 1x1; a skip where stride and channels allow one."""

    def __init__(self, num_in: int, num_out: int, expansion: int, stride: int, dilation: int):
        super().__init__()
        hidden = num_in * expansion
        convs = [same_conv(num_in, hidden, 1)] if expansion > 1 else []
        convs += [
            same_conv(hidden, hidden, 3, stride, dilation, groups=hidden),
            same_conv(hidden, num_out, 1),
        ]
        # there is no normalisation to mend the scale of random weights
        for conv in convs[:-1]:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(convs[-1].weight, nonlinearity="linear")
        self.convs = nn.ModuleList(convs)
        self.has_skip = stride == 1 and num_in == num_out

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for conv in self.convs[:-1]:
            y = F.relu6(conv(y))
        y = self.convs[-1](y)  # no activation after the projection
        return x + y if self.has_skip else y


class MobileNetV2(nn.Module):
    """The backbone: RGB in [-1, 1], (B, 3, H, W) -> five taps at strides 2, 4, 8, 16, 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = same_conv(3, 32, 3, stride=2)
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")
        stages = []
        num_in = 32
        for expansion, channels, repeats, stride, later_dilation in STAGES:
            blocks = []
            for i in range(repeats):
                # the first block of the 160-stage still has dilation 1 (it would have strided)
                first_of_160 = channels == 160 and i == 0
                dilation = 1 if first_of_160 else later_dilation
                blocks.append(
                    InvertedResidual(num_in, channels, expansion, stride if i == 0 else 1, dilation)
                )
                num_in = channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(x))
        taps = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in TAPS:
                taps.append(x)
        return taps


class ContextBlock(nn.Module):
    """
    Every cell looks at every other: self-attention and a small network, both as residuals.

    What belongs to one object may lie far apart, and two neighbours may be two objects: both
    are told by looking further than convolutions do. A depthwise convolution tells where a cell
    lies, whatever the size of the map. Starts as the identity, so that it can be put into a
    trained encoder.

    Args:
        channels: A multiple of ``heads``.
        heads: Attention heads.

    Shape:
        (B, C, h, w) -> the same.

    Source:
        Vaswani et al., 2017, pre-norm; positions as in Chu et al., Conditional Positional
        Encodings, 2021.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.attention_norm = nn.LayerNorm(channels)
        self.queries_keys_values = nn.Linear(channels, 3 * channels)
        self.attention_out = nn.Linear(channels, channels)
        self.mlp_norm = nn.LayerNorm(channels)
        self.mlp_in = nn.Linear(channels, 2 * channels)
        self.mlp_out = nn.Linear(2 * channels, channels)
        for layer in (self.place, self.attention_out, self.mlp_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # bias=True

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.place(x)
        cells = x.flatten(2).transpose(1, 2)  # (B, N, C)
        cells = cells + self.attention_out(self._attend(self.attention_norm(cells)))
        cells = cells + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(cells))))
        return cells.transpose(1, 2).reshape(x.shape)

    def _attend(self, cells: Tensor) -> Tensor:
        joined = self.queries_keys_values(cells)  # (B, N, 3 C)
        split = joined.unflatten(2, (3, self.heads, joined.shape[2] // (3 * self.heads))).permute(
            2, 0, 3, 1, 4
        )
        queries, keys, values = split.unbind(0)  # (B, heads, N, C / heads)
        scale = queries.shape[-1] ** -0.5
        weights = torch.softmax((queries * scale) @ keys.transpose(2, 3), dim=-1)
        return (weights @ values).transpose(1, 2).flatten(2)


class Encoder(nn.Module):
    """
    Image to features.

    Args:
        trunk, head, detail, embedding: Channel counts of the four outputs.
        semantics: Channels for g alone, appended to the trunk's; 0: none.
        context_blocks: Self-attention blocks at stride 16.

    Shape:
        image (B, 3, H, W), RGB, float in [0, 255], H and W multiples of 16 -> Features.
    """

    def __init__(
        self,
        trunk: int,
        head: int,
        detail: int,
        embedding: int,
        semantics: int = 0,
        context_blocks: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = MobileNetV2()
        self.deep = nn.Conv2d(96 + 320, 128, 1)
        self.image_pool = nn.Conv2d(96 + 320, 128, 1)
        self.context = nn.Sequential(*[ContextBlock(128) for _ in range(context_blocks)])
        self.merge = conv_norm_relu(128 + 32, 96)
        self.fine = conv_norm_relu(24, 32)
        self.finest = conv_norm_relu(16, 16)
        self.to_trunk = nn.Conv2d(96, trunk, 1)
        self.to_embedding = nn.Conv2d(96, embedding, 1)
        self.to_head = nn.Conv2d(32, head, 1)
        self.to_detail = nn.Conv2d(16, detail, 1)
        self.deep_meaning = nn.Conv2d(96 + 320, 96, 1) if semantics else None
        self.meaning = nn.Conv2d(96 + 96, semantics, 1) if semantics else None

    def forward(self, image: Tensor) -> Features:
        half, quarter, eighth, *sixteenth = self.backbone(image / 127.5 - 1.0)
        deep = torch.cat(sixteenth, dim=1)  # (B, 416, H/16, W/16)
        pooled = self.image_pool(deep.mean((2, 3), keepdim=True))
        x16 = self.context(F.relu(self.deep(deep) + pooled))
        x8 = self.merge(torch.cat([double(x16), eighth], dim=1))  # (B, 96, H/8, W/8)
        embedding = self.to_embedding(x8).float()
        embedding = embedding * torch.rsqrt((embedding * embedding).sum(1, keepdim=True) + 1e-6)
        return Features(
            trunk=self._with_semantics(self.to_trunk(x8), deep, x8),
            embedding=embedding,
            head=self.to_head(self.fine(quarter)),
            detail=self.to_detail(self.finest(half)),
        )

    def _with_semantics(self, trunk: Tensor, deep: Tensor, merged: Tensor) -> Tensor:
        """The trunk's channels and those for g, which never change f: (B, C, H/8, W/8)."""
        if self.deep_meaning is None or self.meaning is None:
            return trunk
        deep = double(F.relu(self.deep_meaning(deep.detach())))
        semantics = F.relu(self.meaning(torch.cat([deep, merged.detach()], dim=1)))
        return torch.cat([trunk, semantics], dim=1)


def double(x: Tensor) -> Tensor:
    """Bilinear upsampling to twice the size, (B, C, H, W) -> (B, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
