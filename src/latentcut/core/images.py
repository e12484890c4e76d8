"""
Bytes, paths, Pillow images and arrays in; RGB arrays out. The only door for hostile files.

The order is fixed: byte limit, format by content, side and pixel limit from the
header, decoding, EXIF turn, RGB. Nothing global is changed in Pillow and no
warning filter is touched, so any number of threads may read at once.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from latentcut.core.files import write_atomically
from latentcut.core.image_formats import format_of, refused_content, webp_size_wh
from latentcut.errors import FileMissing, ImageTooLarge, UnreadableImage, UnsupportedImage

ALLOWED_FORMATS = "give a PNG, JPEG, WebP, TIFF, BMP or GIF file"
ALLOWED_ARRAYS = "give a uint8 array of shape (H, W, 3) in RGB order or (H, W) in grey"
ALLOWED_SOURCES = "give a path, bytes, a Pillow image or a NumPy array"
ALLOWED_IN_PNG = "give bool (H, W), uint8 (H, W, 3) or uint8 (H, W, 4), with H and W at least 1"

DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
}

TIFF_DNG_VERSION = 50706  # tag of camera raws whose first picture is only a thumbnail

PIXELS_PER_BAND = 2_000_000  # converted at a time, so that no second whole picture is held


@dataclass(frozen=True)
class ImageLimits:
    """
    What is too large to be opened; each limit is named in the error it causes.

    Attributes:
        max_bytes: Size of the file or of the given bytes.

        max_pixels: Width times height as the header states them. Pillow's own
            `PIL.Image.MAX_IMAGE_PIXELS` stays in force beside it for GIF, TIFF
            and WebP, which matters only above 89 million pixels.

        max_side_px: Width and height, each.
    """

    max_bytes: int = 200_000_000
    max_pixels: int = 50_000_000
    max_side_px: int = 65_000


DEFAULT_LIMITS = ImageLimits()

ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]


def read_image(source: ImageSource, limits: ImageLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """
    Read an image as an upright RGB array, or say in one sentence why not.

    The format is judged by content, never by the name. Of an animation the first
    frame is read. What is transparent is laid on white. 16-bit grey is divided by
    257 and rounded, never stretched; 32-bit integers must lie in 0..65535 and are
    treated alike; floats must lie in 0..1 (times 255) or in 0..255 (rounded).
    16-bit colour keeps its upper 8 bits. CMYK is converted without its profile.

    Args:
        source: A path, the bytes of a file, a Pillow image, or a uint8 array,
            shape (H0, W0, 3) in RGB order or (H0, W0) in grey. Arrays are copied.
            A Pillow image may be of any format: whoever opened it let it in.

        limits: What is too large.

    Returns:
        The image, shape (H0, W0, 3), uint8, RGB, C-contiguous, read-only, turned
        as its EXIF orientation says. An EXIF block that cannot be read turns
        nothing, as in browsers.

    Raises:
        FileMissing: The path does not exist or is no regular file.

        ImageTooLarge: A limit is exceeded. Found before anything is decoded.

        UnsupportedImage: The content is of no allowed format, or the array of no
            allowed type or shape.

        UnreadableImage: The content is broken, cut off or empty.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, limits)
    if isinstance(source, Image.Image):
        return _decoded(source, "the given Pillow image", "image", limits)
    if isinstance(source, bytes | bytearray | memoryview):
        data, given = bytes(source), "the given data"
        _check_num_bytes(len(data), given, limits)
    elif isinstance(source, str | os.PathLike):
        given = os.fsdecode(source)
        data = _read_bytes(given, limits)
    else:
        raise UnsupportedImage(
            "the given source", f"of type {type(source).__name__}", ALLOWED_SOURCES
        )
    image, format_name = _opened(data, given, limits)
    return _decoded(image, given, format_name, limits)


