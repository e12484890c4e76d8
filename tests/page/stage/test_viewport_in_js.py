"""Arithmetic of the view: no screen is needed for it."""

from __future__ import annotations

import pytest

STAGE = """
import { Viewport } from "./viewport.js";
import { Motion } from "./motion.js";
const viewport = new Viewport();
viewport.resize(1000, 700, input?.ratio ?? 1);
Object.assign(viewport, { imageWidth: 640, imageHeight: 480 });
viewport.fit();
const tell = (value) => console.log(JSON.stringify(value));
"""


def test_the_fitted_picture_is_centred_with_a_margin(run_js):
    actual = run_js(f"{STAGE} tell([viewport.scale, viewport.left, viewport.top]);")

    # 700 px less two margins of 24 px, for 480 rows; 640 columns then leave (1000 - 869.33) / 2
    assert actual == [652 / 480, 65, 24]


def test_screen_positions_and_pixels_are_inverse_to_each_other(run_js):
    code = f"""{STAGE}
    viewport.zoomAt(2.7, 300, 200);
    viewport.panBy(-40.3, 12.7);
    const {{ x, y }} = viewport.toScreen(123.25, 45.5);
    tell(viewport.toImage(x, y));
    """

    actual = run_js(code)

    assert actual == {"x": pytest.approx(123.25), "y": pytest.approx(45.5)}


def test_the_centre_of_the_first_pixel_is_half_a_pixel_inside(run_js):
    code = f"""{STAGE}
    const half = viewport.scale / 2;
    tell([viewport.toScreen(0, 0), viewport.left + half, viewport.top + half]);
    """

    centre, x, y = run_js(code)

    assert centre == {"x": x, "y": y}


@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_zooming_holds_the_point_under_the_pointer(run_js, ratio):
    code = f"""{STAGE}
    const before = viewport.toImage(612, 333);
    const moved = [];
    for (const factor of [1.3, 1.3, 4, 0.5, 0.21, 7]) {{
      viewport.zoomAt(factor, 612, 333);
      const {{ x, y }} = viewport.toScreen(before.x, before.y);
      moved.push(Math.max(Math.abs(x - 612), Math.abs(y - 333)));
    }}
    tell(moved);
    """

    moved = run_js(code, {"ratio": ratio})

    # the picture lies on whole device pixels, which is off by half a one at most, before and after;
    # zoomed in again by 4, what was off before is off four times as much
    assert max(moved) < 6


def test_zoom_has_limits_on_both_sides(run_js):
    code = f"""{STAGE}
    const fit = viewport.scale;
    viewport.zoomAt(1e6, 500, 350);
    const most = viewport.scale / fit;
    viewport.zoomAt(1e-9, 500, 350);
    tell([most, viewport.scale / fit]);
    """

    actual = run_js(code)

    assert actual == [pytest.approx(64), pytest.approx(0.1)]


def test_a_scale_next_to_whole_device_pixels_becomes_it(run_js):
    code = f"{STAGE} tell([1.001, 0.4995, 8.1].map((scale) => viewport.snapped(scale)));"

    assert run_js(code) == [1, 0.4995, 8.1]
    assert run_js(code, {"ratio": 2}) == [1, 0.5, 8.1]


def test_a_slow_pinch_does_not_stick_to_whole_device_pixels(run_js):
    code = f"""{STAGE}
    viewport.zoomTo(1, 10, 10);
    for (let turn = 0; turn < 50; turn++) viewport.zoomAt(1.0005, 10, 10);
    tell(viewport.scale);
    """

    assert run_js(code) == pytest.approx(1.0005**50)


def test_the_picture_cannot_be_lost(run_js):
    code = f"""{STAGE}
    const seen = [];
    for (const [dx, dy] of [[1e5, 0], [-1e5, 0], [0, 1e5], [0, -1e5]]) {{
      viewport.fit();
      viewport.panBy(dx, dy);
      const right = viewport.left + 640 * viewport.scale;
      const bottom = viewport.top + 480 * viewport.scale;
      seen.push(Math.round(Math.min(1000 - viewport.left, right, 700 - viewport.top, bottom)));
    }}
    tell(seen);
    """

    assert run_js(code) == [64, 64, 64, 64]


def test_a_fitted_picture_follows_the_window_and_a_zoomed_one_keeps_its_centre(run_js):
    code = f"""{STAGE}
    viewport.resize(600, 500, 1);
    const fitted = [viewport.scale, viewport.isFitted];
    viewport.zoomAt(3, 300, 250);
    const before = viewport.toImage(300, 250);
    viewport.resize(800, 400, 1);
    const after = viewport.toImage(400, 200);
    tell([fitted, before, after]);
    """

    fitted, before, after = run_js(code)

    assert fitted == [pytest.approx(552 / 640), True]  # 600 px less two margins
    assert after == {
        "x": pytest.approx(before["x"], abs=0.5),
        "y": pytest.approx(before["y"], abs=0.5),
    }


