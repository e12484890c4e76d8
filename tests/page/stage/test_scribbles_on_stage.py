"""The scribble tool: a stroke with a sign, drawn in sight, told when it is done."""

from __future__ import annotations

import contextlib

import pytest
from stage_page import LEFT, TOP, click_at, drag, held, on_page, told, tool


@pytest.mark.parametrize(
    ("sign", "key", "button", "positive"),
    [
        (True, None, "left", True),
        (True, None, "right", False),
        (True, "Alt", "left", False),
        (False, None, "left", False),
        (False, None, "right", True),
    ],
)
def test_a_scribble_has_the_sign_of_a_click(page, sign, key, button, positive):
    tool(page, tool="scribble", positive=sign)
    with held(page, key) if key else contextlib.nullcontext():
        drag(page, on_page(page, 50, 60), on_page(page, 150, 90), button=button, steps=20)

    (scribble,) = told(page, "scribble")
    assert scribble["positive"] == positive
    assert scribble["points"][0] == pytest.approx([50, 60], abs=0.51)
    assert scribble["points"][-1] == pytest.approx([150, 90], abs=1.01)
    assert told(page, "click") == told(page, "box") == told(page, "stroke") == []


def test_a_press_that_does_not_move_is_a_click(page):
    tool(page, tool="scribble")

    page.mouse.click(*on_page(page, 70, 80))

    assert told(page, "click") == [click_at(70, 80)]
    assert told(page, "scribble") == []


def test_the_line_is_seen_while_it_is_drawn_and_gone_when_it_is_told(page):
    tool(page, tool="scribble")
    x, y = on_page(page, 100, 100)
    look = [round(x) - LEFT + 20, round(y) - TOP]
    shown = "async (at) => { await harness.frames(2); return harness.pixel('overlay', ...at)[3]; }"

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=8)
    during = page.evaluate(shown, look)
    page.mouse.up()
    after = page.evaluate(shown, look)

    assert during > 200
    assert after == 0


def test_escape_drops_a_scribble(page):
    tool(page, tool="scribble")
    x, y = on_page(page, 100, 100)

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=8)
    page.keyboard.press("Escape")
    page.mouse.up()

    assert told(page, "scribble") == told(page, "click") == []


def test_a_scribble_beside_the_picture_is_none(page):
    tool(page, tool="scribble")
    x, y = on_page(page, -20, 50)

    drag(page, (x, y), (x, y + 40))

    assert told(page, "scribble") == []
