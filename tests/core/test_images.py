"""Pictures here are made by Pillow or by hand; what a reader must see is written out literally."""

from __future__ import annotations

import copy
import io
import os
import random
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from latentcut.core import images
from latentcut.core.images import ImageLimits, read_image, write_image
from latentcut.errors import FileMissing, ImageTooLarge, UnreadableImage, UnsupportedImage

FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]
RED_WHITE = np.array([[[255, 0, 0], [255, 255, 255]]], dtype=np.uint8)  # 1 row, 2 columns
ALLOWED = "give a PNG, JPEG, WebP, TIFF, BMP or GIF file"


def encoded(image, format_name, **options):
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def picture(rows, mode):
    """Pillow image from rows of pixels, which are numbers or tuples."""
    image = Image.new(mode, (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    return image


def noise(format_name, size_hw=(24, 32)):
    pixels = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    options = {"compression": "tiff_lzw"} if format_name == "TIFF" else {}
    return encoded(Image.fromarray(pixels), format_name, **options)


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "BMP", "GIF"])
def test_a_lossless_file_is_read_as_rgb(format_name):
    data = encoded(Image.fromarray(RED_WHITE), format_name)

    actual = read_image(data)

    assert actual.tolist() == RED_WHITE.tolist()


@pytest.mark.parametrize("as_source", [str, lambda path: path], ids=["str", "path"])
def test_a_path_is_judged_by_its_content_not_by_its_name(tmp_path, as_source):
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded(Image.fromarray(RED_WHITE), "PNG"))

    actual = read_image(as_source(path))

    assert actual.tolist() == RED_WHITE.tolist()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(encoded(Image.fromarray(RED_WHITE), "PNG"), id="bytes"),
        pytest.param(encoded(Image.new("RGBA", (2, 1)), "PNG"), id="transparent"),
        pytest.param(encoded(Image.new("I;16", (2, 1)), "PNG"), id="16-bit"),
        pytest.param(Image.fromarray(RED_WHITE), id="pillow"),
        pytest.param(RED_WHITE, id="array"),
        pytest.param(RED_WHITE[:, ::-1], id="array-with-steps"),
        pytest.param(RED_WHITE[:, :, 1], id="grey-array"),
    ],
)
def test_every_image_is_uint8_contiguous_and_read_only(source):
    image = read_image(source)

    actual = image.shape, image.dtype.name, image.flags.c_contiguous, image.flags.writeable

    assert actual == ((1, 2, 3), "uint8", True, False)


def test_an_array_is_copied_and_stays_writeable_for_its_owner():
    pixels = RED_WHITE.copy()

    image = read_image(pixels)
    pixels[:] = 7

    assert image.tolist() == RED_WHITE.tolist()


def test_a_grey_array_becomes_three_equal_channels():
    actual = read_image(np.array([[0, 9]], dtype=np.uint8))

    assert actual.tolist() == [[[0, 0, 0], [9, 9, 9]]]


# a picture without any symmetry: what a reader must see, in blocks of 16 pixels
UPRIGHT = np.array([[1, 1], [1, 0], [0, 0]], dtype=bool)

STORED = {  # EXIF: where the first row and the first column of the file belong
    1: UPRIGHT,  # top, left
    2: UPRIGHT[:, ::-1],  # top, right
    3: UPRIGHT[::-1, ::-1],  # bottom, right
    4: UPRIGHT[::-1],  # bottom, left
    5: UPRIGHT.T,  # left, top
    6: UPRIGHT.T[::-1],  # right, top
    7: UPRIGHT.T[::-1, ::-1],  # right, bottom
    8: UPRIGHT.T[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        pytest.param("PNG", {}, id="png"),
        pytest.param("JPEG", {"quality": 95}, id="jpeg"),
        pytest.param("WEBP", {"quality": 95}, id="webp"),
        pytest.param("TIFF", {"compression": "raw"}, id="tiff"),
        pytest.param("TIFF", {"compression": "tiff_lzw"}, id="tiff-lzw"),  # another way in Pillow
    ],
)
@pytest.mark.parametrize("orientation", sorted(STORED))
def test_the_exif_turn_is_applied(orientation, format_name, options):
    blocks = np.kron(STORED[orientation], np.ones((16, 16), dtype=bool))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(
        Image.fromarray(blocks.astype(np.uint8) * 255), format_name, exif=exif, **options
    )

    image = read_image(data)
    from_pillow = read_image(Image.open(io.BytesIO(data)))
    as_pillow_turns = ImageOps.exif_transpose(Image.open(io.BytesIO(data)).convert("RGB"))

    assert image.shape == (48, 32, 3)
    assert (image[8::16, 8::16, 0] > 127).tolist() == UPRIGHT.tolist()
    np.testing.assert_array_equal([image, from_pillow], [np.asarray(as_pillow_turns)] * 2)


