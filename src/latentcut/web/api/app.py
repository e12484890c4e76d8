"""The application of the stateless API: guards outside, routes inside, the desk behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Response
from starlette.middleware import Middleware

from latentcut import __version__
from latentcut.core.predictor import Predictor
from latentcut.web import failures
from latentcut.web.api.answers import ErrorAnswer, HealthAnswer, ReadyAnswer
from latentcut.web.api.desk import Desk
from latentcut.web.api.metrics import CONTENT_TYPE, Counted
from latentcut.web.api.routes import API, KNOWN, PROBLEMS, TheDesk, api, one_shot, written
from latentcut.web.api.settings import ApiSettings, takes_long
from latentcut.web.bodies import Bodies, TimeLimit
from latentcut.web.failures import Problem
from latentcut.web.guards import Guards, SecurityHeaders

DESCRIPTION = """Click on a thing in a picture and get its outline: candidate masks per prompt, \
the likeliest one selected. Send an image once, then ask about it as often as you like."""

operations = APIRouter()


@operations.get("/health", response_model=HealthAnswer)
async def health() -> Response:
    """Whether the process is up; needs no token."""
    return written(HealthAnswer())


@operations.get(
    "/ready",
    response_model=ReadyAnswer,
    responses={503: {"model": ErrorAnswer, "description": "The model is being loaded"}},
)
async def ready(desk: TheDesk) -> Response:
    """Whether the model is loaded; needs no token."""
    if desk.service.is_ready:
        return written(ReadyAnswer())
    raise Problem(503, "not_ready", "the model is being loaded", failures.RETRY)


@operations.get(
    "/metrics",
    response_class=Response,
    responses={
        **{status: PROBLEMS[status] for status in (401, 403)},
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
    },
    dependencies=KNOWN,
)
async def metrics(desk: TheDesk) -> Response:
    """Figures of all workers, for Prometheus."""
    data = await desk.aside(desk.metrics.exposition)
    return Response(data, headers={"Content-Type": CONTENT_TYPE})


def create_api(settings: ApiSettings, load_model: Callable[[], Predictor] | None = None) -> FastAPI:
    """
    The API server.

    Args:
        settings: What it is told.
        load_model: Makes the predictor; None: of the bundle in the settings.

    Raises:
        FileMissing, BundleBroken: See ``Desk``.
    """
    desk = Desk(settings, load_model)
    app = FastAPI(
        title="latentcut",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # both load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(Counted, metrics=desk.metrics),
            Middleware(SecurityHeaders),
            Middleware(failures.Failures),
            Middleware(Guards, settings=settings),
            Middleware(TimeLimit, limits=settings.limits, is_long=takes_long),
            Middleware(Bodies, limits=settings.limits),
        ],
    )
    app.state.settings, app.state.desk = settings, desk
    failures.register(app, (*settings.roots, settings.spool))
    app.include_router(operations)
    for routes in (api, one_shot):
        app.include_router(routes)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the model's thread; end it with the app."""
    desk: Desk = app.state.desk
    desk.start()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(desk.stop)
