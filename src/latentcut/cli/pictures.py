"""Pictures of masks and clicks: the cut-out and the overlay, drawn smoothly at any size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from latentcut.core.clicks import Click

RgbImage = NDArray[np.uint8]  # (H, W, 3)
BoolArray = NDArray[np.bool_]
Colour = tuple[int, int, int]

TINT: Colour = (38, 132, 255)
TINT_SHARE = 0.38
WHITE: Colour = (255, 255, 255)
OUTLINE_SHADE: Colour = (8, 28, 66)
POSITIVE: Colour = (22, 163, 74)
NEGATIVE: Colour = (220, 38, 38)

SUPERSAMPLING = 8  # a mark is drawn so much larger and then made small: smooth edges
PIXELS_PER_LINE_PX = 450  # of the longer side, for each pixel of line width
MARK_SHARE = 1 / 48  # radius of a click's mark over the longer side
SMALLEST_MARK_PX = 5.0


def cutout_picture(image: RgbImage, mask: BoolArray) -> NDArray[np.uint8]:
    """
    The thing alone.

    Args:
        image: uint8 (H0, W0, 3).
        mask: bool (H0, W0).

    Returns:
        uint8 RGBA (H0, W0, 4), alpha 255 inside and 0 outside. Pixels outside are black, so
        that the file does not keep a background nobody sees.
    """
    alpha = mask.astype(np.uint8) * np.uint8(255)
    return np.dstack([np.where(mask[:, :, None], image, np.uint8(0)), alpha])


def overlay_picture(image: RgbImage, mask: BoolArray, clicks: Sequence[Click]) -> RgbImage:
    """The image (H0, W0, 3) with the mask tinted, its outline and the clicks."""
    return draw_clicks(draw_outline(tint(image, mask), mask), clicks)


def tint(image: RgbImage, mask: BoolArray, colour: Colour = TINT) -> RgbImage:
    """The image with the inside of the mask coloured."""
    painted = image.copy()
    mixed = image[mask] * (1 - TINT_SHARE) + np.array(colour) * TINT_SHARE
    painted[mask] = np.rint(mixed).astype(np.uint8)
    return painted


def draw_outline(
    image: RgbImage, mask: BoolArray, colour: Colour = WHITE, width_px: int | None = None
) -> RgbImage:
    """The image with the mask's outline: a line on a dark shade, seen on any ground."""
    width = width_px or max(1, round(max(image.shape[:2]) / PIXELS_PER_LINE_PX))
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    painted = image.copy()
    cv2.drawContours(painted, outlines, -1, OUTLINE_SHADE, width + 2, cv2.LINE_AA)
    painted = cv2.addWeighted(painted, 0.6, image, 0.4, 0).astype(np.uint8)
    cv2.drawContours(painted, outlines, -1, colour, width, cv2.LINE_AA)
    return painted


def draw_clicks(
    image: RgbImage, clicks: Sequence[Click], radius_px: float | None = None
) -> RgbImage:
    """The image with a mark on every click: plus on green if positive, minus on red if not."""
    radius = radius_px or max(SMALLEST_MARK_PX, max(image.shape[:2]) * MARK_SHARE)
    canvas = Image.fromarray(image)
    for click in clicks:
        mark = click_mark(radius, positive=click.positive)
        column, row = click.pixel_xy
        canvas.paste(mark, (column - mark.width // 2, row - mark.height // 2), mark)
    return np.array(canvas)


def click_mark(radius_px: float, *, positive: bool) -> Image.Image:
    """A round mark, RGBA, transparent around; its middle is the middle of a pixel."""
    side = 2 * (int(1.1 * radius_px) + 1) + 1
    scale = SUPERSAMPLING
    mark = Image.new("RGBA", (side * scale, side * scale), (255, 255, 255, 0))
    draw = ImageDraw.Draw(mark)
    centre, radius = side * scale / 2, radius_px * scale

    def disc(share: float, fill: tuple[int, ...]) -> None:
        reach = radius * share
        draw.ellipse((centre - reach, centre - reach, centre + reach, centre + reach), fill=fill)

    disc(1.1, (0, 0, 0, 90))
    disc(1.0, (*WHITE, 255))
    disc(0.8, (*(POSITIVE if positive else NEGATIVE), 255))
    arm, half = radius * 0.48, radius * 0.12
    bar = (centre - arm, centre - half, centre + arm, centre + half)
    draw.rounded_rectangle(bar, radius=half, fill=WHITE)
    if positive:
        draw.rounded_rectangle((bar[1], bar[0], bar[3], bar[2]), radius=half, fill=WHITE)
    return mark.reduce(scale)
