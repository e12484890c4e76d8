"""
Masks as numbers other programs read: area, boxes, COCO run-length codes, polygons.

Everywhere a mask is bool (H, W) on the pixel grid of the upright image. Parts are
4-connected: pixels that only touch at a corner are two parts, and a background
pixel that reaches the outside across a corner is no hole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import BadMask

MAX_MASK_PIXELS = 50_000_000  # as many as an image may have by default
BITS_PER_CHARACTER = 5  # of a compressed count; bit 5 says that more follow, bit 4 is the sign
MAX_CHARACTERS = 7  # 35 bits: any difference of two counts of 32 bits
FIRST_CHARACTER = 48  # "0"
SIZE_RULE = "size must be [height, width], two whole numbers of at least 1"
COUNTS_RULE = "counts must be whole numbers of at least 0 that add up to height x width"
CODE_RULE = "counts must be a COCO count string, made of the characters '0' to 'o'"
MASK_RULE = "a mask must be a bool array of shape (H, W), with H and W at least 1"


class CocoRle(TypedDict):
    """A mask as COCO JSON holds it; `counts` is the compressed string."""

    size: list[int]
    counts: str


def mask_area(mask: NDArray[np.bool_]) -> int:
    """Count the pixels of a mask, shape (H, W), bool; 0 for an empty one."""
    return int(np.count_nonzero(_checked(mask)))


def mask_box_xyxy(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """
    Smallest box around a mask, half-open: `mask[y0:y1, x0:x1]` holds all of it.

    Args:
        mask: shape (H, W), bool.

    Returns:
        (x0, y0, x1, y1) in pixels, 0 <= x0 < x1 <= W and 0 <= y0 < y1 <= H; None
        for an empty mask.
    """
    columns = np.flatnonzero(_checked(mask).any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def box_xywh_coco(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Box as COCO writes it: (x, y, width, height) in pixels; (0, 0, 0, 0) for an empty mask."""
    x0, y0, x1, y1 = mask_box_xyxy(mask) or (0, 0, 0, 0)
    return x0, y0, x1 - x0, y1 - y0


def encode_rle(mask: NDArray[np.bool_]) -> list[int]:
    """
    Run lengths of a mask, column by column: COCO's uncompressed counts.

    Args:
        mask: shape (H, W), bool.

    Returns:
        Pixels per run, in turn off, on, off, ...; the first is 0 where the first
        pixel is on. They add up to H * W. An empty mask gives [H * W].
    """
    flat = _checked(mask).ravel(order="F")  # (H * W,), down the first column first
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0] * (1 + int(flat[0])), changes, [flat.size]))
    counts: list[int] = np.diff(bounds).tolist()
    return counts


def decode_rle(
    counts: Sequence[int] | NDArray[np.integer],
    size_hw: tuple[int, int],
    max_pixels: int = MAX_MASK_PIXELS,
) -> NDArray[np.bool_]:
    """
    Mask of run lengths, the reverse of `encode_rle`; hostile input is refused.

    Args:
        counts: Pixels per run, column by column, in turn off, on, off, ...
            Runs of 0 pixels are allowed anywhere.

        size_hw: Height and width of the mask, in pixels.

        max_pixels: Larger masks are refused before room is made for them.

    Returns:
        The mask, shape (H, W), bool, C-contiguous.

    Raises:
        BadMask: The size is no size or too large, or the counts do not fill it.
    """
    height, width = _checked_size(size_hw, max_pixels)
    runs = counts.tolist() if isinstance(counts, np.ndarray) else list(counts)
    if not all(type(run) is int for run in runs):  # neither 1.0 nor True
        raise BadMask("a count is no whole number", COUNTS_RULE)
    if any(run < 0 or run > height * width for run in runs):
        raise BadMask("a count is negative or larger than the mask", COUNTS_RULE)
    if sum(runs) != height * width:
        found = f"the counts add up to {sum(runs)}, not to {height} x {width} = {height * width}"
        raise BadMask(found, COUNTS_RULE)
    is_on = np.arange(len(runs)) % 2 == 1
    flat = np.repeat(is_on, np.array(runs, dtype=np.int64))
    return np.ascontiguousarray(flat.reshape(width, height).T)


