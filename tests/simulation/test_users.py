"""Users on masks small enough to work every click out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentcut.core.clicks import Click
from latentcut.errors import BadConfig
from latentcut.simulation.robot import first_click, next_click
from latentcut.simulation.users import (
    RANDOM_USERS,
    USERS,
    draw,
    make_user,
    near_boundary,
    near_centre,
    rng_for,
)

RANDOM = sorted(RANDOM_USERS)


def picture(*lines: str):
    """Masks from text: # object, + background that was included, . background, x ignored."""
    cells = np.array([list(line) for line in lines])
    return cells == "#", cells == "+", cells == "x"


def box(size_hw, top, left, bottom, right):
    mask = np.zeros(size_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def none_of(mask):
    return np.zeros_like(mask)


def test_the_centre_user_clicks_as_the_standard_protocol():
    gt, mask = box((20, 30), 4, 5, 15, 25), box((20, 30), 6, 0, 15, 20)
    user = make_user("centre")

    first = user.first(gt, none_of(gt), rng_for(0, "a"))
    second = user.next(mask, gt, none_of(gt), rng_for(0, "a"))

    assert first == first_click(gt)
    assert second == next_click(mask, gt)


def test_the_deepest_user_prefers_a_small_round_error_to_a_large_thin_one():
    gt, included, ignore = picture(
        "############",
        "............",
        "......+++...",
        "......+++...",
        "......+++...",
    )
    user = make_user("deepest")

    click = user.next(included, gt, ignore, rng_for(0, "a"))

    # 12 px are missed, 1 deep; 9 are too many, 2 deep in their middle
    assert click == Click(7, 3, positive=False)
    assert make_user("centre").next(included, gt, ignore, rng_for(0, "a")).positive


def test_the_deepest_user_clicks_included_background_where_both_are_equally_deep():
    gt, included, ignore = picture("###...+++")

    click = make_user("deepest").next(included, gt, ignore, rng_for(0, "a"))

    assert click == Click(6, 0, positive=False)


def test_the_image_border_is_a_boundary_for_the_deepest_user():
    gt, _, ignore = picture("####", "####", "####", "####", "....")

    click = make_user("deepest").first(gt, ignore, rng_for(0, "a"))

    assert click == Click(1, 1, positive=True)  # of four pixels 2 deep the first


def test_the_deepest_user_never_clicks_a_pixel_twice():
    gt, _, ignore = picture("...", ".#.", "...")
    user = make_user("deepest")
    rng = rng_for(0, "a")

    first = user.first(gt, ignore, rng)
    second = user.next(none_of(gt), gt, ignore, rng)

    assert first == Click(1, 1, positive=True)
    # the only error was clicked: RITM's code takes the first pixel of depth 0, negatively
    assert second == Click(0, 0, positive=False)


def test_clicked_pixels_lose_their_depth_but_their_neighbours_keep_it():
    gt, _, ignore = picture(".....", ".###.", ".###.", ".###.", ".....")
    user = make_user("deepest")
    rng = rng_for(0, "a")
    user.first(gt, ignore, rng)

    click = user.next(none_of(gt), gt, ignore, rng)

    assert click == Click(1, 1, positive=True)  # all others are 1 deep: the first of them


def test_another_object_begins_with_nothing_clicked():
    gt, _, ignore = picture("...", ".#.", "...")
    user, rng = make_user("deepest"), rng_for(0, "a")

    clicks = [user.first(gt, ignore, rng) for _ in range(2)]

    assert clicks == [Click(1, 1, positive=True)] * 2


@pytest.mark.parametrize("name", sorted(USERS))
def test_nobody_clicks_when_nothing_is_meant_or_nothing_is_wrong(name):
    gt = box((9, 9), 2, 2, 6, 6)
    user = make_user(name)

    assert user.first(none_of(gt), none_of(gt), rng_for(0, "a")) is None
    assert user.first(gt, gt, rng_for(0, "a")) is None  # all of it is ignored
    assert user.next(gt, gt, none_of(gt), rng_for(0, "a")) is None
    assert user.next(none_of(gt), gt, gt, rng_for(0, "a")) is None


@pytest.mark.parametrize("name", sorted(USERS))
@given(seed=st.integers(0, 2**32 - 1))
def test_every_click_lies_on_what_is_wrong_and_has_its_sign(name, seed):
    rng = np.random.default_rng(seed)
    gt, mask, ignore = (rng.random((12, 17)) < share for share in (0.5, 0.5, 0.1))
    user = make_user(name)

    first = user.first(gt, ignore, rng_for(seed, "a"))
    second = make_user(name).next(mask, gt, ignore, rng_for(seed, "a"))

    x, y = first.pixel_xy
    assert first.positive
    assert gt[y, x]
    assert not ignore[y, x]
    x, y = second.pixel_xy
    assert mask[y, x] != gt[y, x]
    assert second.positive == gt[y, x]
    assert not ignore[y, x]


@pytest.mark.parametrize("name", RANDOM)
def test_chance_is_decided_by_seed_and_name_alone(name):
    gt = box((60, 60), 5, 5, 50, 50)

    def first(seed, sample):
        return make_user(name).first(gt, none_of(gt), rng_for(seed, sample))

    assert first(0, "a") == first(0, "a")
    assert len({first(0, "a"), first(1, "a"), first(0, "b"), first(7, "c")}) > 1


def test_the_noisy_user_stays_near_the_centre_and_its_spread_grows_with_the_region():
    gt = box((101, 101), 0, 0, 101, 101)

    clicks = [make_user("noisy").first(gt, none_of(gt), rng_for(0, str(k))) for k in range(400)]

    xs = np.array([click.x for click in clicks])
    assert abs(xs.mean() - 50) < 3
    assert xs.std() == pytest.approx(0.15 * 101, rel=0.15)


def test_weights_around_the_centre_are_a_gaussian_cut_off_at_the_region():
    depth = np.zeros((3, 9), dtype=np.float32)
    depth[1, 2:7] = 1  # five pixels in a row; the first of the deepest is the centre

    weights = near_centre(depth)

    sigma_sq = (0.15**2) * 5
    expected = np.exp(-(np.arange(5) ** 2) / (2 * sigma_sq))
    np.testing.assert_allclose(weights[1, 2:7], expected)
    assert (weights > 0).sum() == (depth > 0).sum()


def test_the_boundary_user_clicks_within_a_quarter_of_the_depth():
    depth = np.arange(1, 21, dtype=np.float32)[None]  # 1 to 20 deep

    weights = near_boundary(depth)

    assert weights.tolist() == [[1.0] * 5 + [0.0] * 15]


def test_a_region_one_pixel_wide_is_all_boundary():
    weights = near_boundary(np.ones((1, 4), dtype=np.float32))

    assert weights.tolist() == [[1.0] * 4]


@pytest.mark.parametrize("name", ["noisy", "boundary"])
def test_the_first_click_lies_in_the_part_that_holds_the_centre(name):
    gt = box((40, 40), 2, 2, 30, 30) | box((40, 40), 34, 34, 39, 39)

    clicks = [make_user(name).first(gt, none_of(gt), rng_for(0, str(k))) for k in range(50)]

    assert max(max(click.x, click.y) for click in clicks) < 30


def test_the_off_centre_user_clicks_all_over_the_object_at_first():
    gt = box((40, 40), 10, 10, 30, 30)

    clicks = [
        make_user("off-centre").first(gt, none_of(gt), rng_for(0, str(k))) for k in range(400)
    ]

    xs = np.array([click.x for click in clicks])
    assert (xs.min(), xs.max()) == (10, 29)
    assert abs(xs.mean() - 19.5) < 1


def test_the_off_centre_user_corrects_deep_errors_of_both_signs_more_often():
    gt = box((40, 60), 5, 5, 26, 26)  # missed, up to 11 deep
    mask = box((40, 60), 5, 50, 35, 52)  # too much, 1 deep

    clicks = [
        make_user("off-centre").next(mask, gt, none_of(gt), rng_for(0, str(k))) for k in range(300)
    ]

    positive = np.mean([click.positive for click in clicks])
    # depths add up to 441 x about 4 against 60
    assert 0.9 < positive < 1.0


def test_a_pixel_is_drawn_by_its_weight():
    weights = np.array([[0.0, 1.0], [3.0, 0.0]])
    rng = np.random.default_rng(0)

    clicks = [draw(weights, rng, positive=True) for _ in range(1000)]

    assert set(clicks) == {Click(1, 0), Click(0, 1)}
    assert clicks.count(Click(0, 1)) == pytest.approx(750, abs=40)


def test_an_unknown_user_is_refused():
    with pytest.raises(BadConfig) as caught:
        make_user("noise")

    assert str(caught.value) == (
        "there is no user 'noise': did you mean 'noisy'? known: boundary, centre, deepest, noisy, "
        "off-centre, parts, wholes"
    )
