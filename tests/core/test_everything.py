"""Everything-mode: a grid of clicks, filtered, without repetitions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut.cli.samples import SAMPLES
from latentcut.core.everything import (
    EverythingOptions,
    Search,
    find_all,
    grid_clicks,
    stability_of,
    without_repeats,
)
from latentcut.core.metrics import iou
from latentcut.errors import BadConfig

FEW = EverythingOptions(points_per_side=6)


@pytest.fixture(scope="module")
def predictor():
    return latentcut.load(threads=1)


@pytest.fixture(scope="module")
def coffee(predictor):
    with Image.open(SAMPLES / "coffee.jpg") as photo:
        return predictor.encode(photo.resize((300, 200)))


@pytest.fixture(scope="module")
def found(predictor, coffee):
    return find_all(predictor, coffee, FEW)


def test_a_grid_is_square_and_lies_in_the_middle_of_its_cells():
    clicks = grid_clicks((50, 100), points_per_side=4)

    assert sorted({click.x for click in clicks}) == [12.0, 37.0, 62.0, 87.0]
    assert sorted({click.y for click in clicks}) == [12.0, 37.0]
    assert len(clicks) == 8


def test_a_single_pixel_gets_its_click():
    assert [(click.x, click.y) for click in grid_clicks((1, 1), 16)] == [(0.0, 0.0)]


def test_a_mask_that_moves_with_its_threshold_is_unstable():
    firm = np.where(np.arange(100).reshape(10, 10) < 50, 8.0, -8.0)
    soft = np.linspace(2, -2, 100).reshape(10, 10)

    assert stability_of(firm) == 1.0
    assert stability_of(soft) == pytest.approx(25 / 75, abs=0.02)
    assert stability_of(np.full((4, 4), -8.0)) == 0.0


def test_of_masks_that_are_nearly_the_same_the_first_stays():
    masks = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 1]], dtype=np.float32)

    assert without_repeats(list(masks), max_overlap=0.7) == [0, 2]
    assert without_repeats(list(masks), max_overlap=0.8) == [0, 1, 2]


def test_the_cup_is_among_what_is_found(found):
    # the cup with its saucer: a box around it in the reduced photo
    cup = np.zeros((200, 300), dtype=bool)
    cup[10:194, 40:238] = True
    best = max(iou(thing.mask, cup, np.zeros_like(cup)) for thing in found)

    assert best > 0.6


def test_each_thing_says_where_it_is_and_how_sure_it_is(found):
    assert found
    for thing in found:
        left, top, right, bottom = thing.box_xyxy
        mask = thing.mask
        assert mask.shape == (200, 300)
        assert thing.area == mask.sum()
        assert mask[top:bottom, left:right].sum() == thing.area
        assert mask[thing.click.pixel_xy[::-1]]
        assert thing.score >= FEW.min_score
        assert thing.stability >= FEW.min_stability


def test_the_best_come_first_and_none_is_a_repetition(found):
    ranks = [thing.score * thing.stability for thing in found]
    nothing = np.zeros((200, 300), dtype=bool)
    overlaps = [
        iou(one.mask, other.mask, nothing)
        for place, one in enumerate(found)
        for other in found[:place]
    ]

    assert ranks == sorted(ranks, reverse=True)
    # compared at reduced size, so a little more may overlap at full size
    assert max(overlaps, default=0) <= FEW.max_overlap + 0.05


def test_steps_of_any_size_find_the_same(predictor, coffee, found):
    search = Search(predictor, coffee, FEW)
    while not search.is_done:
        search.advance(5)

    assert search.found() == found


def test_progress_is_told_after_every_click_and_can_end_the_search(predictor, coffee):
    told = []

    def progress(done, total):
        told.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predictor.find_all(coffee, FEW, progress)

    assert told == [(1, 24), (2, 24), (3, 24)]


def test_only_the_best_are_kept_when_a_number_is_given(predictor, coffee, found):
    few = predictor.find_all(coffee, EverythingOptions(points_per_side=6, max_objects=1))

    assert few == found[:1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"points_per_side": 0}, "points_per_side must be 1 to 128, given 0"),
        ({"max_objects": 0}, "max_objects must be 1 or more, given 0"),
        ({"min_score": 1.5}, "min_score must be 0 to 1, given 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, message):
    with pytest.raises(BadConfig) as caught:
        EverythingOptions(**values)

    assert str(caught.value) == message


def test_a_little_less_overlap_makes_a_repetition_of_what_is_known():
    known, found = np.zeros(100, np.float32), np.zeros(100, np.float32)
    known[:100], found[:68] = 1, 1  # IoU 0.68

    assert without_repeats([known, found], max_overlap=0.7) == [0, 1]
    assert without_repeats([known, found], max_overlap=0.7, num_known=1) == [0]
    assert without_repeats([known, (np.arange(100) < 60).astype(np.float32)], 0.7, 1) == [0, 1]


def test_what_is_known_already_is_left_out_and_nothing_else(predictor, coffee):
    search = Search(predictor, coffee, FEW)
    search.advance(len(search.clicks))
    everything = search.found()

    new = search.found([everything[0].mask])

    assert everything[0].rle["counts"] not in {thing.rle["counts"] for thing in new}
    assert all(iou(thing.mask, everything[0].mask) < 0.8 for thing in new)
    assert search.found([thing.mask for thing in everything]) == ()
    # two known masks that repeat each other are no reason to find either again
    assert search.found([everything[0].mask] * 2) == new
    assert search.found() == everything
