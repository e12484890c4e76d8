"""f and g of the paper: M masks, and a probability for each."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentcut.core.guidance import NUM_GUIDANCE
from latentcut.errors import BadConfig
from latentcut.nets.decoder import Decoded
from latentcut.nets.paper.context import PAPER_DILATIONS, Context, FirstLayer
from latentcut.nets.paper.features import build_features
from latentcut.nets.paper.inputs import NUM_MAPS
from latentcut.nets.scorer import NEGATIVE_DISC, POSITIVE_DISC, Scorer

OUTPUTS = ("sigmoid", "tanh")  # the paper's notation; the authors' release, cut at 0
START_LOGIT = -2.0  # of f's masks
SELECTION_NETS = ("context", "pooled")  # the paper's g; the practical family's


class Encoded(NamedTuple):
    """What clicks do not change, (B, width, h, w) each: the first layers' answer to the image."""

    for_f: Tensor
    for_g: Tensor


class SegmentationNet(nn.Module):
    """
    f: image and clicks to M masks.

    Shape:
        for_f (B, width, h, w), maps (B, 4, h, w) -> logits (B, M, h, w).

    Source:
        Li, Chen & Koltun 2018, section 3.
    """

    def __init__(
        self,
        num_masks: int,
        tap_channels: tuple[int, ...],
        width: int,
        dilations: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.first = FirstLayer(tap_channels, NUM_MAPS, width)
        self.context = Context(width, dilations)
        self.last = nn.Conv2d(width, num_masks, 1)
        # masks start nearly empty: one that starts as "everything" and loses is saturated, and has
        # hardly any gradient to come back by
        nn.init.constant_(self.last.bias, START_LOGIT)  # type: ignore[arg-type]  # bias=True

    def trunk(self, for_f: Tensor, maps: Tensor) -> Tensor:
        """What the last layer reads, (B, width, h, w)."""
        x: Tensor = self.context(for_f + self.first.of_maps(maps))
        return x

    def forward(self, for_f: Tensor, maps: Tensor) -> Tensor:
        logits: Tensor = self.last(self.trunk(for_f, maps))
        return logits


class SelectionNet(nn.Module):
    """
    g: image, clicks and the M masks to M logits.

    The same trunk; its last layer is replaced by global average pooling and a linear layer.

    Shape:
        for_g (B, width, h, w), maps (B, 4, h, w), masks (B, M, h, w) in [0, 1] -> (B, M).

    Source:
        Li, Chen & Koltun 2018, section 3.
    """

    def __init__(
        self,
        num_masks: int,
        tap_channels: tuple[int, ...],
        width: int,
        dilations: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.first = FirstLayer(tap_channels, NUM_MAPS + num_masks, width)
        self.context = Context(width, dilations)
        self.last = nn.Linear(width, num_masks)

    def forward(self, for_g: Tensor, maps: Tensor, masks: Tensor) -> Tensor:
        x = self.context(for_g + self.first.of_maps(torch.cat([maps, masks], dim=1)))
        scores: Tensor = self.last(x.mean((2, 3)))
        return scores


class PooledSelection(nn.Module):
    """
    The practical family's g on f's own trunk: for budgets in which the paper's g learns nothing.

    It pools f's features inside, outside and at the edge of each mask, so that it need not
    find out from the masks' pixels what f knows already.

    Shape:
        logits (B, M, h, w), trunk (B, width, h, w), discs (B, 2, h, w) around positive and
        negative clicks -> (B, M).
    """

    def __init__(self, num_masks: int, width: int) -> None:
        super().__init__()
        self.scorer = Scorer(num_masks, width, width)

    def forward(self, logits: Tensor, trunk: Tensor, discs: Tensor) -> Tensor:
        guidance = logits.new_zeros(logits.shape[0], NUM_GUIDANCE, *logits.shape[2:])
        guidance[:, [POSITIVE_DISC, NEGATIVE_DISC]] = discs
        scores: Tensor = self.scorer(
            Decoded(logits, logits, F.avg_pool2d(trunk, 2), trunk), guidance
        )
        return scores


class LatentDiversity(nn.Module):
    """
    The paper's model: frozen features, f and g.

    Args:
        num_masks: M.
        width: Channels of both trunks.
        dilations: Of their 3x3 convolutions.
        stride: Cells of the trunks in pixels: 1 in the paper, 4 for a sixteenth of the work.
        features, pooling: As of ``features.build_features``.
        output: "sigmoid", or "tanh" cut at 0 as in the authors' release.
        selection: g: "context", the paper's, or "pooled".
    """

    def __init__(
        self,
        num_masks: int = 6,
        width: int = 64,
        dilations: tuple[int, ...] = PAPER_DILATIONS,
        stride: int = 1,
        features: str = "vgg19",
        pooling: str = "average",
        output: str = "sigmoid",
        selection: str = "context",
    ) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise BadConfig(f"model.output must be one of {OUTPUTS}, given {output!r}")
        if selection not in SELECTION_NETS:
            raise BadConfig(f"model.selection must be one of {SELECTION_NETS}, given {selection!r}")
        self.num_masks, self.stride, self.output = num_masks, stride, output
        self.features = build_features(features, pooling)
        taps = tuple(self.features.tap_channels)  # type: ignore[arg-type]  # plain attribute
        self.f = SegmentationNet(num_masks, taps, width, dilations)
        self.g: SelectionNet | PooledSelection = (
            SelectionNet(num_masks, taps, width, dilations)
            if selection == "context"
            else PooledSelection(num_masks, width)
        )

    def train(self, mode: bool = True) -> LatentDiversity:
        """Training mode for f and g; the features stay as they are."""
        super().train(mode)
        self.features.eval()
        return self

    def encode(self, image: Tensor) -> Encoded:
        """Image (B, 3, H, W), RGB in [0, 255], H and W multiples of 16, to what is kept of it."""
        taps = self.features(image)
        small = F.avg_pool2d(image / 255, self.stride) if self.stride > 1 else image / 255
        for_f = self.f.first.of_image(small, taps)
        if isinstance(self.g, PooledSelection):
            return Encoded(for_f, for_f)  # it reads f's trunk
        return Encoded(for_f, self.g.first.of_image(small, taps))

    def answer(self, encoded: Encoded, maps: Tensor, discs: Tensor) -> tuple[Tensor, Tensor]:
        """
        Logits of f and scores of g.

        Args:
            encoded: Of B images, one per pair.
            maps: (B, 4, h, w), as of ``inputs.paper_maps``.
            discs: (B, 2, h, w), as of ``inputs.click_discs``; the paper's g does not read them.

        Returns:
            (B, M, h, w) and (B, M).
        """
        trunk = self.f.trunk(encoded.for_f, maps)
        logits: Tensor = self.f.last(trunk)
        return logits, self.score(encoded, maps, logits, trunk, discs)

    def score(
        self, encoded: Encoded, maps: Tensor, logits: Tensor, trunk: Tensor, discs: Tensor
    ) -> Tensor:
        """Scores of g for what f answered, (B, M)."""
        scores: Tensor = (
            self.g(logits.float(), trunk.float(), discs)
            if isinstance(self.g, PooledSelection)
            else self.g(encoded.for_g, maps, self.masks(logits))
        )
        return scores

    def masks(self, logits: Tensor) -> Tensor:
        """Soft masks in [0, 1] of f's logits; 0.5 (sigmoid) or 0 (tanh) is where logits are 0."""
        return logits.sigmoid() if self.output == "sigmoid" else logits.tanh().clamp_min(0)
