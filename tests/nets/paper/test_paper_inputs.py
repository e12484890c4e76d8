from __future__ import annotations

import math

import numpy as np
import pytest

from latentcut import Click
from latentcut.nets.paper.inputs import CLICK_MAPS, click_discs, paper_maps

POSITIVE = Click(1, 0)
NEGATIVE = Click(2, 1, positive=False)


def test_s_marks_exactly_the_pixels_of_the_clicks_of_its_sign():
    maps = paper_maps([POSITIVE, NEGATIVE, Click(0, 1)], (2, 3))

    assert maps.dtype == np.float32
    assert maps.shape == (4, 2, 3)
    assert maps[0].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert maps[1].tolist() == [[0, 0, 0], [0, 0, 1]]


def test_s_marks_the_pixel_that_a_click_between_centres_lies_in():
    maps = paper_maps([Click(0.5, 0.25), Click(2.25, 0.75)], (2, 3))

    assert maps[0].tolist() == [[0, 1, 0], [0, 0, 1]]  # halves round up


def test_t_is_the_distance_to_the_nearest_click_of_its_sign_over_255():
    maps = paper_maps([POSITIVE, NEGATIVE, Click(0, 1)], (2, 3))

    to_positive = [[1, 0, 1], [0, 1, math.sqrt(2)]]
    to_negative = [[math.sqrt(5), math.sqrt(2), 1], [2, 1, 0]]
    assert maps[2] * 255 == pytest.approx(np.array(to_positive), rel=1e-6)
    assert maps[3] * 255 == pytest.approx(np.array(to_negative), rel=1e-6)


def test_t_is_cut_at_255_px():
    maps = paper_maps([Click(0, 0)], (1, 300))

    assert (maps[2, 0, [0, 51, 254]] * 255).tolist() == pytest.approx([0, 51, 254])
    assert maps[2, 0, 255:].tolist() == [1.0] * 45


@pytest.mark.parametrize(
    ("click", "without"),
    [
        pytest.param(NEGATIVE, 0, id="no positive click"),
        pytest.param(POSITIVE, 1, id="no negative click"),
    ],
)
@pytest.mark.parametrize(("kind", "nothing"), [("distance", 1.0), ("discs", 0), ("gaussians", 0)])
def test_without_clicks_of_a_sign_its_maps_say_nothing(click, without, kind, nothing):
    maps = paper_maps([click], (2, 3), kind)

    assert maps[without].tolist() == [[0] * 3] * 2
    assert maps[2 + without].tolist() == [[nothing] * 3] * 2
    assert len(np.unique(maps[3 - without])) > 1 or kind == "discs"  # the other sign's are drawn


@pytest.mark.parametrize("kind", CLICK_MAPS)
def test_without_any_click_s_is_empty_and_every_value_lies_in_0_to_1(kind):
    maps = paper_maps([], (4, 4), kind)

    assert maps[:2].tolist() == np.zeros((2, 4, 4)).tolist()
    assert set(np.unique(maps[2:])) == {1.0 if kind == "distance" else 0.0}


def test_discs_hold_what_is_at_most_5_px_from_a_click():
    maps = paper_maps([Click(6, 6)], (13, 13), "discs")

    rows, columns = np.mgrid[:13, :13]
    expected = (rows - 6) ** 2 + (columns - 6) ** 2 <= 25
    assert maps[2].tolist() == expected.astype(float).tolist()
    assert maps[2].sum() == 81  # lattice points in a circle of radius 5
    assert maps[0].sum() == 1  # S stays a single pixel


def test_gaussians_fall_by_their_sigma_of_10_px():
    maps = paper_maps([Click(0, 0)], (1, 31), "gaussians")

    expected = [1.0, math.exp(-0.5), math.exp(-2), math.exp(-4.5)]
    assert maps[2, 0, [0, 10, 20, 30]].tolist() == pytest.approx(expected, rel=1e-5)


def test_at_a_stride_s_marks_cells_and_t_is_measured_from_their_centres():
    maps = paper_maps([Click(4, 0), Click(0, 7, positive=False)], (8, 8), stride=4)

    centre = 1.5  # of the first cell; the second one's is 5.5
    assert maps.shape == (4, 2, 2)
    assert maps[0].tolist() == [[0, 1], [0, 0]]
    assert maps[1].tolist() == [[0, 0], [1, 0]]
    assert maps[2, 0, 0] * 255 == pytest.approx(math.hypot(4 - centre, centre), rel=1e-6)
    assert maps[3, 1, 1] * 255 == pytest.approx(math.hypot(5.5, 7 - 5.5), rel=1e-6)


def test_discs_at_a_coarse_stride_grow_to_one_cell_so_that_none_is_empty():
    maps = paper_maps([Click(7, 7)], (32, 32), "discs", stride=8)

    # cell centres are at 3.5, 11.5, ...; the four around (7, 7) are 4.9 to 6.4 px away
    assert maps[2].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]


# ---------------------------------------------------------------- discs for the pooled g


def test_click_discs_are_6_px_wide_around_clicks_of_each_sign():
    discs = click_discs([Click(7, 7)], (15, 15))

    rows, columns = np.mgrid[:15, :15]
    expected = (rows - 7) ** 2 + (columns - 7) ** 2 <= 36
    assert discs.dtype == np.float32
    assert discs.tolist() == [expected.astype(float).tolist(), np.zeros((15, 15)).tolist()]


def test_click_discs_at_a_coarse_stride_grow_to_one_cell():
    discs = click_discs([Click(7, 7, positive=False)], (32, 32), stride=8)

    assert discs[0].sum() == 0
    assert discs[1].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]
