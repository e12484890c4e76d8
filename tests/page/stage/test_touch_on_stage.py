"""Fingers on the stage."""

from __future__ import annotations

import numpy as np
import pytest
from stage_page import LEFT, TOP, click_at, on_page, to_image, told, tool, view


class Fingers:
    """Touches through the browser's own input, as from a screen."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def _send(self, kind, points):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def down(self, *points):
        self._send("touchStart", points)

    def move(self, *points):
        self._send("touchMove", points)

    def up(self, *left):
        self._send("touchEnd", left)


def test_a_tap_is_a_click(touch_page):
    at = on_page(touch_page, 100, 120)
    fingers = Fingers(touch_page)

    fingers.down(at)
    fingers.up()

    assert told(touch_page, "click") == [click_at(100, 120)]


def test_a_long_press_is_a_negative_click_and_is_seen_coming(touch_page):
    at = on_page(touch_page, 100, 120)
    fingers = Fingers(touch_page)
    x, y = round(at[0] - LEFT), round(at[1] - TOP)

    fingers.down(at)
    touch_page.wait_for_function(
        "([x, y]) => Math.max(...harness.pixels('overlay', x, y - 42, 6, 8)) > 0", arg=[x, y]
    )
    before = told(touch_page, "click")
    touch_page.wait_for_function("harness.told('click').length === 1")
    fingers.up()

    assert before == []
    assert told(touch_page, "click") == [click_at(100, 120, positive=False)]


def test_one_finger_drags_the_picture_with_the_click_tool(touch_page):
    touch_page.evaluate("harness.stage.zoomBy(3)")
    _, left, top = view(touch_page)
    fingers = Fingers(touch_page)

    fingers.down((300, 300))
    for step in range(1, 11):
        fingers.move((300 + 8 * step, 300 - 4 * step))
    fingers.up()

    moved = np.subtract(view(touch_page)[1:], (left, top))
    # it moves from where the finger had shown that it is no tap
    assert moved == pytest.approx([72, -36], abs=9)
    assert told(touch_page, "click") == told(touch_page, "box") == []


def test_one_finger_paints_with_the_brush_and_boxes_with_the_box(touch_page):
    fingers = Fingers(touch_page)
    start, end = on_page(touch_page, 50, 50), on_page(touch_page, 150, 110)
    for name in ("brush", "box"):
        tool(touch_page, tool=name)
        fingers.down(start)
        fingers.move(on_page(touch_page, 100, 80))
        fingers.move(end)
        fingers.up()

    (stroke,), (box,) = told(touch_page, "stroke"), told(touch_page, "box")
    assert stroke["points"][-1] == pytest.approx([150, 110], abs=0.51)
    assert box["box"] == pytest.approx([50, 50, 150, 110], abs=0.51)


def test_one_finger_scribbles_with_the_scribble_tool(touch_page):
    tool(touch_page, tool="scribble")
    start, end = on_page(touch_page, 60, 60), on_page(touch_page, 140, 100)
    fingers = Fingers(touch_page)

    fingers.down(start)
    fingers.move(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    fingers.move(end)
    fingers.up()

    (scribble,) = told(touch_page, "scribble")
    assert scribble["positive"]
    assert scribble["points"][0] == pytest.approx([60, 60], abs=0.51)
    assert scribble["points"][-1] == pytest.approx([140, 100], abs=1.01)


@pytest.mark.parametrize("name", ["click", "brush"])
def test_two_fingers_zoom_and_drop_what_the_first_began(touch_page, name):
    tool(touch_page, tool=name)
    fingers = Fingers(touch_page)
    a, b = on_page(touch_page, 150, 150), on_page(touch_page, 250, 150)
    fingers.down(a)
    fingers.move((a[0] + 12, a[1]))
    fingers.move(a)
    before, scale = to_image(touch_page, *a), view(touch_page)[0]

    fingers.down(a, b)
    for share in (0.25, 0.5, 0.75, 1):
        fingers.move(a, (b[0] + share * (b[0] - a[0]), b[1]))
    fingers.up(a)
    fingers.up()

    assert view(touch_page)[0] == pytest.approx(2 * scale, rel=0.01)
    assert to_image(touch_page, *a) == pytest.approx(before, abs=1.5)
    assert [told(touch_page, each) for each in ("stroke", "click", "box")] == [[], [], []]
