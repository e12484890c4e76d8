"""The click sets of Xu et al. as a whole; their parts are in test_training_clicks.py."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from latentcut.core.clicks import Click
from latentcut.core.distances import depth_map
from latentcut.simulation.training_clicks import distance_to, sampled_clicks


def disc(centre_xy, radius, size_hw=(260, 320)):
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    return (columns - centre_xy[0]) ** 2 + (rows - centre_xy[1]) ** 2 <= radius**2


OBJECT = disc((120, 130), 60)
OTHERS = [disc((240, 60), 50), disc((260, 200), 45)]  # room for ten clicks each
SETS = [sampled_clicks(OBJECT, OTHERS, np.random.default_rng(seed)) for seed in range(300)]


def split(clicks: list[Click]) -> tuple[list[Click], list[Click]]:
    return [c for c in clicks if c.positive], [c for c in clicks if not c.positive]


def at(array, click: Click):
    return array[int(click.y), int(click.x)]


def smallest_gap(clicks: list[Click]) -> float:
    gaps = (math.dist((a.x, a.y), (b.x, b.y)) for a, b in combinations(clicks, 2))
    return min(gaps, default=math.inf)


def strategy_of(negative: list[Click]) -> str:
    """
    Which strategy made these clicks.

    The other objects are more than 5 px away and random background clicks hit nothing else;
    band clicks are at most 40 px away, as none of the others all are.
    """
    if all(any(at(other, c) for other in OTHERS) for c in negative):
        return "others"
    near = distance_to(OBJECT)
    is_band = len(negative) == 15 and all(at(near, c) <= 40 for c in negative)
    return "band" if is_band else "background"


STRATEGIES = [strategy_of(split(clicks)[1]) for clicks in SETS]


def test_a_set_has_1_to_10_positive_clicks_each_number_as_often():
    counts = Counter(len(split(clicks)[0]) for clicks in SETS)

    assert sorted(counts) == list(range(1, 11))
    assert min(counts.values()) >= 15  # 30 of 300 are expected of each
    assert max(counts.values()) <= 50


def test_positive_clicks_come_first_and_lie_deep_in_the_object_and_apart():
    depth = depth_map(OBJECT)
    for clicks in SETS:
        positive, negative = split(clicks)

        assert clicks == positive + negative
        assert min(at(depth, c) for c in positive) >= 5
        assert smallest_gap(positive) >= 10


def test_every_negative_click_is_5_px_off_the_object():
    away = distance_to(OBJECT)
    for clicks in SETS:
        assert min(at(away, c) for c in split(clicks)[1]) >= 5


def test_the_three_strategies_are_equally_likely():
    shares = Counter(STRATEGIES)

    assert {name: count / 300 for name, count in shares.items()} == pytest.approx(
        {"background": 1 / 3, "others": 1 / 3, "band": 1 / 3}, abs=0.08
    )


def test_the_first_strategy_draws_1_to_15_clicks_10_px_apart():
    found = [split(c)[1] for c, s in zip(SETS, STRATEGIES, strict=True) if s == "background"]

    assert {len(negative) for negative in found} == set(range(1, 16))
    assert min(smallest_gap(negative) for negative in found) >= 10


def test_the_second_strategy_draws_1_to_10_clicks_on_each_other_object_by_itself():
    found = [split(c)[1] for c, s in zip(SETS, STRATEGIES, strict=True) if s == "others"]

    per_object = [[sum(bool(at(o, c)) for c in negative) for o in OTHERS] for negative in found]
    assert {first for first, _ in per_object} == set(range(1, 11))
    assert {second for _, second in per_object} == set(range(1, 11))
    assert sum(a == b for a, b in per_object) < len(per_object) / 2  # each has its own number
    depths = [depth_map(other) for other in OTHERS]
    for negative in found:
        assert min(max(at(depth, c) for depth in depths) for c in negative) >= 5


def test_the_third_strategy_draws_15_clicks_in_the_band_around_the_object():
    found = [split(c)[1] for c, s in zip(SETS, STRATEGIES, strict=True) if s == "band"]

    near = distance_to(OBJECT)
    assert {len(negative) for negative in found} == {15}
    assert max(at(near, c) for negative in found for c in negative) <= 40


def test_without_other_objects_the_second_strategy_has_positive_clicks_only():
    sets = [sampled_clicks(OBJECT, [], np.random.default_rng(seed)) for seed in range(90)]

    share = sum(not split(clicks)[1] for clicks in sets) / 90
    assert share == pytest.approx(1 / 3, abs=0.12)


def test_an_object_of_one_pixel_is_clicked_where_it_is():
    gt_mask = np.zeros((30, 30), dtype=bool)
    gt_mask[7, 11] = True

    for seed in range(20):
        clicks = sampled_clicks(gt_mask, [], np.random.default_rng(seed))

        assert split(clicks)[0] == [Click(11, 7)]


def test_an_object_that_fills_the_image_has_positive_clicks_only():
    sets = [
        sampled_clicks(np.ones((40, 40), dtype=bool), [], np.random.default_rng(seed))
        for seed in range(20)
    ]

    assert [split(clicks)[1] for clicks in sets] == [[]] * 20


def test_the_same_seed_gives_the_same_set_and_another_seed_another_one():
    again = sampled_clicks(OBJECT, OTHERS, np.random.default_rng(5))

    assert again == SETS[5]
    assert again != SETS[6]
