"""
Finding all things in an image of the folder, in small steps between the clicks of people.

Nothing here goes on by itself: who wants a search done asks for every stretch of it, so one whose
page was closed costs nothing more.
"""

from __future__ import annotations

import time

from latentcut.core.everything import EverythingOptions, FoundObject, Search
from latentcut.core.masks import mask_from_coco_rle
from latentcut.web.documents import (
    ClickAnswer,
    FoundAnswer,
    FoundThingAnswer,
    RleAnswer,
    SearchAnswer,
)
from latentcut.web.failures import Problem
from latentcut.web.inference import Priority
from latentcut.web.memory import KeptSearch, search_aside
from latentcut.web.workplace import Workplace

ADVANCE_S = 0.4  # so that whoever watches sees it move


async def begin(workplace: Workplace, image_id: int, options: EverythingOptions) -> SearchAnswer:
    """
    A new search of an image; no click of it is made yet.

    Raises:
        NotInProject, FileMissing, UnreadableImage: The image cannot be opened.
        ServerBusy: Too much waits already.
    """

    def make() -> KeptSearch:
        model = workplace.model.load()
        encoded = workplace.gallery.encode(image_id, model)
        return KeptSearch(image_id, search_aside(model, encoded, options))

    made = await workplace.queue.run(make, Priority.BACKGROUND)
    return progress(workplace.searches.add(made), made.search)


async def advance(workplace: Workplace, image_id: int, name: str) -> SearchAnswer:
    """
    Go on with a search for less than half a second, or until it is done.

    Each click of it waits for everything else that the model is asked.

    Raises:
        Problem: There is no such search.
        ServerBusy: Too much waits already.
    """
    search = kept(workplace, image_id, name)
    end = time.perf_counter() + ADVANCE_S
    while not search.is_done:
        await workplace.queue.run(search.advance, Priority.BACKGROUND)
        if time.perf_counter() >= end:
            break
    return progress(name, search)


def found(workplace: Workplace, image_id: int, name: str) -> FoundAnswer:
    """
    What a search has found so far and the image does not have yet, the surest first.

    Raises:
        Problem: There is no such search.
        NotInProject: There is no such image.
    """
    search = kept(workplace, image_id, name)
    document = workplace.store.document(image_id)
    codes = workplace.store.masks({record.mask for record in document.objects if record.area})
    things = search.found([mask_from_coco_rle(code) for code in codes.values()])
    return FoundAnswer(things=[thing_answer(thing) for thing in things])


def kept(workplace: Workplace, image_id: int, name: str) -> Search:
    """A search of an image. Raises Problem when it is not, or no longer, kept."""
    search = workplace.searches.get(image_id, name)
    if search is None:
        message = "there is no such search, or no longer: begin a new one"
        raise Problem(404, "no_search", message)
    return search


def progress(name: str, search: Search) -> SearchAnswer:
    """How far a search is."""
    return SearchAnswer(search=name, num_done=search.num_done, num_clicks=len(search.clicks))


def thing_answer(thing: FoundObject) -> FoundThingAnswer:
    """A found thing, in the form in which the action takes it."""
    x, y, positive = thing.click.x, thing.click.y, thing.click.positive
    return FoundThingAnswer(
        mask=RleAnswer.of(thing.rle),
        click=ClickAnswer(x=x, y=y, positive=positive),
        candidate=thing.candidate,
        expected_iou=thing.score,
    )
