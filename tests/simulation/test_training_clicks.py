from __future__ import annotations

import math
from itertools import combinations

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map
from latentcut.simulation.robot import first_click, next_click
from latentcut.simulation.training_clicks import (
    FirstClicks,
    background_clicks,
    band_clicks,
    corrective_click,
    deep_part,
    distance_to,
    first_clicks,
    other_object_clicks,
    positive_clicks,
    spread_points,
)

SEEDS = range(20)
MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def disc(centre_xy, radius, size_hw=(120, 160)):
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    return (columns - centre_xy[0]) ** 2 + (rows - centre_xy[1]) ** 2 <= radius**2


OBJECT = disc((70, 60), 30)
OTHERS = [disc((135, 30), 20), disc((20, 100), 15)]


def values_at(array, clicks):
    return [array[round(click.y), round(click.x)] for click in clicks]


def smallest_gap(clicks):
    return min(
        (math.dist((a.x, a.y), (b.x, b.y)) for a, b in combinations(clicks, 2)), default=math.inf
    )


# ---------------------------------------------------------------- spreading and margins


def test_spread_points_are_a_step_apart_and_as_many_as_there_is_room_for():
    row = np.ones((1, 21), dtype=bool)

    counts = {len(spread_points(row, 9, np.random.default_rng(seed))) for seed in range(50)}

    # 0, 10, 20 at best; 5 and 15 leave no room for a third
    assert counts == {2, 3}


def test_points_exactly_a_step_apart_are_allowed():
    row = np.zeros((1, 12), dtype=bool)
    row[0, [0, 9, 10]] = True

    found = {
        tuple(sorted(spread_points(row, 9, np.random.default_rng(seed)))) for seed in range(30)
    }

    assert found == {((0, 0), (10, 0)), ((9, 0),)}  # 10 px are a step, 9 px are not


@given(MASKS, st.integers(1, 20), st.floats(1, 5), st.integers(0, 99))
def test_spread_points_lie_in_the_region_and_leave_no_free_pixel(region, count, step_px, seed):
    points = spread_points(region, count, np.random.default_rng(seed), step_px)

    assert [bool(region[y, x]) for x, y in points] == [True] * len(points)
    assert all(math.dist(a, b) >= step_px for a, b in combinations(points, 2))
    if len(points) < count:
        for y, x in np.argwhere(region):
            assert min(math.dist((x, y), point) for point in points) < step_px


def test_spreading_leaves_the_region_as_it_was():
    region = OBJECT.copy()

    spread_points(region, 5, np.random.default_rng(0))

    assert (region == OBJECT).all().tolist() is True


def test_the_deep_part_of_a_thick_region_is_5_px_from_its_boundary():
    region = np.ones((19, 19), dtype=bool)  # deepest: 10

    deep = deep_part(region)

    expected = np.zeros((19, 19), dtype=bool)
    expected[4:15, 4:15] = True  # row 4 is the fifth from outside
    assert deep.tolist() == expected.tolist()


def test_the_deep_part_of_a_thin_region_is_its_deepest_half():
    region = np.ones((5, 9), dtype=bool)  # deepest: 3, so from 3 / 2 + 1 / 2 = 2 on

    deep = deep_part(region)

    expected = np.zeros((5, 9), dtype=bool)
    expected[1:4, 1:8] = True
    assert deep.tolist() == expected.tolist()


def test_an_empty_region_has_no_deep_part():
    deep = deep_part(np.zeros((3, 4), dtype=bool))

    assert deep.tolist() == [[False] * 4] * 3


def test_distance_to_a_region_is_euclidean_and_infinite_to_none():
    region = np.array([[True, False, False], [False, False, False]])

    distance = distance_to(region)
    distance_to_none = distance_to(np.zeros((1, 2), dtype=bool))

    assert distance == pytest.approx(np.array([[0, 1, 2], [1, math.sqrt(2), math.sqrt(5)]]))
    assert distance_to_none.tolist() == [[math.inf, math.inf]]


# ---------------------------------------------------------------- the clicks of the paper


def test_positive_clicks_are_5_px_inside_the_object_and_10_px_apart():
    depth = depth_map(OBJECT)
    for seed in SEEDS:
        clicks = positive_clicks(OBJECT, 10, np.random.default_rng(seed))

        assert [click.positive for click in clicks] == [True] * len(clicks)
        assert min(values_at(depth, clicks)) >= 5
        assert smallest_gap(clicks) >= 10
        assert 5 <= len(clicks) <= 10  # a disc of radius 25 has room for many