def test_an_exif_block_that_cannot_be_read_turns_nothing():
    data = encoded(Image.fromarray(RED_WHITE), "PNG", exif=b"Exif\x00\x00no tiff header")

    actual = read_image(data)

    assert actual.tolist() == RED_WHITE.tolist()


@pytest.mark.parametrize(
    ("image", "format_name", "expected"),
    [
        pytest.param(picture([[0, 1]], "1"), "PNG", [[0] * 3, [255] * 3], id="one-bit"),
        pytest.param(picture([[3, 200]], "L"), "PNG", [[3] * 3, [200] * 3], id="grey"),
        # on white: grey 10 at 0 %, 0 at 127/255 (255 - 127 = 128), 40 at 100 %
        pytest.param(
            picture([[(10, 0), (0, 127), (40, 255)]], "LA"),
            "PNG",
            [[255] * 3, [128] * 3, [40] * 3],
            id="grey-with-alpha",
        ),
        pytest.param(
            picture([[(9, 9, 9, 0), (0, 255, 0, 127), (1, 2, 3, 255)]], "RGBA"),
            "PNG",
            [[255] * 3, [128, 255, 128], [1, 2, 3]],
            id="colour-with-alpha",
        ),
        pytest.param(
            picture([[(0, 255, 255, 0), (0, 0, 0, 0), (0, 0, 0, 255)]], "CMYK"),
            "TIFF",
            [[255, 0, 0], [255] * 3, [0] * 3],
            id="cmyk",
        ),
    ],
)
def test_every_mode_becomes_rgb_on_white(image, format_name, expected):
    data = encoded(image, format_name)

    actual = read_image(data)

    assert actual.tolist() == [expected]


@pytest.mark.parametrize("format_name", ["PNG", "GIF"])
@pytest.mark.parametrize(
    ("transparent", "expected"),
    [
        pytest.param(None, [[255, 0, 0], [0, 0, 255]], id="opaque"),
        pytest.param(1, [[255, 0, 0], [255, 255, 255]], id="one-colour-transparent"),
    ],
)
def test_a_palette_becomes_its_colours_and_transparency_white(format_name, transparent, expected):
    image = picture([[0, 1]], "P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    options = {} if transparent is None else {"transparency": transparent}
    data = encoded(image, format_name, **options)

    actual = read_image(data)

    assert actual.tolist() == [expected]


def test_a_transparent_colour_of_a_picture_without_palette_becomes_white():
    data = encoded(Image.fromarray(RED_WHITE), "PNG", transparency=(255, 0, 0))

    actual = read_image(data)

    assert actual.tolist() == [[[255, 255, 255], [255, 255, 255]]]


@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "HSV", "PA", "La", "RGBa", "CMYK", "RGBX"])
def test_a_pillow_image_of_a_rare_mode_keeps_its_colour(mode):
    grey = Image.new("LA", (3, 2), (100, 255))
    source = grey.convert(mode) if mode in ("La", "PA") else grey.convert("RGBA")
    source = source if mode in ("La", "PA", "RGBa") else source.convert("RGB")
    source = source.convert(mode)

    image = read_image(source)

    assert image.shape == (2, 3, 3)
    assert np.abs(image.astype(int) - 100).max() <= 1


