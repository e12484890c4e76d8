"""What the adapters that are servers share: an address, the guards, one model behind a queue."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from latentcut import __version__
from latentcut.errors import UnreadableImage
from latentcut.integrations.replay import replaying_predictor
from latentcut.web import failures
from latentcut.web.bodies import Bodies, TimeLimit
from latentcut.web.guards import Guards, SecurityHeaders
from latentcut.web.serve import STOP_TIMEOUT_S
from latentcut.web.service import PredictionService
from latentcut.web.settings import LOOPBACK, ServerLimits, address_of, is_loopback, names_address

IMAGE_BODY_BYTES = 64_000_000  # JSON that holds an image in base64: a file of 48 MB
LIMITS = ServerLimits(json_bytes=IMAGE_BODY_BYTES, body_bytes=IMAGE_BODY_BYTES)
OPEN_PATHS = ("/", "/health")


@dataclass(frozen=True)
class AdapterSettings:
    """
    A server that speaks another tool's protocol.

    Attributes:
        host: Address to listen on.
        port: Port it listens on.
        token: What a client must send as ``Authorization: Bearer``; None: nothing.
        names: Other names that clients may call the server by, beside its address.
        bundle: The model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
        limits: What a request and the memory may take.
    """

    host: str = LOOPBACK
    port: int = 0
    token: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    bundle: Path | None = None
    threads: int = 0
    limits: ServerLimits = LIMITS

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this computer can reach the server."""
        return is_loopback(self.host)

    @property
    def page_url(self) -> str:
        """The address of the server."""
        return address_of(self.host, self.port)

    @property
    def url(self) -> str:
        """The same without the slash at the end."""
        return self.page_url.rstrip("/")

    @property
    def cookie_name(self) -> str | None:
        """There is no page."""
        return None

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What may be asked for without the token."""
        return OPEN_PATHS

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""
        return "send Authorization: Bearer and the token that the server was started with"

    @property
    def host_hint(self) -> str:
        """What somebody who called the server by another name should do."""
        return "use that address, or start it with --allow-host and the name"

    def accepts_host(self, host: str) -> bool:
        """Whether a Host header names this server."""
        return names_address(host, self.host, self.port, self.names)


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
        lambda: replaying_predictor(settings.bundle, settings.threads),
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
