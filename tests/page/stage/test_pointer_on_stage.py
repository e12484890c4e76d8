"""Real mouse, pen and finger events on the stage, and what it makes of them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

LEFT, TOP = 40, 30  # of the stage on the page
WIDTH, HEIGHT = 400, 300  # of the picture


@pytest.fixture
def page(open_page, server, ramp):
    return opened(open_page(), server, ramp)


@pytest.fixture
def touch_page(open_page, server, ramp):
    return opened(open_page(has_touch=True), server, ramp)


def opened(page, server, pixels):
    server.put("a", pixels)
    page.evaluate("size => harness.open('a', ...size)", [WIDTH, HEIGHT])
    return page


def view(page):
    state = page.evaluate(
        "async () => { await harness.stage.whenSettled(); return harness.stage.viewState(); }"
    )
    return state["scale"], state["x"], state["y"]


def on_page(page, x, y):
    """Where on the page a point of the picture is."""
    scale, left, top = view(page)
    return LEFT + left + (x + 0.5) * scale, TOP + top + (y + 0.5) * scale


def to_image(page, x, y):
    scale, left, top = view(page)
    return (x - LEFT - left) / scale - 0.5, (y - TOP - top) / scale - 0.5


def told(page, name):
    return page.evaluate("name => harness.told(name)", name)


def tool(page, **change):
    page.evaluate("change => harness.stage.setTool(change)", change)


def drag(page, start, end, steps=8, **down):
    page.mouse.move(*start)
    page.mouse.down(**down)
    page.mouse.move(*end, steps=steps)
    page.mouse.up(**down)


@contextlib.contextmanager
def held(page, key):
    page.keyboard.down(key)
    yield
    page.keyboard.up(key)


def click_at(x, y, positive=True):
    near = {"x": pytest.approx(x, abs=0.51), "y": pytest.approx(y, abs=0.51)}
    return {**near, "positive": positive}


# ------------------------------------------------------------------------------------- clicks


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


# ------------------------------------------------------------------------------- boxes, strokes


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


# ------------------------------------------------------------------------------------ zoom, pan


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


# --------------------------------------------------------------------------------------- hover


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


# ----------------------------------------------------------------------------------------- pen


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


# --------------------------------------------------------------------------------------- touch


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


# ------------------------------------------------------------------------------------ keyboard


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