def write_image(
    path: str | os.PathLike[str], image_or_mask: NDArray[np.bool_] | NDArray[np.uint8]
) -> None:
    """
    Write a mask or an image as PNG, whole or not at all, without any metadata.

    Args:
        path: Where the file shall lie; the name must end in ``.png``.

        image_or_mask: A mask, shape (H, W), bool, written as 8-bit grey 0 and 255;
            or an image, uint8, shape (H, W, 3) in RGB or (H, W, 4) in RGBA order.

    Raises:
        UnsupportedImage: The array has another type or shape, or the name ends
            otherwise.

        FileMissing: The folder does not exist.
    """
    if Path(path).suffix.lower() != ".png":
        raise UnsupportedImage(os.fspath(path), "no PNG name", "give one that ends in .png")
    array = np.asarray(image_or_mask)
    is_mask = array.dtype == bool and array.ndim == 2
    is_image = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] in (3, 4)
    if not (is_mask or is_image) or array.size == 0:
        raise UnsupportedImage("the given array", _described(array), ALLOWED_IN_PNG)
    pixels = array.astype(np.uint8) * np.uint8(255) if is_mask else array
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(encoded, "PNG")
    write_atomically(path, encoded.getvalue())


def _read_bytes(path: str, limits: ImageLimits) -> bytes:
    """Read a regular file; its size is looked at first and again while reading."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileMissing(path, "an image file")
        _check_num_bytes(status.st_size, path, limits)
        with Path(path).open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except PermissionError as error:
        reason = f"it cannot be opened ({error.strerror}); check who may read it"
        raise UnreadableImage(path, reason) from error
    except (FileMissing, ImageTooLarge):
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise FileMissing(path, "an image file") from error
    _check_num_bytes(len(data), path, limits)  # it may have grown since
    return data


def _opened(data: bytes, given: str, limits: ImageLimits) -> tuple[ImageFile.ImageFile, str]:
    """Read the header only. The decoder class is called directly: no other one is tried."""
    if not data:
        raise UnreadableImage(given, "it is empty (0 bytes); save it again or give another file")
    format_name = format_of(data)
    if format_name is None:
        raise UnsupportedImage(given, refused_content(data), ALLOWED_FORMATS)
    if format_name == "WebP":  # its decoder makes room for the picture on opening
        _check_size(webp_size_wh(data), given, limits)
    try:
        image = DECODERS[format_name](io.BytesIO(data))
    except Exception as error:
        raise _sentence_for(error, given, format_name) from error
    if format_name == "TIFF" and TIFF_DNG_VERSION in getattr(image, "tag_v2", {}):
        raise UnsupportedImage(given, "a camera raw file", ALLOWED_FORMATS)
    return image, format_name


def _decoded(
    image: Image.Image, given: str, format_name: str, limits: ImageLimits
) -> NDArray[np.uint8]:
    """Check the size the header states, and only then decode, turn and convert."""
    _check_size(image.size, given, limits)
    try:
        image.load()
        orientation = _orientation(image)
        width, height = image.size
        is_lying = orientation in (5, 6, 7, 8)
        upright = np.empty((width, height, 3) if is_lying else (height, width, 3), dtype=np.uint8)
        _fill(_as_stored(upright, orientation), image, given)
    except UnsupportedImage:
        raise
    except Exception as error:
        raise _sentence_for(error, given, format_name) from error
    upright.setflags(write=False)
    return upright


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block does not make the picture unreadable
        return 1


def _as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """View of the upright picture whose rows and columns run as those of the file."""
    if orientation in (5, 6, 7, 8):  # the first row of the file is the left or right side
        upright = upright.swapaxes(0, 1)
    rows = -1 if orientation in (3, 4, 6, 7) else 1  # it is at the bottom or right
    columns = -1 if orientation in (2, 3, 7, 8) else 1  # likewise the first column
    return upright[::rows, ::columns]


def _fill(rgb: NDArray[np.uint8], image: Image.Image, given: str) -> None:
    """Write the pixels of an image, as the file stores them, into an array (H, W, 3)."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        scale = _grey_scale(image, given)
        for rows, band in _bands(image):
            rgb[rows] = scale(np.asarray(band))[:, :, np.newaxis]
    else:
        for rows, band in _bands(image):
            rgb[rows] = np.asarray(_on_white(band))


