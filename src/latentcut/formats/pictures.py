"""PNG files of masks and label maps, and the pictures of a folder: their size, copies of them."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from latentcut.core.image_formats import format_of, webp_size_wh
from latentcut.core.images import DECODERS, DEFAULT_LIMITS, ImageLimits, read_image
from latentcut.errors import FileMissing, LatentcutError
from latentcut.formats.names import is_inside, shown

BoolArray = NDArray[np.bool_]
RgbImage = NDArray[np.uint8]

VOID = 255  # index of pixels that count for nothing, in VOC
VOID_COLOUR = (224, 224, 192)
JPEG_QUALITY = 95
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}
# whose header states the size of the stored picture; Pillow turns TIFF by itself on decoding
SIZE_IN_HEADER = ("PNG", "JPEG", "WebP")


def voc_palette() -> list[tuple[int, int, int]]:
    """
    The 256 colours of VOC: bit 3k + c of an index is bit 7 - k of channel c.

    Source:
        VOCdevkit, VOClabelcolormap; index 255 is void, as its files have it.
    """
    colours = []
    for index in range(256):
        channels = [0, 0, 0]
        for bit in range(8):
            channels[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        colours.append((channels[0], channels[1], channels[2]))
    return colours


def png_of(pixels: NDArray[np.uint8] | NDArray[np.uint16] | BoolArray) -> bytes:
    """
    A PNG without metadata.

    Args:
        pixels: bool (H, W), written as 0 and 255; uint8 or uint16 (H, W); or uint8 (H, W, 4)
            in RGBA order.
    """
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)))


def png_of_indices(indices: NDArray[np.uint8]) -> bytes:
    """A palette PNG of indices, uint8 (H, W), with all 256 colours of VOC."""
    image = Image.fromarray(np.ascontiguousarray(indices))
    image.putpalette([channel for colour in voc_palette() for channel in colour])
    return _saved(image)


def _saved(image: Image.Image) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def path_in(folder: Path, path: str) -> Path:
    """
    Where an image of a project lies.

    Raises:
        FileMissing: The path leaves the folder, or nothing is there.
    """
    if is_inside(path):
        with suppress(OSError, RuntimeError):  # gone, or links in a circle
            real = (folder / path).resolve(strict=True)
            if real.is_file() and real.is_relative_to(folder.resolve()):
                return real
    raise FileMissing(shown(path), "an image file in the image folder")


def read_picture(folder: Path, path: str) -> RgbImage | None:
    """The upright picture, uint8 RGB (H, W, 3); None where there is none or it is broken."""
    try:
        return read_image(path_in(folder, path))
    except LatentcutError:
        return None


def upright_size_hw(path: Path, limits: ImageLimits = DEFAULT_LIMITS) -> tuple[int, int]:
    """
    Height and width of the upright image, from the header where that is enough.

    Raises:
        LatentcutError: What `core.images.read_image` raises.
    """
    header = _header(path, limits)
    if header is None:
        height, width, _ = read_image(path, limits).shape
        return height, width
    (width, height), orientation, _ = header
    return (width, height) if orientation in (5, 6, 7, 8) else (height, width)


def copy_of(path: Path, formats: tuple[str, ...], other: str) -> tuple[bytes, str, bool]:
    """
    A picture as a data set takes it.

    Args:
        path: The picture.
        formats: Names of the formats that the data set's readers read; see `SUFFIXES`.
        other: Format to write where the picture is stored lying or is of none of them:
            "PNG", or "JPEG" with quality 95 and full colour resolution.

    Returns:
        The bytes, the suffix with its dot, and whether they are those of the picture.
    """
    header = _header(path, DEFAULT_LIMITS)
    if header is not None and header[2] in formats and header[1] == 1:
        return path.read_bytes(), SUFFIXES[header[2]], True
    encoded = io.BytesIO()
    image = Image.fromarray(read_image(path))
    if other == "JPEG":
        image.save(encoded, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        image.save(encoded, "PNG")
    return encoded.getvalue(), SUFFIXES[other], False


def _header(path: Path, limits: ImageLimits) -> tuple[tuple[int, int], int, str] | None:
    """Stored width and height, orientation and format; None: the picture must be decoded."""
    try:
        if path.stat().st_size > limits.max_bytes:
            return None
        data = path.read_bytes()
        format_name = format_of(data)
        if format_name not in SIZE_IN_HEADER:
            return None
        if format_name == "WebP":  # its decoder makes room for the picture on opening
            width, height = webp_size_wh(data)
            if width * height > limits.max_pixels:
                return None
        with DECODERS[format_name](io.BytesIO(data)) as image:
            orientation = int(image.getexif().get(ExifTags.Base.Orientation, 1))
            return image.size, orientation if orientation in range(1, 9) else 1, format_name
    except Exception:  # decoders raise anything; reading the whole picture says what it is
        return None