def test_a_lab_tiff_keeps_its_colour():
    data = encoded(Image.new("RGB", (2, 2), (200, 30, 60)).convert("LAB"), "TIFF")

    image = read_image(data)

    assert np.abs(image.astype(int) - [200, 30, 60]).max() <= 3  # LAB is stored in 8 bits


@pytest.mark.parametrize(
    ("mode", "format_name"),
    [
        ("I;16", "PNG"),
        ("I;16", "TIFF"),
        ("I;16", "Pillow"),
        ("I;16B", "TIFF"),
        ("I;16B", "Pillow"),
        ("I", "TIFF"),
        ("I", "Pillow"),
    ],
)
def test_16_bit_grey_is_divided_by_257_and_rounded(mode, format_name):
    order = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
    values = np.array([[0, 128, 129, 385, 386, 65_535]]).astype(order)  # 385 / 257 = 1.498
    image = Image.frombytes(mode, (6, 1), values.tobytes())
    source = image if format_name == "Pillow" else encoded(image, format_name)

    actual = read_image(source)

    assert actual[0, :, 0].tolist() == [0, 0, 1, 1, 2, 255]
    assert actual[:, :, 2].tolist() == actual[:, :, 0].tolist()


def test_16_bit_grey_is_not_stretched_to_the_range_of_the_picture():
    source = Image.fromarray(np.array([[2570, 2827]], dtype=np.uint16))

    actual = read_image(source)

    assert actual[0, :, 0].tolist() == [10, 11]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0.0, 0.5, 1.0], [0, 128, 255], id="unit-range"),  # 127.5 rounds to even
        pytest.param([0.0, 1.5, 255.0], [0, 2, 255], id="byte-range"),
    ],
)
def test_floats_are_read_in_two_ranges(values, expected):
    data = encoded(Image.fromarray(np.array([values], dtype=np.float32)), "TIFF")

    actual = read_image(data)

    assert actual[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            np.array([[-1.0, 0.5]], np.float32),
            "floats from -1 to 0.5: floats must lie in 0..1 or in 0..255",
            id="negative",
        ),
        pytest.param(
            np.array([[0, np.nan]], np.float32),
            "floats from nan to nan: floats must lie in 0..1 or in 0..255",
            id="nan",
        ),
        pytest.param(
            np.array([[-3, 70_000]], np.int32),
            "integers from -3 to 70000: integers must lie in 0..65535",
            id="integers",
        ),
    ],
)
def test_values_that_are_no_brightness_are_refused(values, message):
    data = encoded(Image.fromarray(values), "TIFF")

    with pytest.raises(UnsupportedImage) as caught:
        read_image(data)

    assert str(caught.value) == f"the given data is an image of {message}"


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(format_name):
    first, second = Image.new("RGB", (4, 3), (255, 0, 0)), Image.new("RGB", (4, 3), (0, 0, 255))
    options = {"lossless": True} if format_name == "WEBP" else {}
    data = encoded(first, format_name, save_all=True, append_images=[second], **options)

    actual = read_image(data)

    assert np.unique(actual.reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16", "F", "P"])
def test_a_picture_of_many_bands_is_read_like_one_of_a_single_band(monkeypatch, mode):
    grey = Image.linear_gradient("L").crop((0, 0, 7, 256))
    source = grey if mode != "P" else grey.quantize(256)
    source = source.convert(mode)
    in_one = read_image(source)

    monkeypatch.setattr(images, "PIXELS_PER_BAND", 7 * 3)  # 3 rows; the last band has 1
    in_many = read_image(source)

    np.testing.assert_array_equal(in_many, in_one)


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 20_000), (20_000, 1)], ids=str)
@pytest.mark.parametrize("format_name", FORMATS)
def test_extreme_shapes_are_read(format_name, size_wh):
    if format_name == "WEBP" and max(size_wh) > 16_383:
        pytest.skip("WebP ends at 16383 px")
    data = encoded(Image.new("RGB", size_wh, "white"), format_name)

    image = read_image(data)

    assert image.shape == (size_wh[1], size_wh[0], 3)
    assert image.min() >= 250


