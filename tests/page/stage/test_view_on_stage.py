"""Zoom, pan, hover and the keyboard's click cursor, with real events."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from stage_page import LEFT, WIDTH, click_at, drag, held, on_page, to_image, told, tool, view


def test_the_wheel_zooms_around_the_pointer(page):
    at = on_page(page, 300, 80)
    before, scale = to_image(page, *at), view(page)[0]
    page.mouse.move(*at)

    page.mouse.wheel(0, -240)
    closer, after = view(page)[0], to_image(page, *at)
    page.mouse.wheel(0, 240)

    assert closer == pytest.approx(scale * np.exp(240 * 0.0019), rel=2e-3)
    assert after == pytest.approx(before, abs=0.51)
    assert view(page)[0] == pytest.approx(scale, rel=2e-3)


def test_ctrl_and_wheel_zoom_the_picture_and_not_the_page(page):
    scale = view(page)[0]
    page.mouse.move(*on_page(page, 100, 100))
    with held(page, "Control"):
        page.mouse.wheel(0, -10)

    assert view(page)[0] == pytest.approx(scale * np.exp(0.1), rel=2e-3)
    assert page.evaluate("visualViewport.scale") == 1


def test_alt_and_wheel_resize_the_brush(page):
    tool(page, tool="brush", brushRadius=10)
    scale = view(page)[0]
    page.mouse.move(*on_page(page, 100, 100))
    with held(page, "Alt"):
        page.mouse.wheel(0, -120)
        page.mouse.wheel(0, 120)
        page.mouse.wheel(0, 120)

    page.wait_for_function("harness.told('brushsize').length === 3")
    radii = [event["radius"] for event in told(page, "brushsize")]
    assert radii == [11.5, 10.0, 8.7]
    assert view(page)[0] == scale


@pytest.mark.parametrize("how", ["space", "middle button", "tool"])
def test_the_picture_can_be_dragged(page, how):
    page.evaluate("harness.stage.zoomBy(3)")
    _, left, top = view(page)
    if how == "tool":
        tool(page, tool="pan")
    page.mouse.move(300, 300)
    with held(page, "Space") if how == "space" else contextlib.nullcontext():
        drag(page, (300, 300), (340, 275), button="middle" if how == "middle button" else "left")

    assert view(page)[1:] == pytest.approx((left + 40, top - 25))
    assert told(page, "click") == told(page, "box") == []


def test_space_is_a_grip_while_it_drags_and_a_key_when_it_does_not(page):
    page.mouse.move(300, 300)
    page.evaluate("harness.forget()")

    page.keyboard.press("Space")
    as_key = page.evaluate("harness.keys")
    page.evaluate("harness.forget()")
    with held(page, "Space"):
        drag(page, (300, 300), (320, 300))
    as_grip = page.evaluate("harness.keys")

    assert as_key == ["down Space", "up Space"]
    assert as_grip == []


def test_the_view_is_told_when_it_changes(page):
    page.evaluate("harness.forget()")
    page.evaluate("harness.stage.panBy(-30, 20)")

    scale, left, top = view(page)
    assert told(page, "view")[-1] == {"scale": scale, "x": left, "y": top}


def test_a_fitted_picture_follows_the_size_of_the_window(page):
    page.set_viewport_size({"width": 440, "height": 330})
    page.wait_for_function("harness.stage.viewState().scale < 1")

    # 400 x 300 px are left; a margin of a twentieth of each side is
    assert view(page) == (pytest.approx(0.9), pytest.approx(20), pytest.approx(15))


def test_a_pointer_that_rests_is_told_after_80_ms_and_once(page):
    page.evaluate(
        """harness.stage.container.addEventListener("pointermove", () =>
             (globalThis.lastMove = performance.now()))"""
    )
    x, y = on_page(page, 120, 90)
    page.mouse.move(x - 100, y)
    page.mouse.move(x, y, steps=10)
    page.wait_for_function("harness.told('hover').length === 1")

    waited = page.evaluate("harness.events.at(-1).at - globalThis.lastMove")
    page.mouse.move(x + 2, y + 1)  # a tremble
    page.mouse.move(x + 12, y)  # near enough for the preview to stay until the next one
    page.wait_for_function("harness.told('hover').length === 2")
    page.mouse.move(x + 60, y)

    first, second, third = told(page, "hover")[:3]
    assert waited >= 79  # timers may fire a fraction early
    assert first == {"x": pytest.approx(120, abs=0.51), "y": pytest.approx(90, abs=0.51)}
    assert second["x"] == pytest.approx(to_image(page, x + 12, y)[0], abs=0.51)
    assert third is None


def test_pressing_leaving_or_painting_ends_the_hover(page):
    at = on_page(page, 120, 90)
    page.mouse.move(*at)
    page.wait_for_function("harness.told('hover').length === 1")
    page.mouse.down()
    pressed = told(page, "hover")[-1]
    page.mouse.up()
    page.mouse.move(at[0] + 8, at[1])
    page.wait_for_function("harness.told('hover').length === 3")
    page.mouse.move(5, 5)  # off the stage
    left = told(page, "hover")[-1]
    tool(page, tool="brush")
    page.mouse.move(*at)
    page.evaluate("() => new Promise((done) => setTimeout(done, 150))")

    assert pressed is None
    assert left is None
    assert len(told(page, "hover")) == 4  # none for the brush


def test_the_click_cursor_moves_in_screen_pixels_and_clicks(page):
    scale = view(page)[0]
    page.evaluate("harness.stage.moveCursor(0, 0)")
    start = told(page, "cursor")[-1]

    page.evaluate("harness.stage.moveCursor(50, -20)")
    page.evaluate("harness.stage.clickAtCursor(true); harness.stage.clickAtCursor(false)")
    page.evaluate("harness.stage.hideCursor(); harness.stage.clickAtCursor(true)")

    x, y = start["x"] + 50 / scale, start["y"] - 20 / scale
    assert told(page, "click") == [click_at(x, y, positive=True), click_at(x, y, positive=False)]
    assert told(page, "cursor")[-1] is None


def test_the_view_follows_the_click_cursor_and_the_picture_holds_it(page):
    page.evaluate("harness.stage.zoomBy(8)")
    view(page)
    for _ in range(40):
        page.evaluate("harness.stage.moveCursor(200, 0)")

    at = told(page, "cursor")[-1]
    x, _ = on_page(page, at["x"], at["y"])
    assert at["x"] == WIDTH - 1
    assert LEFT <= x <= 840
