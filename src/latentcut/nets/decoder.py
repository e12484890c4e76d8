"""
f, the segmentation network of the practical family: features and clicks to M candidates.

After Li, Chen & Koltun 2018, section 3: a context aggregation trunk of dilated
convolutions that proposes M masks. Departures for speed: the image is encoded once, the
trunk works at stride 8 with residual blocks and plain batch normalisation, a light head at
stride 4 and a refinement at stride 2 sharpen its answer; the similarity of every pixel to
the clicked ones is an input.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentcut.core.guidance import NUM_GUIDANCE
from latentcut.nets.encoder import ContextBlock, Features, double
from latentcut.nets.normalisation import BatchNorm, conv_norm_relu

NUM_SIMILARITY = 4  # maximum and mean over the clicks of each sign


class Decoded(NamedTuple):
    """
    What f returns.

    Attributes:
        logits: (B, M, H/2, W/2), candidate masks; a pixel is in where its logit is positive.
        coarse: (B, M, H/4, W/4), the same before the refinement.
        trunk: (B, C_trunk, H/8, W/8), read by g.
        head: (B, C_head, H/4, W/4), read by g.
    """

    logits: Tensor
    coarse: Tensor
    trunk: Tensor
    head: Tensor


def click_similarity(embedding: Tensor, index: Tensor, sign: Tensor) -> Tensor:
    """
    Cosine similarity of every pixel to the clicked pixels.

    Args:
        embedding: (B, C, H, W), unit length per pixel.
        index: int64 (B, K), flat cell of each click.
        sign: (B, K), 1 positive, -1 negative, 0 padding.

    Returns:
        (B, 4, H, W), in [-1, 1]: maximum and mean over positive, then over negative
        clicks; 0 where there is no click of that sign.
    """
    flat = embedding.flatten(2)  # (B, C, HW)
    clicked = torch.gather(flat, 2, index[:, None, :].expand(-1, flat.shape[1], -1))  # (B, C, K)
    similarity = torch.bmm(clicked.transpose(1, 2), flat)  # (B, K, HW)
    maps = []
    for wanted in (sign > 0, sign < 0):
        weight = wanted.to(similarity.dtype)[:, :, None]  # (B, K, 1)
        any_click = weight.amax(1)  # (B, 1)
        largest = (similarity * weight - 2.0 * (1.0 - weight)).amax(1) * any_click
        mean = (similarity * weight).sum(1) / weight.sum(1).clamp_min(1.0)
        maps += [largest, mean]
    stacked = torch.stack(maps, dim=1)  # (B, 4, HW)
    return stacked.unflatten(2, (embedding.shape[2], embedding.shape[3]))


class ResidualBlock(nn.Module):
    """x + relu(norm(dilated 3x3(x))): one step of context aggregation, the identity kept."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.step = conv_norm_relu(channels, channels, 3, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.step(x)


class MoreBlocks(NamedTuple):
    """
    Blocks of f that start as the identity, by where they are.

    Attributes:
        context: Self-attention blocks after the trunk, at stride 16.
        trunk: Dilations of correction blocks after those, at stride 8.
        head: Correction blocks at stride 4.
        detail: Correction blocks at stride 2, twice as wide inside.
    """

    context: int = 0
    trunk: tuple[int, ...] = ()
    head: int = 0
    detail: int = 0


NO_MORE_BLOCKS = MoreBlocks()


class CorrectionBlock(nn.Module):
    """
    x + 3x3(relu(norm(dilated 3x3(x)))), which starts as the identity.

    So it can be put into a trained network.

    Args:
        channels: Of the input and the output.
        hidden: Between the two convolutions.
        dilation: Of the first one.

    Shape:
        (B, C, h, w) -> the same.
    """

    def __init__(self, channels: int, hidden: int, dilation: int = 1) -> None:
        super().__init__()
        self.step = conv_norm_relu(channels, hidden, 3, dilation=dilation)
        self.out = nn.Conv2d(hidden, channels, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]  # bias=True

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.out(self.step(x))
        return x + change


