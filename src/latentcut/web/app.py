"""The application: guards outside, routes inside, the workplace behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from latentcut import __version__
from latentcut.web import failures
from latentcut.web.bodies import Bodies, TimeLimit
from latentcut.web.guards import Guards, SecurityHeaders
from latentcut.web.routes import actions, exports, images, imports, masks, page, project, searches
from latentcut.web.settings import Settings
from latentcut.web.workplace import Workplace, open_workplace

API = "/api/v1"
NUM_DRAWING = 3  # pictures made at a time, in threads of their own


def create_app(settings: Settings) -> FastAPI:
    """
    The server for one folder. The project is opened now and closed when the app shuts down.

    Raises:
        LatentcutError: The folder, project or bundle cannot be used; see ``open_workplace``.
    """
    workplace = open_workplace(settings)
    app = FastAPI(
        title="latentcut",
        version=__version__,
        description="Annotate a folder of images; masks come from clicks.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # both load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(failures.Failures),
            Middleware(Guards, settings=settings),
            Middleware(TimeLimit, limits=settings.limits),
            Middleware(Bodies, limits=settings.limits),
        ],
    )
    app.state.settings, app.state.workplace = settings, workplace
    failures.register(app, (settings.folder, settings.project_path.parent))
    app.include_router(api_router())
    app.include_router(page.router)
    return app


def api_router() -> APIRouter:
    """All routes of the API."""
    router = APIRouter(prefix=API)
    for part in (project, images, actions, searches, masks, exports, imports):
        router.include_router(part.router)
    return router


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the model's thread, and finish what is being saved at the end."""
    workplace: Workplace = app.state.workplace
    app.state.drawing = anyio.CapacityLimiter(NUM_DRAWING)
    workplace.start()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(workplace.close)
