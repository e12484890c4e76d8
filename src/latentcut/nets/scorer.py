"""
g, the selection network of the practical family: which candidate is meant.

After Li, Chen & Koltun 2018, section 3: g sees the input and the M masks and gives one
number per mask. Here it sees pooled features of each candidate instead of full-resolution
maps, so that it costs next to nothing at a click.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentcut.nets.decoder import Decoded
from latentcut.nets.depths import NUM_CHANGES, NUM_DEPTHS, measure_depths

NUM_SCALARS = 10
# channels of core.guidance.guidance_maps
POSITIVE_DISC, NEGATIVE_DISC, PREVIOUS = 2, 5, 6


def pool(maps: Tensor, weights: Tensor) -> Tensor:
    """
    Weighted mean of every channel under every candidate's weights.

    Args:
        maps: (B, C, H, W).
        weights: (B, M, H, W), not negative.

    Returns:
        (B, M, C); near 0 where the weights vanish.
    """
    flat = weights.flatten(2)  # (B, M, HW)
    total = flat.sum(2, keepdim=True) + 1.0
    return torch.bmm(flat, maps.flatten(2).transpose(1, 2)) / total


def soft_iou(a: Tensor, b: Tensor) -> Tensor:
    """Soft IoU of flat masks that broadcast against each other: (..., N) -> (...)."""
    overlap = (a * b).sum(-1)
    return overlap / (a.sum(-1) + b.sum(-1) - overlap + 1.0)


def mask_scalars(probs: Tensor, guidance: Tensor) -> Tensor:
    """
    Ten numbers about each candidate.

    Args:
        probs: (B, M, h, w), in [0, 1].
        guidance: (B, 7, h, w), as of core.guidance.guidance_maps.

    Returns:
        (B, M, 10): area, log area, sharpness, edge length, mean and largest soft IoU with
        the other candidates, agreement with the positive and with the negative discs,
        soft IoU with the previous mask, mean confidence inside.
    """
    flat = probs.flatten(2)  # (B, M, N)
    num_masks = probs.shape[1]
    area = flat.mean(2)
    sharpness = (2 * flat - 1).abs().mean(2)
    edge = (4 * flat * (1 - flat)).mean(2)
    overlap = torch.bmm(flat, flat.transpose(1, 2))  # (B, M, M)
    sums = flat.sum(2)
    pairwise = overlap / (sums[:, :, None] + sums[:, None, :] - overlap + 1.0)
    others = pairwise * (1 - torch.eye(num_masks, dtype=probs.dtype, device=probs.device))
    discs = guidance[:, [POSITIVE_DISC, NEGATIVE_DISC]].flatten(2)  # (B, 2, N)
    disc_sums = discs.sum(2)[:, None, :]  # (B, 1, 2)
    covered = torch.bmm(flat, discs.transpose(1, 2))  # (B, M, 2)
    agreement = torch.where(disc_sums > 0, covered / disc_sums.clamp_min(1.0), covered)
    previous = soft_iou(flat, guidance[:, PREVIOUS].flatten(1)[:, None, :])
    confidence = (flat * flat).sum(2) / (sums + 1.0)
    return torch.stack(
        [
            area,
            (area + 1e-4).log(),
            sharpness,
            edge,
            others.sum(2) / max(1, num_masks - 1),
            others.amax(2),
            agreement[:, :, 0],
            agreement[:, :, 1],
            previous,
            confidence,
        ],
        dim=2,
    )


def surroundings(probs: Tensor) -> Tensor:
    """A band of two cells around each candidate: (B, M, h, w) -> the same, in [0, 1]."""
    return (F.max_pool2d(probs, 5, stride=1, padding=2) - probs).clamp_min(0)


def new_say(num_inputs: int, hidden: int) -> nn.Sequential:
    """Two layers that start as no say at all, so that they can be put into a trained g."""
    last = nn.Linear(hidden, hidden)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(num_inputs, hidden), nn.ReLU(), last)


class Scorer(nn.Module):
    """
    g.

    Its inputs are detached: g never changes f (paper: f is frozen while g is trained).

    Args:
        num_masks: M.
        trunk, head: Channel counts of f's maps.
        semantics: Channels of the encoder that are g's own; with them g also looks at what
            lies just around a candidate, which tells a whole from a part, and at how near its
            middle the clicks are. 0: none of it.
        changes: g also looks at what a candidate changes of the previous mask, and how near the
            middle of the change the newest click is.
        hidden: Width.

    Shape:
        Decoded of B pairs, guidance (B, 7, H/4, W/4), semantics (B, C_semantics, H/8, W/8)
        -> (B, M), any real. What the number means is the training objective's: the logit of
        the candidate's IoU, or the logit of its being the best.
    """

    def __init__(
        self,
        num_masks: int,
        trunk: int,
        head: int,
        semantics: int = 0,
        changes: bool = False,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        num_inputs = 3 * trunk + 2 * head + NUM_SCALARS
        self.norm = nn.LayerNorm(num_inputs)
        self.shared = nn.Linear(num_inputs, hidden)
        self.rank = nn.Parameter(torch.zeros(num_masks, hidden))  # what index m alone tells
        self.mix = nn.Linear(2 * hidden, 96)
        self.score = nn.Linear(96, 1)
        self.more = None
        if semantics:
            num_more = 4 * semantics + trunk
            self.more_norm = nn.LayerNorm(num_more)
            self.more = new_say(num_more + NUM_DEPTHS, hidden)
        self.changes = new_say(NUM_CHANGES, hidden) if changes else None

    def forward(
        self, decoded: Decoded, guidance: Tensor, semantics: Tensor | None = None
    ) -> Tensor:
        probs = decoded.coarse.detach().sigmoid()  # (B, M, H/4, W/4)
        trunk, head = decoded.trunk.detach().float(), decoded.head.detach().float()
        probs8 = F.avg_pool2d(probs, 2)
        whole = trunk.mean((2, 3))[:, None, :].expand(-1, probs.shape[1], -1)
        inputs = torch.cat(
            [
                pool(trunk, probs8),
                pool(trunk, 1 - probs8),
                whole,
                pool(head, probs),
                pool(head, 4 * probs * (1 - probs)),
                mask_scalars(probs, guidance.float()),
            ],
            dim=2,
        )  # (B, M, num_inputs)
        x = self.shared(self.norm(inputs)) + self.rank
        coarse, has_changes = decoded.coarse.detach(), self.changes is not None
        if self.more is not None or has_changes:
            depths = measure_depths(coarse, guidance.float(), changes=has_changes)
        if self.changes is not None:
            x = x + self.changes(depths.changes)
        if self.more is not None and semantics is not None:
            around = self._around(probs8, trunk, guidance.float(), semantics.float())
            x = x + self.more(torch.cat([self.more_norm(around), depths.clicks], dim=2))
        x = F.relu(x)
        x = torch.cat([x, x.mean(1, keepdim=True).expand_as(x)], dim=2)
        scores: Tensor = self.score(F.relu(self.mix(x))).squeeze(2)
        return scores

    def _around(self, probs8: Tensor, trunk: Tensor, guidance: Tensor, semantics: Tensor) -> Tensor:
        """What a candidate shows inside, just around it, elsewhere, and at positive clicks."""
        band = surroundings(probs8)
        clicked = F.avg_pool2d(guidance[:, [POSITIVE_DISC]], 2)  # (B, 1, H/8, W/8)
        return torch.cat(
            [
                pool(semantics, probs8),
                pool(semantics, band),
                pool(semantics, (1 - probs8 - band).clamp_min(0)),
                pool(semantics, clicked).expand(-1, probs8.shape[1], -1),
                pool(trunk, band),
            ],
            dim=2,
        )  # (B, M, 4 C_semantics + C_trunk)