# --- what is refused by content ---------------------------------------------------------------

REFUSED = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", "a PDF document"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript or EPS document"),
    "eps-binary": (b"\xc5\xd0\xd3\xc6" + bytes(26), "an EPS document"),
    "psd": (b"8BPS\x00\x01" + bytes(20), "a Photoshop document"),
    "xcf": (b"gimp xcf v011\x00" + bytes(12), "a GIMP document"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "html": (b"<!DOCTYPE html>\n<html><body></body></html>", "a web page"),
    "fits": (b"SIMPLE  =                    T".ljust(2880), "a FITS image"),
    "icns": (b"icns\x00\x00\x00\x10TOC \x00\x00\x00\x08", "an Apple icon"),
    "ico": (b"\x00\x00\x01\x00\x01\x00" + bytes(16), "a Windows icon"),
    "cur": (b"\x00\x00\x02\x00\x01\x00" + bytes(16), "a Windows cursor"),
    "jp2": (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20), "a JPEG 2000 image"),
    "j2k": (b"\xff\x4f\xff\x51" + bytes(40), "a JPEG 2000 image"),
    "jxl": (b"\xff\x0a" + bytes(20), "a JPEG XL image"),
    "jxl-box": (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    "avif": (b"\x00\x00\x00\x1cftypavif" + bytes(16), "an AVIF image"),
    "heic": (b"\x00\x00\x00\x1cftypheic" + bytes(16), "a HEIF image"),
    "cr3": (b"\x00\x00\x00\x18ftypcrx " + bytes(12), "a camera raw file"),
    "cr2": (b"II\x2a\x00\x10\x00\x00\x00CR\x02\x00" + bytes(20), "a camera raw file"),
    "mp4": (b"\x00\x00\x00\x18ftypisom" + bytes(12), "a video"),
    "exr": (b"\x76\x2f\x31\x01\x02\x00\x00\x00", "an OpenEXR image"),
    "dds": (b"DDS \x7c\x00\x00\x00", "a DDS texture"),
    "qoi": (b"qoif" + bytes(10), "a QOI image"),
    "ppm": (b"P6\n1 1\n255\n\x00\x00\x00", "a PPM image"),
    "wmf": (b"\xd7\xcd\xc6\x9a" + bytes(20), "a Windows metafile"),
    "zip": (b"PK\x03\x04" + bytes(26), "a ZIP archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(7), "a gzip archive"),
    "npy": (b"\x93NUMPY\x01\x00", "a NumPy file"),
    "avi": (b"RIFF\x00\x00\x00\x00AVI LIST", "of no known image format"),
    "text": (b"hello, I am a cat", "of no known image format"),
    "one-byte": (b"\x89", "of no known image format"),
}


@pytest.mark.parametrize(("data", "found"), REFUSED.values(), ids=REFUSED.keys())
def test_other_content_is_refused_by_name_even_if_called_png(tmp_path, data, found):
    path = tmp_path / "picture.png"
    path.write_bytes(data)

    with pytest.raises(UnsupportedImage) as caught:
        read_image(path)

    assert str(caught.value) == f"{path} is {found}: {ALLOWED}"


@pytest.mark.parametrize("format_name", ["EPS", "PDF", "ICO", "PPM", "DDS", "TGA", "PCX", "SGI"])
def test_real_files_of_other_formats_are_refused_without_trying_them(format_name):
    data = encoded(Image.new("RGB", (32, 32)), format_name)

    with pytest.raises(UnsupportedImage) as caught:
        read_image(data)

    assert (caught.value.given, caught.value.allowed) == ("the given data", ALLOWED)


def test_a_camera_raw_that_is_a_tiff_is_refused_instead_of_its_thumbnail():
    data = encoded(Image.new("RGB", (8, 8)), "TIFF", tiffinfo={50706: b"\x01\x04\x00\x00"})

    with pytest.raises(UnsupportedImage) as caught:
        read_image(data)

    assert str(caught.value) == f"the given data is a camera raw file: {ALLOWED}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            np.zeros((2, 3, 3), np.float32), "array is float32 of shape (2, 3, 3)", id="float"
        ),
        pytest.param(np.zeros((2, 3), bool), "array is bool of shape (2, 3)", id="mask"),
        pytest.param(np.zeros((2, 3, 4), np.uint8), "array is uint8 of shape (2, 3, 4)", id="rgba"),
        pytest.param(np.zeros((3,), np.uint8), "array is uint8 of shape (3,)", id="one-axis"),
        pytest.param(np.zeros((0, 3, 3), np.uint8), "array is uint8 of shape (0, 3, 3)", id="rows"),
    ],
)
def test_an_array_of_another_kind_is_refused(source, message):
    with pytest.raises(UnsupportedImage) as caught:
        read_image(source)

    assert str(caught.value) == (
        f"the given {message}: give a uint8 array of shape (H, W, 3) in RGB order or (H, W) in grey"
    )


def test_a_source_of_another_type_is_refused():
    with pytest.raises(UnsupportedImage) as caught:
        read_image(None)

    assert str(caught.value) == (
        "the given source is of type NoneType: give a path, bytes, a Pillow image or a NumPy array"
    )


# --- limits -----------------------------------------------------------------------------------


def png_header(width, height):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(99)))


def jpeg_header(width, height):
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x3f\x00"
    frame_and_scan = b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
    return b"\xff\xd8" + frame_and_scan + b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan


def webp_header(width, height):
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_header(width, height):
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II\x2a\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def bmp_header(width, height):
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def gif_header(width, height):
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x00\x3b"


HEADERS = {
    "png": png_header,
    "jpeg": jpeg_header,
    "webp": webp_header,
    "tiff": tiff_header,
    "bmp": bmp_header,
    "gif": gif_header,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize(
    ("side", "pixels"),
    [
        pytest.param(9_000, "81,000,000", id="9000x9000"),
        pytest.param(10_000, "100,000,000", id="10000x10000"),
        pytest.param(50_000, "2,500,000,000", id="50000x50000"),
    ],
)
def test_too_many_pixels_are_refused_from_the_header_alone(header, side, pixels):
    data = header(side, side)  # there are no pixels behind it: decoding would fail otherwise

    with pytest.raises(ImageTooLarge) as caught:
        read_image(data, ImageLimits(max_pixels=50_000_000))

    assert str(caught.value) == (
        f"the given data has {side} x {side} = {pixels} pixels, but at most 50,000,000 pixels "
        "are allowed (max_pixels): give a smaller image or raise the limit"
    )


@pytest.mark.parametrize("kind", ["png", "webp", "tiff", "bmp"])  # the others end at 65535
def test_too_long_a_side_is_refused_from_the_header_alone(kind):
    data = HEADERS[kind](70_000, 1)

    with pytest.raises(ImageTooLarge) as caught:
        read_image(data)

    assert str(caught.value) == (
        "the given data has 70000 x 1 px, but at most 65,000 px per side are allowed "
        "(max_side_px): give a smaller image or raise the limit"
    )


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param({"lossless": False}, id="lossy"),
        pytest.param({"lossless": True}, id="lossless"),
        pytest.param({"exif": b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x00"}, id="extended"),
    ],
)
def test_the_size_in_every_kind_of_webp_header_is_seen_before_its_decoder_starts(
    chunk, monkeypatch
):
    data = encoded(Image.new("RGB", (40, 30)), "WEBP", **chunk)
    monkeypatch.setitem(images.DECODERS, "WebP", None)  # calling it would fail otherwise

    with pytest.raises(ImageTooLarge) as caught:
        read_image(data, ImageLimits(max_pixels=1199))

    assert caught.value.measured == "40 x 30 = 1,200 pixels"


@pytest.mark.parametrize(
    "as_source",
    [
        pytest.param(lambda pixels: encoded(Image.fromarray(pixels), "PNG"), id="bytes"),
        pytest.param(Image.fromarray, id="pillow"),
        pytest.param(lambda pixels: pixels, id="array"),
    ],
)
def test_a_limit_that_is_just_reached_is_allowed(as_source):
    pixels = np.zeros((30, 40, 3), dtype=np.uint8)

    image = read_image(as_source(pixels), ImageLimits(max_pixels=1200, max_side_px=40))
    with pytest.raises(ImageTooLarge) as caught:
        read_image(as_source(pixels), ImageLimits(max_pixels=1199))

    assert image.shape == (30, 40, 3)
    assert (caught.value.limit_name, caught.value.limit) == ("max_pixels", 1199)


def test_too_many_bytes_are_refused():
    with pytest.raises(ImageTooLarge) as caught:
        read_image(bytes(1001), ImageLimits(max_bytes=1000))

    assert str(caught.value) == (
        "the given data has 1,001 bytes, but at most 1,000 bytes are allowed (max_bytes): "
        "give a smaller image or raise the limit"
    )


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path):
    path = tmp_path / "picture.png"
    with path.open("wb") as file:
        file.truncate(200_000_001)  # takes no room on the disk

    with pytest.raises(ImageTooLarge) as caught:
        read_image(path)

    assert str(caught.value) == (
        f"{path} has 200,000,001 bytes, but at most 200,000,000 bytes are allowed (max_bytes): "
        "give a smaller image or raise the limit"
    )


