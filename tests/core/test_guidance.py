from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from latentcut.core.guidance import (
    click_map,
    distance_map,
    embedding_clicks,
    grid_centres,
    guidance_maps,
)

NO_POINTS = np.empty((0, 2))


def points(*xy):
    return np.array(xy, dtype=np.float64)


def test_grid_centres_lie_in_the_middle_of_their_cells():
    centres = grid_centres(12, stride=4)

    assert centres.tolist() == [1.5, 5.5, 9.5]  # pixels 0-3, 4-7 and 8-11


def test_distance_map_is_the_euclidean_distance_to_each_pixel():
    distances = distance_map(points((0, 0)), (2, 4))

    assert distances == pytest.approx(
        np.array([[0, 1, 2, 3], [1, math.sqrt(2), math.sqrt(5), math.sqrt(10)]])
    )


def test_distance_map_takes_the_nearest_of_several_clicks():
    distances = distance_map(points((0, 0), (5, 0)), (1, 6))

    assert distances.tolist() == [[0, 1, 2, 2, 1, 0]]


def test_distance_map_with_a_stride_measures_from_cell_centres():
    distances = distance_map(points((4.5, 5.5)), (4, 8), stride=4)

    # cell centres (1.5, 1.5) and (5.5, 1.5): 3 and 4 px away, then 1 and 4 px
    assert distances == pytest.approx(np.array([[5, math.sqrt(17)]]))


def test_distance_map_keeps_fractions_of_clicks():
    distances = distance_map(points((0.25, 0)), (1, 2))

    assert distances.tolist() == [[0.25, 0.75]]


def test_distance_map_is_cut_at_255_px():
    distances = distance_map(points((0, 0)), (1, 400))

    assert [distances[0, x] for x in (254, 255, 256, 399)] == [254, 255, 255, 255]


def test_distance_map_without_clicks_is_255_everywhere():
    distances = distance_map(NO_POINTS, (8, 4), stride=4)

    assert distances.tolist() == [[255], [255]]
    assert distances.dtype == np.float32


@given(
    st.lists(st.tuples(st.floats(-0.5, 31.5), st.floats(-0.5, 23.5)), min_size=1, max_size=5),
    st.sampled_from([1, 2, 4, 8]),
)
def test_distance_map_equals_a_loop_over_all_cells_and_clicks(clicks_xy, stride):
    distances = distance_map(points(*clicks_xy), (24, 32), stride)

    expected = [
        [
            min(math.dist((column, row), click) for click in clicks_xy)
            for column in np.arange(32 // stride) * stride + (stride - 1) / 2
        ]
        for row in np.arange(24 // stride) * stride + (stride - 1) / 2
    ]
    assert distances == pytest.approx(np.array(expected), abs=1e-4)


def test_click_map_marks_exactly_the_pixels_of_clicks():
    marks = click_map(points((0, 0), (2.4, 1.5)), (3, 4))

    assert marks.astype(int).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_click_map_without_clicks_is_empty():
    marks = click_map(NO_POINTS, (2, 2))

    assert marks.tolist() == [[False, False], [False, False]]


def test_guidance_of_positive_clicks_fills_the_first_three_maps():
    positive = points((1.5, 1.5))

    maps = guidance_maps(positive, NO_POINTS, (4, 16))

    # cell centres at x = 1.5, 5.5, 9.5, 13.5: 0, 4, 8 and 12 px away
    assert maps[0] == pytest.approx(np.array([[0, 4 / 255, 8 / 255, 12 / 255]]))
    assert maps[1] == pytest.approx(
        np.array([[1, math.exp(-1 / 3), math.exp(-2 / 3), math.exp(-1)]])
    )
    assert maps[2].tolist() == [[1, 1, 0, 0]]  # 8 px lie outside the disc of 6 px
    assert maps[3:].tolist() == [[[1, 1, 1, 1]], [[0] * 4], [[0] * 4], [[0] * 4]]


def test_guidance_of_negative_clicks_is_the_same_in_the_next_three_maps():
    clicks_xy = points((3, 2), (14, 1))

    as_positive = guidance_maps(clicks_xy, NO_POINTS, (4, 16))
    as_negative = guidance_maps(NO_POINTS, clicks_xy, (4, 16))

    assert as_negative[3:6].tolist() == as_positive[:3].tolist()
    assert as_negative[:3].tolist() == as_positive[3:6].tolist()


def test_guidance_without_clicks_of_a_sign_is_far_from_everywhere():
    maps = guidance_maps(NO_POINTS, NO_POINTS, (4, 4))

    assert maps.ravel().tolist() == [1, 0, 0, 1, 0, 0, 0]


def test_the_last_guidance_map_is_the_previous_mask():
    previous = np.array([[0, 0.25, 1, 0]], dtype=np.float32)

    maps = guidance_maps(points((1, 1)), NO_POINTS, (4, 16), previous)

    assert maps[6].tolist() == [[0, 0.25, 1, 0]]
    assert maps.shape == (7, 1, 4)
    assert maps.dtype == np.float32


POSITIONS = st.lists(st.tuples(st.floats(-0.5, 2047.5), st.floats(-0.5, 63.5)), max_size=6)


@given(POSITIONS, POSITIONS)
def test_guidance_maps_stay_between_0_and_1(positive, negative):
    maps = guidance_maps(
        np.reshape(positive, (-1, 2)), np.reshape(negative, (-1, 2)), (64, 2048), None
    )

    assert maps.min() >= 0
    assert maps.max() <= 1


def test_embedding_clicks_are_flat_cells_with_positive_clicks_first():
    positive, negative = points((20, 3)), points((0, 8), (9, 15))

    index, sign = embedding_clicks(positive, negative, (16, 24))

    # 2 x 3 cells of 8 px: (column 2, row 0), (column 0, row 1), (column 1, row 1)
    assert index.tolist() == [2, 3, 4]
    assert sign.tolist() == [1, -1, -1]
    assert (index.dtype, sign.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [
        pytest.param(-0.5, -0.5, 0, id="top-left-edge"),
        pytest.param(23.5, -0.5, 2, id="top-right-edge"),
        pytest.param(-0.5, 15.5, 3, id="bottom-left-edge"),
        pytest.param(23.5, 15.5, 5, id="bottom-right-edge"),
        pytest.param(7.49, 7.49, 0, id="left-of-the-line-between-cells"),
        pytest.param(7.5, 7.5, 4, id="on-the-line-between-cells"),
    ],
)
def test_embedding_clicks_never_leave_the_grid(x, y, cell):
    index, _ = embedding_clicks(points((x, y)), NO_POINTS, (16, 24))

    assert index.tolist() == [cell]


def test_embedding_clicks_are_padded_with_sign_0():
    index, sign = embedding_clicks(points((9, 0)), points((17, 0)), (8, 24), length=4)

    assert index.tolist() == [1, 2, 0, 0]
    assert sign.tolist() == [1, -1, 0, 0]


def test_embedding_clicks_without_clicks_hold_one_entry_of_padding():
    index, sign = embedding_clicks(NO_POINTS, NO_POINTS, (8, 8))

    assert index.tolist() == [0]
    assert sign.tolist() == [0]
