"""
Random clicks for training.

First clicks follow Xu et al., "Deep Interactive Object Selection", CVPR 2016, as
used by Li, Chen & Koltun 2018: positive clicks in the object away from its
boundary and from each other, negative clicks by one of three strategies. Corrective
clicks lie on the error of the model's own mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map, exact_distances
from latentcut.simulation.robot import next_click

BoolArray = NDArray[np.bool_]

MARGIN_PX = 5.0  # d_margin: distance of a click from the object's boundary
STEP_PX = 10.0  # d_step: distance of clicks of one sign from each other
BAND_PX = 40.0  # width of the band around the object for strategy 3
NUM_BAND_CLICKS = 15


@dataclass(frozen=True)
class FirstClicks:
    """
    How the first clicks of a training pair are drawn.

    Attributes:
        single_share: Share of pairs with one positive click and nothing else.
        centre_share: Share of those where the click is the robot user's first click.
        max_positive: Most positive clicks in the other pairs (paper: 10).
        max_negative: Most negative clicks in them (paper: 15, 10 per other object, 15).
        anywhere_share: Share of pairs whose positive clicks may also lie at the boundary, as
            people's do; 0 in the paper.
    """

    single_share: float = 0.6
    centre_share: float = 0.6
    max_positive: int = 5
    max_negative: int = 5
    anywhere_share: float = 0.0


def spread_points(
    region: BoolArray, count: int, rng: np.random.Generator, step_px: float = STEP_PX
) -> list[tuple[int, int]]:
    """
    Up to ``count`` random pixels (x, y) of a region, at least ``step_px`` from each other.

    Fewer are returned when the region has no room for more; at least one when it is not empty.
    """
    free = region.copy()
    points: list[tuple[int, int]] = []
    for _ in range(count):
        candidates = np.flatnonzero(free)
        if len(candidates) == 0:
            break
        row, column = divmod(int(candidates[rng.integers(len(candidates))]), free.shape[1])
        points.append((column, row))
        reach = int(step_px)
        top, left = max(0, row - reach), max(0, column - reach)
        window = free[top : row + reach + 1, left : column + reach + 1]
        rows = np.arange(top, top + window.shape[0])[:, None] - row
        columns = np.arange(left, left + window.shape[1])[None, :] - column
        window &= rows**2 + columns**2 >= step_px**2
    return points


def deep_part(region: BoolArray, margin_px: float = MARGIN_PX) -> BoolArray:
    """Pixels at least ``margin_px`` inside a region, or the deepest half of a thin one; (H, W)."""
    depth = depth_map(region)
    return depth >= min(margin_px, 0.5 * float(depth.max(initial=0.0)) + 0.5)


def positive_clicks(
    gt_mask: BoolArray, count: int, rng: np.random.Generator, *, anywhere: bool = False
) -> list[Click]:
    """
    Up to ``count`` positive clicks in the object, 10 px apart.

    They lie 5 px from its boundary, or with ``anywhere`` on any pixel of it.
    """
    inside = gt_mask if anywhere else deep_part(gt_mask) & gt_mask
    return [Click(x, y, positive=True) for x, y in spread_points(inside, count, rng)]


def background_clicks(gt_mask: BoolArray, count: int, rng: np.random.Generator) -> list[Click]:
    """Strategy 1: random background pixels, 5 px from the object and 10 px apart."""
    outside = ~gt_mask
    away = outside & (distance_to(gt_mask) >= MARGIN_PX)
    area = away if away.any() else outside
    return [Click(x, y, positive=False) for x, y in spread_points(area, count, rng)]


def other_object_clicks(
    others: list[BoolArray], gt_mask: BoolArray, count: int, rng: np.random.Generator
) -> list[Click]:
    """Strategy 2: up to ``count`` clicks on each other object of the image, inside it."""
    clicks: list[Click] = []
    for other in others:
        visible = other & ~gt_mask
        if visible.any():
            inside = deep_part(visible) & visible
            clicks += [Click(x, y, positive=False) for x, y in spread_points(inside, count, rng)]
    return clicks


def band_clicks(
    gt_mask: BoolArray, rng: np.random.Generator, count: int = NUM_BAND_CLICKS
) -> list[Click]:
    """
    Strategy 3: ``count`` clicks that cover the band up to 40 px outside the object evenly.

    Farthest-point sampling from a random start: each next click is the pixel of the band
    farthest from all earlier ones.
    """
    distance = distance_to(gt_mask)
    rows, columns = np.nonzero(~gt_mask & (distance >= MARGIN_PX) & (distance <= BAND_PX))
    if len(rows) == 0:
        return []
    clicks = []
    gap_sq = np.full(len(rows), np.inf)
    pick = int(rng.integers(len(rows)))
    for _ in range(min(count, len(rows))):
        clicks.append(Click(float(columns[pick]), float(rows[pick]), positive=False))
        np.minimum(gap_sq, (rows - rows[pick]) ** 2 + (columns - columns[pick]) ** 2, out=gap_sq)
        pick = int(np.argmax(gap_sq))
    return clicks


def distance_to(region: BoolArray) -> NDArray[np.float32]:
    """Distance of every pixel to the nearest pixel of a region, float32 (H, W), px."""
    if not region.any():
        return np.full(region.shape, np.inf, dtype=np.float32)
    return exact_distances((~region).astype(np.uint8))


def first_clicks(
    gt_mask: BoolArray,
    others: list[BoolArray],
    rng: np.random.Generator,
    how: FirstClicks | None = None,
) -> list[Click]:
    """
    The clicks a training pair starts with.

    Args:
        gt_mask: bool (H, W), the object; must not be empty.
        others: bool (H, W) each, other objects of the image (for strategy 2).
        rng: Source of all randomness.
        how: Shares and counts; defaults as in FirstClicks.

    Returns:
        At least one positive click, then negative ones.
    """
    how = how or FirstClicks()
    if rng.random() < how.single_share:
        if rng.random() < how.centre_share:
            row, column = divmod(int(np.argmax(depth_map(gt_mask))), gt_mask.shape[1])
            return [Click(float(column), float(row), positive=True)]
        return positive_clicks(gt_mask, 1, rng, anywhere=happens(how.anywhere_share, rng))
    count = int(rng.integers(1, how.max_positive + 1))
    clicks = positive_clicks(gt_mask, count, rng, anywhere=happens(how.anywhere_share, rng))
    num_negative = int(rng.integers(0, how.max_negative + 1))
    if num_negative == 0:
        return clicks
    strategy = int(rng.integers(3))
    if strategy == 0:
        negative = background_clicks(gt_mask, num_negative, rng)
    elif strategy == 1:
        negative = other_object_clicks(others, gt_mask, num_negative, rng)
        rng.shuffle(negative)
    else:
        negative = band_clicks(gt_mask, rng, num_negative)
    return clicks + negative[:num_negative]


def sampled_clicks(
    gt_mask: BoolArray, others: list[BoolArray], rng: np.random.Generator
) -> list[Click]:
    """
    One click set as Xu et al. drew them, without the shares of ``first_clicks``.

    1 to 10 positive clicks; then one of the three strategies with equal probability: 1 to 15
    in the background, 1 to 10 on each other object, or 15 in the band around the object.

    Args:
        gt_mask: bool (H, W), the object; must not be empty.
        others: bool (H, W) each, the other objects of the image.
        rng: Source of all randomness.

    Source:
        Xu et al. 2016, section 3.1, with their N_pos = 10, N_neg1 = 15, N_neg2 = 10,
        N_neg3 = 15.
    """
    clicks = positive_clicks(gt_mask, int(rng.integers(1, 11)), rng)
    strategy = int(rng.integers(3))
    if strategy == 0:
        return clicks + background_clicks(gt_mask, int(rng.integers(1, 16)), rng)
    if strategy == 1:
        on_each = [
            other_object_clicks([other], gt_mask, int(rng.integers(1, 11)), rng) for other in others
        ]
        return clicks + [click for group in on_each for click in group]
    return clicks + band_clicks(gt_mask, rng)


def happens(share: float, rng: np.random.Generator) -> bool:
    """True with probability ``share``; nothing is drawn for 0, so streams stay as they were."""
    return share > 0 and bool(rng.random() < share)


def corrective_click(
    mask: BoolArray,
    gt_mask: BoolArray,
    rng: np.random.Generator,
    ignore_mask: BoolArray | None = None,
    centre_share: float = 0.7,
    anywhere_share: float = 0.0,
) -> Click | None:
    """
    A click on the error of the model's own mask.

    With probability ``centre_share`` the robot user's next click, else a random pixel
    deep in any error region (so that the model also meets untidy users), of which a share
    ``anywhere_share`` is any wrong pixel.

    Returns:
        The click, or None when the mask has no error.
    """
    if rng.random() < centre_share:
        return next_click(mask, gt_mask, ignore_mask)
    error = mask != gt_mask
    if ignore_mask is not None:
        error &= ~ignore_mask
    region = error if happens(anywhere_share, rng) else deep_part(error) & error
    candidates = np.flatnonzero(region)
    if len(candidates) == 0:
        return None
    row, column = divmod(int(candidates[rng.integers(len(candidates))]), mask.shape[1])
    return Click(float(column), float(row), positive=bool(gt_mask[row, column]))