def test_the_limit_of_pillow_itself_is_named_when_it_is_the_one_that_is_met():
    data = tiff_header(14_000, 14_000)  # 196 million; Pillow stops at 179

    with pytest.raises(ImageTooLarge) as caught:
        read_image(data, ImageLimits(max_pixels=400_000_000))

    assert str(caught.value) == (
        "the given data has more pixels than Pillow decodes, but at most 178,956,970 pixels are "
        "allowed (PIL.Image.MAX_IMAGE_PIXELS): give a smaller image or raise the limit"
    )


# --- broken files -----------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_that_is_cut_off_is_never_accepted(format_name, kept):
    whole = noise(format_name)
    name = {"WEBP": "WebP"}.get(format_name, format_name)

    with pytest.raises(UnreadableImage) as caught:
        read_image(whole[: int(len(whole) * kept)])

    assert str(caught.value) == (
        f"the given data cannot be read as an image: its {name} data is broken or cut off; "
        "save it again or give another file"
    )


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "picture.png"
    path.touch()

    with pytest.raises(UnreadableImage) as caught:
        read_image(path)

    assert str(caught.value) == (
        f"{path} cannot be read as an image: it is empty (0 bytes); "
        "save it again or give another file"
    )


@pytest.mark.parametrize("name", ["missing.png", ".", "pipe", "a\x00b.png", "n" * 300])
def test_what_is_no_regular_file_is_missing(tmp_path, name):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    path = f"{tmp_path}/{name}"

    with pytest.raises(FileMissing) as caught:
        read_image(path)

    assert str(caught.value) == f"{path} does not exist or is not an image file"


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"x")

    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)

    assert str(caught.value) == (
        f"{path} cannot be read as an image: it cannot be opened (Permission denied); "
        "check who may read it"
    )


def test_too_little_memory_is_told_apart_from_a_broken_file(monkeypatch):
    class Greedy(images.PngImageFile):
        def load(self):
            raise MemoryError

    data = encoded(Image.fromarray(RED_WHITE), "PNG")
    monkeypatch.setitem(images.DECODERS, "PNG", Greedy)

    with pytest.raises(UnreadableImage) as caught:
        read_image(data)

    assert str(caught.value) == (
        "the given data cannot be read as an image: there is not enough memory to decode it; "
        "give a smaller image"
    )


def mutated(data, rng):
    """The same three kinds of damage a disk, a network or an attacker does."""
    broken = bytearray(data)
    kind = rng.random()
    if kind < 0.6:
        for _ in range(rng.randint(1, 20)):
            reach = rng.choice([64, 1024, len(broken)])
            broken[rng.randrange(min(len(broken), reach))] = rng.randrange(256)
    elif kind < 0.8:
        del broken[rng.randrange(1, len(broken)) :]
    else:
        place = rng.randrange(len(broken))
        broken[place:place] = rng.randbytes(rng.randint(1, 20))
    return bytes(broken)


