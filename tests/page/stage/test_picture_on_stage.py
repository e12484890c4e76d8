"""The picture's own pixels, at every zoom, and how one picture follows another."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from stage_page import ALPHA, read, show, square, zoom_to


@pytest.mark.parametrize("ratio", [1, 2], ids=lambda ratio: f"{ratio} device px")
def test_at_one_to_one_the_canvas_has_the_pixels_of_the_png(open_picture, ramp, ratio):
    page = open_picture(ramp, device_scale_factor=ratio)

    scale, left, top = zoom_to(page, 1 / ratio)

    actual = read(page, "picture", left * ratio, top * ratio, 400, 300)
    assert scale == 1 / ratio
    assert (actual[..., :3] == ramp).all()
    assert (actual[..., 3] == 255).all()


@pytest.mark.parametrize("ratio", [1, 2], ids=lambda ratio: f"{ratio} device px")
def test_from_three_times_on_pixels_are_crisp_squares(open_picture, ramp, ratio):
    page = open_picture(ramp, device_scale_factor=ratio)
    _, left, top = zoom_to(page, 4)
    side = 4 * ratio
    x0, y0 = (int(np.ceil(max(0, -start) / 4)) for start in (left, top))

    actual = read(
        page, "picture", (left + 4 * x0) * ratio, (top + 4 * y0) * ratio, 40 * side, 40 * side
    )

    expected = ramp[y0 : y0 + 40, x0 : x0 + 40].repeat(side, axis=0).repeat(side, axis=1)
    assert (actual[..., :3] == expected).all()


def test_another_picture_fits_again_and_takes_the_objects_along(open_picture, server, ramp):
    page = open_picture(ramp)
    show(page, (square((300, 400), (10, 290), (10, 390)), {}))
    zoom_to(page, 7)
    server.put("b", ramp[:100])
    page.evaluate("harness.open('b', 400, 100)")

    fitted = page.evaluate("harness.stage.viewState()")

    assert fitted["scale"] == pytest.approx(752 / 400)  # 800 px less two margins of 24
    assert read(page, "active", 0, 0, 800, 600).max() == 0


def test_the_same_picture_again_keeps_view_and_objects(open_picture, ramp):
    page = open_picture(ramp)
    show(page, (square((300, 400), (10, 290), (10, 390)), {}))
    before = zoom_to(page, 5)
    page.evaluate("harness.open('a', 400, 300)")

    after = page.evaluate("harness.stage.viewState()")

    assert [after["scale"], after["x"], after["y"]] == before
    assert read(page, "active", 400, 300, 1, 1)[0, 0, 3] == ALPHA


def test_a_picture_that_was_left_behind_does_not_come_back(open_picture, server, ramp):
    page = open_picture(ramp)
    server.put("slow", ramp[:200])
    server.put("quick", ramp[:50])
    server.gates["/pictures/slow.png"] = threading.Event()

    drawn = page.evaluate(
        """async () => {
          const slow = harness.open("slow", 400, 200);
          const quick = await harness.open("quick", 400, 50);
          return [await slow, quick, harness.stage.picture.height];
        }"""
    )
    server.gates["/pictures/slow.png"].set()

    assert drawn == [False, True, 50]


def test_a_picture_that_cannot_be_loaded_is_told_and_leaves_an_empty_stage(
    open_picture, server, ramp
):
    page = open_picture(ramp)

    message = page.evaluate("harness.open('gone', 10, 10).catch((error) => error.message)")

    assert message == (
        "the picture could not be loaded: the server answered 404 for /pictures/gone.png"
    )
    assert read(page, "picture", 0, 0, 800, 600).max() == 0
    assert page.evaluate("harness.stage.picture") is None


def test_a_large_picture_gets_its_full_resolution_where_one_looks(open_picture, server):
    rng = np.random.default_rng(0)
    full = rng.integers(0, 256, size=(1400, 2100, 3), dtype=np.uint8)
    for row in range(3):
        for col in range(5):
            server.put(
                f"a/{col}/{row}", full[512 * row : 512 * row + 512, 512 * col : 512 * col + 512]
            )
    page = open_picture(full[::2, ::2], size=(1400, 2100))
    fitted = [path for path in server.requested if path.startswith("/pictures/a/")]

    _, left, top = zoom_to(page, 1)
    x, y = round(-left), round(-top)
    columns = range(x // 512, (x + 799) // 512 + 1)
    rows = range(y // 512, (y + 599) // 512 + 1)
    corners = [(0, 0), (799, 0), (0, 599), (799, 599)]
    page.wait_for_function(
        """wanted => wanted.every(([x, y, ...colour]) =>
             `${harness.pixel('picture', x, y)}` === `${colour}`)""",
        arg=[[dx, dy, *map(int, full[y + dy, x + dx]), 255] for dx, dy in corners],
    )

    actual = read(page, "picture", 0, 0, 800, 600)
    asked = [path for path in server.requested if path.startswith("/pictures/a/")]
    assert fitted == []  # the reduced picture was enough
    assert (actual[..., :3] == full[y : y + 600, x : x + 800]).all()
    assert sorted(asked) == sorted(
        f"/pictures/a/{col}/{row}.png" for col in columns for row in rows
    )
