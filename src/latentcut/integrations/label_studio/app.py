"""
The ML backend that Label Studio talks to.

Routes and names as Label Studio 1.23 calls them (ml/api_connector.py) and as its own
label-studio-ml answers (api.py). Bodies are never logged: they hold keys and passwords.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from latentcut import __version__
from latentcut.core.encoded import EncodedImage
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.errors import LatentcutError
from latentcut.integrations.label_studio.fetching import Images
from latentcut.integrations.label_studio.protocol import (
    Message,
    PredictRequest,
    Prompt,
    SetupRequest,
    Task,
    label_of,
    prompts_in,
)
from latentcut.integrations.label_studio.regions import result_of
from latentcut.integrations.label_studio.tags import OutputTag, output_tag
from latentcut.integrations.serving import LIMITS, AdapterSettings, adapter_app
from latentcut.web.bodies import JsonRoute, while_connected
from latentcut.web.failures import Problem
from latentcut.web.service import PredictionService, digest_of

logger = logging.getLogger(__name__)

DEFAULT_PORT = 9090
MODEL_CLASS = "latentcut"
MODEL_VERSION = f"latentcut-{__version__}"
# Label Studio waits for 100 s and does not ask again when it is told that the server is busy
LABEL_STUDIO_LIMITS = replace(LIMITS, waiting=64, request_s=90.0)
Handler = Callable[[Request, Exception], Awaitable[Response]]
EVENTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_DELETED", "START_TRAINING")


@dataclass(frozen=True)
class Connection:
    """
    What the backend knows about its Label Studio.

    Attributes:
        images: Where images come from.
        login: Name and password that Label Studio must send; None: nothing.
        tolerance_px: How far polygons may lie from the outline; 0 keeps every corner.
    """

    images: Images
    login: tuple[str, str] | None = field(default=None, repr=False)
    tolerance_px: float = 1.0


class WebhookRequest(Message):
    """Something happened in a project."""

    action: str = ""


def check_login(request: Request) -> None:
    """Raise Problem unless the name and password are right, where they are wanted."""
    connection: Connection = request.app.state.connection
    if connection.login is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        sent = base64.b64decode(given, validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        sent = b""
    if not hmac.compare_digest(sent, ":".join(connection.login).encode()):
        message = "no or wrong name and password: enter them where the model is connected"
        headers = {"WWW-Authenticate": 'Basic realm="latentcut"'}
        raise Problem(401, "no_login", message, headers)


open_router = APIRouter(route_class=JsonRoute)
router = APIRouter(route_class=JsonRoute, dependencies=[Depends(check_login)])


@open_router.get("/")
@open_router.get("/health")
async def health() -> dict[str, str]:
    """The process answers, whatever the model is busy with."""
    return {"status": "UP", "model_class": MODEL_CLASS}


@router.get("/metrics")
async def metrics() -> dict[str, Any]:
    """Nothing; Label Studio's own backends answer the same."""
    return {}


@router.get("/versions")
async def versions() -> dict[str, Any]:
    """What predictions can be made with."""
    return {"versions": [MODEL_VERSION]}


@router.post("/setup")
async def setup(request: Request, asked: SetupRequest) -> dict[str, str]:
    """A project is connected. Fails where its configuration has no tag for answers."""
    connection: Connection = request.app.state.connection
    output_tag(asked.schema_)
    connection.images.use_key_of_setup(asked.access_token)
    return {"model_version": MODEL_VERSION}


@router.post("/predict")
async def predict(request: Request, asked: PredictRequest) -> dict[str, Any]:
    """Regions for the prompts of every task; nothing while nobody has clicked."""
    prompts = asked.prompts
    if not prompts:
        return {"results": []}
    tag = output_tag(asked.label_config)
    return {"results": [await result_for(request, task, prompts, tag) for task in asked.tasks]}


@router.post("/webhook")
async def webhook(asked: WebhookRequest) -> JSONResponse:
    """There is nothing to learn from annotations yet."""
    if asked.action not in EVENTS:
        return JSONResponse({"status": "Unknown event"}, 200)
    return JSONResponse({"result": None, "status": "ok"}, 201)


async def result_for(
    request: Request, task: Task, prompts: list[Prompt], tag: OutputTag
) -> dict[str, Any]:
    """
    One entry of ``results``.

    Raises:
        PromptUnusable, ClickOutsideImage, BadBox: The prompts do not fit the image.
        ImageNotFetched: The image cannot be had.
        UnreadableImage, UnsupportedImage, ImageTooLarge: See ``read_image``.
        ServerBusy: Too much waits already.
    """
    connection: Connection = request.app.state.connection
    service: PredictionService = request.app.state.service

    def answer(model: Predictor, encoded: EncodedImage) -> Prediction | None:
        given = prompts_in(prompts, encoded.size_hw)
        if given.mask is not None:
            return model.predict(encoded, given.clicks, given.mask, box=given.box)
        return replayed(model, encoded, given.clicks, given.box)

    def result(prediction: Prediction | None) -> dict[str, Any]:
        label = label_of(prompts)
        return result_of(prediction, tag, label, MODEL_VERSION, connection.tolerance_px)

    source = task.data.get(tag.key)
    content = await anyio.to_thread.run_sync(connection.images.read, source, task.id)
    work = service.ask_about(digest_of(content), lambda: content, answer)
    return await anyio.to_thread.run_sync(result, await while_connected(request, work))


def create_label_studio_app(
    settings: AdapterSettings, connection: Connection, service: PredictionService | None = None
) -> FastAPI:
    """
    The server.

    Args:
        settings: Address, model and limits.
        connection: Where images come from, and who may ask.
        service: Who answers; None: a new one with the model of the settings.
    """
    routes = APIRouter()
    routes.include_router(open_router)
    routes.include_router(router)
    app = adapter_app("latentcut for Label Studio", settings, routes, service)
    app.state.connection = connection
    _report_failures(app)
    return app


def _report_failures(app: FastAPI) -> None:
    """Say in the terminal why a request failed: Label Studio shows the status alone."""
    answer = cast(Handler, app.exception_handlers[LatentcutError])

    async def said(request: Request, error: Exception) -> Response:
        logger.warning("%s: %s", request.url.path, error)
        return await answer(request, error)

    app.add_exception_handler(LatentcutError, said)
