"""The sheet of a data set: random pictures with every object of one label map coloured."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from latentcut.cli.pictures import BoolArray, Colour, RgbImage, draw_outline, tint
from latentcut.cli.sheet import FAINT, GROUND, INK, LINE, fit, font, resized
from latentcut.core.images import read_image
from latentcut.errors import LatentcutError

if TYPE_CHECKING:
    from latentcut.datasets.dataset import Annotated, LabelMap, MapDataset

TILE_WH = (260, 196)  # px
CAPTION = 40  # px below a tile
GAP, MARGIN, HEADER = 16, 24, 76
MAX_COLUMNS = 6
GOLDEN = 0.618034  # of the colour circle between two objects: neighbours differ most


def data_sheet(dataset: MapDataset, num_samples: int, seed: int) -> RgbImage:
    """
    Random pictures of a data set with their objects, in rows of six.

    Args:
        dataset: Pictures that cannot be read, or fit none of their maps, are left out.
        num_samples: How many pictures at most.
        seed: Other seeds show other pictures.

    Returns:
        uint8 RGB (H, W, 3).
    """
    rng = np.random.default_rng(seed)
    tiles: list[tuple[RgbImage, str, str]] = []
    for place in rng.permutation(len(dataset.images)):
        if len(tiles) == num_samples:
            break
        tile = tile_of(dataset, dataset.images[int(place)], rng)
        if tile is not None:
            tiles.append(tile)
    num_columns = max(1, min(MAX_COLUMNS, len(tiles)))
    step = (TILE_WH[0] + GAP, TILE_WH[1] + CAPTION + GAP)
    width = 2 * MARGIN + num_columns * step[0] - GAP
    num_rows = -(-len(tiles) // num_columns)
    sheet = Image.new("RGB", (width, HEADER + num_rows * step[1] + MARGIN // 2), GROUND)
    draw = ImageDraw.Draw(sheet)
    title = f"{dataset.name}: {len(tiles)} of {len(dataset.images)} pictures"
    draw.text((MARGIN, 18), title, fill=INK, font=font(26))
    draw.line((MARGIN, HEADER - 14, width - MARGIN, HEADER - 14), fill=LINE, width=1)
    for number, (picture, name, text) in enumerate(tiles):
        row, column = divmod(number, num_columns)
        x, y = MARGIN + column * step[0], HEADER + row * step[1]
        sheet.paste(Image.fromarray(picture), (x, y))
        draw.text((x, y + TILE_WH[1] + 2), shortened(draw, name), fill=INK, font=font(14))
        draw.text((x, y + TILE_WH[1] + 19), text, fill=FAINT, font=font(13))
    return np.array(sheet)


def tile_of(
    dataset: MapDataset, entry: Annotated, rng: np.random.Generator
) -> tuple[RgbImage, str, str] | None:
    """One picture with a random map of it in small, its name and what is in it."""
    try:
        image, maps = read_image(entry.image_path), dataset.label_maps(entry)
    except (LatentcutError, OSError):
        return None  # the check names it
    fitting = [m for m in maps if m.labels.shape == image.shape[:2]]
    if not fitting:
        return None
    label_map = fitting[int(rng.integers(len(fitting)))]
    count = len(label_map.values)
    text = f"{image.shape[1]} x {image.shape[0]} px, {count} object{'s' * (count != 1)}"
    return coloured(image, label_map), label_map.name, text


def coloured(image: RgbImage, label_map: LabelMap) -> RgbImage:
    """The picture in small, each object in a colour of its own, what does not count in grey."""
    size_wh = fit(image.shape[1], image.shape[0], TILE_WH)
    small = resized(image, size_wh)
    painted = small
    for number, value in enumerate(label_map.values):
        mask = shrunk(label_map.labels == value, size_wh)
        painted = draw_outline(tint(painted, mask, colour_of(number)), mask, width_px=1)
    ignored = shrunk(label_map.ignore_mask, size_wh)
    painted = painted.copy()
    painted[ignored] = (painted[ignored].mean(axis=1, keepdims=True) * 0.4 + 130).astype(np.uint8)
    return painted


def shrunk(mask: BoolArray, size_wh: tuple[int, int]) -> BoolArray:
    """A mask at the size of a tile."""
    return resized(mask.astype(np.uint8) * np.uint8(255), size_wh) > 127


def colour_of(number: int) -> Colour:
    """The colour of an object: hues far apart, the same in every sheet."""
    red, green, blue = colorsys.hsv_to_rgb((0.6 + number * GOLDEN) % 1.0, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def shortened(draw: ImageDraw.ImageDraw, name: str) -> str:
    """A name cut at its beginning so that it fits under a tile."""
    shown = name
    while draw.textlength(shown, font=font(14)) > TILE_WH[0] and len(shown) > 2:
        shown = "…" + shown[2:]
    return shown
