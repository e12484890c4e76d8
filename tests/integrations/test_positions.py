"""Positions of other tools: counted from the edge or from pixels, as boxes of any corners."""

from __future__ import annotations

import numpy as np
import pytest

from latentcut import Click
from latentcut.integrations.positions import box_at, click_at, click_on_pixel

SIZE_HW = (96, 128)


@pytest.mark.parametrize(
    ("point", "pixel_xy"),
    [((0, 0), (0, 0)), ((0.9, 3.2), (0, 3)), ((127.5, 95.9), (127, 95)), ((128, 96), (127, 95))],
)
def test_a_place_counted_from_the_edge_is_the_pixel_that_holds_it(point, pixel_xy):
    click = click_at(point, True, SIZE_HW)

    assert click.pixel_xy == pixel_xy


@pytest.mark.parametrize("point", [(-0.1, 5), (128.1, 5), (5, 97), (float("nan"), 5)])
def test_a_place_outside_stays_outside(point):
    click = click_at(point, True, SIZE_HW)

    assert not (0 <= click.x <= 127 and 0 <= click.y <= 95)


def test_a_column_just_beyond_the_last_counts_as_the_last():
    click = click_on_pixel((128, 40), False, SIZE_HW)

    assert click == Click(127.0, 40, positive=False)


def test_a_box_may_be_given_by_any_two_opposite_corners():
    box = box_at((90, 10), (30, 70))

    assert np.allclose(box, (29.5, 9.5, 89.5, 69.5))