class CoarseContext(nn.Module):
    """
    Self-attention of the trunk at half its resolution, as a residual; starts as the identity.

    A click is a few cells, and what it says concerns all that belongs to the same thing: here
    every cell reads it, however far away.

    Args:
        channels: Of the trunk, a multiple of 4.
        blocks: How many.

    Shape:
        (B, C, h, w), h and w even -> the same.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[ContextBlock(channels) for _ in range(blocks)])

    def forward(self, x: Tensor) -> Tensor:
        low = F.avg_pool2d(x, 2)
        return x + double(self.blocks(low) - low)


class Decoder(nn.Module):
    """
    f.

    Args:
        num_masks: M.
        trunk, head, detail: Channel counts, equal to those of the encoder's outputs.
        dilations: One residual block each.
        more: What a later stage of training puts into it; see ``MoreBlocks``.

    Shape:
        features of B images as Features, guidance (B, 7, H/4, W/4), index int64 (B, K),
        sign (B, K) -> Decoded.
    """

    def __init__(
        self,
        num_masks: int,
        trunk: int,
        head: int,
        detail: int,
        dilations: tuple[int, ...],
        more: MoreBlocks = NO_MORE_BLOCKS,
    ) -> None:
        super().__init__()
        self.num_trunk = trunk
        self.guide4 = conv_norm_relu(NUM_GUIDANCE, 24)
        self.guide8 = conv_norm_relu(24, 32, stride=2)
        self.to_trunk = nn.Conv2d(32 + NUM_SIMILARITY, trunk, 1)
        self.trunk_norm = BatchNorm(trunk)
        self.trunk = nn.Sequential(*[ResidualBlock(trunk, d) for d in dilations])
        self.trunk_to_head = nn.Conv2d(trunk, head, 1)
        self.guide_to_head = nn.Conv2d(24, head, 1)
        self.head_norm = BatchNorm(head)
        self.head = nn.Sequential(conv_norm_relu(head, head), conv_norm_relu(head, head))
        self.to_masks = nn.Conv2d(head, num_masks, 1)
        self.head_to_detail = nn.Conv2d(head, detail, 1)
        self.detail_norm = BatchNorm(detail)
        self.detail = conv_norm_relu(detail, detail)
        self.to_correction = nn.Conv2d(detail, num_masks, 1)
        context = [CoarseContext(trunk, more.context)] if more.context else []
        self.trunk_more = nn.Sequential(
            *context, *[CorrectionBlock(trunk, trunk, dilation) for dilation in more.trunk]
        )
        self.head_more = nn.Sequential(*[CorrectionBlock(head, head) for _ in range(more.head)])
        self.detail_more = nn.Sequential(
            *[CorrectionBlock(detail, 2 * detail) for _ in range(more.detail)]
        )
        # the refinement starts as no correction at all
        nn.init.zeros_(self.to_correction.weight)
        nn.init.zeros_(self.to_correction.bias)  # type: ignore[arg-type]  # bias=True

    def forward(self, features: Features, guidance: Tensor, index: Tensor, sign: Tensor) -> Decoded:
        guide4 = self.guide4(guidance)
        guide8 = self.guide8(guide4)
        similarity = click_similarity(features.embedding, index, sign).to(guide8.dtype)
        of_image = features.trunk[:, : self.num_trunk]  # what follows is for g
        x = self.to_trunk(torch.cat([guide8, similarity], dim=1)) + of_image
        trunk = self.trunk_more(self.trunk(F.relu(self.trunk_norm(x))))  # (B, C_trunk, H/8, W/8)
        x = double(self.trunk_to_head(trunk)) + self.guide_to_head(guide4) + features.head
        head = self.head_more(self.head(F.relu(self.head_norm(x))))  # (B, C_head, H/4, W/4)
        coarse = self.to_masks(head)
        x = double(self.head_to_detail(head)) + features.detail
        x = self.detail_more(self.detail(F.relu(self.detail_norm(x))))  # (B, C_detail, H/2, W/2)
        logits = double(coarse) + self.to_correction(x)
        return Decoded(logits.float(), coarse.float(), trunk, head)
