"""A stroke stands for a few clicks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import latentcut
from latentcut.cli.samples import SAMPLES
from latentcut.core.clicks import Click
from latentcut.core.scribbles import MAX_CLICKS, scribble_clicks
from latentcut.errors import BadScribble

SIZE_HW = (100, 200)


def test_a_long_stroke_is_clicked_in_the_middle_of_equal_lengths():
    clicks = scribble_clicks([(20, 50), (180, 50)], True, SIZE_HW, max_clicks=4)

    assert clicks == (Click(40, 50), Click(80, 50), Click(120, 50), Click(160, 50))


def test_lengths_are_measured_along_the_stroke():
    clicks = scribble_clicks([(10, 10), (50, 10), (50, 50)], False, SIZE_HW, max_clicks=2)

    assert clicks == (Click(30, 10, positive=False), Click(50, 30, positive=False))


def test_a_short_stroke_is_one_click():
    assert scribble_clicks([(10, 10), (14, 10)], True, SIZE_HW) == (Click(12, 10),)


def test_a_dot_is_one_click():
    assert scribble_clicks([(7, 8)], True, SIZE_HW) == (Click(7, 8),)


def test_what_leaves_the_image_is_moved_to_its_edge():
    assert scribble_clicks([(-50, 120)], True, SIZE_HW) == (Click(0, 99),)


@given(
    points=st.lists(st.tuples(st.floats(-50, 250), st.floats(-50, 150)), min_size=1, max_size=30),
    most=st.integers(1, 8),
)
def test_every_stroke_gives_a_few_clicks_inside_the_image(points, most):
    clicks = scribble_clicks(points, True, SIZE_HW, most)

    assert 1 <= len(clicks) <= most
    assert len({click.pixel_xy for click in clicks}) == len(clicks)
    assert all(0 <= click.x <= 199 and 0 <= click.y <= 99 for click in clicks)


@pytest.mark.parametrize(
    ("points", "given"),
    [
        ([], "an array of shape (0,)"),
        ([(1, 2, 3)], "an array of shape (1, 3)"),
        ([(1, float("nan"))], "a position that is no number"),
    ],
)
def test_what_is_no_stroke_is_refused(points, given):
    with pytest.raises(BadScribble) as caught:
        scribble_clicks(points, True, SIZE_HW)

    assert str(caught.value) == (
        f"a scribble needs at least one position (x, y) of finite numbers, given {given}"
    )


def test_a_session_takes_a_scribble_as_one_step_of_its_history():
    session = latentcut.load(threads=1).open(SAMPLES / "chelsea.jpg")
    stroke = np.array([(150.0, 100.0), (220.0, 120.0), (300.0, 200.0)])

    prediction = session.scribble(stroke)

    assert session.clicks == scribble_clicks(stroke, True, prediction.mask.shape)
    assert 1 < len(session.clicks) <= MAX_CLICKS
    assert prediction.clicks_satisfied
    assert session.undo() is None
    assert session.clicks == ()
