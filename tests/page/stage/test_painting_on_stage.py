"""What lies on the picture: masks in their place, and signs on top."""

from __future__ import annotations

import numpy as np
import pytest
from stage_page import ALPHA, read, show, square, zoom_to

from latentcut.core.masks import coco_rle

ORANGE = [230, 159, 0]


@pytest.mark.parametrize("reduced", [1, 2], ids=["full mask", "half-size mask"])
@pytest.mark.parametrize("ratio", [1, 2], ids=lambda ratio: f"{ratio} device px")
def test_masks_lie_on_the_edges_of_pixels(open_picture, ramp, ratio, reduced):
    page = open_picture(ramp, device_scale_factor=ratio)
    rows, columns = (140, 160), (190, 220)
    mask = square((300, 400), rows, columns)[::reduced, ::reduced]
    show(page, (mask, {}))
    _, left, top = zoom_to(page, 8)
    side = 8 * ratio

    pad = 4  # pixels of the picture around the square
    x0, y0 = (left + 8 * (columns[0] - pad)) * ratio, (top + 8 * (rows[0] - pad)) * ratio
    alpha = read(page, "active", x0, y0, (30 + 2 * pad) * side, (20 + 2 * pad) * side)[..., 3]

    rim = 3 * ratio  # half of the outline's width and a bit
    inside = alpha[pad * side + rim : -pad * side - rim, pad * side + rim : -pad * side - rim]
    assert (inside == ALPHA).all()
    outside = alpha.copy()
    outside[pad * side - rim : -pad * side + rim, pad * side - rim : -pad * side + rim] = 0
    assert outside.max() == 0
    middle = alpha.shape[0] // 2
    (opaque,) = np.nonzero(alpha[middle] > 230)  # the lines to the left and to the right
    assert (opaque[0] + opaque[-1] + 1) / 2 == pytest.approx(alpha.shape[1] / 2, abs=0.5)
    is_left = opaque < alpha.shape[1] / 2
    assert opaque[is_left].mean() + 0.5 == pytest.approx(pad * side, abs=0.5)


