from __future__ import annotations

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map
from latentcut.simulation.robot import (
    centre_xy,
    first_click,
    largest_component,
    next_click,
)

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def drawn(*rows):
    """A mask from rows of text: # is inside."""
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_depth_is_the_distance_to_the_nearest_pixel_outside():
    region = drawn(
        ".......",
        ".#####.",
        ".#####.",
        ".#####.",
        ".......",
    )

    depth = depth_map(region)

    assert depth.tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 1, 2, 2, 2, 1, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]


def test_depth_next_to_a_hole_is_measured_diagonally():
    region = drawn(
        "#####",
        "#####",
        "##.##",
        "#####",
        "#####",
    )

    depth = depth_map(region)

    assert depth[1].tolist() == pytest.approx([1, 2**0.5, 1, 2**0.5, 1])


def test_pixels_beyond_the_image_border_count_as_outside():
    region = np.ones((3, 5), dtype=bool)

    depth = depth_map(region)

    assert depth.tolist() == [[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]]


@given(MASKS)
def test_depth_equals_a_search_over_all_pixels(region):
    depth = depth_map(region)

    padded = np.pad(region, 1)
    outside = np.argwhere(~padded) - 1
    expected = np.zeros(region.shape, dtype=np.float32)
    for row, column in np.argwhere(region):
        nearest_sq = ((outside - (row, column)) ** 2).sum(axis=1).min()
        expected[row, column] = np.sqrt(np.float32(nearest_sq))
    assert depth.tolist() == expected.tolist()


def test_of_equally_deep_pixels_the_first_in_reading_order_is_the_centre():
    region = drawn(
        "....##",
        "....##",
        "###...",
        "###...",
    )

    centre = centre_xy(region)

    assert centre == (4, 0)  # every pixel has depth 1


def test_an_empty_region_has_no_centre():
    assert centre_xy(np.zeros((3, 3), dtype=bool)) is None


def test_the_largest_component_joins_pixels_that_touch_at_corners():
    region = drawn(
        "#...##",
        ".#....",
        "..#...",
    )

    component = largest_component(region)

    assert component.astype(int).tolist() == [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
    ]


def test_of_equally_large_components_the_first_in_reading_order_is_taken():
    region = drawn(
        ".....#..",
        "#.....##",
        "#.#.....",
        "#.......",
    )

    component = largest_component(region)

    # both have 3 pixels; the right one starts in row 0, the left one in row 1
    assert np.argwhere(component).tolist() == [[0, 5], [1, 6], [1, 7]]


def test_an_empty_region_has_an_empty_largest_component():
    component = largest_component(np.zeros((2, 3), dtype=bool))

    assert component.tolist() == [[False] * 3] * 2


