"""
Clicks to guidance maps: the one place where training and prediction draw clicks.

All positions are pixels of the network frame, counted from the centre of its
top-left pixel. Maps are computed from coordinates directly on the grid of the
layer that reads them, so no full-resolution map ever exists for the practical
family; with ``stride=1`` the functions give the paper's full-resolution maps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE_PX = 255.0  # beyond this the network is told nothing more (paper, section 3)
SOFT_RADIUS_PX = 12.0  # exp(-d / 12): resolves distances near a click better than the cut map
DISC_RADIUS_PX = 6.0
GUIDANCE_STRIDE = 4
EMBEDDING_STRIDE = 8
NUM_GUIDANCE = 7  # 3 maps per sign and the previous mask

FloatArray = NDArray[np.float32]


def grid_centres(length: int, stride: int) -> FloatArray:
    """Pixel positions of the cell centres of a strided grid: (length // stride,), float32."""
    cells = np.arange(length // stride, dtype=np.float32)
    return cells * stride + (stride - 1) / 2  # stride 4: 1.5, 5.5, 9.5, ...


def distance_map(
    points_xy: NDArray[np.floating], size_hw: tuple[int, int], stride: int = 1
) -> FloatArray:
    """
    Distance from every cell centre to the nearest click of one sign, cut at 255 px.

    Args:
        points_xy: Click positions, shape (K, 2), in pixels of the network frame, order
            (x, y), counted from the centre of the top-left pixel. K may be 0.
        size_hw: Height and width of the network frame, in pixels; multiples of stride.
        stride: Cell size in pixels; 1 gives a value per pixel.

    Returns:
        Euclidean distances, shape (H / stride, W / stride), float32, in pixels, in
        [0, 255]: 255 from 255 px on, and 255 everywhere when K is 0.

    Source:
        Li, Chen & Koltun 2018, section 3 (maps T_p and T_n); not rounded, unlike the
        authors' release.
    """
    ys, xs = grid_centres(size_hw[0], stride), grid_centres(size_hw[1], stride)
    nearest_sq = np.full((len(ys), len(xs)), MAX_DISTANCE_PX**2, dtype=np.float32)
    for x, y in np.asarray(points_xy, dtype=np.float32).reshape(-1, 2):
        np.minimum(nearest_sq, (ys - y)[:, None] ** 2 + (xs - x)[None, :] ** 2, out=nearest_sq)
    return np.sqrt(nearest_sq)


def click_map(
    points_xy: NDArray[np.floating], size_hw: tuple[int, int], stride: int = 1
) -> NDArray[np.bool_]:
    """
    Mark exactly the cells in which clicks of one sign lie.

    Args:
        points_xy: Click positions, shape (K, 2), in pixels of the network frame, inside it.
        size_hw: Height and width of the network frame, in pixels; multiples of stride.
        stride: Cell size in pixels; 1 marks pixels, to which points are rounded.

    Returns:
        bool (H / stride, W / stride).

    Source:
        Li, Chen & Koltun 2018, section 3 (maps S_p and S_n).
    """
    marks = np.zeros((size_hw[0] // stride, size_hw[1] // stride), dtype=bool)
    columns_rows = np.floor((np.asarray(points_xy).reshape(-1, 2) + 0.5) / stride).astype(np.intp)
    marks[columns_rows[:, 1], columns_rows[:, 0]] = True
    return marks


def guidance_maps(
    positive_xy: NDArray[np.floating],
    negative_xy: NDArray[np.floating],
    size_hw: tuple[int, int],
    previous: FloatArray | None = None,
) -> FloatArray:
    """
    What the practical family's decoder is told about the clicks so far.

    Args:
        positive_xy: Positive clicks, shape (K, 2), network frame pixels; K may be 0.
        negative_xy: Negative clicks, likewise.
        size_hw: Network frame, in pixels; multiples of 4.
        previous: Mask before the newest click on the stride-4 grid, float32
            (H / 4, W / 4), in [0, 1]: the covered share of each cell. None: no mask yet.

    Returns:
        float32 (7, H / 4, W / 4), each in [0, 1]. For positive, then negative clicks:
        distance / 255 cut at 1, exp(-distance / 12 px), disc of 6 px; then the previous
        mask. Without clicks of a sign its maps are 1, 0 and 0.
    """
    height, width = size_hw[0] // GUIDANCE_STRIDE, size_hw[1] // GUIDANCE_STRIDE
    maps = np.zeros((NUM_GUIDANCE, height, width), dtype=np.float32)
    for first, points_xy in ((0, positive_xy), (3, negative_xy)):
        if len(points_xy) == 0:
            maps[first] = 1.0
            continue
        distance = distance_map(points_xy, size_hw, GUIDANCE_STRIDE)
        maps[first] = distance / MAX_DISTANCE_PX
        maps[first + 1] = np.exp(distance / -SOFT_RADIUS_PX)
        maps[first + 2] = distance <= DISC_RADIUS_PX
    if previous is not None:
        maps[6] = previous
    return maps


def embedding_clicks(
    positive_xy: NDArray[np.floating],
    negative_xy: NDArray[np.floating],
    size_hw: tuple[int, int],
    length: int | None = None,
) -> tuple[NDArray[np.int64], FloatArray]:
    """
    Cells of the stride-8 embedding in which the clicks lie, padded to a common length.

    Args:
        positive_xy: Positive clicks, shape (K, 2), network frame pixels.
        negative_xy: Negative clicks, likewise.
        size_hw: Network frame, in pixels; multiples of 8.
        length: Padded length; at least the number of clicks. None: that number, at least 1.

    Returns:
        Flat cell indices int64 (length,) and signs float32 (length,): 1 for a positive
        click, -1 for a negative one, 0 for padding (index 0).
    """
    height, width = size_hw[0] // EMBEDDING_STRIDE, size_hw[1] // EMBEDDING_STRIDE
    points_xy = np.concatenate([np.reshape(positive_xy, (-1, 2)), np.reshape(negative_xy, (-1, 2))])
    num_clicks = len(points_xy)
    total = max(1, num_clicks) if length is None else length
    index = np.zeros(total, dtype=np.int64)
    sign = np.zeros(total, dtype=np.float32)
    cells = np.floor((points_xy + 0.5) / EMBEDDING_STRIDE).astype(np.int64)
    columns = np.clip(cells[:, 0], 0, width - 1)
    rows = np.clip(cells[:, 1], 0, height - 1)
    index[:num_clicks] = rows * width + columns
    sign[: len(positive_xy)] = 1.0
    sign[len(positive_xy) : num_clicks] = -1.0
    return index, sign
