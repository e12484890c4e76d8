"""
Robot users: who clicks where, given what is meant and what is shown.

People do not click where the field's protocols assume (Antonov et al., RClicks, 2024: 475,000
clicks of real users; masks get worse when clicks move off the centre). These users differ from
the protocol's in one thing each, so that a drop in quality has a name. They are simple rules,
not models of people. A user serves one object; chance comes from a generator that is seeded by
the object's name, so neither the order of objects nor other users change a click.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map
from latentcut.errors import BadConfig, nearest
from latentcut.simulation.robot import (
    centre_xy,
    first_click,
    largest_component,
    next_click,
)

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

NOISE_SHARE = 0.15  # standard deviation of `noisy` over the square root of the region's area
BAND_SHARE = 0.25  # `boundary` stays within this share of the deepest depth


class User(Protocol):
    """One object's user."""

    def first(
        self, gt_mask: BoolArray, ignore_mask: BoolArray, rng: np.random.Generator
    ) -> Click | None:
        """
        The first click, positive.

        Args:
            gt_mask: bool (H0, W0), what is meant.
            ignore_mask: bool (H0, W0), pixels that are never clicked.
            rng: Chance; deterministic users leave it alone.

        Returns:
            The click, or None when nothing is meant.
        """

    def next(
        self,
        mask: BoolArray,
        gt_mask: BoolArray,
        ignore_mask: BoolArray,
        rng: np.random.Generator,
    ) -> Click | None:
        """The click on what is wrong with a mask, bool (H0, W0); None when nothing is."""


def rng_for(seed: int, name: str) -> np.random.Generator:
    """The generator of one object: the same for the same seed and name, whatever ran before."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


class Centre:
    """The standard protocol's user: the centre of the largest error region; see ``robot``."""

    def first(
        self, gt_mask: BoolArray, ignore_mask: BoolArray, rng: np.random.Generator
    ) -> Click | None:
        """The pixel of the object farthest from its boundary."""
        return first_click(gt_mask, ignore_mask)

    def next(
        self,
        mask: BoolArray,
        gt_mask: BoolArray,
        ignore_mask: BoolArray,
        rng: np.random.Generator,
    ) -> Click | None:
        """The pixel of the largest error region farthest from its boundary."""
        return next_click(mask, gt_mask, ignore_mask)


class Deepest:
    """
    The user of RITM's code (Sofiiuk et al. 2021): the deepest pixel over all errors.

    Depth is the exact Euclidean distance to the nearest pixel that is no error of the same
    sign, beyond the image included; pixels clicked before count as depth 0. The click is
    positive only where missed object is strictly deeper than included background; between
    equally deep pixels the first in row-major order is taken. Unlike the standard user's, the
    click need not lie in the largest region. When every error has been clicked, RITM's code
    clicks the first pixel of depth 0, negatively; so does this.
    """

    def __init__(self) -> None:
        self._clicked: list[tuple[int, int]] = []  # (row, column)

    def first(
        self, gt_mask: BoolArray, ignore_mask: BoolArray, rng: np.random.Generator
    ) -> Click | None:
        """The deepest pixel of the object: all of it is missing from an empty mask."""
        self._clicked = []
        if not (gt_mask & ~ignore_mask).any():
            return None
        return self.next(np.zeros_like(gt_mask), gt_mask, ignore_mask, rng)

    def next(
        self,
        mask: BoolArray,
        gt_mask: BoolArray,
        ignore_mask: BoolArray,
        rng: np.random.Generator,
    ) -> Click | None:
        """The deepest pixel that is wrong and was not clicked yet; None when nothing is wrong."""
        missed, included = gt_mask & ~mask & ~ignore_mask, ~gt_mask & mask & ~ignore_mask
        if not (missed.any() or included.any()):
            return None  # RITM's loop never comes here: it stops at its target IoU
        depths = [depth_map(missed), depth_map(included)]
        for depth in depths:
            for row, column in self._clicked:
                depth[row, column] = 0
        positive = bool(depths[0].max() > depths[1].max())
        depth = depths[0] if positive else depths[1]
        row, column = divmod(int(np.argmax(depth)), depth.shape[1])
        self._clicked.append((row, column))
        return Click(float(column), float(row), positive=positive)