def components_in_reading_order(region):
    """All 8-connected components by flooding, as sets of (row, column)."""
    left = {(int(row), int(column)) for row, column in np.argwhere(region)}
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        component, front = {start}, [start]
        left.discard(start)
        while front:
            row, column = front.pop()
            near = {(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            component |= near
            front += near
            left -= near
        found.append(component)
    return found


@given(MASKS)
def test_the_largest_component_equals_the_first_largest_one_found_by_flooding(region):
    component = largest_component(region)

    expected = max(components_in_reading_order(region), key=len, default=set())
    assert {(int(row), int(column)) for row, column in np.argwhere(component)} == expected


# ---------------------------------------------------------------- first click


def test_the_first_click_is_positive_and_in_the_middle_of_the_object():
    gt_mask = drawn(
        ".......",
        ".#####.",
        ".#####.",
        ".#####.",
        ".#####.",
        ".#####.",
        ".......",
    )

    click = first_click(gt_mask)

    assert click == Click(3, 3, positive=True)


def test_the_first_click_of_an_object_at_the_border_keeps_away_from_it():
    gt_mask = np.ones((5, 9), dtype=bool)

    click = first_click(gt_mask)

    assert click == Click(2, 2)  # depth 3 in the middle row from column 2 to 6; the first of them


def test_the_first_click_of_an_object_in_parts_is_in_the_thickest():
    gt_mask = drawn(
        "#########....",
        "..........###",
        "..........###",
        "..........###",
        ".............",
    )

    click = first_click(gt_mask)

    assert click == Click(11, 2)  # depth 2 in 9 pixels; the row of 9 has depth 1


def test_the_first_click_is_never_on_ignored_pixels():
    gt_mask = drawn("#####", "#####", "#####")
    ignore_mask = drawn("..###", "..###", "..###")

    click = first_click(gt_mask, ignore_mask)

    assert click == Click(0, 0)  # what is left is two columns wide, depth 1 everywhere


@pytest.mark.parametrize(
    ("gt_mask", "ignore_mask"),
    [
        pytest.param(drawn("...."), None, id="empty"),
        pytest.param(drawn("##.."), drawn("###."), id="ignored-as-a-whole"),
    ],
)
def test_an_object_without_pixels_has_no_first_click(gt_mask, ignore_mask):
    click = first_click(gt_mask, ignore_mask)

    assert click is None


# ---------------------------------------------------------------- next click

GT_MASK = drawn(
    "......",
    "####..",
    "####..",
    "####..",
    "......",
)


def test_missed_object_is_clicked_positively():
    mask = drawn(
        "......",
        "#.....",
        "#.....",
        "#.....",
        "......",
    )

    click = next_click(mask, GT_MASK)

    assert click == Click(2, 2, positive=True)  # the middle of 3 x 3 missed pixels


def test_included_background_is_clicked_negatively():
    mask = np.ones((5, 6), dtype=bool)

    click = next_click(mask, GT_MASK)

    # a band of one pixel around, but two at the right: depth 1 everywhere, so the first
    assert click == Click(0, 0, positive=False)


def test_the_largest_region_is_clicked_not_the_deepest():
    gt_mask = drawn(
        "###........",
        "###........",
        "###........",
        "...........",
        "...........",
    )
    mask = drawn(
        "...........",
        "...........",
        "...........",
        "...........",
        "###########",
    )

    click = next_click(mask, gt_mask)

    assert click == Click(0, 4, positive=False)  # 11 pixels of depth 1 against 9 of depth 2


def test_of_equal_errors_the_missed_one_is_clicked():
    gt_mask, mask = drawn("...##"), drawn("##...")

    click = next_click(mask, gt_mask)

    assert click == Click(3, 0, positive=True)


def test_parts_of_the_error_are_compared_one_by_one_and_not_added_up():
    gt_mask, mask = drawn("##.##.##...."), drawn(".........###")

    click = next_click(mask, gt_mask)

    assert click == Click(9, 0, positive=False)  # 3 in one piece against 2 + 2 + 2


def test_missed_and_included_pixels_that_touch_are_two_regions():
    gt_mask, mask = drawn("###..."), drawn("...##.")

    click = next_click(mask, gt_mask)

    assert click == Click(0, 0, positive=True)  # 3 missed, 2 included, never 5 in one


def test_ignored_pixels_are_no_error():
    gt_mask, mask = drawn("#####......"), drawn(".......####")
    ignore_mask = drawn("###........")

    click = next_click(mask, gt_mask, ignore_mask)

    assert click == Click(7, 0, positive=False)  # 2 of 5 missed pixels count, against 4


@pytest.mark.parametrize(
    ("mask", "ignore_mask"),
    [
        pytest.param(GT_MASK, None, id="nothing-wrong"),
        pytest.param(~GT_MASK, np.ones_like(GT_MASK), id="everything-ignored"),
    ],
)
def test_there_is_no_next_click_where_nothing_is_wrong(mask, ignore_mask):
    click = next_click(mask, GT_MASK, ignore_mask)

    assert click is None


@given(st.data(), st.integers(1, 10), st.integers(1, 10))
def test_the_next_click_is_an_error_with_its_sign_and_always_the_same(data, height, width):
    mask, gt_mask, ignore_mask = (data.draw(hnp.arrays(bool, (height, width))) for _ in range(3))
    arguments_before = [array.copy() for array in (mask, gt_mask, ignore_mask)]

    click = next_click(mask, gt_mask, ignore_mask)

    assert click == next_click(mask, gt_mask, ignore_mask)
    assert (click is None) == (((mask != gt_mask) & ~ignore_mask).sum() == 0)
    if click is not None:
        column, row = click.pixel_xy
        assert (bool(gt_mask[row, column]), bool(mask[row, column])) == (
            click.positive,
            not click.positive,
        )
        assert bool(ignore_mask[row, column]) is False
    for before, after in zip(arguments_before, (mask, gt_mask, ignore_mask), strict=True):
        assert after.tolist() == before.tolist()