def test_a_box_is_shown_with_its_surroundings_and_never_more_than_the_picture(run_js):
    code = f"""{STAGE}
    viewport.set(viewport.aroundBox([100, 100, 140, 120]));
    const small = viewport.visible();
    viewport.set(viewport.aroundBox([0, 0, 640, 480]));
    tell([small, viewport.scale]);
    """

    (x0, y0, x1, y1), scale = run_js(code)

    assert max(x0, y0) < 94
    assert (x1 > 146, y1 > 126) == (True, True)
    assert x1 - x0 < 60
    assert scale == pytest.approx(652 / 480)


def test_a_gliding_zoom_arrives_at_its_factor_and_holds_its_point(run_js):
    code = f"""{STAGE}
    const motion = new Motion(viewport);
    const fit = viewport.scale;
    const point = viewport.toImage(600, 300);
    motion.zoomBy(1.25, 600, 300, 0);
    motion.zoomBy(1.25, 600, 300, 10);
    let frames = 0;
    const scales = [];
    for (let now = 16; motion.isRunning && frames < 100; now += 16, frames++) {{
      motion.step(now);
      scales.push(viewport.scale / fit);
    }}
    tell([scales, point, viewport.toImage(600, 300)]);
    """

    scales, before, after = run_js(code)

    assert scales[-1] == pytest.approx(1.5625)
    assert scales == sorted(scales)
    assert 5 < len(scales) < 25
    assert after == {
        "x": pytest.approx(before["x"], abs=0.5),
        "y": pytest.approx(before["y"], abs=0.5),
    }


def test_a_flight_ends_at_its_view_and_motion_can_be_switched_off(run_js):
    code = f"""{STAGE}
    const motion = new Motion(viewport);
    const target = viewport.aroundBox([10, 10, 90, 60]);
    motion.flyTo(target, false, 0);
    for (let now = 16; motion.isRunning; now += 16) motion.step(now);
    const flown = viewport.get();
    motion.flyTo(viewport.fitted(), true, 1000);
    for (let now = 1016; motion.isRunning; now += 16) motion.step(now);
    const isFitted = viewport.isFitted;
    motion.isReduced = true;
    motion.flyTo(target, false, 0);
    tell([target, flown, isFitted, viewport.get(), motion.isRunning]);
    """

    target, flown, is_fitted, jumped, is_running = run_js(code)

    assert flown == target
    assert is_fitted is True
    assert jumped == target
    assert is_running is False


def test_two_fingers_move_and_zoom(run_js):
    code = """
    import { Pinch } from "./pinch.js";
    const pinch = new Pinch();
    pinch.put(1, { x: 100, y: 100 });
    pinch.put(2, { x: 200, y: 100 });
    const apart = pinch.move(2, { x: 300, y: 100 });
    const along = [pinch.move(1, { x: 110, y: 120 }), pinch.move(2, { x: 310, y: 120 })];
    pinch.delete(1);
    console.log(JSON.stringify([apart, along.map(({ dx, dy }) => [dx, dy]), pinch.rest()]));
    """

    apart, along, rest = run_js(code)

    assert apart == {"factor": 2, "dx": 50, "dy": 0, "middle": {"x": 200, "y": 100}}
    assert along == [[5, 10], [5, 10]]
    assert rest == {"id": 2, "at": {"x": 310, "y": 120}}


def test_wheels_that_tell_lines_zoom_like_wheels_that_tell_pixels(run_js):
    code = """
    import { brushFactor, zoomOfWheel } from "./wheel.js";
    const turn = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, metaKey: false };
    console.log(JSON.stringify([
      zoomOfWheel({ ...turn, deltaY: 96 }), zoomOfWheel({ ...turn, deltaY: 3, deltaMode: 1 }),
      zoomOfWheel({ ...turn, deltaY: -4 }), zoomOfWheel({ ...turn, deltaY: -5, ctrlKey: true }),
      zoomOfWheel({ ...turn, deltaY: -120, ctrlKey: true }).factor,
      brushFactor({ ...turn, deltaX: -120 }),
    ]));
    """

    pixels, lines, fine, pinch, notch, brush = run_js(code)

    assert pixels == lines
    assert pixels["glides"] is True
    assert fine["glides"] is False
    assert pinch == {"factor": pytest.approx(1.0513, abs=1e-4), "glides": False}
    assert notch == pytest.approx(1.271, abs=1e-3)  # no more than a notch without Ctrl
    assert brush == pytest.approx(1.155, abs=1e-3)
