"""Finding all things in an image, in small steps between the requests of others."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Annotated

from pydantic import Field

from latentcut.core.encoded import EncodedImage
from latentcut.core.everything import EverythingOptions, FoundObject, Search
from latentcut.core.predictor import Predictor
from latentcut.errors import ServerBusy
from latentcut.web.api.answers import EverythingAnswer, FoundMask, candidate_url, drawn
from latentcut.web.api.desk import Desk
from latentcut.web.api.prompts import MaskFormat, Strict
from latentcut.web.inference import Priority
from latentcut.web.memory import search_aside

CLICKS_PER_STEP = 2  # so a request that comes meanwhile waits for so many clicks at most
BUSY_WAIT_S = 0.25
DEFAULTS = EverythingOptions()

Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class EverythingBody(Strict):
    """How thoroughly to look, and what to keep."""

    points_per_side: Annotated[
        int, Field(strict=True, ge=1, le=64, description="clicks along the longer side")
    ] = DEFAULTS.points_per_side
    min_score: Annotated[Share, Field(description="least expected IoU")] = DEFAULTS.min_score
    min_stability: Annotated[
        Share, Field(description="least IoU of the mask cut a little wider and narrower")
    ] = DEFAULTS.min_stability
    max_overlap: Annotated[
        Share, Field(description="two masks of a larger IoU are the same thing")
    ] = DEFAULTS.max_overlap
    min_area: Annotated[Share, Field(description="of the image")] = DEFAULTS.min_area
    max_area: Annotated[Share, Field(description="of the image")] = DEFAULTS.max_area
    max_objects: Annotated[int, Field(strict=True, ge=1, le=1000)] = DEFAULTS.max_objects
    format: Annotated[MaskFormat, Field(description="how masks are written")] = "rle"

    def options(self) -> EverythingOptions:
        """As the core takes it."""
        return EverythingOptions(**self.model_dump(exclude={"format"}))


async def find_everything(desk: Desk, image_id: str, body: EverythingBody) -> EverythingAnswer:
    """
    All things in a kept image, the surest first.

    Raises:
        NotKept: There is no such image.
    """
    begun = time.perf_counter()
    desk.require_image(image_id)
    search = await step(desk, image_id, partial(begin, body.options()))
    while not search.is_done:
        await step(desk, image_id, partial(go_on, search))
    answer = await desk.aside(lambda: told(desk, image_id, body, search.found()))
    answer.took_ms = round(1000 * (time.perf_counter() - begun), 1)
    return answer


async def step(desk: Desk, image_id: str, question: partial[Search]) -> Search:
    """A step of a search when the model has time; a full queue is waited out, not refused."""
    while True:
        try:
            return await desk.ask(image_id, question, Priority.BACKGROUND)
        except ServerBusy:
            await asyncio.sleep(BUSY_WAIT_S)


def begin(options: EverythingOptions, model: Predictor, encoded: EncodedImage) -> Search:
    """A new search."""
    return search_aside(model, encoded, options)


def go_on(search: Search, _: Predictor, __: EncodedImage) -> Search:
    """The next clicks of a search."""
    search.advance(CLICKS_PER_STEP)
    return search


def told(
    desk: Desk, image_id: str, body: EverythingBody, found: tuple[FoundObject, ...]
) -> EverythingAnswer:
    """What was found in the form that was asked for; the masks are kept."""
    names = desk.keep_masks({index: thing.rle for index, thing in enumerate(found)})
    return EverythingAnswer(
        image_id=image_id,
        objects=[
            FoundMask(
                id=names[index],
                expected_iou=round(thing.score, 6),
                stability=round(thing.stability, 6),
                click=(thing.click.x, thing.click.y),
                **dict(
                    drawn(thing.mask, thing.rle, body.format, candidate_url(image_id, names[index]))
                ),
            )
            for index, thing in enumerate(found)
        ],
        model_version=desk.model_version,
        took_ms=0.0,
    )
