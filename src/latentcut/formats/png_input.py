"""PNG files from strangers as numbers: the header is looked at before anything is decoded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from latentcut.core.masks import MAX_MASK_PIXELS
from latentcut.formats.json_input import Source

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
GREY_MODES = ("1", "L", "P", "I;16", "I")


def read_indices(
    source: Source, data: bytes, what: str, max_size_hw: tuple[int, int] | None = None
) -> NDArray[np.integer[Any]]:
    """
    The stored numbers of a PNG: palette indices and 16-bit values as they are.

    Args:
        source: The file that it is or belongs to, for messages.
        data: The bytes.
        what: What it is, for messages.
        max_size_hw: Largest height and width; None: as many pixels as a mask may have.

    Returns:
        (H, W) of bits, bytes or 16-bit numbers; (H, W, C) of bytes where it has colours. A
        channel of transparency beside others is left out.

    Raises:
        BadAnnotationFile: It is no PNG, too large or broken.
    """
    if not data.startswith(PNG_MAGIC):
        source.refuse(f"{what} is no PNG")
    try:
        with PngImageFile(io.BytesIO(data)) as image:
            width, height = image.size
            if not _is_larger(image.size, max_size_hw):
                return _numbers(image)
    except MemoryError:
        source.refuse(f"there is not enough memory to decode {what}")
    except Exception:  # decoders raise from a dozen families for the same broken file
        source.refuse(f"{what} is a broken PNG")
    return source.refuse(f"{what} is too large: {width} x {height} px")


def _is_larger(size_wh: tuple[int, int], max_size_hw: tuple[int, int] | None) -> bool:
    width, height = size_wh
    if max_size_hw is not None and (height > max_size_hw[0] or width > max_size_hw[1]):
        return True
    return width * height > MAX_MASK_PIXELS


def _numbers(image: Image.Image) -> NDArray[np.integer[Any]]:
    if image.mode in GREY_MODES:
        numbers = np.array(image)
        return numbers.astype(np.uint8) if numbers.dtype == bool else numbers
    if image.mode in ("LA", "La"):
        return np.array(image)[:, :, 0]
    return np.array(image.convert("RGB"))
