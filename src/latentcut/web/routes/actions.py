"""Changing an image: actions, undo, redo; and looking at what a click would do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from latentcut.annotation.kinds import Action
from latentcut.annotation.records import Name
from latentcut.web import acting
from latentcut.web.bodies import JsonRoute, while_connected
from latentcut.web.documents import ActionAnswer, CandidatesAnswer, PreviewAnswer, json_response
from latentcut.web.routes.parameters import Desk, Number, Revision

router = APIRouter(prefix="/images/{image_id}", route_class=JsonRoute)

ActionBody = Annotated[Action, Body(discriminator="kind")]


class PreviewBody(BaseModel):
    """Where the mouse rests, in image pixels, and the label that a new object would get."""

    model_config = ConfigDict(extra="forbid")
    x: Annotated[float, Field(allow_inf_nan=False)]
    y: Annotated[float, Field(allow_inf_nan=False)]
    tab: Name = ""
    label: int | None = None


@router.post("/actions", response_model=ActionAnswer)
async def act(
    image_id: Number, action: ActionBody, revision: Revision, request: Request, desk: Desk
) -> Response:
    """Do something to the image. The answer comes when it is on the disk."""
    done = await while_connected(request, acting.act(desk, image_id, revision, action))
    return await run_in_threadpool(json_response, done, done.document.revision)


@router.post("/undo", response_model=ActionAnswer)
def undo(image_id: Number, revision: Revision, desk: Desk) -> Response:
    """Take back the newest action."""
    done = acting.step(desk, image_id, revision, back=True)
    return json_response(done, done.document.revision)


@router.post("/redo", response_model=ActionAnswer)
def redo(image_id: Number, revision: Revision, desk: Desk) -> Response:
    """Do again what was taken back last."""
    done = acting.step(desk, image_id, revision, back=False)
    return json_response(done, done.document.revision)


@router.post("/preview", response_model=PreviewAnswer)
async def preview(image_id: Number, body: PreviewBody, request: Request, desk: Desk) -> Response:
    """What a click there would give."""
    look = acting.preview(desk, image_id, body.x, body.y, body.tab, body.label)
    return json_response(await while_connected(request, look))


@router.get("/objects/{object_id}/candidates", response_model=CandidatesAnswer)
async def candidates(image_id: Number, object_id: Number, request: Request, desk: Desk) -> Response:
    """All answers of the model to the newest part of an object."""
    found = await while_connected(request, acting.candidates(desk, image_id, object_id))
    return await run_in_threadpool(json_response, found)
