"""Brush and eraser: what is told, and the ink that is seen meanwhile."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from stage_page import LEFT, TOP, drag, held, on_page, told, tool


@pytest.mark.parametrize(
    ("chosen", "key", "button", "painted"),
    [
        ("brush", None, "left", "brush"),
        ("brush", None, "right", "eraser"),
        ("brush", "Alt", "left", "eraser"),
        ("eraser", None, "left", "eraser"),
        ("eraser", "Alt", "left", "brush"),
        ("eraser", None, "right", "brush"),
    ],
)
def test_strokes_paint_or_erase(page, chosen, key, button, painted):
    tool(page, tool=chosen, brushRadius=9)
    with held(page, key) if key else contextlib.nullcontext():
        drag(page, on_page(page, 50, 60), on_page(page, 150, 60), button=button, steps=50)

    (stroke,) = told(page, "stroke")
    assert stroke["tool"] == painted
    assert stroke["radius_px"] == 9
    assert stroke["points"][0] == pytest.approx([50, 60], abs=0.51)
    assert stroke["points"][-1] == pytest.approx([150, 60], abs=0.51)
    steps = np.diff([x for x, _ in stroke["points"]])
    assert steps[:-1].min() >= 9 / 6  # thinned to a sixth of the radius; the end is kept


def test_a_dab_is_a_stroke_of_one_point(page):
    tool(page, tool="brush", brushRadius=5)

    page.mouse.click(*on_page(page, 70, 80))

    (stroke,) = told(page, "stroke")
    assert stroke["points"] == [[pytest.approx(70, abs=0.51), pytest.approx(80, abs=0.51)]]


def test_ink_is_there_in_the_very_event_and_stays_until_the_scene_has_new_objects(page):
    tool(page, tool="brush", brushRadius=8, colour=2)
    x, y = on_page(page, 100, 100)
    look = [round(x) - LEFT + 20, round(y) - TOP]
    page.evaluate(
        """([x, y]) => harness.stage.container.addEventListener("pointermove", () =>
             (globalThis.atOnce = harness.pixel("active", x, y)[3]))""",
        look,
    )

    drag(page, (x, y), (x + 40, y))
    at_once = page.evaluate("globalThis.atOnce")
    after = page.evaluate(
        "async (at) => { await harness.frames(2); return harness.pixel('active', ...at); }", look
    )
    page.evaluate("harness.stage.setScene({ clicks: [] })")
    still = page.evaluate(
        "async (at) => { await harness.frames(2); return harness.pixel('active', ...at)[3]; }", look
    )
    page.evaluate("harness.stage.setScene({ objects: [] })")
    gone = page.evaluate(
        "async (at) => { await harness.frames(2); return harness.pixel('active', ...at)[3]; }", look
    )

    alpha = round(0.45 * 255)
    assert at_once == pytest.approx(alpha, abs=2)
    assert after == pytest.approx([0, 158, 115, alpha], abs=3)  # bluish green
    assert still == pytest.approx(alpha, abs=2)
    assert gone == 0


def test_an_answer_settles_the_strokes_it_names_and_no_later_ones(page):
    tool(page, tool="brush", brushRadius=6)
    spots = [(60, 60), (200, 60)]
    for spot in spots:
        page.mouse.click(*on_page(page, *spot))
    first, second = (stroke["id"] for stroke in told(page, "stroke"))
    looks = [[round(v) for v in (x - LEFT, y - TOP)] for x, y in (on_page(page, *s) for s in spots)]

    page.evaluate("id => harness.stage.setScene({ objects: [], strokesDone: id })", first)

    alphas = page.evaluate(
        """async (looks) => {
          await harness.frames(2);
          return looks.map((at) => harness.pixel('active', ...at)[3]);
        }""",
        looks,
    )
    assert second == first + 1
    assert (alphas[0] == 0, alphas[1] > 0) == (True, True)


def test_erasing_takes_ink_off_the_active_object_at_once(page):
    page.evaluate(
        """() => {
          const on = new Uint8Array(10000).fill(1);
          const mask = harness.Mask.fromPixels(400, 300, [50, 50, 150, 150], on);
          const object = { id: 1, mask, colour: 0, active: true, hidden: false };
          harness.stage.setScene({ objects: [object] });
        }"""
    )
    tool(page, tool="eraser", brushRadius=10)
    x, y = on_page(page, 100, 100)
    page.mouse.move(x - 20, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=5)

    look = [round(x) - LEFT, round(y) - TOP]
    alphas = page.evaluate(
        "([x, y]) => [harness.pixel('active', x, y)[3], harness.pixel('active', x, y + 40)[3]]",
        look,
    )
    page.mouse.up()

    assert alphas == [0, pytest.approx(round(0.45 * 255), abs=2)]


def test_a_stroke_far_beside_the_picture_is_none(page):
    tool(page, tool="brush", brushRadius=3)
    page.evaluate("harness.stage.zoomBy(0.3)")
    x, y = on_page(page, 0, 0)

    drag(page, (x - 60, y), (x - 60, y + 60))

    assert told(page, "stroke") == []


def pen(page, kind, at, **more):
    """A pen event; the browser's own input has no pen, so the page makes it."""
    page.evaluate(
        """([kind, clientX, clientY, more]) => {
          const event = { clientX, clientY, pointerId: 7, pointerType: "pen", ...more };
          harness.stage.container.dispatchEvent(new PointerEvent(kind, event));
        }""",
        [kind, *at, more],
    )


def test_a_pen_turned_around_erases_and_its_pressure_does_not_change_the_radius(page):
    tool(page, tool="brush", brushRadius=6)
    start, end = on_page(page, 50, 50), on_page(page, 90, 50)

    pen(page, "pointerdown", start, button=5, buttons=32, pressure=0.1)
    pen(page, "pointermove", end, button=-1, buttons=32, pressure=0.9)
    pen(page, "pointerup", end, button=5)

    (stroke,) = told(page, "stroke")
    assert (stroke["tool"], stroke["radius_px"]) == ("eraser", 6)


def test_a_hand_that_holds_a_pen_does_not_disturb_it(page):
    tool(page, tool="brush", brushRadius=6)
    start, end = on_page(page, 50, 50), on_page(page, 90, 50)

    pen(page, "pointerdown", start, button=0, buttons=1)
    pen(page, "pointerdown", on_page(page, 200, 200), pointerId=8, pointerType="touch", button=0)
    pen(page, "pointermove", end, button=-1, buttons=1)
    pen(page, "pointerup", end, button=0)

    (stroke,) = told(page, "stroke")
    assert stroke["points"][-1] == pytest.approx([90, 50], abs=0.51)
