from __future__ import annotations

import math

import numpy as np
import pytest

from latentcut.core.clicks import Click, broken_clicks, check_clicks, click_points_xy
from latentcut.errors import ClickOutsideImage, LatentcutError

SIZE_HW = (3, 5)


def test_a_click_is_positive_unless_told_otherwise():
    click = Click(2, 1)

    assert click == Click(2, 1, positive=True)


def test_a_click_cannot_be_changed():
    click = Click(2, 1)

    with pytest.raises(AttributeError) as caught:
        click.x = 3

    assert str(caught.value) == "cannot assign to field 'x'"


@pytest.mark.parametrize(
    ("x", "y"),
    [
        pytest.param(0, 0, id="centre-of-the-first-pixel"),
        pytest.param(4, 2, id="centre-of-the-last-pixel"),
        pytest.param(3.999, 0.001, id="fractions"),
        pytest.param(-0.0, 2, id="minus-zero"),
    ],
)
def test_clicks_up_to_the_centres_of_the_border_pixels_are_allowed(x, y):
    clicks = [Click(x, y), Click(1, 1, positive=False)]

    checked = check_clicks(clicks, SIZE_HW)

    assert checked == (Click(x, y), Click(1, 1, positive=False))


@pytest.mark.parametrize(
    ("x", "y", "written"),
    [
        pytest.param(4.01, 1, "x=4.01, y=1", id="right"),
        pytest.param(-0.01, 1, "x=-0.01, y=1", id="left"),
        pytest.param(1, 2.01, "x=1, y=2.01", id="below"),
        pytest.param(1, -3, "x=1, y=-3", id="above"),
        pytest.param(math.nan, 1, "x=nan, y=1", id="not-a-number"),
        pytest.param(1, math.inf, "x=1, y=inf", id="infinite"),
        pytest.param(-math.inf, 1, "x=-inf, y=1", id="minus-infinite"),
    ],
)
def test_a_click_outside_the_image_is_refused(x, y, written):
    with pytest.raises(ClickOutsideImage) as caught:
        check_clicks([Click(0, 0), Click(x, y)], SIZE_HW)

    assert str(caught.value) == (
        f"click ({written}) is outside the image, which is 5 px wide and 3 px high: "
        "x must be 0 to 4 and y 0 to 2"
    )
    assert isinstance(caught.value, LatentcutError)


def test_the_first_click_outside_is_the_one_that_is_named():
    with pytest.raises(ClickOutsideImage) as caught:
        check_clicks([Click(0, 7), Click(9, 0)], SIZE_HW)

    assert (caught.value.x, caught.value.y, caught.value.size_hw) == (0, 7, (3, 5))


@pytest.mark.parametrize(
    ("position", "pixel"),
    [
        pytest.param((0, 0), (0, 0), id="whole-numbers"),
        pytest.param((1.49, 2.51), (1, 3), id="to-the-nearest-centre"),
        pytest.param((0.5, 1.5), (1, 2), id="halves-up"),  # to even would give 0 and 2
    ],
)
def test_a_click_lies_in_the_pixel_with_the_nearest_centre(position, pixel):
    click = Click(*position)

    assert click.pixel_xy == pixel


def test_points_are_those_of_one_sign_in_order():
    clicks = [Click(1, 2), Click(3, 4, positive=False), Click(5.5, 6)]

    points_xy = click_points_xy(clicks, positive=True)

    assert points_xy.tolist() == [[1, 2], [5.5, 6]]


def test_points_of_a_sign_without_clicks_have_shape_0_2():
    points_xy = click_points_xy([Click(1, 2)], positive=False)

    assert points_xy.shape == (0, 2)


def test_broken_clicks_are_positive_ones_outside_and_negative_ones_inside_the_mask():
    mask = np.array([[0, 1, 1], [0, 0, 1]], dtype=bool)
    clicks = [
        Click(0, 0),  # outside: broken
        Click(1, 0),  # inside
        Click(2, 1, positive=False),  # inside: broken
        Click(0.4, 0.6, positive=False),  # pixel (0, 1), outside
        Click(1.4, 0.5),  # pixel (1, 1), outside: broken
    ]

    broken = broken_clicks(mask, clicks)

    assert broken == (clicks[0], clicks[2], clicks[4])