def _bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    num_rows = max(1, PIXELS_PER_BAND // image.width)
    for top in range(0, image.height, num_rows):
        bottom = min(top + num_rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    canvas = Image.new("RGB", layer.size, "white")
    canvas.paste(layer, mask=layer)
    return canvas


def _grey_scale(image: Image.Image, given: str) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    """Rule that maps 16-bit, 32-bit and float grey to 8 bits; refuses other ranges."""
    bands = (np.asarray(band) for _, band in _bands(image))
    extremes = [(values.min(), values.max()) for values in bands]
    low, high = np.min(extremes), np.max(extremes)  # NaN if there is any
    if image.mode == "F":
        if not (low >= 0 and high <= 255):  # written so that NaN is refused too
            found = f"an image of floats from {low:g} to {high:g}"
            raise UnsupportedImage(given, found, "floats must lie in 0..1 or in 0..255")
        factor = np.float32(255 if high <= 1 else 1)
        return lambda values: np.rint(values * factor).astype(np.uint8)
    if low < 0 or high > 65_535:
        found = f"an image of integers from {low} to {high}"
        raise UnsupportedImage(given, found, "integers must lie in 0..65535")
    # rounded: a remainder of 128 in 257 is the last below a half
    return lambda values: ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _from_array(array: NDArray[np.uint8], limits: ImageLimits) -> NDArray[np.uint8]:
    is_rgb = array.ndim == 3 and array.shape[2] == 3
    if array.dtype != np.uint8 or not (is_rgb or array.ndim == 2) or array.size == 0:
        raise UnsupportedImage("the given array", _described(array), ALLOWED_ARRAYS)
    _check_size((array.shape[1], array.shape[0]), "the given array", limits)
    rgb = np.array(array, order="C", copy=True) if is_rgb else _three_channels(array)
    rgb.setflags(write=False)
    return rgb


def _three_channels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)  # (H0, W0) -> (H0, W0, 3)


def _described(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _check_num_bytes(num_bytes: int, given: str, limits: ImageLimits) -> None:
    if num_bytes > limits.max_bytes:
        raise ImageTooLarge(given, f"{num_bytes:,} bytes", limits.max_bytes, "bytes", "max_bytes")


def _check_size(size_wh: tuple[int, int], given: str, limits: ImageLimits) -> None:
    width, height = size_wh
    if max(size_wh) > limits.max_side_px:
        measured = f"{width} x {height} px"
        raise ImageTooLarge(given, measured, limits.max_side_px, "px per side", "max_side_px")
    if width * height > limits.max_pixels:
        measured = f"{width} x {height} = {width * height:,} pixels"
        raise ImageTooLarge(given, measured, limits.max_pixels, "pixels", "max_pixels")


def _sentence_for(
    error: Exception, given: str, format_name: str
) -> UnreadableImage | ImageTooLarge:
    """
    Turn what a decoder raised into one of ours.

    Decoders raise from more than a dozen families for the same broken file, so
    all of them are caught and only those that say something else are told apart.
    """
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        limit = Image.MAX_IMAGE_PIXELS or 0
        if isinstance(error, Image.DecompressionBombError):  # raised from twice as many on
            limit *= 2
        return ImageTooLarge(
            given, "more pixels than Pillow decodes", limit, "pixels", "PIL.Image.MAX_IMAGE_PIXELS"
        )
    if isinstance(error, MemoryError):
        reason = "there is not enough memory to decode it; give a smaller image"
        return UnreadableImage(given, reason)
    reason = f"its {format_name} data is broken or cut off; save it again or give another file"
    return UnreadableImage(given, reason)
