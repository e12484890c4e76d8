"""Doubt in the mask that is fed back: the newest click may say that it is of another thing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.distances import exact_distances
from latentcut.core.frame import Frame
from latentcut.core.guidance import GUIDANCE_STRIDE

CONTRADICTION_DEPTH = 0.3  # of the radius of a disc as large as the mask


def contradicts(click: Click, frame: Frame, previous: NDArray[np.float32]) -> bool:
    """
    Whether a click says that a mask is of another thing, and not only wrong at its edge.

    It does where it lies deep on the wrong side: a negative one far inside the mask, or a
    positive one far outside of it.

    Args:
        click: The newest click.
        frame: Where the mask lies in the image.
        previous: float32 (h, w), the mask on the guidance grid of the frame, in [0, 1].

    Returns:
        True where the distance from the click to the other side is more than
        ``CONTRADICTION_DEPTH`` times the radius of a disc with the mask's area, or the mask is
        empty and the click positive. False for a click that lies outside of the frame.
    """
    if not frame.shows(click):
        return False
    inside = previous > 0.5
    at = frame.to_network(np.array([[click.x, click.y]]))[0]
    column, row = np.floor((at + 0.5) / GUIDANCE_STRIDE).astype(int)
    row, column = min(row, inside.shape[0] - 1), min(column, inside.shape[1] - 1)
    if bool(inside[row, column]) == click.positive:
        return False
    if inside.all() or not inside.any():
        return True
    wrong = (~inside if click.positive else inside).astype(np.uint8)
    depth = float(exact_distances(wrong)[row, column])
    return depth > CONTRADICTION_DEPTH * math.sqrt(float(inside.sum()) / math.pi)
