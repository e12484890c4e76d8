"""Searches: finding all things in an image, stretch by stretch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from latentcut.annotation.kinds import MAX_FOUND
from latentcut.core.everything import EverythingOptions
from latentcut.web import searching
from latentcut.web.bodies import JsonRoute, while_connected
from latentcut.web.documents import FoundAnswer, SearchAnswer, json_response
from latentcut.web.routes.parameters import Desk, Number

DEFAULTS = EverythingOptions()

router = APIRouter(prefix="/images/{image_id}/searches", route_class=JsonRoute)

SearchName = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class SearchBody(BaseModel):
    """How thoroughly to look."""

    model_config = ConfigDict(extra="forbid")
    points_per_side: Annotated[
        int, Field(ge=1, le=64, description="Clicks along the longer side.")
    ] = DEFAULTS.points_per_side


@router.post("", response_model=SearchAnswer)
async def begin(image_id: Number, body: SearchBody, request: Request, desk: Desk) -> Response:
    """Begin to look for all things in the image."""
    options = EverythingOptions(points_per_side=body.points_per_side, max_objects=MAX_FOUND)
    begun = searching.begin(desk, image_id, options)
    return json_response(await while_connected(request, begun))


@router.post("/{name}/advance", response_model=SearchAnswer)
async def advance(image_id: Number, name: SearchName, request: Request, desk: Desk) -> Response:
    """Go on for less than half a second. Ask until `num_done` is `num_clicks`."""
    return json_response(await while_connected(request, searching.advance(desk, image_id, name)))


@router.get("/{name}", response_model=FoundAnswer)
async def found(image_id: Number, name: SearchName, desk: Desk) -> Response:
    """What was found so far that the image does not have; the action "found" takes it."""
    answer = await run_in_threadpool(searching.found, desk, image_id, name)
    return await run_in_threadpool(json_response, answer)


@router.delete("/{name}", status_code=204)
async def drop(image_id: Number, name: SearchName, desk: Desk) -> Response:
    """Forget a search."""
    desk.searches.drop(image_id, name)
    return Response(status_code=204)
