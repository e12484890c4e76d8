"""
Depths: how near the middle of a candidate, and of what it changes, the clicks lie.

People click near the middle of what they mean, and then near the middle of what is most wrong. So a
click at the edge of a candidate speaks against it, and so does a candidate that changes the
previous mask more somewhere else than where the newest click is.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

NUM_DEPTHS = 4
NUM_CHANGES = 10
DEPTH_CELLS = 24  # of 4 px: deeper than that is the middle
PEAK = 6  # power of the nearness to a click that leaves the clicked cell and little around it
SHARPENING = 4.0  # of logits before depth is measured: a doubtful cell is in or out
# channels of core.guidance.guidance_maps
POSITIVE_NEARNESS, NEGATIVE_NEARNESS, PREVIOUS = 1, 4, 6


class Depths(NamedTuple):
    """What ``measure_depths`` returns."""

    clicks: Tensor  # (B, M, 4)
    changes: Tensor  # (B, M, 10), or empty


@torch.no_grad()
def measure_depths(coarse: Tensor, guidance: Tensor, *, changes: bool) -> Depths:
    """
    Numbers about every candidate, its clicks and its changes.

    Args:
        coarse: (B, M, h, w), logits of the candidates at stride 4.
        guidance: float32 (B, 7, h, w), as of core.guidance.guidance_maps.
        changes: Whether changes are wanted, too.

    Returns:
        See ``click_depths`` and ``change_numbers``.
    """
    probs = (SHARPENING * coarse.float()).sigmoid()
    positive = guidance[:, POSITIVE_NEARNESS] ** PEAK
    if not changes:
        return Depths(click_depths(probs, depth_maps(probs), positive), probs.new_empty(0))
    previous = guidance[:, PREVIOUS]
    # a reduced mask has half-covered cells along its edge, which are no change
    previous = (SHARPENING * (previous - 0.5) + 0.5).clamp(0, 1)[:, None]
    gained, lost = probs * (1 - previous), previous * (1 - probs)
    # one erosion for the three of them
    depth, gained_depth, lost_depth = depth_maps(torch.cat([probs, gained, lost], 1)).chunk(3, 1)
    negative = guidance[:, NEGATIVE_NEARNESS] ** PEAK
    # clicks that the previous mask breaks: the newest one, or all where there is no previous mask
    newest = positive[:, None] * (1 - previous), negative[:, None] * previous
    return Depths(
        click_depths(probs, depth, positive),
        change_numbers(probs, (gained, lost), (gained_depth, lost_depth), newest),
    )


def erode(maps: Tensor) -> Tensor:
    """The least value of the 3 x 3 cells around each, nothing beyond the edges: (..., h, w)."""
    # minima of shifted maps: forty times quicker than max_pool2d without a gradient
    x = F.pad(maps, (1, 1, 1, 1))
    rows = torch.minimum(torch.minimum(x[..., :-2], x[..., 1:-1]), x[..., 2:])
    lower: Tensor = torch.minimum(rows[..., :-2, :], rows[..., 1:-1, :])
    return torch.minimum(lower, rows[..., 2:, :])


def depth_maps(maps: Tensor) -> Tensor:
    """Chessboard distance to the outside, in cells, up to DEPTH_CELLS: (..., h, w) in [0, 1]."""
    if maps.dim() == 4 and len(maps) > 1:  # one by one they stay in the processor's cache
        return torch.stack([depth_maps(one) for one in maps])
    depth, inside = maps, maps
    for _ in range(DEPTH_CELLS - 1):
        inside = erode(inside)
        depth = depth + inside
    return depth


def click_depths(probs: Tensor, depth: Tensor, positive: Tensor) -> Tensor:
    """
    How near the middle of each candidate the positive clicks lie.

    Args:
        probs: (B, M, h, w), candidates in [0, 1].
        depth: Their depth maps.
        positive: (B, h, w), in [0, 1]: peaks at the positive clicks.

    Returns:
        (B, M, 4): mean and largest depth at the clicks over the candidate's largest depth, and
        the logarithms of that and of the mean depth; without clicks the first two are 0.
    """
    deepest = depth.flatten(2).amax(2)  # (B, M)
    peaks = positive.flatten(1)[:, None, :]  # (B, 1, N)
    at_clicks = depth.flatten(2) * peaks
    mean = at_clicks.sum(2) / peaks.sum(2).clamp_min(0.1)
    logs = [(deepest + 0.1).log(), (mean + 0.1).log()]
    largest = at_clicks.amax(2) / peaks.amax(2).clamp_min(0.1)
    ratios = [x / deepest.clamp_min(0.5) for x in (mean, largest)]
    return torch.stack([*ratios, *logs], dim=2)


def change_numbers(
    probs: Tensor,
    changed: tuple[Tensor, Tensor],
    depths: tuple[Tensor, Tensor],
    newest: tuple[Tensor, Tensor],
) -> Tensor:
    """
    What each candidate changes of the previous mask, and how it goes with the newest click.

    The claim of a candidate is what it changes in the sense of the newest click: what it gains
    after a positive one, what it loses after a negative one. The rest is what it changes besides.

    Args:
        probs: (B, M, h, w), candidates in [0, 1].
        changed: What they gain and what they lose, likewise.
        depths: Depth maps of both.
        newest: Peaks of the newest positive and negative clicks, (B, 1, h, w), in [0, 1].

    Returns:
        (B, M, 10): logarithms of the claim's depth at the click, of its largest depth and of the
        largest depth of the rest; the first over the second and over the larger of the second and
        the third; logarithms of the areas of the claim, the rest and the candidate; share of the
        claim in the candidate; and 1 after a positive click, 0 after a negative one.
    """
    weights = [peaks.flatten(1).sum(1, keepdim=True) for peaks in newest]  # (B, 1) each
    positive = (weights[0] + 1e-4) / (weights[0] + weights[1] + 2e-4)
    at_click = sum(
        (depth * peaks).flatten(2).sum(2) for depth, peaks in zip(depths, newest, strict=True)
    ) / (weights[0] + weights[1]).clamp_min(0.1)
    deepest = [depth.flatten(2).amax(2) for depth in depths]
    areas = [change.flatten(2).sum(2) for change in changed]
    claim, rest = by_sign(deepest, positive)
    claim_area, rest_area = by_sign(areas, positive)
    area = probs.flatten(2).sum(2)
    return torch.stack(
        [
            (at_click + 0.5).log(),
            (claim + 0.5).log(),
            (rest + 0.5).log(),
            at_click / claim.clamp_min(0.5),
            at_click / torch.maximum(claim, rest).clamp_min(0.5),
            (claim_area + 8).log(),
            (rest_area + 8).log(),
            (area + 8).log(),
            claim_area / (area + 8),
            positive.expand_as(area),
        ],
        dim=2,
    )


def by_sign(values: list[Tensor], positive: Tensor) -> tuple[Tensor, Tensor]:
    """Values of what is gained and of what is lost as those of the claim and of the rest."""
    gained, lost = values
    return positive * gained + (1 - positive) * lost, (1 - positive) * gained + positive * lost
