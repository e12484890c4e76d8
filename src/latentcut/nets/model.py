"""The practical family assembled: encoder once per image, f and g per click."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from latentcut.nets.decoder import NO_MORE_BLOCKS, Decoded, Decoder, MoreBlocks
from latentcut.nets.encoder import Encoder, Features
from latentcut.nets.scorer import Scorer


class Answer(NamedTuple):
    """f's candidates and g's scores for B pairs."""

    decoded: Decoded
    scores: Tensor  # (B, M), any real


G_PARTS = ("scorer.", "encoder.deep_meaning.", "encoder.meaning.")  # names of g's parameters


class ClickModel(nn.Module):
    """
    Encoder, f and g.

    Args:
        num_masks: M, the number of candidates (6 in the paper).
        trunk, head, detail, embedding: Channel counts.
        dilations: Dilations of the trunk's residual blocks.
        semantics: Channels of the encoder that are for g alone; 0: none.
        context_blocks: Self-attention blocks of the encoder.
        changes: Whether g looks at what a candidate changes of the previous mask.
        more: Blocks of f that start as the identity.
    """

    def __init__(
        self,
        num_masks: int = 6,
        trunk: int = 80,
        head: int = 48,
        detail: int = 16,
        embedding: int = 32,
        dilations: tuple[int, ...] = (1, 2, 4, 8, 2, 1),
        semantics: int = 0,
        context_blocks: int = 0,
        changes: bool = False,
        more: MoreBlocks = NO_MORE_BLOCKS,
    ) -> None:
        super().__init__()
        self.num_masks = num_masks
        self.f_is_frozen = False
        self.encoder = Encoder(trunk, head, detail, embedding, semantics, context_blocks)
        self.decoder = Decoder(num_masks, trunk, head, detail, dilations, more)
        self.scorer = Scorer(num_masks, trunk, head, semantics, changes)

    def freeze_f(self) -> None:
        """From now on g alone learns, as the paper trains it: f is finished."""
        self.f_is_frozen = True
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.startswith(G_PARTS))
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode for what learns; see torch.nn.Module.train."""
        super().train(mode)
        if self.f_is_frozen:  # a frozen network keeps its batch statistics, too
            self.encoder.eval()
            self.decoder.eval()
        return self

    def encode(self, image: Tensor) -> Features:
        """Image (B, 3, H, W), RGB in [0, 255], H and W multiples of 16, to features."""
        features: Features = self.encoder(image)
        return features

    def decode(self, features: Features, guidance: Tensor, index: Tensor, sign: Tensor) -> Answer:
        """
        Candidates and scores of B pairs.

        Args:
            features: Of B images, one per pair (see ``repeat_features``).
            guidance: (B, 7, H/4, W/4), as of core.guidance.guidance_maps.
            index: int64 (B, K), as of core.guidance.embedding_clicks.
            sign: (B, K), likewise.
        """
        decoded = self.decoder(features, guidance, index, sign)
        with torch.autocast(guidance.device.type, enabled=False):
            semantics = features.trunk[:, self.decoder.num_trunk :]
            scores = self.scorer(decoded, guidance, semantics)
        return Answer(decoded, scores)

    def forward(self, image: Tensor, guidance: Tensor, index: Tensor, sign: Tensor) -> Answer:
        """Encode and decode at once, one pair per image."""
        return self.decode(self.encode(image), guidance, index, sign)


def repeat_features(features: Features, times: int) -> Features:
    """One encoding for several pairs of an image: (B, ...) -> (B * times, ...)."""
    return Features(*[x.repeat_interleave(times, dim=0) for x in features])
