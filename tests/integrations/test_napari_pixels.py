from __future__ import annotations

import numpy as np
import pytest

from latentcut.integrations.napari.pixels import rgb_pixels, window


def test_colours_of_eight_bits_are_taken_as_they_are():
    plane = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)

    actual = rgb_pixels(plane, is_rgb=True)

    assert actual.dtype == np.uint8
    assert actual.tolist() == plane.tolist()


@pytest.mark.parametrize(
    ("colour", "dtype", "expected"),
    [
        ([0, 32768, 65535], np.uint16, [0, 128, 255]),
        ([0.0, 0.5, 1.0], np.float32, [0, 128, 255]),
        ([-1.0, 2.0, np.nan], np.float64, [0, 255, 0]),
        ([200, 100, 50, 255], np.uint8, [200, 100, 50]),
        ([200, 100, 50, 0], np.uint8, [0, 0, 0]),
    ],
    ids=["16 bits", "floats", "floats out of range", "opaque", "transparent"],
)
def test_colours_of_other_types_are_brought_to_eight_bits(colour, dtype, expected):
    plane = np.array([[colour]], dtype=dtype)

    actual = rgb_pixels(plane, is_rgb=True)

    assert actual.tolist() == [[expected]]


def test_grey_of_eight_bits_is_not_stretched():
    plane = np.array([[10, 20]], dtype=np.uint8)

    actual = rgb_pixels(plane, is_rgb=False)

    assert actual.tolist() == [[[10, 10, 10], [20, 20, 20]]]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_other_grey_is_stretched_from_its_darkest_to_its_brightest(dtype):
    plane = np.array([[100, 150, 200]], dtype=dtype)

    actual = rgb_pixels(plane, is_rgb=False)[:, :, 0]

    assert actual.tolist() == [[0, 128, 255]]


def test_a_hot_pixel_darkens_nothing_else():
    plane = np.tile(np.arange(1000, 2000, dtype=np.uint16), (100, 1))
    plane[50, 500] = 65535

    actual = rgb_pixels(plane, is_rgb=False)[:, :, 0]

    assert actual[0, 999] == 255
    assert 126 <= actual[0, 500] <= 129


def test_a_few_bright_pixels_on_an_even_ground_are_seen():
    plane = np.full((100, 100), 7, dtype=np.uint16)
    plane[40, 40:43] = 9  # fewer than one in a thousand

    actual = rgb_pixels(plane, is_rgb=False)[:, :, 0]

    assert actual[40, 39:44].tolist() == [0, 255, 255, 255, 0]


@pytest.mark.parametrize(
    "plane",
    [
        np.full((2, 3), 5, np.uint16),
        np.full((2, 3), np.nan),
        np.zeros((2, 3), bool),
    ],
    ids=["one value", "no value", "no truth"],
)
def test_a_plane_with_nothing_to_see_is_black(plane):
    actual = rgb_pixels(plane, is_rgb=False)

    assert actual.tolist() == np.zeros((2, 3, 3)).tolist()


def test_values_that_are_no_numbers_do_not_count():
    plane = np.array([[0.0, 10.0, np.nan, np.inf, -np.inf]])

    actual = rgb_pixels(plane, is_rgb=False)[0, :, 0]

    low, high = window(plane)
    assert (round(low, 2), round(high, 2)) == (0.01, 9.99)
    assert actual.tolist() == [0, 255, 0, 255, 0]
