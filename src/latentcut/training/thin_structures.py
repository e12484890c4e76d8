"""
Thin structures painted into training crops: ropes, wheels, masts, branches, grass and fences.

Annotated photos of a few hundred pixels hold next to nothing thin: their masks end where a rope
begins, and run over the grass in front. So a network trained on them alone leaves out spokes and
fills lattices, whatever the clicks say. Here such structures are painted, with edges that are known
to the pixel:

- attached to an object, which then means the object with them (and, for some pairs, without);
- in front of everything, so that every object loses the pixels behind them;
- cut out of an object, so that something else of the picture shows through.

Lines are drawn at three times the size and averaged down: widths go by thirds of a pixel, and a
pixel belongs to what covers more than half of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
Canvas = NDArray[np.uint8]  # (3 S, 3 S), 255 where something was drawn

SUPERSAMPLING = 3
WIDTHS_PX = (1.0, 5.0)  # of ropes, spokes and blades, drawn log-uniformly
KEPT_SHARE = 0.4  # an object that loses more is left as it was
MIN_PAINTED_PX = 12


def add_thin_structure(
    image: NDArray[np.uint8], regions: Sequence[BoolArray], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[BoolArray]]:
    """
    Paint one thin structure into a crop, on, in front of or through its first object.

    Args:
        image: uint8 (S, S, 3), RGB.
        regions: bool (S, S) each, the objects of the crop; the first is the chosen one.
        rng: Source of all randomness.

    Returns:
        The painted image and the objects as they are visible now, the chosen one first. The
        structure is an object of its own, too, and so is the chosen one without what was
        attached to it. The crop comes back as it was if the structure cannot be seen, or if too
        little of the chosen object is left.
    """
    chosen = regions[0]
    size = len(chosen)
    kind = rng.choice(3, p=(0.5, 0.3, 0.2))
    canvas = np.zeros((SUPERSAMPLING * size,) * 2, dtype=np.uint8)
    if kind == 0:
        for _ in range(int(rng.integers(1, 3))):
            draw = (draw_ropes, draw_wheels, draw_masts, draw_branches)[rng.integers(4)]
            draw(canvas, chosen, rng)
    elif kind == 1:
        (draw_blades, draw_poles, draw_fence, draw_branches)[rng.integers(4)](canvas, chosen, rng)
    else:
        draw_openings(canvas, chosen, rng)
    shrunk = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    cover = shrunk.astype(np.float32) / np.float32(255)
    if kind == 0 and rng.random() < 0.4:
        cover[chosen] = 0  # behind the object
    elif kind == 2:
        cover[~chosen] = 0
    drawn = cover > 0.5
    if drawn.sum() < MIN_PAINTED_PX:
        return image, list(regions)

    seen = [region & ~drawn for region in regions]
    if kind == 0:
        # with what is attached, as people mean a rider with the bicycle, and without
        found = [chosen | drawn, seen[0], drawn, *seen[1:]]
    elif kind == 1:
        found = [*seen, drawn]
    else:
        found = seen
    if seen[0].sum() < KEPT_SHARE * chosen.sum():
        return image, list(regions)
    painted = paint(image, cover, chosen, rng)
    return painted, [region for i, region in enumerate(found) if i == 0 or region.any()]


def paint(
    image: NDArray[np.uint8], cover: FloatArray, chosen: BoolArray, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """
    Mix a colour or a texture into an image.

    Args:
        image: uint8 (S, S, 3), RGB.
        cover: float32 (S, S), share of each pixel that is covered.
        chosen: bool (S, S), the object whose colours may be borrowed.
        rng: Source of all randomness.

    Returns:
        uint8 (S, S, 3). Of three random textures the one is taken that differs most from what it
        hides: a line that nobody can see teaches nothing.
    """
    drawn = cover > 0.5
    hidden = image[drawn].mean(0)
    options = [random_texture(image, chosen, rng) for _ in range(3)]
    contrast = [float(np.abs(option[drawn].mean(0) - hidden).sum()) for option in options]
    texture = options[int(np.argmax(contrast))]
    grain = rng.standard_normal(cover.shape, dtype=np.float32) * np.float32(rng.uniform(0, 8))
    mixed = image + cover[..., None] * (texture + grain[..., None] - image)
    if rng.random() < 0.5:  # as soft as reduced photos are
        soft = cv2.GaussianBlur(mixed, (0, 0), float(rng.uniform(0.4, 0.8)))
        near = cv2.dilate((cover > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        mixed = np.where(near[..., None], soft, mixed)
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)


def random_texture(
    image: NDArray[np.uint8], chosen: BoolArray, rng: np.random.Generator
) -> FloatArray:
    """Another place of the image, a colour of the object or any colour; float32 (S, S, 3)."""
    size = len(image)
    which = rng.random()
    if which < 0.35:
        shift = rng.integers(size // 4, 3 * size // 4, size=2)
        return np.roll(image, tuple(shift), axis=(0, 1)).astype(np.float32)
    if which < 0.6 and chosen.any():
        rows, columns = np.nonzero(chosen)
        pick = int(rng.integers(len(rows)))
        colour = image[rows[pick], columns[pick]].astype(np.float32) * rng.uniform(0.5, 1.3)
    else:
        grey = rng.uniform(0, 255)
        colour = grey + rng.uniform(-60, 60, size=3) * (rng.random() < 0.6)
    along = np.linspace(-1, 1, size, dtype=np.float32)
    light = rng.uniform(-25, 25) * along[:, None] + rng.uniform(-25, 25) * along[None, :]
    return np.asarray(colour + light[..., None], dtype=np.float32)


def draw_curve(
    canvas: Canvas,
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    bend: NDArray[np.float64],
    width_px: float,
) -> None:
    """A quadratic curve between two points (x, y) of the crop, its middle moved by ``bend``."""
    t = np.linspace(0, 1, 24)[:, None]
    points = (1 - t) * start + t * stop + 4 * t * (1 - t) * bend
    draw_lines(canvas, points, width_px)


def draw_lines(canvas: Canvas, points: NDArray[np.float64], width_px: float) -> None:
    """Lines through points (N, 2) of the crop."""
    pixels = np.rint(points * SUPERSAMPLING).astype(np.int32)
    cv2.polylines(canvas, [pixels], False, 255, max(1, round(width_px * SUPERSAMPLING)))


def width(rng: np.random.Generator, factor: float = 1.0) -> float:
    """A random width of a thin thing, px."""
    low, high = np.log(WIDTHS_PX)
    return float(np.exp(rng.uniform(low, high)) * factor)


def random_points(region: BoolArray, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random pixels (x, y) of a region that is not empty, float64 (count, 2)."""
    rows, columns = np.nonzero(region)
    picks = rng.integers(len(rows), size=count)
    return np.stack([columns[picks], rows[picks]], axis=1).astype(np.float64)


