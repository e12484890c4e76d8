"""The contact sheet: a photo with its clicks and every candidate with its score."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentcut.cli.pictures import BoolArray, RgbImage, draw_clicks, draw_outline
from latentcut.core.clicks import Click
from latentcut.core.prediction import Prediction

GROUND = (250, 250, 249)
INK = (28, 25, 23)
FAINT = (120, 113, 108)
LINE = (214, 211, 209)
ACCENT = (29, 99, 237)

TILE_WH = (300, 225)  # px, of the picture of one candidate; a wide or tall photo fills less
NARROWEST = 236  # px: what a caption takes
GAP = 22
CAPTION = 50  # px below a tile
HEADER = 84
MARGIN = 30
DIMMED = 0.38  # what is left of the brightness outside a candidate


def contact_sheet(
    title: str, image: RgbImage, clicks: Sequence[Click], prediction: Prediction
) -> NDArray[np.uint8]:
    """
    The photo on the left, the candidates in two rows beside it, the selected one framed.

    Args:
        title: Written on top.
        image: uint8 (H0, W0, 3).
        clicks: Drawn on the photo.
        prediction: The answer to the clicks.

    Returns:
        uint8 RGB, about 1,600 x 720 px for six candidates.
    """
    tile = fit(image.shape[1], image.shape[0], TILE_WH)
    row = tile[1] + CAPTION
    photo = fit(image.shape[1], image.shape[0], (100 * TILE_WH[0], 2 * row + GAP - CAPTION))
    column = max(tile[0], NARROWEST)
    num_columns = max(1, -(-prediction.num_masks // 2))
    left = MARGIN + max(photo[0], NARROWEST) + int(1.5 * GAP)
    width = left + num_columns * (column + GAP) - GAP + MARGIN
    height = HEADER + 2 * row + GAP + MARGIN // 2
    sheet = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(sheet)

    draw.text((MARGIN, 22), title, fill=INK, font=font(30))
    draw.line((MARGIN, HEADER - 16, width - MARGIN, HEADER - 16), fill=LINE, width=1)
    sheet.paste(photo_with_clicks(image, clicks, photo), (MARGIN, HEADER))
    below = HEADER + photo[1] + 8
    draw.text((MARGIN, below), describe_clicks(clicks), fill=FAINT, font=font(17))
    for index in range(prediction.num_masks):
        number_y, number_x = divmod(index, num_columns)
        corner = (left + number_x * (column + GAP), HEADER + number_y * (row + GAP))
        sheet.paste(candidate_tile(image, prediction.candidate(index), tile), corner)
        if index == prediction.selected:
            frame_selected(draw, corner, tile)
        caption(draw, (corner[0], corner[1] + tile[1]), column, index, prediction)
    return np.array(sheet)


def fit(width: int, height: int, box_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest size of a picture's shape that a box holds, at least 1 px."""
    scale = min(box_wh[0] / width, box_wh[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: no file is needed."""
    return ImageFont.load_default(size)


def resized(array: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """An image at another size, smooth both ways."""
    is_smaller = size_wh[0] < array.shape[1]
    rule = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(array, size_wh, interpolation=rule), dtype=np.uint8)


def photo_with_clicks(
    image: RgbImage, clicks: Sequence[Click], size_wh: tuple[int, int]
) -> Image.Image:
    """The photo at the size of the sheet, marks always equally large."""
    scale_x, scale_y = size_wh[0] / image.shape[1], size_wh[1] / image.shape[0]
    moved = [
        Click((c.x + 0.5) * scale_x - 0.5, (c.y + 0.5) * scale_y - 0.5, c.positive) for c in clicks
    ]
    return Image.fromarray(draw_clicks(resized(image, size_wh), moved, radius_px=13))


def candidate_tile(image: RgbImage, mask: BoolArray, size_wh: tuple[int, int]) -> Image.Image:
    """The photo in small with everything outside the candidate dark and grey."""
    small = resized(image, size_wh)
    share = resized(mask.astype(np.uint8) * np.uint8(255), size_wh)  # (H, W), 255 inside
    alpha = share[:, :, None].astype(np.float32) / 255
    grey = small.mean(axis=2, keepdims=True) * DIMMED + 14
    mixed = small * alpha + grey * (1 - alpha)
    return Image.fromarray(draw_outline(np.rint(mixed).astype(np.uint8), share > 127, width_px=1))


def frame_selected(
    draw: ImageDraw.ImageDraw, corner_xy: tuple[int, int], tile_wh: tuple[int, int]
) -> None:
    """A frame around a tile, and a tag in its corner."""
    (x, y), (width, height) = corner_xy, tile_wh
    draw.rectangle((x - 5, y - 5, x + width + 4, y + height + 4), outline=ACCENT, width=4)
    right = x + draw.textlength("selected", font=font(15)) + 14
    draw.rectangle((x - 2, y - 2, right, y + 22), fill=ACCENT)
    draw.text((x + 5, y + 1), "selected", fill="white", font=font(15))


def caption(
    draw: ImageDraw.ImageDraw,
    corner_xy: tuple[int, int],
    width: int,
    index: int,
    prediction: Prediction,
) -> None:
    """Number, score and expected IoU below a tile, the score also as a bar."""
    x, bar = corner_xy[0], corner_xy[1] + 6
    score = float(prediction.scores[index])
    draw.rectangle((x, bar, x + width - 1, bar + 4), fill=LINE)
    if round(score * width) > 0:
        draw.rectangle((x, bar, x + round(score * width) - 1, bar + 4), fill=ACCENT)
    figures = f"score {score:.2f}   expected IoU {prediction.expected_iou[index]:.2f}"
    draw.text((x, bar + 11), f"{index}", fill=INK, font=font(18))
    draw.text((x + width - 1, bar + 13), figures, fill=FAINT, font=font(15), anchor="ra")


def describe_clicks(clicks: Sequence[Click]) -> str:
    """How many clicks of each sign."""
    positive = sum(click.positive for click in clicks)
    parts = [f"{positive} on the thing", f"{len(clicks) - positive} on the background"]
    counted = [part for part in parts if not part.startswith("0")]
    return f"{len(clicks)} click{'s' * (len(clicks) != 1)}: {', '.join(counted)}"
