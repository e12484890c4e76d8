"""Scribbles: a stroke drawn over a thing, sampled into the few clicks that the network knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentcut.core.clicks import Click, Clicks
from latentcut.errors import BadScribble

MAX_CLICKS = 3  # more of one stroke say little: see docs/clicks.md for what was measured
SPACING = 0.08  # of the image's longer side: a stroke gets one click for each such length


def scribble_clicks(
    points_xy: ArrayLike,
    positive: bool,
    size_hw: tuple[int, int],
    max_clicks: int = MAX_CLICKS,
) -> Clicks:
    """
    The clicks that stand for a scribble.

    The stroke is cut into equal lengths and clicked in the middle of each. Its ends are not
    clicked: that is where hands slip over the edge of a thing.

    Args:
        points_xy: (N, 2), the stroke as it was drawn, positions as those of clicks. What lies
            outside the image is moved to its nearest pixel.
        positive: True on the object, False on the background.
        size_hw: Height and width of the image, in pixels.
        max_clicks: At most so many; a short stroke gets fewer, a dot one.

    Returns:
        1 to max_clicks clicks, in the order of the stroke, no two in the same pixel.

    Raises:
        BadScribble: No points, or some that are no numbers.
    """
    points = np.asarray(points_xy, dtype=np.float64)
    if points.ndim != 2 or points.shape[1:] != (2,) or not len(points):
        raise BadScribble(f"an array of shape {points.shape}")
    if not np.isfinite(points).all():
        raise BadScribble("a position that is no number")
    height, width = size_hw
    points = np.clip(points, 0, [width - 1, height - 1])
    places = evenly_along(points, max_clicks, SPACING * max(size_hw))
    clicks = [Click(float(x), float(y), positive) for x, y in places]
    return tuple({click.pixel_xy: click for click in clicks}.values())


def evenly_along(
    points: NDArray[np.float64], max_places: int, spacing_px: float
) -> NDArray[np.float64]:
    """Positions (K, 2) in the middle of K equal lengths of a polyline (N, 2), K >= 1."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(lengths)])
    num_places = int(np.clip(np.ceil(reached[-1] / spacing_px), 1, max_places))
    wanted = (np.arange(num_places) + 0.5) / num_places * reached[-1]
    return np.column_stack([np.interp(wanted, reached, points[:, axis]) for axis in (0, 1)])