def box_of(region: BoolArray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom pixel of a region that is not empty."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def draw_ropes(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """Up to ten ropes from one or two places of the object in one direction, fanned or parallel."""
    size = len(chosen)
    thick = width(rng, 0.7)
    direction = rng.uniform(0, 2 * np.pi)
    spread = rng.uniform(0, 0.5)
    length = size * rng.uniform(0.3, 1.5)
    bend = rng.normal(0, 0.03, size=2) * size
    for anchor in random_points(chosen, int(rng.integers(1, 3)), rng):
        for _ in range(int(rng.integers(1, 6))):
            angle = direction + rng.uniform(-spread, spread)
            start = anchor + rng.normal(0, 0.02, size=2) * size
            stop = start + length * np.array([np.cos(angle), np.sin(angle)])
            draw_curve(canvas, start, stop, bend + rng.normal(0, 2, size=2), thick)


def draw_wheels(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """One or two open wheels below or beside the object, with spokes and a frame of tubes."""
    left, top, right, bottom = box_of(chosen)
    side = max(right - left, bottom - top)
    radius = max(6.0, side * rng.uniform(0.12, 0.4))
    axes = np.array([radius * rng.uniform(0.4, 1.0), radius])
    tilt = rng.uniform(-15, 15)
    row = bottom + radius * rng.uniform(-0.8, 0.8)
    tyre = min(width(rng, 1.3), 0.3 * radius)
    centres = []
    for column in rng.uniform(left - 0.3 * side, right + 0.3 * side, size=int(rng.integers(1, 3))):
        centre = np.array([column, row + rng.normal(0, 0.03) * side])
        centres.append(centre)
        pixels = np.rint(centre * SUPERSAMPLING).astype(int)
        spans = np.maximum(1, np.rint(axes * SUPERSAMPLING)).astype(int)
        line = max(1, round(tyre * SUPERSAMPLING))
        cv2.ellipse(canvas, pixels.tolist(), spans.tolist(), tilt, 0, 360, 255, line, cv2.LINE_8)
        spoke = min(width(rng, 0.5), 0.1 * radius)
        turn = rng.uniform(0, np.pi)
        for angle in turn + np.linspace(0, np.pi, int(rng.integers(0, 7)), endpoint=False):
            reach = axes * np.array([np.cos(angle), np.sin(angle)])
            draw_lines(canvas, np.stack([centre - reach, centre + reach]), spoke)
    tube = min(width(rng), 0.3 * radius)
    joints = random_points(chosen, int(rng.integers(2, 5)), rng)
    for joint in joints:
        draw_lines(canvas, np.stack([centres[int(rng.integers(len(centres)))], joint]), tube)
    if len(centres) == 2:
        draw_lines(canvas, np.stack([centres[0], joints[0], centres[1]]), tube)


def draw_masts(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """Masts, bars and antennas that stand out of the object, at times with crossbars and stays."""
    left, top, right, bottom = box_of(chosen)
    side = max(right - left, bottom - top)
    thick = width(rng)
    up = np.array([[0.0, -1.0], [-1.0, 0.0], [1.0, 0.0]])[rng.choice(3, p=(0.6, 0.2, 0.2))]
    ends = []
    for foot in random_points(chosen, int(rng.integers(1, 5)), rng):
        lean = rng.normal(0, 0.08, size=2)
        end = foot + (up + lean) * side * rng.uniform(0.3, 0.9)
        ends.append(end)
        draw_lines(canvas, np.stack([foot, end]), thick)
        if rng.random() < 0.4:
            across = np.array([up[1], up[0]]) * side * rng.uniform(0.05, 0.25)
            middle = foot + (end - foot) * rng.uniform(0.4, 1.0)
            draw_lines(canvas, np.stack([middle - across, middle + across]), thick)
    if len(ends) > 1 and rng.random() < 0.6:
        draw_lines(canvas, np.stack(ends), width(rng, 0.6))


def draw_branches(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """A twig that grows from the object and forks."""
    size = len(chosen)
    thick = width(rng, 1.2)
    tips = [(random_points(chosen, 1, rng)[0], rng.uniform(0, 2 * np.pi), thick)]
    length = size * rng.uniform(0.08, 0.25)
    for _ in range(int(rng.integers(4, 16))):
        start, angle, line = tips.pop(int(rng.integers(len(tips))))
        stop = start + length * np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.5, 1.2)
        draw_curve(canvas, start, stop, rng.normal(0, 0.05, size=2) * length, line)
        for turn in (rng.normal(0.3, 0.3), rng.normal(-0.3, 0.3)):
            tips.append((stop, angle + turn, max(0.8, line * rng.uniform(0.6, 1.0))))


def draw_blades(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """Grass or reed in front of the lower part of the object."""
    left, top, right, bottom = box_of(chosen)
    height = bottom - top
    thick = width(rng, 0.6)
    for _ in range(int(rng.integers(4, 50))):
        foot = np.array([rng.uniform(left, right), bottom + rng.uniform(0, 0.3) * height])
        tip = foot - np.array([rng.normal(0, 0.15), rng.uniform(0.2, 0.9)]) * height
        bend = np.array([rng.normal(0, 0.05) * height, 0.0])
        draw_curve(canvas, foot, tip, bend, max(0.8, thick * rng.uniform(0.6, 1.2)))


def draw_poles(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """One to three poles or wires across the crop and the object."""
    size = len(chosen)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]) + rng.normal(0, 0.05)
    way = 1.5 * size * np.array([np.cos(angle), np.sin(angle)])
    for through in random_points(chosen, int(rng.integers(1, 4)), rng):
        draw_lines(canvas, np.stack([through - way, through + way]), width(rng, 2.0))


def draw_fence(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """A lattice in front of the object, of one or two sets of parallel bars."""
    size = len(chosen)
    gap = size * rng.uniform(0.05, 0.2)
    thick = min(width(rng, 0.8), 0.3 * gap)
    middle = random_points(chosen, 1, rng)[0]
    angle = rng.choice([0.0, np.pi / 4, rng.uniform(0, np.pi)])
    for turn in (0.0, np.pi / 2)[: int(rng.integers(1, 3))]:
        along = np.array([np.cos(angle + turn), np.sin(angle + turn)])
        across = np.array([-along[1], along[0]])
        for step in np.arange(-1.5 * size, 1.5 * size, gap):
            through = middle + step * across
            draw_lines(
                canvas,
                np.stack([through - 1.5 * size * along, through + 1.5 * size * along]),
                thick,
            )


def draw_openings(canvas: Canvas, chosen: BoolArray, rng: np.random.Generator) -> None:
    """Openings with bars between them, as in railings and baskets; drawn is what is cut out."""
    left, top, right, bottom = box_of(chosen)
    wide, high = (right - left) * rng.uniform(0.3, 0.8), (bottom - top) * rng.uniform(0.2, 0.6)
    x0, y0 = rng.uniform(left, right - wide), rng.uniform(top, bottom - high)
    columns, rows = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    bar = min(width(rng, 0.9), 0.3 * min(wide / columns, high / rows))
    slant = rng.normal(0, 0.15) * high
    for row in range(rows):
        for column in range(columns):
            x = x0 + wide * (column + np.array([0.0, 1.0])) / columns + np.array([bar, -bar]) / 2
            y = y0 + high * (row + np.array([0.0, 1.0])) / rows + np.array([bar, -bar]) / 2
            corners = np.array(
                [[x[0] + slant, y[0]], [x[1] + slant, y[0]], [x[1], y[1]], [x[0], y[1]]]
            )
            cv2.fillPoly(canvas, [np.rint(corners * SUPERSAMPLING).astype(np.int32)], 255)
