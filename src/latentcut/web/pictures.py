"""
Pictures of an image for the page: the view, tiles and the thumbnail.

All are made from the upright array that the model sees, never from the file: what is shown is
what is segmented, and nothing of an uploaded file is ever served back.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.errors import NotInProject

VIEW_PX, TILE_PX, THUMBNAIL_PX = 2048, 512, 160
THUMBNAIL_QUALITY = 80

# Lossless, and made quickly: of OpenCV's ways to compress, this one is five to ten times as fast
# as the default for photos, and no larger.
PNG_OPTIONS = (
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
)  # fmt: skip

Pixels = NDArray[np.uint8]


def view_png(image: Pixels) -> bytes:
    """The whole image, longer side at most 2048 px, as PNG."""
    return _encoded(_shrunk(image, VIEW_PX), ".png", PNG_OPTIONS)


def tile_png(image: Pixels, column: int, row: int) -> bytes:
    """
    A piece of 512 x 512 px at full resolution, smaller at the right and lower edge, as PNG.

    Raises:
        NotInProject: The image does not reach that far.
    """
    tile = image[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX]
    if tile.size == 0:
        raise NotInProject("tile", f"{column}/{row}")
    return _encoded(tile, ".png", PNG_OPTIONS)


def thumbnail_jpg(image: Pixels) -> bytes:
    """The whole image, longer side at most 160 px, as JPEG."""
    options = (cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY)
    return _encoded(_shrunk(image, THUMBNAIL_PX), ".jpg", options)


def _shrunk(image: Pixels, side_px: int) -> Pixels:
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return image
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _encoded(image: Pixels, suffix: str, options: tuple[int, ...]) -> bytes:
    _, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()
