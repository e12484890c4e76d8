"""Label Studio's run-length code, against what its own encoder writes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentcut.errors import PromptUnusable
from latentcut.integrations.label_studio.brush_rle import decode_brush, encode_brush

ANGLE = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
SQUARE = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
NOTHING = np.zeros((4, 5), bool)
HEAD = [0, 0, 0, 80, 57, 27, 254]
# made with label_studio_sdk 2.1.2: converter.brush.mask2rle of the same masks
WRITTEN = [
    (ANGLE, [*HEAD, 31, 0, 143, 254, 216, 4, 255, 248, 92, 0]),
    (SQUARE, [*HEAD, 27, 0, 159, 254, 216, 4, 255, 248, 92, 0]),
    (NOTHING, [*HEAD, 79, 0, 0]),
]


@pytest.mark.parametrize(("mask", "code"), WRITTEN)
def test_a_mask_is_written_as_label_studio_writes_it(mask, code):
    written = encode_brush(mask)

    assert written == code


@pytest.mark.parametrize(("mask", "code"), WRITTEN)
def test_a_code_of_label_studio_is_read(mask, code):
    read = decode_brush(code, (4, 5))

    assert np.array_equal(read, mask)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_any_mask_comes_back(height, width, seed, share):
    mask = np.random.default_rng(seed).random((height, width)) < share

    read = decode_brush(encode_brush(mask), (height, width))

    assert np.array_equal(read, mask)


@pytest.mark.parametrize("size_hw", [(128, 128), (128, 129), (300, 400)])
def test_runs_of_more_than_65536_values_are_split(size_hw):
    mask = np.ones(size_hw, bool)

    read = decode_brush(encode_brush(mask), size_hw)

    assert np.array_equal(read, mask)


def test_values_that_are_written_one_by_one_are_read_and_half_covered_is_covered():
    head = f"{8:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
    packet = "0" + "00" + f"{7:03b}" + "".join(f"{value:08b}" for value in [0] * 7 + [128])
    bits = (head + packet).ljust(-(-len(head + packet) // 8) * 8, "0")
    code = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]

    read = decode_brush(code, (1, 2))

    assert read.tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ([], "its code is cut off"),
        ([*HEAD], "its code is cut off"),
        ([0, 0, 0, 84, *HEAD[4:], 79, 0, 0], "its code has 84 values, and 4 x 5 pixels have 80"),
        (
            [255, 255, 255, 255, *HEAD[4:]],
            "its code has 4,294,967,295 values, and 4 x 5 pixels have 80",
        ),
        ([0, 0, 0, 80, 65, 27, 254, 79, 0, 0], "its code has words of 9 bits and not of 8"),
        ([*HEAD, 127, 0, 0], "its code has more values than it says"),
        ([*HEAD, 256], "its code must be whole numbers from 0 to 255"),
    ],
)
def test_a_broken_code_is_refused_before_room_is_made_for_it(code, reason):
    with pytest.raises(PromptUnusable) as caught:
        decode_brush(code, (4, 5))

    assert str(caught.value) == f"the brush region cannot be used: {reason}"
