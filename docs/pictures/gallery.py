"""
Make the pictures of docs/gallery.md from the sample photos of the package.

Run:    python docs/pictures/gallery.py
Needs:  latentcut alone; less than a minute.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import latentcut
from latentcut.cli.everything import overview
from latentcut.cli.pictures import cutout_picture, overlay_picture
from latentcut.cli.sheet import contact_sheet
from latentcut.core.images import read_image

SAMPLES = Path(latentcut.__file__).parent / "samples"
FOLDER = Path(__file__).resolve().parents[1] / "images" / "gallery"
GAP = 8  # px between two pictures of a strip
HEIGHT = 330  # px of a strip
SQUARE = 12  # px of the chequered ground behind cut-outs
CAT_BOX = (5.0, 5.0, 400.0, 290.0)
STROKE = ((215.0, 250.0), (260.0, 200.0), (310.0, 170.0))  # along the cup, from left to right

RgbImage = NDArray[np.uint8]  # (H, W, 3)


def photo(name: str) -> RgbImage:
    """A sample photo."""
    return read_image(SAMPLES / name)


def strip(pictures: list[RgbImage], height: int = HEIGHT) -> Image.Image:
    """Pictures side by side, all of one height."""
    tiles = []
    for picture in pictures:
        width = round(picture.shape[1] * height / picture.shape[0])
        tiles.append(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
    total = sum(tile.width for tile in tiles) + GAP * (len(tiles) - 1)
    joined = Image.new("RGB", (total, height), "white")
    left = 0
    for tile in tiles:
        joined.paste(tile, (left, 0))
        left += tile.width + GAP
    return joined


def objects() -> list[dict]:
    """The clicks that come with the sample photos."""
    return json.loads((SAMPLES / "clicks.json").read_text(encoding="utf-8"))


def answers(predictor: latentcut.Predictor, name: str) -> list[tuple[latentcut.Session, RgbImage]]:
    """The session of a sample object after each of its clicks, with the photo."""
    told = next(entry for entry in objects() if entry["name"] == name)
    image = photo(told["photo"])
    steps = []
    for count in range(1, len(told["clicks"]) + 1):
        session = predictor.open(image)
        for click in told["clicks"][:count]:
            session.click(**click)
        steps.append((session, image))
    return steps


def clicks_picture(predictor: latentcut.Predictor) -> Image.Image:
    """The cat after one, two and three clicks."""
    return strip(
        [overlay_picture(image, s.mask, s.clicks) for s, image in answers(predictor, "cat")]
    )


def candidates_picture(predictor: latentcut.Predictor) -> Image.Image:
    """All answers to one click into the cup."""
    (session, image), *_ = answers(predictor, "coffee")
    assert session.prediction is not None
    return Image.fromarray(
        contact_sheet("One click, six answers", image, session.clicks, session.prediction)
    )


def box_and_scribble_picture(predictor: latentcut.Predictor) -> Image.Image:
    """A box around the cat; a stroke over the cup."""
    cat = predictor.open(photo("chelsea.jpg"))
    cat.box(*CAT_BOX)
    boxed = Image.fromarray(overlay_picture(photo("chelsea.jpg"), cat.mask, []))
    ImageDraw.Draw(boxed).rectangle(CAT_BOX, outline="#f59e0b", width=3)
    cup = predictor.open(photo("coffee.jpg"))
    cup.scribble(STROKE)
    drawn = Image.fromarray(overlay_picture(photo("coffee.jpg"), cup.mask, []))
    ImageDraw.Draw(drawn).line(STROKE, fill="#16a34a", width=7, joint="curve")
    return strip([np.array(boxed), np.array(drawn)])


def cutouts_picture(predictor: latentcut.Predictor) -> Image.Image:
    """Three things alone, on a chequered ground."""
    tiles = []
    for name in ("cat", "astronaut", "rocket"):
        session, image = answers(predictor, name)[-1]
        cut = Image.fromarray(cutout_picture(image, session.mask), "RGBA")
        ground = chequered(cut.width, cut.height)
        ground.paste(cut, (0, 0), cut)
        tiles.append(np.array(ground))
    return strip(tiles)


def chequered(width: int, height: int) -> Image.Image:
    """Light squares, the usual sign for nothing."""
    rows, columns = np.mgrid[0:height, 0:width] // SQUARE
    grey = np.where((rows + columns) % 2, 255, 226).astype(np.uint8)
    return Image.fromarray(np.dstack([grey] * 3))


def everything_picture(predictor: latentcut.Predictor) -> Image.Image:
    """Two photos, searched without a click."""
    pictures = []
    for name in ("coffee.jpg", "astronaut.jpg"):
        image = photo(name)
        pictures.append(overview(image, predictor.find_all(image)))
    return strip(pictures)


PICTURES: dict[str, Callable[[latentcut.Predictor], Image.Image]] = {
    "clicks.jpg": clicks_picture,
    "candidates.jpg": candidates_picture,
    "box_and_scribble.jpg": box_and_scribble_picture,
    "cutouts.jpg": cutouts_picture,
    "everything.jpg": everything_picture,
}


def main() -> None:
    """Write them all."""
    predictor = latentcut.load()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw(predictor).save(FOLDER / name, quality=86, optimize=True)
        print(FOLDER / name, (FOLDER / name).stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
