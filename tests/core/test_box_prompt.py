from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from latentcut.core.box_prompt import (
    AGREEMENT_WEIGHT,
    USUAL_AGREEMENT,
    Box,
    agreement,
    check_box,
    clear_of,
    covered,
    cut_outside,
    filled_box,
    first_hints,
    fits,
    judge,
    later_hints,
    standout_click,
)
from latentcut.core.clicks import Click
from latentcut.core.frame import Frame
from latentcut.core.prediction import PlacedLogits

# 64 x 64 network pixels, each as large as one of the image
FRAME = Frame((0, 0, 64, 64), (64, 64), (64, 64))


def placed(inside, frame=FRAME):
    return PlacedLogits(np.where(inside, 1, -1).astype(np.float32), frame)


def area(left, top, right, bottom, size_hw=(64, 64)):
    mask = np.zeros(size_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


# ---------------------------------------------------------------- boxes


def test_corners_are_positions_and_edges_lie_half_a_pixel_further():
    box = check_box((9.5, 19.5, 29.5, 39.5), (64, 64))

    assert box == Box(10, 20, 30, 40)
    assert box.centre_xy == (19.5, 29.5)  # between pixels 10 .. 29 and 20 .. 39
    assert box.area == 400


def test_what_lies_outside_the_image_is_cut_off():
    box = check_box((-9, -9, 99, 30), (64, 48))

    assert box == Box(0, 0, 48, 30.5)


def test_a_box_grows_as_far_as_positive_clicks():
    box = Box(10, 10, 20, 20)

    grown = box.holding([Click(4, 12), Click(15, 30), Click(40, 40, positive=False)])

    assert grown == Box(4, 10, 20, 31)  # pixels 4 and 30 are inside


def test_iou_of_boxes():
    box = Box(0, 0, 4, 4)

    assert box.iou(Box(2, 0, 6, 4)) == 8 / 24
    assert box.iou(Box(4, 0, 8, 4)) == 0
    assert box.iou(box) == 1


@given(
    st.tuples(*[st.floats(-1e6, 1e6)] * 4),
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
)
def test_a_box_that_is_accepted_lies_in_the_image_and_is_not_empty(corners, size_hw):
    try:
        box = check_box(corners, size_hw)
    except ValueError:
        return

    assert 0 <= box.left < box.right <= size_hw[1]
    assert 0 <= box.top < box.bottom <= size_hw[0]


# ---------------------------------------------------------------- what the network is told


def test_cells_are_covered_by_the_share_that_lies_in_the_box():
    frame = Frame((10, 0, 18, 8), (8, 20), (32, 32))

    shares = covered(Box(12, 1, 15, 99), frame, (2, 4))  # cells of 2 x 4 px

    # columns 10, 12, 14, 16 to the next: 0, all, half, 0; rows 0 and 4: three quarters, all
    assert shares.tolist() == [[0, 0.75, 0.375, 0], [0, 1, 0.5, 0]]
    assert shares.dtype == np.float32


def test_a_filled_box_has_the_size_of_the_guidance():
    filled = filled_box(Box(8, 0, 64, 64), FRAME)

    assert filled.shape == (16, 16)
    assert filled.sum(axis=0).tolist() == [0, 0] + [16] * 14


def features_where(strange):
    """Two kinds of cells: descriptors at right angles; float32 (1, 2, 8, 8)."""
    return (np.stack([strange, ~strange])[None].astype(np.float32),)


def test_what_stands_out_is_found_although_it_is_not_at_the_centre():
    strange = area(5, 1, 7, 3, (8, 8))  # cells of 8 px: pixels 40 .. 55 and 8 .. 23

    click = standout_click(features_where(strange), FRAME, Box(8, 8, 56, 56))

    assert (40 <= click.x < 56, 8 <= click.y < 24, click.positive) == (True, True, True)


def test_what_is_also_seen_around_the_box_does_not_stand_out():
    everywhere_right = area(5, 0, 8, 8, (8, 8))
    only_inside = area(1, 4, 3, 6, (8, 8))
    cells = np.stack([everywhere_right, only_inside, ~(everywhere_right | only_inside)])

    click = standout_click((cells[None].astype(np.float32),), FRAME, Box(8, 8, 56, 56))

    assert (8 <= click.x < 24, 32 <= click.y < 48) == (True, True)


@pytest.mark.parametrize(
    ("box", "xy"),
    [
        pytest.param(Box(0, 0, 64, 64), (31.5, 31.5), id="no-surroundings"),
        pytest.param(Box(30, 20, 31, 21), (30, 20), id="smaller-than-a-cell"),
        pytest.param(Box(63.5, 63.5, 64, 64), (63, 63), id="half-of-the-last-pixel"),
    ],
)
def test_the_centre_is_clicked_where_nothing_can_be_compared(box, xy):
    click = standout_click(features_where(np.zeros((8, 8), dtype=bool)), FRAME, box)

    assert (click.x, click.y) == xy


def test_a_new_box_has_one_positive_click_and_negative_ones_around_it():
    features = features_where(area(3, 3, 5, 5, (8, 8)))

    hints = first_hints(features, FRAME, Box(16, 16, 48, 48), ())

    assert [hint.positive for hint in hints] == [True] + [False] * 8
    # 7 px from the edges 16 and 48, as positions: 8.5 and 54.5; the middle is 31.5
    assert {(hint.x, hint.y) for hint in hints[1:]} == {
        *((x, y) for x in (8.5, 54.5) for y in (8.5, 31.5, 54.5)),
        *((31.5, y) for y in (8.5, 54.5)),
    }


def test_there_are_no_hints_outside_the_image():
    hints = first_hints(features_where(np.zeros((8, 8), bool)), FRAME, Box(0, 0, 64, 40), ())

    negative = [(hint.x, hint.y) for hint in hints if not hint.positive]
    assert negative == [(31.5, 46.5)]  # below; the other sides are those of the image


def test_hints_that_contradict_a_click_are_left_out():
    hints = (Click(20, 20), Click(50, 20, positive=False), Click(50, 60, positive=False))

    kept = clear_of((Click(50, 33), Click(20, 34.5, positive=False)), hints, FRAME)

    # 13 px from a click of the other sign, 14 are kept; 14.5 px; and 27 px
    assert kept == (Click(20, 20), Click(50, 60, positive=False))


def test_later_the_inmost_place_of_mask_and_box_is_clicked():
    mask = area(0, 0, 5, 16, (16, 16)).astype(np.float32)  # the left 20 px

    hints = later_hints(mask, FRAME, Box(0, 0, 64, 40), ())

    # the middle column of five; row 4 of 10 is the first of those 3 cells from every edge, but
    # already row 2 is no nearer to an edge than the sides are
    assert hints == (Click(9.5, 9.5),)


def test_later_no_place_is_clicked_where_mask_and_box_do_not_meet():
    mask = area(0, 0, 5, 16, (16, 16)).astype(np.float32)

    hints = later_hints(mask, FRAME, Box(40, 0, 64, 64), ())

    assert hints == ()


def test_later_no_place_is_clicked_that_the_user_clicked_away():
    mask = area(0, 0, 5, 16, (16, 16)).astype(np.float32)

    hints = later_hints(mask, FRAME, Box(0, 0, 64, 40), (Click(10, 10, positive=False),))

    assert hints == ()


# ---------------------------------------------------------------- what is made of the answer


def test_a_candidate_is_cut_off_a_tenth_of_the_side_beyond_the_box():
    everything = placed(np.ones((64, 64), dtype=bool))

    cut = cut_outside(everything, Box(20, 20, 40, 50))

    # 2 px and 1 px beside, 3 px and 1 px above and below
    assert (cut.logits > 0).tolist() == area(17, 16, 43, 54).tolist()
    assert (everything.logits > 0).all()


def test_agreement_is_that_of_the_bounding_boxes():
    ring = area(10, 10, 30, 30) & ~area(12, 12, 28, 28)

    assert agreement(placed(ring), Box(10, 10, 30, 30)) == 1
    assert agreement(placed(ring), Box(10, 10, 30, 50)) == 0.5
    assert agreement(placed(np.zeros((64, 64), dtype=bool)), Box(10, 10, 30, 30)) == 0


def test_agreement_counts_in_pixels_of_the_image():
    frame = Frame((100, 200, 164, 232), (400, 400), (32, 64))
    quarter = area(0, 0, 16, 8, (16, 32))  # the left half and the upper half

    assert agreement(placed(quarter, frame), Box(100, 200, 132, 216)) == 1


def test_candidates_that_agree_with_the_box_are_scored_higher():
    box = Box(10, 10, 30, 30)
    candidates = [placed(area(10, 10, 30, 30)), placed(area(10, 10, 30, 20))]

    cut, scores = judge(candidates, np.array([0.5, 0.75], dtype=np.float32), box)

    shifts = AGREEMENT_WEIGHT * (np.array([1, 0.5]) - USUAL_AGREEMENT)
    assert scores == pytest.approx(np.array([0.5, 0.75]) + shifts)
    assert (scores.dtype, len(cut)) == (np.float32, 2)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param(area(10, 10, 30, 30), True, id="the-same-extent"),
        pytest.param(area(10, 10, 30, 20), True, id="half"),
        pytest.param(area(10, 10, 30, 19), False, id="less-than-half"),
        pytest.param(np.zeros((64, 64), dtype=bool), False, id="empty"),
    ],
)
def test_a_mask_fits_a_box_whose_bounding_box_is_about_the_same(mask, expected):
    assert fits(mask, Box(10, 10, 30, 30)) is expected