def compress_rle_counts(counts: Sequence[int]) -> str:
    """
    COCO's count string: from the fourth count on, differences to the one two before.

    Each number is cut into groups of 5 bits, lowest first; bit 5 of a character
    says that more follow, and 48 is added to make it printable.

    Args:
        counts: Pixels per run, each in [0, 2**32).

    Returns:
        ASCII characters '0' to 'o'; the empty string for no counts.
    """
    rest = np.array(counts, dtype=np.int64)
    rest[3:] -= rest[1:-2].copy()
    columns = []
    is_open = np.ones(len(rest), dtype=bool)  # numbers of which characters are still to come
    while is_open.any():
        bits = rest & 31
        rest >>= BITS_PER_CHARACTER
        has_more = is_open & (rest != np.where(bits & 16, -1, 0))
        columns.append(np.where(is_open, (bits | has_more << 5) + FIRST_CHARACTER, 0))
        is_open = has_more
    if not columns:
        return ""
    characters = np.stack(columns, axis=1).astype(np.uint8).ravel()  # one row per number
    return characters[characters > 0].tobytes().decode("ascii")


def decompress_rle_counts(text: str | bytes) -> list[int]:
    """
    Counts of COCO's count string, the reverse of `compress_rle_counts`.

    Args:
        text: The string, or its ASCII bytes as pycocotools returns them.

    Returns:
        The counts as they are written, which may be negative in a hostile string;
        `decode_rle` refuses those.

    Raises:
        BadMask: A character does not belong into such a string, the last number
            is cut off, or one is longer than 35 bits.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as error:
        raise BadMask("the count string has a character outside ASCII", CODE_RULE) from error
    if not raw:
        return []
    codes = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - FIRST_CHARACTER
    if codes.min() < 0 or codes.max() > 63:
        raise BadMask("the count string has a character that is not allowed", CODE_RULE)
    lasts = np.flatnonzero((codes & 32) == 0)  # the last character of each number
    if not len(lasts) or lasts[-1] != len(codes) - 1:
        raise BadMask("the count string is cut off", CODE_RULE)
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    lengths = lasts - firsts + 1
    if lengths.max() > MAX_CHARACTERS:
        raise BadMask("the count string has a number of more than 35 bits", CODE_RULE)
    places = np.arange(len(codes)) - np.repeat(firsts, lengths)
    numbers = np.add.reduceat((codes & 31) << (BITS_PER_CHARACTER * places), firsts)
    numbers -= ((codes[lasts] & 16) > 0).astype(np.int64) << (BITS_PER_CHARACTER * lengths)
    numbers[1::2] = np.cumsum(numbers[1::2])  # 1, 3, 5, ...: each on top of the one two before
    numbers[2::2] = np.cumsum(numbers[2::2])  # 2, 4, 6, ...: number 0 is no part of any sum
    counts: list[int] = numbers.tolist()
    return counts


def coco_rle(mask: NDArray[np.bool_]) -> CocoRle:
    """Compressed COCO code of a mask, shape (H, W), bool; ready for JSON."""
    height, width = _checked(mask).shape
    return {"size": [height, width], "counts": compress_rle_counts(encode_rle(mask))}


def mask_from_coco_rle(
    rle: Mapping[str, Any], max_pixels: int = MAX_MASK_PIXELS
) -> NDArray[np.bool_]:
    """
    Mask of a COCO code, compressed or not; hostile input is refused.

    Args:
        rle: `size` is [height, width]; `counts` is a list of numbers or a string.
            Other keys are ignored.

        max_pixels: Larger masks are refused before room is made for them.

    Returns:
        The mask, shape (H, W), bool, C-contiguous.

    Raises:
        BadMask: A key is missing, the size is no size or too large, or the counts
            are broken or do not fill the size.
    """
    if not isinstance(rle, Mapping) or not {"size", "counts"} <= rle.keys():
        raise BadMask("the run-length code has no size and counts", "both keys must be there")
    height, width = _checked_size(rle["size"], max_pixels)
    counts = rle["counts"]
    if not isinstance(counts, str | bytes | list | tuple):
        raise BadMask(f"counts is of type {type(counts).__name__}", "give a list or a string")
    if len(counts) > MAX_CHARACTERS * (height * width + 1):
        raise BadMask("there are more counts than pixels", COUNTS_RULE)
    if isinstance(counts, str | bytes):
        counts = decompress_rle_counts(counts)
    return decode_rle(counts, (height, width), max_pixels)


def has_holes(mask: NDArray[np.bool_]) -> bool:
    """
    Whether polygons would lose something: background enclosed by one part.

    Args:
        mask: shape (H, W), bool.

    Returns:
        True when a piece of background does not reach the border of the image,
        not even from corner to corner. False for an empty mask.
    """
    return any(not is_outer for _, is_outer in _rings(_checked(mask)))


def mask_to_polygons_edges(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """
    Outlines along the edges between pixels: what COCO's rasteriser turns back exactly.

    Args:
        mask: shape (H, W), bool. Holes are lost; ask `has_holes` first and write
            a run-length code instead.

    Returns:
        One polygon per part, shape (N, 2), float64, order (x, y), N >= 4, in whole
        pixels from the top-left corner of the image, 0 to W and 0 to H; clockwise
        as seen, from the left-most of the top-most corners, not closed. Parts come
        from top to bottom. An empty mask gives no polygon.
    """
    return [ring.astype(np.float64) for ring, is_outer in _rings(_checked(mask)) if is_outer]


def mask_to_polygons_centres(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """
    Outlines through the centres of the border pixels: for labelme, YOLO and OpenCV.

    Their rasterisers draw the outline itself, so that edge vertices would make
    the object one pixel too large, just as centre vertices lose a border in COCO.

    Args:
        mask: shape (H, W), bool. Holes are lost; ask `has_holes` first.

    Returns:
        One polygon per part, shape (N, 2), float64, order (x, y), in whole pixels
        from the centre of the top-left pixel, 0 to W - 1 and 0 to H - 1; clockwise
        as seen, not closed. N >= 3: parts of a single pixel or line repeat their
        last vertex. An empty mask gives no polygon.
    """
    return [_centres(ring) for ring, is_outer in _rings(_checked(mask)) if is_outer]


def _rings(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], bool]]:
    """
    All closed outlines between mask and background, corner by corner.

    On every grid line, corners in order are joined in pairs: first with second,
    third with fourth. Following the pairs, in turn along the row and along the
    column, runs once around each outline.

    Returns:
        Per outline its corners, shape (N, 2), int64, order (x, y), starting along the
        row; and whether it is an outer one, which then runs clockwise as seen.
    """
    padded = np.pad(mask, 1)
    a, b = padded[:-1, :-1], padded[:-1, 1:]  # (H + 1, W + 1): pixels above each grid point
    c, d = padded[1:, :-1], padded[1:, 1:]  # and below: a b / c d
    # a corner is one pixel against its two neighbours around the point; where a and d or
    # b and c touch across it there are two corners, and the pixels stay two parts
    goes_right_and_down = (
        (False, False, (a & ~b & ~c) | (~a & b & c & d)),
        (True, False, (b & ~a & ~d) | (~b & a & c & d)),
        (False, True, (c & ~a & ~d) | (~c & a & b & d)),
        (True, True, (d & ~b & ~c) | (~d & a & b & c)),
    )
    found = []
    for goes_right, goes_down, is_corner in goes_right_and_down:
        ys, xs = np.nonzero(is_corner)
        found.append(
            np.stack([xs, ys, np.full_like(xs, goes_right), np.full_like(xs, goes_down)], axis=1)
        )
    corners = np.concatenate(found)  # (N, 4): x, y, right or left, down or up
    x, y, _, down = corners[np.lexsort((corners[:, 2], corners[:, 0], corners[:, 1]))].T
    along_row = _partners(np.arange(len(x)))  # they are sorted by y, then x
    along_column = _partners(np.lexsort((down, y, x)))

    rings = []
    is_seen = np.zeros(len(x), dtype=bool)
    for start in range(len(x)):
        if is_seen[start]:
            continue
        ring: list[int] = []
        corner = start
        while not ring or corner != start:
            ring += [corner, along_row[corner]]
            corner = along_column[along_row[corner]]
        is_seen[ring] = True
        # the first corner is the top-left one: the pixel below it is part of the mask or of a hole
        rings.append((np.stack([x[ring], y[ring]], axis=1), bool(d[y[start], x[start]])))
    return rings


def _partners(order: NDArray[np.int64]) -> list[int]:
    """Join the first of an order with the second, the third with the fourth, both ways."""
    partners = np.empty_like(order)
    partners[order[0::2]], partners[order[1::2]] = order[1::2], order[0::2]
    result: list[int] = partners.tolist()
    return result


def _centres(ring: NDArray[np.int64]) -> NDArray[np.float64]:
    """Move a clockwise outline of pixel edges, shape (N, 2), to the centres of its pixels."""
    leaving = np.sign(np.roll(ring, -1, axis=0) - ring)  # (N, 2): right, down, left or up
    arriving = np.roll(leaving, 1, axis=0)
    # The mask lies on the right-hand side of the way. Pixel (i, j) reaches from grid point
    # (i, j) to (i + 1, j + 1): leaving to the right (1, 0) goes along pixel (x, y), down (0, 1)
    # along (x - 1, y), left along (x - 1, y - 1), up along (x, y - 1).
    (right, down), (came_right, came_down) = leaving.T, arriving.T
    x, y = ring.T
    before = np.stack([x - (came_right + came_down > 0), y - (came_down - came_right > 0)], axis=1)
    after = np.stack([x - (down - right > 0), y - (right + down < 0)], axis=1)
    points = np.stack([before, after], axis=1).reshape(-1, 2)  # (2 N, 2)
    is_new = (points != np.roll(points, 1, axis=0)).any(axis=1)
    is_new[0] = True  # start at the top-left pixel, and drop it where the way comes back to it
    points = points[is_new]
    if len(points) > 1 and (points[-1] == points[0]).all():
        points = points[:-1]
    to_here, to_next = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    cross = to_here[:, 0] * to_next[:, 1] - to_here[:, 1] * to_next[:, 0]
    goes_straight_on = (cross == 0) & ((to_here * to_next).sum(axis=1) > 0)
    points = points[~goes_straight_on]
    missing = max(0, 3 - len(points))
    return np.concatenate([points, np.repeat(points[-1:], missing, axis=0)]).astype(np.float64)


def _checked(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not isinstance(mask, np.ndarray):
        raise BadMask(f"the mask is of type {type(mask).__name__}", MASK_RULE)
    if mask.dtype != bool or mask.ndim != 2 or mask.size == 0:
        raise BadMask(f"the mask is {mask.dtype} of shape {mask.shape}", MASK_RULE)
    return mask


def _checked_size(size_hw: object, max_pixels: int) -> tuple[int, int]:
    if not isinstance(size_hw, list | tuple) or len(size_hw) != 2:
        raise BadMask("the size has not two numbers", SIZE_RULE)
    height, width = size_hw
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise BadMask("a side of the size is no whole number or below 1", SIZE_RULE)
    if height * width > max_pixels:
        # a hostile number may have more digits than Python prints
        sides = f"{width} px wide and {height} px high" if max(height, width) < 10**12 else "huge"
        raise BadMask(
            f"the mask is {sides}", f"at most {max_pixels:,} pixels are allowed (max_pixels)"
        )
    return height, width