class InRegion:
    """
    A user who means the region that the standard user means, but clicks elsewhere in it.

    Args:
        weigh: Depth of every pixel of the region, float32 (H0, W0), 0 outside, to the weight
            with which it is drawn, (H0, W0), 0 outside.
    """

    def __init__(self, weigh: Callable[[FloatArray], NDArray[np.floating]]) -> None:
        self._weigh = weigh

    def first(
        self, gt_mask: BoolArray, ignore_mask: BoolArray, rng: np.random.Generator
    ) -> Click | None:
        """A pixel of the part of the object in which its centre lies."""
        centre = first_click(gt_mask, ignore_mask)
        if centre is None:
            return None
        return self._draw(part_at(gt_mask & ~ignore_mask, centre), rng, positive=True)

    def next(
        self,
        mask: BoolArray,
        gt_mask: BoolArray,
        ignore_mask: BoolArray,
        rng: np.random.Generator,
    ) -> Click | None:
        """A pixel of the largest error region."""
        centre = next_click(mask, gt_mask, ignore_mask)
        if centre is None:
            return None
        wrong = (mask != gt_mask) & ~ignore_mask & (gt_mask == centre.positive)
        return self._draw(largest_component(wrong), rng, positive=centre.positive)

    def _draw(self, region: BoolArray, rng: np.random.Generator, *, positive: bool) -> Click:
        return draw(self._weigh(depth_map(region)), rng, positive=positive)


class OffCentre:
    """
    A user who clicks anywhere.

    The first click is any pixel of the object, all equally likely; a later one any wrong
    pixel, as likely as it lies deep among errors of its sign.
    """

    def first(
        self, gt_mask: BoolArray, ignore_mask: BoolArray, rng: np.random.Generator
    ) -> Click | None:
        """Any pixel of the object."""
        region = gt_mask & ~ignore_mask
        return draw(region.astype(np.float32), rng, positive=True) if region.any() else None

    def next(
        self,
        mask: BoolArray,
        gt_mask: BoolArray,
        ignore_mask: BoolArray,
        rng: np.random.Generator,
    ) -> Click | None:
        """Any wrong pixel."""
        missed, included = gt_mask & ~mask & ~ignore_mask, ~gt_mask & mask & ~ignore_mask
        weights = depth_map(missed) + depth_map(included)  # a pixel is wrong in one way only
        if not weights.any():
            return None
        click = draw(weights, rng, positive=True)
        column, row = click.pixel_xy
        return Click(click.x, click.y, positive=bool(gt_mask[row, column]))


def near_centre(depth: FloatArray) -> NDArray[np.floating]:
    """Weights (H0, W0) of a Gaussian around a region's deepest pixel, cut off at the region."""
    inside = depth > 0
    xy = centre_xy(inside)
    assert xy is not None  # the callers' regions are never empty
    sigma = NOISE_SHARE * float(np.sqrt(inside.sum()))
    rows, columns = np.ogrid[: depth.shape[0], : depth.shape[1]]
    distance_sq = (columns - xy[0]) ** 2 + (rows - xy[1]) ** 2
    weights: NDArray[np.floating] = np.exp(distance_sq / (-2 * sigma**2)) * inside
    return weights


def near_boundary(depth: FloatArray) -> NDArray[np.floating]:
    """Equal weights (H0, W0) in the outermost band of a region, a quarter of its depth wide."""
    band = (depth > 0) & (depth <= max(1.0, BAND_SHARE * float(depth.max())))
    return band.astype(np.float32)


def part_at(region: BoolArray, click: Click) -> BoolArray:
    """The 8-connected part of a region (H0, W0) that holds a click."""
    _, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    column, row = click.pixel_xy
    return np.asarray(labels == labels[row, column])


def draw(weights: NDArray[np.floating], rng: np.random.Generator, *, positive: bool) -> Click:
    """
    A click in a pixel drawn by weight, at the pixel's centre.

    Args:
        weights: (H0, W0), not negative, some above 0.
        rng: Asked for one number.
        positive: The click's sign.
    """
    places = np.flatnonzero(weights)
    reached = np.cumsum(weights.ravel()[places], dtype=np.float64)
    which = int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))
    row, column = divmod(int(places[min(which, len(places) - 1)]), weights.shape[1])
    return Click(float(column), float(row), positive=positive)


USERS: dict[str, Callable[[], User]] = {
    "centre": Centre,
    "deepest": Deepest,
    "noisy": lambda: InRegion(near_centre),
    "boundary": lambda: InRegion(near_boundary),
    "off-centre": OffCentre,
    "parts": Centre,  # these two differ in what they mean, not in where they click:
    "wholes": Centre,  # see evaluation.targets
}
RANDOM_USERS = ("noisy", "boundary", "off-centre")


def make_user(name: str) -> User:
    """
    A new user, for one object.

    Raises:
        BadConfig: There is no user of that name.
    """
    if name not in USERS:
        raise BadConfig(f"there is no user {name!r}: {nearest(name, USERS)}")
    return USERS[name]()
