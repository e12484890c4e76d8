"""The routes of the API: images in, predictions out."""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from latentcut.web.api.answers import (
    ErrorAnswer,
    EverythingAnswer,
    KeptImageAnswer,
    ModelAnswer,
    PredictionAnswer,
)
from latentcut.web.api.desk import Desk
from latentcut.web.api.everything import EverythingBody, find_everything
from latentcut.web.api.prompts import (
    CANDIDATE_ID,
    IMAGE_ID,
    OneShotBody,
    PathBody,
    PromptsBody,
)
from latentcut.web.bodies import JsonRequest, JsonRoute, checked_json, while_connected
from latentcut.web.failures import Problem

API = "/api/v1"
PNG = "image/png"
FILE_FIELD = "file"
DATA_URI = re.compile(r"data:[a-z0-9.+/-]{0,100};base64,", re.IGNORECASE)
IMAGE_TYPES = ("application/octet-stream", "image/")
HOW_TO_SEND = (
    "send the file itself with Content-Type: application/octet-stream or image/..., "
    'or as the field "file" of multipart/form-data, or JSON with a path'
)
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "It cannot be read"},
    401: {"model": ErrorAnswer, "description": "No or wrong token"},
    403: {"model": ErrorAnswer, "description": "A page of another site, or a path not served"},
    404: {"model": ErrorAnswer, "description": "Not kept, or no longer"},
    408: {"model": ErrorAnswer, "description": "Nothing came for too long"},
    413: {"model": ErrorAnswer, "description": "Too large"},
    415: {"model": ErrorAnswer, "description": "Another kind of content"},
    422: {"model": ErrorAnswer, "description": "It does not fit"},
    431: {"model": ErrorAnswer, "description": "Headers too large"},
    503: {"model": ErrorAnswer, "description": "Busy; try again"},
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
IMAGE_CONTENT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": BINARY,
            "image/*": BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {FILE_FIELD: {"type": "string", "format": "binary"}},
                    "required": [FILE_FIELD],
                }
            },
            "application/json": {"schema": PathBody.model_json_schema()},
        },
    }
}


async def desk_of(request: Request) -> Desk:
    """What the app works with."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]
ImageId = Annotated[str, Path(pattern=IMAGE_ID, description="as of POST /api/v1/images")]
CandidateId = Annotated[str, Path(pattern=CANDIDATE_ID)]
KNOWN = [Depends(HTTPBearer(auto_error=False))]  # only says so: the guards look at the token


class ImageJsonRequest(JsonRequest):
    """A request whose JSON may hold an image."""

    async def json(self) -> Any:
        """The body. Raises Problem when it is no JSON, too long or too deep."""
        return checked_json(await self.body(), self.app.state.settings.image_limits)


class ImageJsonRoute(JsonRoute):
    """A route whose JSON may hold an image."""

    request_class = ImageJsonRequest


api = APIRouter(prefix=API, route_class=JsonRoute, responses=PROBLEMS, dependencies=KNOWN)
one_shot = APIRouter(prefix=API, route_class=ImageJsonRoute, responses=PROBLEMS, dependencies=KNOWN)


@api.post(
    "/images",
    status_code=201,
    response_model=KeptImageAnswer,
    openapi_extra=IMAGE_CONTENT,
)
async def keep_image(request: Request, desk: TheDesk) -> Response:
    """
    Send an image, to ask about it.

    It is known by the digest of its bytes, so sending it twice costs nothing, and is kept until
    newer ones need its room. The image is turned upright as its EXIF block says; all positions
    and masks are of the upright image.
    """
    data = await sent_file(request, desk)
    return written(await desk.aside(partial(desk.keep_image, data)), 201)


@api.post("/images/{image_id}/predict", response_model=PredictionAnswer)
async def predict(
    image_id: ImageId, prompts: PromptsBody, request: Request, desk: TheDesk
) -> Response:
    """
    Ask about an image: candidate masks for clicks, scribbles, a box or an earlier mask.

    To refine, send all clicks so far and the candidate that was shown before the newest one as
    `previous`: nothing is remembered between requests.
    """
    return written(await while_connected(request, desk.predict(image_id, prompts)))


@api.post("/images/{image_id}/everything", response_model=EverythingAnswer)
async def everything(
    image_id: ImageId, body: EverythingBody, request: Request, desk: TheDesk
) -> Response:
    """Find all things in an image, without clicks. Others are answered meanwhile."""
    return written(await while_connected(request, find_everything(desk, image_id, body)))


@api.get(
    "/images/{image_id}/candidates/{candidate_id}.png",
    response_class=Response,
    responses={200: {"content": {PNG: BINARY}}},
)
async def candidate(image_id: ImageId, candidate_id: CandidateId, desk: TheDesk) -> Response:
    """A candidate as PNG: 8-bit grey, 0 and 255, in the size of the image."""
    desk.require_image(image_id)
    data = await desk.aside(partial(desk.candidate_png, candidate_id))
    return Response(data, headers=FOR_EVER, media_type=PNG)


@one_shot.post("/predict", response_model=PredictionAnswer)
async def predict_at_once(body: OneShotBody, request: Request, desk: TheDesk) -> Response:
    """Ask about an image that comes with the question. It is kept like one of POST /images."""
    kept = await desk.aside(lambda: desk.keep_image(decoded(body.image)))
    return written(await while_connected(request, desk.predict(kept.image_id, body)))


@api.get("/model", response_model=ModelAnswer)
async def model(desk: TheDesk) -> Response:
    """Which model answers, its card, and what it accepts."""
    return written(await desk.aside(desk.model))


def written(answer: BaseModel, status: int = 200) -> Response:
    """An answer as JSON, without what does not apply to it."""
    content = answer.model_dump_json(exclude_none=True)
    return Response(content, status, media_type="application/json")


async def sent_file(request: Request, desk: Desk) -> bytes:
    """
    The image of a request, in whichever way it was sent.

    Raises:
        Problem: In none of the ways that are allowed.
        PathNotServed, FileMissing, UnreadableImage: See ``Desk.file_at``.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        sent = checked_json(await request.body(), desk.settings.limits)
        return await desk.aside(partial(desk.file_at, checked_path(sent)))
    if kind == "multipart/form-data":
        return await form_file(request)
    if kind.startswith(IMAGE_TYPES):
        return await request.body()
    raise Problem(415, "no_image", HOW_TO_SEND)


def checked_path(sent: object) -> str:
    """The path of a body. Raises Problem."""
    try:
        return PathBody.model_validate(sent).path
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        raise Problem(422, "does_not_fit", f"{place}: {first['msg'].lower()}") from error


async def form_file(request: Request) -> bytes:
    """The file of a form. Raises Problem."""
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get(FILE_FIELD)
            if isinstance(file, UploadFile):
                return await file.read()
    except HTTPException as error:  # what the parser raises becomes one inside an app
        raise Problem(400, "bad_form", "the form cannot be read: " + HOW_TO_SEND) from error
    raise Problem(422, "does_not_fit", 'the form has no file in its field "file"')


def decoded(text: str) -> bytes:
    """The bytes of base64 or of a data URI. Raises Problem."""
    prefix = DATA_URI.match(text)
    try:
        return base64.b64decode(text[prefix.end() if prefix else 0 :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "does_not_fit", "image: it is not base64") from error
