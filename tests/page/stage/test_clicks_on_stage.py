"""Clicks and boxes: real mouse events on the stage, and what it makes of them."""

from __future__ import annotations

import pytest
from stage_page import LEFT, TOP, click_at, drag, held, on_page, opened, to_image, told, tool, view


@pytest.mark.parametrize("factor", [1, 0.4, 6, 30], ids=lambda factor: f"zoom {factor}")
@pytest.mark.parametrize("ratio", [1, 1.5, 2], ids=lambda ratio: f"{ratio} device px")
def test_clicks_are_right_to_half_a_pixel_after_zoom_and_pan(
    open_page, server, ramp, factor, ratio
):
    page = opened(open_page(device_scale_factor=ratio), server, ramp)
    page.evaluate("factor => harness.stage.zoomBy(factor, { x: 410, y: 260 })", factor)
    page.evaluate("harness.stage.panBy(-17.3, 8.7)")
    scale, left, top = view(page)
    visible = to_image(page, LEFT + 400, TOP + 300)
    x, y = (min(max(round(value), 5), 290) for value in visible)

    page.mouse.click(*on_page(page, x, y))

    tolerance = max(0.51, 0.51 / scale)  # a mouse stands on whole CSS pixels
    (click,) = told(page, "click")
    assert click["positive"] is True
    assert abs(click["x"] - x) <= tolerance
    assert abs(click["y"] - y) <= tolerance
    assert (round(left * ratio, 6) % 1, round(top * ratio, 6) % 1) == (0, 0)


def test_the_first_pixel_is_0_0_and_the_last_is_one_less_than_the_size(page):
    page.evaluate("harness.stage.zoomToBox([0, 0, 4, 4])")
    page.mouse.click(*on_page(page, 0, 0))
    page.evaluate("harness.stage.zoomToBox([396, 296, 400, 300])")
    page.mouse.click(*on_page(page, 399, 299))

    first, last = told(page, "click")
    assert first == {
        "x": pytest.approx(0, abs=0.05),
        "y": pytest.approx(0, abs=0.05),
        "positive": True,
    }
    assert last == {
        "x": pytest.approx(399, abs=0.05),
        "y": pytest.approx(299, abs=0.05),
        "positive": True,
    }


@pytest.mark.parametrize("sign", [True, False], ids=["positive tool", "negative tool"])
def test_right_button_alt_and_shift_turn_the_sign_around(page, sign):
    tool(page, positive=sign)
    at = on_page(page, 100, 100)

    page.mouse.click(*at)
    page.mouse.click(*at, button="right")
    for key in ("Alt", "Shift"):
        with held(page, key):
            page.mouse.click(*at)

    assert [click["positive"] for click in told(page, "click")] == [
        sign,
        not sign,
        not sign,
        not sign,
    ]


def test_the_right_button_opens_no_menu(page):
    page.evaluate(
        """addEventListener("contextmenu", (event) =>
             (globalThis.wasPrevented = event.defaultPrevented))"""
    )

    page.mouse.click(*on_page(page, 50, 50), button="right")

    assert page.evaluate("globalThis.wasPrevented") is True


def test_a_click_just_beside_the_picture_is_meant_for_its_border(page):
    x, y = on_page(page, -0.5, 100)

    page.mouse.click(x - 7, y)
    page.mouse.click(x - 10, y)

    assert told(page, "click") == [click_at(0, 100)]


def test_a_hand_that_trembles_still_clicks_where_it_pressed(page):
    x, y = on_page(page, 200, 150)

    drag(page, (x, y), (x + 4, y + 2))

    assert told(page, "click") == [click_at(200, 150)]
    assert told(page, "box") == []


def test_nothing_is_clicked_while_there_is_no_picture(open_page, server):
    page = open_page()

    page.mouse.click(300, 300)
    page.mouse.move(310, 300)

    assert told(page, "click") == []


@pytest.mark.parametrize("name", ["click", "box"])
def test_a_drag_is_a_box_in_any_direction(page, name):
    tool(page, tool=name)

    drag(page, on_page(page, 250, 40), on_page(page, 60, 190))

    (box,) = told(page, "box")
    assert box["box"] == pytest.approx([60, 40, 250, 190], abs=0.51)
    assert told(page, "click") == []


def test_a_box_ends_at_the_border_of_the_picture(page):
    drag(page, on_page(page, 350, 250), on_page(page, 405, 305))

    (box,) = told(page, "box")
    assert box["box"] == pytest.approx([350, 250, 399, 299], abs=0.51)


def test_the_box_is_seen_while_it_is_dragged_and_escape_drops_it(page):
    start, end = on_page(page, 100, 100), on_page(page, 200, 200)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    middle_of_edge = [round(start[0] - LEFT), round((start[1] + end[1]) / 2 - TOP)]
    sees = """async ([x, y]) => {
      await harness.frames(2);
      return Math.max(...harness.pixels('overlay', x - 1, y - 8, 3, 16)) > 0;
    }"""

    was_seen = page.evaluate(sees, middle_of_edge)
    page.keyboard.press("Escape")
    is_seen = page.evaluate(sees, middle_of_edge)
    page.mouse.up()

    assert (was_seen, is_seen) == (True, False)
    assert told(page, "box") == []
    assert page.evaluate("harness.keys") == ["up Escape"]  # nobody else drops something as well


def test_a_right_drag_with_the_click_tool_is_nothing(page):
    drag(page, on_page(page, 100, 100), on_page(page, 200, 200), button="right")

    assert told(page, "box") == told(page, "click") == []
