"""
Pasted objects: a whole object of one picture put into a crop of another, with a soft edge.

Most annotated photos of the training sets show one thing in the middle. In users' photos things
stand next to and in front of each other, and a click means one of them.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.frame import mask_extent, resize

BoolArray = NDArray[np.bool_]

SIDE_SHARES = (0.12, 0.7)  # longer side of a pasted object over the crop's
MIN_SHARE_LEFT = 0.35  # of every object that is covered in part; else nothing is pasted
LARGEST_MAGNIFICATION = 1.6
EDGE_BLUR_PX = (0.5, 1.2)
MIN_PASTED_PX = 60


class CutOut(NamedTuple):
    """An object cut out of a picture."""

    image: NDArray[np.uint8]  # (h, w, 3), RGB
    mask: BoolArray  # (h, w)


def cut_out(image: NDArray[np.uint8], mask: BoolArray) -> CutOut | None:
    """
    The box of an object and a margin of 2 px around it.

    Args:
        image: uint8 (H, W, 3).
        mask: bool (H, W).

    Returns:
        The cut-out; None for an empty object or one at the picture's edge, which is not whole.
    """
    extent = mask_extent(mask)
    if extent is None:
        return None
    left, top, right, bottom = extent
    height, width = mask.shape
    if left < 2 or top < 2 or right > width - 2 or bottom > height - 2:
        return None
    box = np.s_[top - 2 : bottom + 2, left - 2 : right + 2]
    return CutOut(image[box], mask[box])


def paste_object(
    pixels: NDArray[np.uint8], regions: list[BoolArray], thing: CutOut, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[BoolArray]]:
    """
    Put an object into a crop, in front of what is there.

    Args:
        pixels: uint8 (S, S, 3), the crop; it is not changed.
        regions: bool (S, S) each, the objects in it, the chosen one first.
        thing: What is pasted.
        rng: Source of all randomness.

    Returns:
        The new crop, and its objects: what is left of each, and the pasted one as first or second.
        The same as given where it would cover too much of one.
    """
    size = len(pixels)
    longer = max(thing.mask.shape)
    low, high = np.log(SIDE_SHARES)
    side = min(size * np.exp(rng.uniform(low, high)), longer * LARGEST_MAGNIFICATION)
    scale = side / longer
    height, width = (max(3, round(length * scale)) for length in thing.mask.shape)
    height, width = min(height, size), min(width, size)
    mirror = -1 if rng.random() < 0.5 else 1
    colours = resize(thing.image, (height, width))[:, ::mirror]
    alpha = resize(thing.mask.astype(np.float32), (height, width))[:, ::mirror]
    # a third of it may lie outside
    top = int(rng.integers(-height // 3, size - 2 * height // 3))
    left = int(rng.integers(-width // 3, size - 2 * width // 3))
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(size, top + height), min(size, left + width)
    inner = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    covered = np.zeros((size, size), dtype=bool)
    covered[y0:y1, x0:x1] = alpha[inner] > 0.5
    rest = [region & ~covered for region in regions]
    if covered.sum() < MIN_PASTED_PX or any(
        0 < left_over.sum() < MIN_SHARE_LEFT * region.sum()
        for left_over, region in zip(rest, regions, strict=True)
    ):
        return pixels, regions
    if not rest[0].any():
        return pixels, regions
    soft = cv2.GaussianBlur(np.ascontiguousarray(alpha), (0, 0), float(rng.uniform(*EDGE_BLUR_PX)))
    share = soft[inner][:, :, None]
    changed = pixels.copy()
    window = changed[y0:y1, x0:x1]
    mixed = window * (1 - share) + colours[inner] * share
    changed[y0:y1, x0:x1] = np.rint(mixed).astype(np.uint8)
    front = [covered, rest[0]] if rng.random() < 0.5 else [rest[0], covered]
    return changed, [*front, *[region for region in rest[1:] if region.any()]]
