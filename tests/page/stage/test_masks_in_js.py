"""Masks in the page are the masks of core: same codes, same pixels, same outlines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from latentcut.annotation.compose import draw_stroke
from latentcut.annotation.records import Stroke
from latentcut.core.masks import (
    coco_rle,
    compress_rle_counts,
    encode_rle,
    mask_area,
    mask_box_xyxy,
    mask_from_coco_rle,
    mask_to_polygons_edges,
)

GOLDEN = {  # the three masks of the contracts: 4 rows, 5 columns
    "A": ([10, 1, 2, 2, 5], [(1, 3), (2, 2), (2, 3)]),
    "B": ([9, 2, 2, 2, 5], [(1, 2), (1, 3), (2, 2), (2, 3)]),
    "Z": ([20], []),
}
DECODE = """
import { decodeCounts, Mask } from "./masks.js";
const read = (rle) => {
  const mask = Mask.fromRle(rle);
  const { width, height } = mask;
  const ask = () => Array.from({ length: width * height }, (_, at) =>
    mask.has(at % width, Math.floor(at / width)) ? 1 : 0);
  const pixels = ask(); // of the run lengths
  const raster = mask.raster() && [...mask.raster().data];
  const again = ask(); // of the pixels
  return { width, height, box: mask.box, area: mask.area, pixels, again, raster };
};
const both = (rle) => ({ counts: [...decodeCounts(rle.counts)], ...read(rle) });
console.log(JSON.stringify(input.map(both)));
"""


def random_masks():
    rng = np.random.default_rng(5)
    masks = [rng.random((h, w)) < 0.5 for h, w in [(1, 1), (1, 9), (9, 1), (7, 5), (64, 48)]]
    for size in (6, 31, 90):
        noise = cv2.GaussianBlur(rng.normal(size=(size, 120)), (0, 0), 3)
        masks.append(noise > 0)
    tall = np.zeros((70_000, 2), dtype=bool)  # runs too long for 16 bits, over the end of a column
    tall[60_000:, 0] = tall[:500, 1] = True
    return [*masks, tall, np.ones((5, 4), dtype=bool), np.zeros((5, 4), dtype=bool)]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_vectors_are_decoded(run_js, name):
    counts, on = GOLDEN[name]
    expected = np.zeros((4, 5), dtype=int)
    for row, column in on:
        expected[row, column] = 1

    (actual,) = run_js(DECODE, [{"size": [4, 5], "counts": compress_rle_counts(counts)}])

    assert actual["counts"] == counts
    assert np.reshape(actual["pixels"], (4, 5)).tolist() == expected.tolist()
    assert actual["area"] == len(on)


def test_the_published_code_of_mask_a_is_read(run_js):
    (actual,) = run_js(DECODE, [{"size": [4, 5], "counts": ":1213"}])

    assert actual["counts"] == [10, 1, 2, 2, 5]
    assert actual["box"] == [2, 1, 4, 3]


def test_codes_of_core_give_the_same_pixels_box_and_area(run_js):
    masks = random_masks()

    found = run_js(DECODE, [coco_rle(mask) for mask in masks])

    for mask, actual in zip(masks, found, strict=True):
        box = mask_box_xyxy(mask)
        assert actual["counts"] == encode_rle(mask)
        assert bytes(actual["pixels"]) == mask.astype(np.uint8).tobytes()
        assert bytes(actual["again"]) == mask.astype(np.uint8).tobytes()
        assert actual["area"] == mask_area(mask)
        assert actual["box"] == (list(box) if box else None)
        if box:
            x0, y0, x1, y1 = box
            assert bytes(actual["raster"]) == mask[y0:y1, x0:x1].astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        pytest.param(
            {"size": [4, 5], "counts": ":121"},
            "counts add up to 15, not to 4 x 5 = 20",
            id="does not fill the size",
        ),
        pytest.param(
            {"size": [4, 5], "counts": "P"},
            "counts is no COCO count string: it is cut off or has other characters than '0' to 'o'",
            id="cut off",
        ),
        pytest.param(
            {"size": [4, 5], "counts": "~"},
            "counts is no COCO count string: it is cut off or has other characters than '0' to 'o'",
            id="other characters",
        ),
        pytest.param(
            {"size": [4, 5], "counts": "N"}, "counts has a negative or too large run", id="negative"
        ),
    ],
)
def test_a_broken_code_is_refused_with_the_reason(run_js, rle, message):
    code = """
    import { Mask } from "./masks.js";
    let message = null;
    try { Mask.fromRle(input); } catch (error) { message = error.message; }
    console.log(JSON.stringify(message));
    """

    actual = run_js(code, rle)

    assert actual == message


def test_a_point_of_the_picture_is_found_in_a_mask_of_half_its_size(run_js):
    mask = np.array([[0, 1], [0, 0]], dtype=bool)  # of a picture of 4 x 4: columns 2, 3; rows 0, 1
    code = """
    import { Mask } from "./masks.js";
    const mask = Mask.fromRle(input.rle);
    console.log(JSON.stringify(input.points.map(([x, y]) => mask.hasPoint(x, y, 4, 4))));
    """
    points = [[2, 0], [3, 1], [1.49, 0], [1.51, 0], [3.49, 1.49], [3, 2], [-1, 0], [4, 0]]

    actual = run_js(code, {"rle": coco_rle(mask), "points": points})

    assert actual == [True, True, False, True, True, False, False, False]


def test_reduced_masks_keep_thin_lines_in_one_piece(run_js):
    lines = []
    for draw in [(slice(37, 38), slice(3, 90)), (slice(3, 90), slice(36, 37))]:
        mask = np.zeros((96, 96), dtype=bool)
        mask[draw] = True
        lines.append(mask)
    lines.append(np.eye(96, dtype=bool) | np.eye(96, k=1, dtype=bool))  # a diagonal, 4-connected
    code = """
    import { Mask } from "./masks.js";
    console.log(JSON.stringify(input.map((rle) => [1, 2, 3].map((level) => {
      const { width, height, step, data } = Mask.fromRle(rle).raster(level);
      return { width, height, step, data: [...data] };
    }))));
    """

    found = run_js(code, [coco_rle(mask) for mask in lines])

    for levels in found:
        for level, raster in enumerate(levels, start=1):
            pixels = np.reshape(raster["data"], (raster["height"], raster["width"])).astype(
                np.uint8
            )
            count, _ = cv2.connectedComponents(pixels, connectivity=8)
            assert raster["step"] == 2**level
            assert count == 2  # the background and one line


OUTLINES = """
import { Mask } from "./masks.js";
import { drawSmooth, traceRings } from "./outlines.js";
const pen = () => {
  const found = [];
  return {
    found,
    moveTo: (x, y) => found.push([[x, y]]),
    lineTo: (x, y) => found.at(-1).push([x, y]),
    quadraticCurveTo: (cx, cy, x, y) => found.at(-1).push([x, y]),
    closePath: () => {},
  };
};
console.log(JSON.stringify(input.map((rle) => {
  const raster = Mask.fromRle(rle).raster();
  if (!raster) return { rings: [], smooth: [], x0: 0, y0: 0 };
  const rings = traceRings(raster);
  const each = [];
  for (let ring = 0; ring + 1 < rings.starts.length; ring++) {
    const points = [];
    for (let at = rings.starts[ring]; at < rings.starts[ring + 1]; at++) {
      points.push([rings.corners[2 * at] + raster.x0, rings.corners[2 * at + 1] + raster.y0]);
    }
    each.push(points);
  }
  const smooth = pen();
  drawSmooth(smooth, rings);
  return { rings: each, smooth: smooth.found, x0: raster.x0, y0: raster.y0 };
})));
"""


def signed_area(ring):
    x, y = np.array(ring, dtype=float).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def from_the_first_corner(ring):
    corners = [tuple(map(float, corner)) for corner in ring]
    start = corners.index(min(corners, key=lambda corner: (corner[1], corner[0])))
    return corners[start:] + corners[:start]


def test_outlines_are_those_of_core(run_js):
    masks = [mask for mask in random_masks() if mask.shape[0] < 1000]

    found = run_js(OUTLINES, [coco_rle(mask) for mask in masks])

    for mask, actual in zip(masks, found, strict=True):
        outer = [from_the_first_corner(ring) for ring in actual["rings"] if signed_area(ring) > 0]
        expected = [from_the_first_corner(ring) for ring in mask_to_polygons_edges(mask)]
        assert sorted(outer) == sorted(expected)
        # holes run the other way round, so that everything adds up to the area
        assert sum(map(signed_area, actual["rings"])) == mask_area(mask)


def test_pixels_that_touch_at_a_corner_have_outlines_of_their_own(run_js):
    (actual,) = run_js(OUTLINES, [coco_rle(np.eye(2, dtype=bool))])

    assert [signed_area(ring) for ring in actual["rings"]] == [1.0, 1.0]


def test_smoothed_outlines_stay_within_a_pixel_of_the_exact_ones(run_js):
    rows, columns = np.mgrid[:80, :100]
    disc = np.hypot(columns - 50, rows - 40) < 30
    slope = columns * 0.2 + 20 < rows
    dots = np.zeros((80, 100), dtype=bool)
    dots[10, 10] = dots[20:22, 20:22] = True
    masks = [disc, slope, dots]

    found = run_js(OUTLINES, [coco_rle(mask) for mask in masks])

    for mask, actual in zip(masks, found, strict=True):
        edges = np.concatenate([edge_points(ring) for ring in actual["rings"]])
        assert len(actual["smooth"]) == len(actual["rings"])
        for ring in actual["smooth"]:
            points = np.add(ring, [actual["x0"], actual["y0"]])
            distances = np.hypot(*(points[:, None] - edges[None]).transpose(2, 0, 1)).min(axis=1)
            assert distances.max() <= 1.0
        area = sum(map(signed_area, actual["smooth"]))
        assert abs(area - mask_area(mask)) < 0.06 * mask_area(mask) + 4


def edge_points(ring):
    """Points along the edges of a ring, a quarter of a pixel apart."""
    corners = np.array(ring, dtype=float)
    steps = [
        np.linspace(start, end, int(4 * np.abs(end - start).sum()) + 1)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    return np.concatenate(steps)


@pytest.mark.parametrize("tool", ["brush", "eraser"])
def test_the_preview_of_a_stroke_is_the_servers_answer_but_for_single_pixels(run_js, tool):
    rows, columns = np.mgrid[:120, :160]
    mask = np.hypot(columns - 70, rows - 60) < 40
    points = [[20.0, 30.5], [60.25, 45.0], [100.0, 100.0], [150.0, 110.0], [175.0, 118.0]]
    expected = mask.astype(np.uint8)
    draw_stroke(expected, Stroke(tool=tool, radius_px=9.5, points=tuple(map(tuple, points))))
    code = """
    import { Mask } from "./masks.js";
    import { applyStroke } from "./strokes.js";
    const { tool, points, rle } = input;
    const mask = applyStroke(Mask.fromRle(rle), { tool, points, radius: 9.5 }, 160);
    const has = (_, at) => (mask.has(at % 160, Math.floor(at / 160)) ? 1 : 0);
    const pixels = Array.from({ length: 120 * 160 }, has);
    console.log(JSON.stringify({ pixels, area: mask.area }));
    """

    found = run_js(code, {"tool": tool, "points": points, "rle": coco_rle(mask)})

    actual = np.reshape(found["pixels"], (120, 160)).astype(np.uint8)
    edge = cv2.morphologyEx(expected, cv2.MORPH_GRADIENT, np.ones((3, 3), dtype=np.uint8))
    assert found["area"] == actual.sum()
    assert (actual != expected)[edge == 0].sum() == 0
    assert (actual != expected).sum() < 0.05 * edge.sum()


def test_a_stroke_on_nothing_makes_a_mask_and_erasing_all_of_it_leaves_none(run_js):
    code = """
    import { Mask } from "./masks.js";
    import { applyStroke } from "./strokes.js";
    const nothing = Mask.empty(20, 10);
    const dot = applyStroke(nothing, { tool: "brush", points: [[5, 5]], radius: 1 }, 20);
    const gone = applyStroke(dot, { tool: "eraser", points: [[5, 5]], radius: 3 }, 20);
    const outside = applyStroke(nothing, { tool: "brush", points: [[-9, 5]], radius: 2 }, 20);
    console.log(JSON.stringify([dot, gone, outside].map(({ box, area }) => [box, area])));
    """

    actual = run_js(code)

    # a pen of radius 1 reaches the centres of five pixels
    assert actual == [[[4, 4, 7, 7], 5], [None, 0], [None, 0]]


def test_core_reads_back_what_the_page_decoded(run_js):
    mask = random_masks()[6]

    (actual,) = run_js(DECODE, [coco_rle(mask)])

    again = mask_from_coco_rle({"size": list(mask.shape), "counts": actual["counts"]})
    assert again.tobytes() == mask.tobytes()
