"""Words to talk to the stage in: where things are, and what it told."""

from __future__ import annotations

import base64
import contextlib

import numpy as np
import pytest

from latentcut.core.masks import coco_rle

LEFT, TOP = 40, 30  # of the stage on the page
WIDTH, HEIGHT = 400, 300  # of the picture
ALPHA = round(0.45 * 255)  # of a fill at the default opacity


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


def zoom_to(page, scale):
    """Set the scale; returns scale, left and top."""
    return page.evaluate(
        """async (scale) => {
          const { stage } = harness;
          await stage.whenSettled();
          stage.zoomBy(scale / stage.viewState().scale);
          await stage.whenSettled();
          const state = stage.viewState();
          return [state.scale, state.x, state.y];
        }""",
        scale,
    )


def read(page, layer, x, y, width, height):
    """Pixels of a layer in device pixels, uint8 (height, width, 4)."""
    found = page.evaluate(
        "async (args) => { await harness.frames(2); return harness.encoded(...args); }",
        [layer, round(x), round(y), width, height],
    )
    return np.frombuffer(base64.b64decode(found), dtype=np.uint8).reshape(height, width, 4)


def show(page, *objects, **scene):
    """Put objects into the scene; each is a mask and what is not usual about it."""
    listed = [
        {"id": number, "rle": coco_rle(mask), "colour": 0, "active": True, "hidden": False, **more}
        for number, (mask, more) in enumerate(objects)
    ]
    page.evaluate(
        """([listed, scene]) => harness.stage.setScene({
          objects: listed.map(({ rle, ...object }) => (
            { ...object, mask: harness.Mask.fromRle(rle) })),
          ...scene,
        })""",
        [listed, scene],
    )


def square(size_hw, rows, columns):
    mask = np.zeros(size_hw, dtype=bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask
