"""
Label Studio's run-length code of brush masks.

The code is rle-pack of thi.ng/umbrella with words of 8 bits, over the four channels of an RGBA
picture, bits from the highest to the lowest: 32 bits number of values, 5 bits word size - 1, four
times 4 bits width - 1, then packets of 1 bit (1: a run), 2 bits which width, so many bits
length - 1, and one value (run) or length values. Written as label_studio_sdk's
`converter/brush.py` does, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentcut.errors import PromptUnusable

CHANNELS = 4
WIDTHS = (3, 4, 8, 16)  # bits of a length - 1
LONGEST_RUN = 1 << 16
HEADER_BITS = 32 + 5 + 4 * len(WIDTHS)
VALUE_BITS = 8
MASK_LEVEL = 128  # soft edges of hand-painted strokes: half covered counts as covered
PART = "the brush region"

BoolArray = NDArray[np.bool_]


def encode_brush(mask: BoolArray) -> list[int]:
    """
    The code of a mask.

    Args:
        mask: bool (H, W).

    Returns:
        Bytes, 0 to 255, as JSON holds them.
    """
    flat = np.ravel(mask)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], changes, [flat.size]))
    lengths = np.diff(bounds) * CHANNELS  # values per run
    values = flat[bounds[:-1]].astype(np.int64) * 255
    lengths, values = _split(lengths, values)
    choice = np.searchsorted([1 << width for width in WIDTHS], lengths)
    widths = np.array(WIDTHS)[choice]
    # 1, which width, length - 1, value: at most 27 bits
    packets = ((4 | choice) << (widths + VALUE_BITS)) | ((lengths - 1) << VALUE_BITS) | values
    header = flat.size * CHANNELS
    for bits, number in ((5, VALUE_BITS - 1), *((4, width - 1) for width in WIDTHS)):
        header = header << bits | number
    head = np.array([int(bit) for bit in f"{header:0{HEADER_BITS}b}"], dtype=np.uint8)
    body = _bits(packets, widths + (1 + 2 + VALUE_BITS))
    stream = np.packbits(np.concatenate([head, body]))
    # their encoder fills up the last byte, and adds a whole one where there is nothing to fill
    is_full = (len(head) + len(body)) % 8 == 0
    return [*stream.tolist(), 0] if is_full else list(stream.tolist())


def decode_brush(code: Sequence[int], size_hw: tuple[int, int]) -> BoolArray:
    """
    The mask of a code; hostile input is refused before room is made for it.

    Args:
        code: Bytes, 0 to 255.
        size_hw: What the mask must measure, in pixels.

    Returns:
        bool (H, W): where the alpha channel is at least half.

    Raises:
        PromptUnusable: The code is of a mask of another size, or broken.
    """
    height, width = size_hw
    try:
        data = bytes(code)
    except (TypeError, ValueError) as error:
        raise PromptUnusable(PART, "its code must be whole numbers from 0 to 255") from error
    total = height * width * CHANNELS
    reader = _Bits(data)
    if (found := reader.take(32)) != total:
        reason = f"its code has {found:,} values, and {height} x {width} pixels have {total:,}"
        raise PromptUnusable(PART, reason)
    word = reader.take(5) + 1
    widths = [reader.take(4) + 1 for _ in WIDTHS]
    if word != VALUE_BITS:
        raise PromptUnusable(PART, f"its code has words of {word} bits and not of 8")
    lengths, values = _packets(reader, widths, total)
    stream = np.repeat(np.array(values, dtype=np.uint8), lengths)
    alpha = stream.reshape(height, width, CHANNELS)[:, :, CHANNELS - 1]
    return np.ascontiguousarray(alpha >= MASK_LEVEL)


class _Bits:
    """Numbers from a row of bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._end, self._at = data, 8 * len(data), 0

    def take(self, count: int) -> int:
        """The next 1 to 32 bits. Raises PromptUnusable where they are not all there."""
        begin, self._at = self._at, self._at + count
        if self._at > self._end:
            raise PromptUnusable(PART, "its code is cut off")
        last = (self._at + 7) // 8
        piece = int.from_bytes(self._data[begin // 8 : last], "big")
        return (piece >> (8 * last - self._at)) & ((1 << count) - 1)


def _packets(reader: _Bits, widths: list[int], total: int) -> tuple[list[int], list[int]]:
    """Lengths and values of the runs; literal values are runs of one. They fill the total."""
    lengths: list[int] = []
    values: list[int] = []
    done = 0
    while done < total:
        is_run = reader.take(1)
        length = reader.take(widths[reader.take(2)]) + 1
        done += length
        if done > total:
            raise PromptUnusable(PART, "its code has more values than it says")
        if is_run:
            lengths.append(length)
            values.append(reader.take(VALUE_BITS))
        else:
            lengths += [1] * length
            values += [reader.take(VALUE_BITS) for _ in range(length)]
    return lengths, values


def _split(
    lengths: NDArray[np.int64], values: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same runs, none longer than a packet can say; the last piece has what is left."""
    pieces = (lengths - 1) // LONGEST_RUN + 1
    if (pieces == 1).all():
        return lengths, values
    split = np.full(int(pieces.sum()), LONGEST_RUN, dtype=np.int64)
    split[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * LONGEST_RUN
    return split, np.repeat(values, pieces)


def _bits(numbers: NDArray[np.int64], widths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The bits of numbers (N,), each with its own width, one after the other."""
    ends = np.cumsum(widths)
    below = np.repeat(ends, widths) - np.arange(ends[-1]) - 1  # place of each bit in its number
    bits: NDArray[np.uint8] = ((np.repeat(numbers, widths) >> below) & 1).astype(np.uint8)
    return bits
