"""Clicks as f and g of the paper family see them: S_p, S_n and a softer pair of maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click, click_points_xy
from latentcut.core.guidance import DISC_RADIUS_PX as SCORER_RADIUS_PX
from latentcut.core.guidance import MAX_DISTANCE_PX, click_map, distance_map

CLICK_MAPS = ("distance", "discs", "gaussians")  # the paper's, and two it is compared with
NUM_MAPS = 4
DISC_RADIUS_PX = 5.0  # as in RITM
GAUSSIAN_SIGMA_PX = 10.0  # as in DEXTR


def paper_maps(
    clicks: Sequence[Click], size_hw: tuple[int, int], kind: str = "distance", stride: int = 1
) -> NDArray[np.float32]:
    """
    The click channels of the input.

    Args:
        clicks: In pixels of the network frame.
        size_hw: Network frame, in pixels; multiples of stride.
        kind: What accompanies the click maps: "distance" (T_p, T_n), "discs" or "gaussians".
        stride: Cell size in pixels; 1 in the paper.

    Returns:
        float32 (4, H / stride, W / stride), in [0, 1]: S_p, S_n (1 exactly where a click
        lies), then T_p / 255, T_n / 255 or what stands in their place. Without clicks of a
        sign its T is 1 everywhere, its disc or Gaussian 0.

    Source:
        Li, Chen & Koltun 2018, section 3. There all channels are divided by 255 after
        concatenation; S is 0 or 1 here after that division, as in the authors' release.
    """
    maps = np.empty((NUM_MAPS, size_hw[0] // stride, size_hw[1] // stride), dtype=np.float32)
    for channel, positive in enumerate((True, False)):
        points_xy = click_points_xy(clicks, positive=positive)
        maps[channel] = click_map(points_xy, size_hw, stride)
        distance = distance_map(points_xy, size_hw, stride)
        if kind == "distance":
            maps[2 + channel] = distance / MAX_DISTANCE_PX
        elif kind == "discs":
            maps[2 + channel] = distance <= max(DISC_RADIUS_PX, stride)
        else:
            maps[2 + channel] = np.exp(-0.5 * (distance / GAUSSIAN_SIGMA_PX) ** 2)
    return maps


def click_discs(
    clicks: Sequence[Click], size_hw: tuple[int, int], stride: int = 1
) -> NDArray[np.float32]:
    """Discs of 6 px around positive, then negative clicks: float32 (2, H / stride, W / stride)."""
    discs = [
        distance_map(click_points_xy(clicks, positive=positive), size_hw, stride)
        <= max(SCORER_RADIUS_PX, stride)
        for positive in (True, False)
    ]
    return np.stack(discs).astype(np.float32)
