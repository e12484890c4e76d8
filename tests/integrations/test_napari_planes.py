from __future__ import annotations

import numpy as np
import pytest

from latentcut.integrations.napari.planes import finest_level, plane_at


def test_a_picture_is_one_plane():
    plane = plane_at((4, 6), (0, 1), (2.0, 3.0))

    assert plane.size_hw == (4, 6)
    assert plane.index == (slice(None), slice(None))
    assert plane.place == ()


@pytest.mark.parametrize(
    ("position", "expected"), [(1.4, 1), (1.5, 2), (-3.0, 0), (9.0, 2)], ids=str
)
def test_the_slice_on_screen_is_the_nearest_one(position, expected):
    plane = plane_at((3, 4, 6), (1, 2), (position, 0.0, 0.0))

    assert plane.place == (expected,)
    assert plane.index == (expected, slice(None), slice(None))


def test_a_plane_from_the_side_is_taken_with_its_axes_as_on_screen():
    array = np.arange(24).reshape(2, 3, 4)
    plane = plane_at(array.shape, (2, 0), (0.0, 1.0, 0.0))

    actual = plane.of(array)

    assert plane.size_hw == (4, 2)
    assert actual.tolist() == array[:, 1, :].T.tolist()


def test_pixels_of_a_plane_are_found_in_the_array():
    array = np.zeros((2, 3, 4), int)
    plane = plane_at(array.shape, (2, 0), (0.0, 1.0, 0.0))
    mask = np.zeros((4, 2), bool)
    mask[3, 0] = mask[1, 1] = True

    array[plane.where(mask)] = 5

    assert np.argwhere(array).tolist() == [[0, 1, 3], [1, 1, 1]]
    assert plane.of(array).tolist() == (mask * 5).tolist()


def test_positions_belong_to_the_slice_that_they_are_nearest_to():
    plane = plane_at((3, 4, 6), (1, 2), (1.0, 0.0, 0.0))

    held = [plane.holds((place, 2.0, 2.0)) for place in (0.4, 0.5, 1.0, 1.49, 1.5)]

    assert held == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ((1.0, 2.25, 3.5), (3.5, 2.25)),
        ((1.0, -0.5, 5.5), (5.0, 0.0)),
        ((1.0, -0.6, 9.0), (9.0, -0.6)),
    ],
    ids=["inside", "outer half of border pixels", "outside"],
)
def test_positions_are_row_and_column_and_clicks_x_and_y(position, expected):
    plane = plane_at((3, 4, 6), (1, 2), (1.0, 0.0, 0.0))

    assert plane.xy(position) == expected


def test_the_way_back_gives_the_position():
    plane = plane_at((3, 4, 6), (2, 0), (1.0, 2.0, 1.0))

    actual = plane.position(*plane.xy((1.25, 2.0, 4.5)))

    assert actual == (1.25, 2.0, 4.5)


@pytest.mark.parametrize(
    ("max_pixels", "expected"), [(10_000, 0), (9_999, 1), (2_500, 1), (10, 2)], ids=str
)
def test_work_is_done_at_the_finest_level_that_is_small_enough(max_pixels, expected):
    shapes = [(5, 100, 100), (5, 50, 50), (5, 25, 25)]

    assert finest_level(shapes, (1, 2), max_pixels) == expected