def test_background_clicks_are_5_px_away_from_the_object_and_10_px_apart():
    distance = distance_to(OBJECT)
    for seed in SEEDS:
        clicks = background_clicks(OBJECT, 15, np.random.default_rng(seed))

        assert [click.positive for click in clicks] == [False] * 15
        assert min(values_at(distance, clicks)) >= 5
        assert smallest_gap(clicks) >= 10


def test_clicks_on_other_objects_are_deep_in_each_of_them():
    for seed in SEEDS:
        clicks = other_object_clicks(OTHERS, OBJECT, 3, np.random.default_rng(seed))

        per_object = [sum(values_at(other, clicks)) for other in OTHERS]
        assert [click.positive for click in clicks] == [False] * len(clicks)
        assert per_object[0] == 3  # a disc of radius 15 has room for three
        assert 2 <= per_object[1] <= 3  # one of radius 10 has not always
        assert (
            min(max(depth_map(other)[round(c.y), round(c.x)] for other in OTHERS) for c in clicks)
            >= 5
        )
        for other in OTHERS:
            inside = [c for c in clicks if other[round(c.y), round(c.x)]]
            assert smallest_gap(inside) >= 10


def test_an_object_that_covers_another_one_is_not_clicked_as_background():
    part, whole = disc((70, 60), 10), OBJECT
    for seed in SEEDS:
        on_whole = other_object_clicks([part], whole, 5, np.random.default_rng(seed))
        on_part = other_object_clicks([whole], part, 5, np.random.default_rng(seed))

        assert on_whole == []  # no pixel of the part lies outside the whole
        assert max(values_at(part, on_part)) == 0


def test_band_clicks_are_5_to_40_px_away_from_the_object():
    distance = distance_to(OBJECT)
    for seed in SEEDS:
        clicks = band_clicks(OBJECT, np.random.default_rng(seed))

        found = values_at(distance, clicks)
        assert [click.positive for click in clicks] == [False] * 15
        assert min(found) >= 5
        assert max(found) <= 40
        assert smallest_gap(clicks) >= 10


def test_each_band_click_is_as_far_as_possible_from_those_before():
    gt_mask = np.zeros((1, 101), dtype=bool)
    gt_mask[0, 50] = True

    clicks = band_clicks(gt_mask, np.random.default_rng(0), count=4)

    # the band is 10..45 and 55..90
    xs = [int(click.x) for click in clicks]
    band = [x for x in range(101) if 5 <= abs(x - 50) <= 40]
    for k in range(1, 4):
        gaps = [min(abs(x - earlier) for earlier in xs[:k]) for x in band]
        assert min(abs(xs[k] - earlier) for earlier in xs[:k]) == max(gaps)


def test_a_band_with_fewer_pixels_than_clicks_gives_one_click_per_pixel():
    gt_mask = np.zeros((1, 13), dtype=bool)
    gt_mask[0, 6] = True  # 5 px away or more: columns 0, 1, 11, 12

    clicks = band_clicks(gt_mask, np.random.default_rng(0))

    assert sorted(click.x for click in clicks) == [0, 1, 11, 12]


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(lambda mask, rng: background_clicks(mask, 5, rng), id="background"),
        pytest.param(lambda mask, rng: other_object_clicks([], mask, 5, rng), id="other-objects"),
        pytest.param(lambda mask, rng: band_clicks(mask, rng), id="band"),
    ],
)
def test_an_object_that_fills_the_image_has_no_negative_clicks(strategy):
    clicks = strategy(np.ones((20, 20), dtype=bool), np.random.default_rng(0))

    assert clicks == []


def test_background_that_is_all_near_the_object_is_clicked_nevertheless():
    gt_mask = np.ones((8, 8), dtype=bool)
    gt_mask[:, 0] = False

    clicks = background_clicks(gt_mask, 3, np.random.default_rng(0))

    assert [click.x for click in clicks] == [0]  # one column of 8 px has no room for two


# ---------------------------------------------------------------- the set of first clicks

ONLY_MANY = FirstClicks(single_share=0, max_positive=10, max_negative=15)


@given(MASKS, st.integers(0, 999))
def test_first_clicks_start_with_a_positive_one_on_the_object(gt_mask, seed):
    assume(gt_mask.any())

    clicks = first_clicks(gt_mask, [~gt_mask], np.random.default_rng(seed), FirstClicks(0.5))

    signs = [click.positive for click in clicks]
    assert signs[0] is True
    assert signs == sorted(signs, reverse=True)
    assert [bool(value) for value in values_at(gt_mask, clicks)] == signs


