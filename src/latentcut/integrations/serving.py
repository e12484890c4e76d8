"""What the adapters that are servers share: an address, the guards, one model behind a queue."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from latentcut import __version__
from latentcut.errors import UnreadableImage
from latentcut.web import failures
from latentcut.web.bodies import Bodies, TimeLimit
from latentcut.web.guards import Guards, SecurityHeaders
from latentcut.web.memory import remembering_predictor
from latentcut.web.serve import STOP_TIMEOUT_S
from latentcut.web.service import PredictionService
from latentcut.web.settings import HeadlessSettings, ServerLimits

IMAGE_BODY_BYTES = 64_000_000  # JSON that holds an image in base64: a file of 48 MB
LIMITS = ServerLimits(json_bytes=IMAGE_BODY_BYTES, body_bytes=IMAGE_BODY_BYTES)
OPEN_PATHS = ("/", "/health")


@dataclass(frozen=True)
class AdapterSettings(HeadlessSettings):
    """A server that speaks another tool's protocol; its JSON may hold an image."""

    limits: ServerLimits = LIMITS

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What tools ask for before they know a token."""
        return OPEN_PATHS


def adapter_app(
    title: str,
    settings: AdapterSettings,
    router: APIRouter,
    service: PredictionService | None = None,
) -> FastAPI:
    """
    The server: guards outside, the adapter's routes inside, the model's thread behind them.

    Args:
        title: What it is called.
        settings: Address, token, model and limits.
        router: The routes; they find the service in ``app.state.service``.
        service: Who answers; None: a new one with the model of the settings.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(failures.Failures),
            Middleware(Guards, settings=settings),
            Middleware(TimeLimit, limits=settings.limits),
            Middleware(Bodies, limits=settings.limits),
        ],
    )
    app.state.settings = settings
    app.state.service = service or service_of(settings)
    failures.register(app, ())
    app.include_router(router)
    return app


def service_of(settings: AdapterSettings) -> PredictionService:
    """One model, loaded when the server starts."""
    limits = settings.limits
    return PredictionService(
        lambda: remembering_predictor(settings.bundle, settings.threads),
        max_waiting=limits.waiting,
        opened_bytes=limits.opened_bytes,
    )


def image_of(base64_text: str) -> bytes:
    """
    The bytes of an image file that was sent in base64, as a data URI or plainly.

    Raises:
        UnreadableImage: It is neither.
    """
    head, comma, rest = base64_text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise UnreadableImage("the image", "it is no data URI in base64")
    try:
        return base64.b64decode(rest if comma else head, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableImage("the image", "it is not in base64") from error


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: PredictionService = app.state.service
    service.start()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(service.stop, STOP_TIMEOUT_S)
