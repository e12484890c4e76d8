"""An image: its document, and its pictures for the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from latentcut.web.bodies import while_connected
from latentcut.web.documents import DocumentAnswer, json_response
from latentcut.web.gallery import Picture
from latentcut.web.routes.parameters import Desk, Number

PNG, JPEG = "image/png", "image/jpeg"

router = APIRouter(prefix="/images/{image_id}")


@router.get("", response_model=DocumentAnswer)
def document(image_id: Number, desk: Desk) -> Response:
    """An image with its objects; it is made ready for clicks."""
    answer = desk.open_document(image_id)
    return json_response(answer, answer.revision)


@router.get("/view.png")
async def view(image_id: Number, request: Request, desk: Desk) -> Response:
    """The whole image, longer side at most 2048 px."""
    return await picture(request, PNG, partial(desk.gallery.view, image_id))


@router.get("/tiles/{column}/{row}.png")
async def tile(
    image_id: Number, column: Number, row: Number, request: Request, desk: Desk
) -> Response:
    """A piece of 512 x 512 px at full resolution."""
    return await picture(request, PNG, partial(desk.gallery.tile, image_id, column, row))


@router.get("/thumbnail.jpg")
async def thumbnail(image_id: Number, request: Request, desk: Desk) -> Response:
    """The image with its longer side at 160 px."""
    return await picture(request, JPEG, partial(desk.gallery.thumbnail, image_id))


async def picture(request: Request, media_type: str, draw: Callable[[], Picture]) -> Response:
    """
    A picture, or 304 when the browser has this version of it.

    Only a few are drawn at a time, in threads of their own: a list that is scrolled through
    quickly leaves the others to clicks, and takes back what it asked for and passed by.
    """
    limiter = request.app.state.drawing
    drawn = await while_connected(request, anyio.to_thread.run_sync(draw, limiter=limiter))
    headers = {"ETag": drawn.etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == drawn.etag:
        return Response(status_code=304, headers=headers)
    return Response(drawn.data, 200, headers, media_type=media_type)
