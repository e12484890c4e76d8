"""Imports: annotations from a file that the page or a script sends."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from latentcut.annotation.records import Name
from latentcut.web import exchange
from latentcut.web.documents import ImportAnswer, json_response
from latentcut.web.exchange import ImportFormat
from latentcut.web.routes.parameters import Desk

router = APIRouter(prefix="/imports")


@router.post("", response_model=ImportAnswer)
async def take_in(
    request: Request,
    desk: Desk,
    format: Annotated[ImportFormat, Query()],
    name: Annotated[Name, Query(description="Name of the file; it says which image, no path.")],
    image: Annotated[int | None, Query(ge=1, description="The image; else found by name.")] = None,
) -> Response:
    """Add the annotations of a file; the body is the file itself."""
    data = await request.body()
    answer = await run_in_threadpool(exchange.take_in, desk, format, name, data, image)
    return json_response(answer)
