"""The practical family assembled: encoder once per image, f and g per click."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentcut.nets.decoder import Decoded, Decoder
from latentcut.nets.encoder import Encoder, Features
from latentcut.nets.scorer import Scorer


class Answer(NamedTuple):
    """f's candidates and g's scores for B pairs."""

    decoded: Decoded
    scores: Tensor  # (B, M), any real


class ClickModel(nn.Module):
    """
    Encoder, f and g.

    Args:
        num_masks: M, the number of candidates (6 in the paper).
        trunk, head, detail, embedding: Channel counts.
        dilations: Dilations of the trunk's residual blocks.
    """

    def __init__(
        self,
        num_masks: int = 6,
        trunk: int = 80,
        head: int = 48,
        detail: int = 16,
        embedding: int = 32,
        dilations: tuple[int, ...] = (1, 2, 4, 8, 2, 1),
    ) -> None:
        super().__init__()
        self.num_masks = num_masks
        self.encoder = Encoder(trunk, head, detail, embedding)
        self.decoder = Decoder(num_masks, trunk, head, detail, dilations)
        self.scorer = Scorer(num_masks, trunk, head)

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
            scores = self.scorer(decoded, guidance)
        return Answer(decoded, scores)

    def forward(self, image: Tensor, guidance: Tensor, index: Tensor, sign: Tensor) -> Answer:
        """Encode and decode at once, one pair per image."""
        return self.decode(self.encode(image), guidance, index, sign)


def repeat_features(features: Features, times: int) -> Features:
    """One encoding for several pairs of an image: (B, ...) -> (B * times, ...)."""
    return Features(*[x.repeat_interleave(times, dim=0) for x in features])