def test_the_active_object_stands_out_and_hidden_ones_are_gone(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    masks = [square((300, 400), (50, 100), (start, start + 50)) for start in (50, 150, 250)]
    more = [{"active": True}, {"active": False}, {"active": False, "hidden": True}]
    show(page, *zip(masks, more, strict=True))

    spots = [(left + start + 25, top + 75) for start in (50, 150, 250)]
    active = [int(read(page, "active", x, y, 1, 1)[0, 0, 3]) for x, y in spots]
    others = [int(read(page, "masks", x, y, 1, 1)[0, 0, 3]) for x, y in spots]

    assert active == [ALPHA, 0, 0]
    assert others == [0, pytest.approx(0.55 * ALPHA, abs=1), 0]


def test_fills_have_the_colour_of_the_palette_and_the_opacity_of_the_scene(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    show(page, (square((300, 400), (50, 100), (50, 100)), {}), opacity=1)

    opaque = read(page, "active", left + 75, top + 75, 1, 1)[0, 0].tolist()
    page.evaluate("harness.stage.setScene({ opacity: 0 })")
    clear = read(page, "active", left + 75, top + 75, 1, 1)[0, 0].tolist()

    assert opaque == [*ORANGE, 255]
    assert clear[3] == 0


def test_only_outlines_or_no_masks_at_all(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    show(page, (square((300, 400), (50, 100), (50, 100)), {}), outlineOnly=True)

    inside = read(page, "active", left + 75, top + 75, 1, 1)[0, 0, 3]
    edge = read(page, "active", left + 46, top + 75, 8, 1)[0, :, 3].max()
    page.evaluate("harness.stage.setScene({ hideMasks: true })")
    hidden = read(page, "active", 0, 0, 800, 600).max()

    assert (inside, edge > 200, hidden) == (0, True, 0)


def test_every_colour_has_a_hatching_of_its_own(open_picture, ramp):
    page = open_picture(ramp)
    zoom_to(page, 1)
    patterns = []
    for colour in range(8):
        show(page, (square((300, 400), (0, 300), (0, 400)), {"colour": colour}), hatching=True)
        alpha = read(page, "active", 300, 250, 48, 48)[..., 3]
        patterns.append(alpha > (int(alpha.min()) + int(alpha.max())) / 2)

    for number, pattern in enumerate(patterns):
        assert 0.05 < pattern.mean() < 0.75
        for other in patterns[:number]:
            assert (pattern != other).mean() > 0.1


def test_the_candidate_takes_the_place_of_the_active_mask(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    show(page, (square((300, 400), (50, 100), (50, 100)), {}))
    page.evaluate(
        "rle => harness.stage.setScene({ candidate: harness.Mask.fromRle(rle) })",
        coco_rle(square((300, 400), (50, 100), (200, 250))),
    )

    old = read(page, "active", left + 75, top + 75, 1, 1)[0, 0, 3]
    new = read(page, "active", left + 225, top + 75, 1, 1)[0, 0, 3]

    assert (old, new) == (0, ALPHA)


def test_hatching_moves_with_the_picture(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    show(page, (square((300, 400), (0, 300), (0, 400)), {}), hatching=True)

    before = read(page, "active", left + 100, top + 100, 40, 40)
    page.evaluate("harness.stage.panBy(13, -7)")
    after = read(page, "active", left + 113, top + 93, 40, 40)

    assert (before == after).all()


def test_signs_differ_by_shape_and_not_only_by_colour(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    clicks = [{"x": 100, "y": 100, "positive": True}, {"x": 200, "y": 100, "positive": False}]
    page.evaluate("clicks => harness.stage.setScene({ clicks })", clicks)

    plus, minus = (
        read(page, "overlay", left + x - 11.5, top + 100.5 - 12, 24, 24)[..., 3] > 128
        for x in (100, 200)
    )

    assert (plus[12, 12], minus[12, 12]) == (True, True)
    assert (plus != minus).mean() > 0.05
    assert (plus[6, 5], minus[6, 5]) == (
        True,
        False,
    )  # on its shoulders a disc is wider than a diamond
    assert (plus[2, 12], minus[2, 12]) == (False, True)  # which has a tip


def test_the_busy_sign_is_there_with_the_next_frame_beside_the_last_click(open_picture, ramp):
    page = open_picture(ramp)
    _, left, top = zoom_to(page, 1)
    clicks = [{"x": 100, "y": 100, "positive": True}]
    page.evaluate("clicks => harness.stage.setScene({ clicks, busy: true })", clicks)

    beside = (left + 120.5 - 4, top + 80.5 - 4, 8, 8)
    busy = read(page, "overlay", *beside)[..., 3].max()
    page.evaluate("harness.stage.setScene({ busy: false })")
    idle = read(page, "overlay", *beside)[..., 3].max()

    assert (busy > 0, idle) == (True, 0)


def test_with_reduced_motion_nothing_moves_by_itself(open_picture, ramp):
    page = open_picture(ramp, reduced_motion="reduce")
    page.evaluate(
        "harness.stage.setScene({ clicks: [{ x: 9, y: 9, positive: true, pending: true }] })"
    )

    jumped = page.evaluate("harness.stage.zoomBy(2), harness.stage.viewState().scale")
    first = read(page, "overlay", 0, 0, 400, 300)
    second = read(page, "overlay", 0, 0, 400, 300)

    assert jumped == pytest.approx(2 * 552 / 300)
    assert (first == second).all()


def test_a_moving_brush_repaints_nothing_but_the_overlay(open_picture, ramp):
    page = open_picture(ramp)
    page.evaluate("harness.stage.setTool({ tool: 'brush' })")
    painted = page.evaluate(
        """async () => {
          await harness.frames(3);
          const painted = { picture: 0, masks: 0, active: 0, overlay: 0 };
          const { clearRect } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.clearRect = function (...args) {
            painted[this.canvas.dataset.layer] += 1;
            return clearRect.apply(this, args);
          };
          const where = { clientY: 300, pointerId: 1, pointerType: "mouse" };
          const move = (clientX) => harness.stage.container.dispatchEvent(
            new PointerEvent("pointermove", { ...where, clientX }));
          for (let at = 0; at < 30; at++) {
            move(300 + 2 * at);
            move(301 + 2 * at);
            await harness.frames(1);
          }
          CanvasRenderingContext2D.prototype.clearRect = clearRect;
          return painted;
        }"""
    )

    assert painted == {"picture": 0, "masks": 0, "active": 0, "overlay": pytest.approx(30, abs=1)}


def test_thumbnails_show_the_mask_bright_and_the_rest_dim(open_picture, ramp):
    white = np.full((300, 400, 3), 255, dtype=np.uint8)
    page = open_picture(white)
    rle = coco_rle(square((150, 200), (50, 100), (50, 100)))  # of half the picture's size

    found = page.evaluate(
        """(rle) => {
          const mask = harness.Mask.fromRle(rle);
          const canvas = document.createElement("canvas");
          Object.assign(canvas, { width: 100, height: 75 });
          const { picture } = harness.stage;
          harness.drawThumbnail(canvas, picture, mask, 0);
          const at = (x, y) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
          const whole = [at(37, 37), at(80, 20)];
          harness.drawThumbnail(canvas, picture, mask, 0, harness.sharedView([mask], 4 / 3));
          return [...whole, at(50, 37), at(3, 3), harness.sharedView([mask], 1)];
        }""",
        rle,
    )

    inside, outside, inside_closer, outside_closer, view = found
    tinted = [round(255 + 0.28 * (channel - 255)) for channel in ORANGE]
    assert inside == pytest.approx([*tinted, 255], abs=2)
    assert inside_closer == pytest.approx([*tinted, 255], abs=2)
    assert max(*outside[:3], *outside_closer[:3]) < 120
    # 50 px of 200 and of 150 with 12 % around: 62 px, a square of the picture
    assert view == pytest.approx([44 / 200, 44 / 150, 106 / 200, 106 / 150])
