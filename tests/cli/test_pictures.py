"""Drawing on arrays small enough to look at."""

from __future__ import annotations

import numpy as np
import pytest

from latentcut.cli.pictures import (
    NEGATIVE,
    POSITIVE,
    cutout_picture,
    draw_clicks,
    draw_outline,
    overlay_picture,
    tint,
)
from latentcut.cli.sheet import contact_sheet, describe_clicks, fit
from latentcut.core.clicks import Click

GREY = np.full((60, 80, 3), 100, dtype=np.uint8)
GREY.setflags(write=False)  # as images come from the reader


def left_half():
    mask = np.zeros((60, 80), dtype=bool)
    mask[:, :40] = True
    return mask


def test_a_cutout_keeps_nothing_of_the_background():
    image = np.array([[[10, 20, 30], [40, 50, 60]]], dtype=np.uint8)
    mask = np.array([[True, False]])

    actual = cutout_picture(image, mask)

    assert actual.tolist() == [[[10, 20, 30, 255], [0, 0, 0, 0]]]


def test_a_tint_colours_only_the_inside():
    actual = tint(GREY, left_half(), colour=(200, 100, 0))

    # 100 * 0.62 + colour * 0.38
    assert np.unique(actual[:, :40].reshape(-1, 3), axis=0).tolist() == [[138, 100, 62]]
    assert (actual[:, 40:] == 100).all()


def test_an_outline_changes_only_pixels_near_the_edge():
    actual = draw_outline(GREY, left_half())

    changed = np.flatnonzero((actual != 100).any(axis=(0, 2)))
    assert set(changed) >= {39}
    assert (actual[5:55, 10:30] == 100).all()
    assert (actual[:, 45:] == 100).all()


@pytest.mark.parametrize(("positive", "colour"), [(True, POSITIVE), (False, NEGATIVE)])
def test_a_click_is_marked_where_it_is(positive, colour):
    actual = draw_clicks(GREY, [Click(20, 30, positive)], radius_px=8)

    assert actual[30, 20].tolist() == [255, 255, 255]  # middle of the plus or minus
    assert actual[33, 23].tolist() == list(colour)  # between its arms
    assert (actual[:, 32:] == 100).all()
    arm = actual[27, 20].tolist()  # above the middle: only a plus has an arm there
    assert (arm == [255, 255, 255]) == positive


@pytest.mark.parametrize("xy", [(0, 0), (79, 59)])
def test_a_click_in_the_corner_is_drawn_as_far_as_the_picture_goes(xy):
    actual = draw_clicks(GREY, [Click(*xy)])

    assert actual.shape == GREY.shape
    assert actual[xy[1], xy[0]].tolist() == [255, 255, 255]


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "full"])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 500), (60, 80)])
def test_an_overlay_is_possible_on_any_size_and_mask(size_hw, filled):
    image = np.zeros((*size_hw, 3), dtype=np.uint8)

    actual = overlay_picture(image, np.full(size_hw, filled), [Click(0, 0)])

    assert (actual.shape, actual.dtype) == (image.shape, np.uint8)


@pytest.mark.parametrize("size_hw", [(1, 1), (40, 900), (900, 40), (60, 80)])
def test_a_sheet_is_possible_for_any_shape_of_photo(predictor, size_hw):
    image = np.full((*size_hw, 3), 128, dtype=np.uint8)
    prediction = predictor.open(image).click(0, 0)

    sheet = contact_sheet("thing", image, prediction.clicks, prediction)

    assert sheet.dtype == np.uint8
    assert sheet.shape[1] >= 1000


def test_a_photo_is_made_to_fit_without_changing_its_shape():
    assert fit(600, 400, (300, 225)) == (300, 200)
    assert fit(400, 800, (300, 225)) == (112, 225)
    assert fit(10_000, 1, (300, 225)) == (300, 1)


def test_clicks_are_counted_by_sign():
    assert describe_clicks([Click(0, 0)]) == "1 click: 1 on the thing"
    assert describe_clicks([Click(0, 0), Click(1, 1, positive=False)]) == (
        "2 clicks: 1 on the thing, 1 on the background"
    )