@pytest.mark.filterwarnings("ignore")  # Pillow's, about broken tags; as a user runs it
@pytest.mark.parametrize("format_name", FORMATS)
def test_damaged_files_give_an_image_or_one_of_our_errors(format_name):
    rng = random.Random(format_name)
    whole = noise(format_name)
    outcomes = set()

    for _ in range(250):  # 1500 in all
        try:
            image = read_image(mutated(whole, rng), ImageLimits(max_pixels=1_000_000))
        except (UnreadableImage, UnsupportedImage, ImageTooLarge) as error:
            outcomes.add(str(error).partition("\n")[0] == str(error))  # one line
        else:
            outcomes.add(image.shape[2] == 3)

    assert outcomes == {True}


def test_the_settings_of_pillow_and_of_warnings_stay_as_they_are():
    def settings():
        return Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)

    before = settings()
    read_image(noise("PNG"))
    with pytest.raises(ImageTooLarge):
        read_image(png_header(50_000, 50_000))

    assert settings() == before


def test_images_are_read_in_many_threads_at_once():
    sources = [noise(format_name) for format_name in ("PNG", "TIFF", "BMP")] * 8

    with ThreadPoolExecutor(4) as pool:
        actual = list(pool.map(read_image, sources))

    np.testing.assert_array_equal(actual, [actual[0]] * 24)


@pytest.mark.parametrize(
    "error",
    [
        UnreadableImage("a.png", "it is empty"),
        UnsupportedImage("a.png", "a video", ALLOWED),
        ImageTooLarge("a.png", "9 bytes", 8, "bytes", "max_bytes"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_keeps_its_sentence_on_the_way_out_of_a_worker_process(error):
    twin = copy.copy(error)  # by the protocol that worker processes use

    assert (str(twin), vars(twin)) == (str(error), vars(error))


# --- writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        pytest.param(np.array([[True, False]]), "L", id="mask"),
        pytest.param(RED_WHITE, "RGB", id="rgb"),
        pytest.param(RED_WHITE[:, ::-1], "RGB", id="rgb-with-steps"),
        pytest.param(np.array([[[1, 2, 3, 0], [4, 5, 6, 7]]], np.uint8), "RGBA", id="rgba"),
    ],
)
def test_what_is_written_is_read_back_by_pillow(tmp_path, array, mode):
    write_image(tmp_path / "out.png", array)

    with Image.open(tmp_path / "out.png") as written:
        actual = written.format, written.mode, written.info, np.asarray(written).tolist()

    scale = 255 if mode == "L" else 1
    assert actual == ("PNG", mode, {}, (array.astype(int) * scale).tolist())
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(
    ("array", "found"),
    [
        pytest.param(np.zeros((2, 2), np.uint8), "uint8 of shape (2, 2)", id="numbers-as-a-mask"),
        pytest.param(np.zeros((2, 2, 3), np.float64), "float64 of shape (2, 2, 3)", id="floats"),
        pytest.param(np.zeros((0, 2), bool), "bool of shape (0, 2)", id="empty"),
    ],
)
def test_an_array_that_is_neither_mask_nor_image_is_not_written(tmp_path, array, found):
    with pytest.raises(UnsupportedImage) as caught:
        write_image(tmp_path / "out.png", array)

    assert str(caught.value) == (
        f"the given array is {found}: "
        "give bool (H, W), uint8 (H, W, 3) or uint8 (H, W, 4), with H and W at least 1"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_png_is_not_written_under_the_name_of_another_format(tmp_path):
    with pytest.raises(UnsupportedImage) as caught:
        write_image(tmp_path / "out.jpg", RED_WHITE)

    assert str(caught.value) == f"{tmp_path / 'out.jpg'} is no PNG name: give one that ends in .png"
