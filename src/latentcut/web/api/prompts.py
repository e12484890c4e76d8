"""What clients send: the shapes of prompts, checked, and what the predictor makes of them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from latentcut.core.clicks import Click, Clicks
from latentcut.core.masks import CocoRle
from latentcut.core.scribbles import scribble_clicks

MAX_CLICKS = 1000
MAX_SCRIBBLES = 100
MAX_POINTS = 10_000  # of one scribble
MAX_BASE64 = 32_000_000
MAX_PATH = 4096

IMAGE_ID = "^[0-9a-f]{64}$"
CANDIDATE_ID = "^[0-9a-f]{32}-[0-9]{1,4}$"

# true is no number, and "yes" no flag, although the default would take them as such
Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]
MaskFormat = Literal["rle", "polygon", "png_url"]


class Strict(BaseModel):
    """A body in which a misspelled key is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid")


class ClickBody(Strict):
    """A click in pixels of the upright image, from the centre of its top-left pixel."""

    x: Coordinate
    y: Coordinate
    positive: StrictBool = True


class ScribbleBody(Strict):
    """A stroke along the object, or along what does not belong to it."""

    points: Annotated[
        list[tuple[Coordinate, Coordinate]], Field(min_length=1, max_length=MAX_POINTS)
    ]
    positive: StrictBool = True


class RleBody(BaseModel):
    """A mask in COCO's run-length code; counts compressed or not."""

    size: tuple[StrictInt, StrictInt]
    counts: str | list[StrictInt]

    def plain(self) -> dict[str, object]:
        """As the core reads it."""
        return {"size": list(self.size), "counts": self.counts}


CandidateName = Annotated[str, Field(pattern=CANDIDATE_ID)]


class PromptsBody(Strict):
    """What is asked about an image. At least one of clicks, scribbles, box and previous."""

    clicks: Annotated[list[ClickBody], Field(max_length=MAX_CLICKS)] = []
    scribbles: Annotated[list[ScribbleBody], Field(max_length=MAX_SCRIBBLES)] = []
    box: Annotated[
        tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None,
        Field(description="x0, y0, x1, y1, positions as those of clicks"),
    ] = None
    previous: Annotated[
        RleBody | CandidateName | None,
        Field(description="the mask so far: its code, or the id of a candidate"),
    ] = None
    candidates: Annotated[
        StrictBool, Field(description="all candidates, or the selected one alone")
    ] = True
    format: Annotated[MaskFormat, Field(description="how masks are written")] = "rle"

    def clicks_on(self, size_hw: tuple[int, int]) -> Clicks:
        """
        Clicks and scribbles as clicks.

        Raises:
            ClickOutsideImage: One of them lies outside an image of that size.
        """
        clicks = [Click(click.x, click.y, click.positive) for click in self.clicks]
        for scribble in self.scribbles:
            points = np.array(scribble.points, dtype=np.float64)
            clicks += scribble_clicks(points, scribble.positive, size_hw)
        return tuple(clicks)


class OneShotBody(PromptsBody):
    """An image and what is asked about it."""

    image: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_BASE64,
            description="the image file in base64, or as a data URI",
        ),
    ]


class PathBody(Strict):
    """An image on the server's disk, inside a folder that it was started with."""

    path: Annotated[str, Field(min_length=1, max_length=MAX_PATH)]


class StoredMasks(BaseModel):
    """Candidates that were answered, as they are kept: by their index."""

    size: tuple[int, int]
    counts: dict[int, str]

    def rle(self, index: int) -> CocoRle | None:
        """One of them; None: there is no such."""
        counts = self.counts.get(index)
        return None if counts is None else {"size": list(self.size), "counts": counts}
