"""Which image format bytes are of, told by how they start; never by a file name."""

from __future__ import annotations

ALLOWED_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),  # BigTIFF
    (b"MM\x00\x2b", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)

# what is refused by name; anything else is refused as unknown
REFUSED_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript or EPS document"),
    (b"\xc5\xd0\xd3\xc6", "an EPS document"),
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"SIMPLE  =", "a FITS image"),
    (b"icns", "an Apple icon"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"\x00\x00\x02\x00", "a Windows cursor"),
    (b"\x00\x00\x00\x0cjP  \r\n", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (b"DDS ", "a DDS texture"),
    (b"qoif", "a QOI image"),
    (b"P4\n", "a PBM image"),
    (b"P5\n", "a PGM image"),
    (b"P6\n", "a PPM image"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy file"),
)

# brands of the ISO container, at byte 8, after "ftyp"
REFUSED_BRANDS = {
    b"avif": "an AVIF image",
    b"avis": "an AVIF image",
    b"heic": "a HEIF image",
    b"heix": "a HEIF image",
    b"hevc": "a HEIF image",
    b"mif1": "a HEIF image",
    b"msf1": "a HEIF image",
    b"crx ": "a camera raw file",
}


def format_of(data: bytes) -> str | None:
    """Name of the allowed format the bytes start like, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[8:10] == b"CR" and data[:4] == b"II\x2a\x00":
        return None  # Canon's camera raw, which only starts like TIFF
    return next((name for magic, name in ALLOWED_MAGIC if data.startswith(magic)), None)


def refused_content(data: bytes) -> str:
    """Say what bytes of no allowed format are, as a noun with its article."""
    if data[4:8] == b"ftyp":
        return REFUSED_BRANDS.get(data[8:12], "a video")
    if data[:4] == b"II\x2a\x00":
        return "a camera raw file"
    known = next((name for magic, name in REFUSED_MAGIC if data.startswith(magic)), None)
    if known is not None:
        return known
    head = data[:1024].lower()
    if b"<svg" in head:
        return "an SVG drawing"
    return "a web page" if b"<html" in head else "of no known image format"


def webp_size_wh(data: bytes) -> tuple[int, int]:
    """Canvas size from the first 30 bytes; (1, 1) where they make no sense, for the decoder."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 1, 1
    if chunk == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (
        int.from_bytes(body[6:8], "little") & 0x3FFF,
        int.from_bytes(body[8:10], "little") & 0x3FFF,
    )