def test_first_clicks_keep_to_the_largest_numbers():
    counts = []
    for seed in range(200):
        clicks = first_clicks(OBJECT, OTHERS, np.random.default_rng(seed), ONLY_MANY)
        num_positive = sum(click.positive for click in clicks)
        counts.append((num_positive, len(clicks) - num_positive))

    assert max(positive for positive, _ in counts) <= 10
    assert max(negative for _, negative in counts) == 15
    assert min(negative for _, negative in counts) == 0


def test_a_single_first_click_may_always_be_that_of_the_robot():
    how = FirstClicks(single_share=1, centre_share=1)

    clicks = first_clicks(OBJECT, OTHERS, np.random.default_rng(0), how)

    assert clicks == [first_click(OBJECT)]


def test_a_single_first_click_off_the_centre_is_5_px_inside():
    how = FirstClicks(single_share=1, centre_share=0)
    depth = depth_map(OBJECT)
    found = [first_clicks(OBJECT, OTHERS, np.random.default_rng(seed), how) for seed in SEEDS]

    assert [len(clicks) for clicks in found] == [1] * len(SEEDS)
    assert min(values_at(depth, [clicks[0] for clicks in found])) >= 5
    assert len({clicks[0] for clicks in found}) > 10


def test_the_same_seed_gives_the_same_clicks_and_another_seed_others():
    one, same, other = (
        first_clicks(OBJECT, OTHERS, np.random.default_rng(seed), ONLY_MANY) for seed in (7, 7, 8)
    )

    assert same == one
    assert other != one


# ---------------------------------------------------------------- corrections


def test_a_correction_may_always_be_that_of_the_robot():
    mask = disc((80, 60), 30)

    click = corrective_click(mask, OBJECT, np.random.default_rng(0), centre_share=1)

    assert click == next_click(mask, OBJECT)


@given(st.data(), st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_a_correction_lies_on_an_error_with_its_sign_and_never_on_ignored_pixels(
    data, height, width, seed
):
    mask, gt_mask, ignore_mask = (data.draw(hnp.arrays(bool, (height, width))) for _ in range(3))
    error = (mask != gt_mask) & ~ignore_mask

    click = corrective_click(mask, gt_mask, np.random.default_rng(seed), ignore_mask, 0.5)

    assert (click is None) == (not error.any())
    if click is not None:
        column, row = click.pixel_xy
        assert bool(error[row, column]) is True
        assert click.positive == bool(gt_mask[row, column])


@pytest.mark.parametrize("centre_share", [0, 1])
def test_a_mask_without_error_needs_no_correction(centre_share):
    click = corrective_click(OBJECT, OBJECT, np.random.default_rng(0), None, centre_share)

    assert click is None


def test_untidy_corrections_are_5_px_inside_the_error_and_differ():
    mask = np.zeros_like(OBJECT)
    depth = depth_map(OBJECT)

    clicks = [
        corrective_click(mask, OBJECT, np.random.default_rng(seed), centre_share=0)
        for seed in SEEDS
    ]

    assert min(values_at(depth, clicks)) >= 5
    assert len(set(clicks)) > 10
    assert [type(click) for click in clicks] == [Click] * len(SEEDS)


def test_clicks_may_lie_anywhere_when_asked_to():
    gt_mask = np.zeros((60, 60), dtype=bool)
    gt_mask[10:50, 10:50] = True
    depth = depth_map(gt_mask)
    how = FirstClicks(single_share=1.0, centre_share=0.0, anywhere_share=1.0)

    drawn = [first_clicks(gt_mask, [], np.random.default_rng(n), how)[0] for n in range(80)]

    depths = [depth[int(c.y), int(c.x)] for c in drawn]
    assert min(depths) < 5  # margin of the other clicks
    assert min(depths) >= 1  # but inside


def test_a_corrective_click_may_lie_on_any_wrong_pixel_when_asked_to():
    gt_mask = np.zeros((60, 60), dtype=bool)
    gt_mask[10:50, 10:50] = True
    depth = depth_map(gt_mask)

    drawn = [
        corrective_click(
            np.zeros_like(gt_mask), gt_mask, np.random.default_rng(n), None, 0.0, anywhere_share=1.0
        )
        for n in range(80)
    ]

    depths = [depth[int(c.y), int(c.x)] for c in drawn]
    assert 1 <= min(depths) < 5
    assert all(c.positive for c in drawn)
