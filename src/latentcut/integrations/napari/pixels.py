"""Pixels of microscopes and cameras as the network takes them: uint8 RGB. NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (0.1, 99.9)  # what becomes black and white in pixels of more than 8 bits
MAX_SAMPLES = 1_000_000  # pixels that the window is found from

RgbImage = NDArray[np.uint8]


def rgb_pixels(plane: NDArray[Any], is_rgb: bool) -> RgbImage:
    """
    A plane of an image layer as a picture.

    Args:
        plane: (H, W) grey of any number type, or (H, W, 3 or 4) colours: unsigned integers over
            their whole range, or floats in [0, 1], as napari shows them.
        is_rgb: Whether the last axis holds colours.

    Returns:
        uint8 RGB (H, W, 3). Grey of 8 bits is taken as it is; other grey is stretched between
        its percentiles 0.1 and 99.9, so that a few hot pixels darken nothing. What is
        transparent is laid on black, like napari's canvas. NaN is black.
    """
    if is_rgb:
        return np.ascontiguousarray(_colours(plane))
    grey = plane if plane.dtype == np.uint8 else stretched(plane)
    return np.repeat(grey[:, :, None], 3, axis=2)


def window(plane: NDArray[Any]) -> tuple[float, float]:
    """
    The values that become black and white.

    Args:
        plane: (H, W), any real numbers. NaN and infinities are left out of account.

    Returns:
        Percentiles 0.1 and 99.9; the smallest and largest value where those are equal, because
        little of the plane differs from its background. (0, 0) when no value is finite.
    """
    step = max(1, int(np.ceil(np.sqrt(plane.size / MAX_SAMPLES))))
    finite = plane[::step, ::step]
    finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return 0.0, 0.0
    low, high = (float(value) for value in np.percentile(finite, PERCENTILES))
    return (low, high) if low < high else (float(finite.min()), float(finite.max()))


def stretched(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """
    Grey of any number type in 8 bits.

    Args:
        plane: (H, W); of complex numbers the magnitude is taken.

    Returns:
        uint8 (H, W), all black where the plane has only one value.
    """
    if plane.dtype == bool:
        return plane.astype(np.uint8) * np.uint8(255)
    values = np.abs(plane) if np.iscomplexobj(plane) else plane
    low, high = window(values)
    if low == high:
        return np.zeros(plane.shape, np.uint8)
    shares = (values.astype(np.float64) - low) / (high - low)
    return _bytes_of_shares(shares)


def _colours(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours (H, W, 3 or 4) of any number type as uint8 (H, W, 3)."""
    if plane.shape[2] == 3 and plane.dtype == np.uint8:
        return plane
    whole = float(np.iinfo(plane.dtype).max) if plane.dtype.kind in "iu" else 1.0
    shares = plane.astype(np.float64) / whole
    if plane.shape[2] == 4:
        shares = shares[:, :, :3] * shares[:, :, 3:]
    return _bytes_of_shares(shares)


def _bytes_of_shares(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Shares of white, cut off to [0, 1], as bytes; NaN is 0."""
    known = np.nan_to_num(shares, nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(known, 0.0, 1.0) * 255).astype(np.uint8)
