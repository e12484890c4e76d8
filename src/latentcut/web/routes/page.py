"""The page itself, its static files, and a sign of life."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response

from latentcut.web.failures import Problem

STATIC = Path(__file__).resolve().parent.parent / "static"
PAGE = "index.html"
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
def page(request: Request) -> Response:
    """The page."""
    return file_response(PAGE, request)


@router.get("/static/{name:path}")
def static(name: str, request: Request) -> Response:
    """A script, style or picture of the page."""
    return file_response(name, request)


@router.get("/health")
def health() -> dict[str, str]:
    """That the server runs; needs no token."""
    return {"status": "ok"}


def file_response(name: str, request: Request) -> Response:
    """
    A file of the page. The name is looked up among those that are there, never made a path.

    Raises:
        Problem: There is no such file.
    """
    path = static_files().get(name)
    if path is None:
        static_files.cache_clear()  # the page may have been updated under a running server
        path = static_files().get(name)
    if path is None:
        raise Problem(404, "not_found", "there is nothing at this address")
    data = path.read_bytes()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(data, 200, headers, media_type=MEDIA_TYPES[path.suffix])


@functools.cache
def static_files() -> dict[str, Path]:
    """The files of the page by their name in addresses."""
    files = (path for path in STATIC.rglob("*") if path.suffix in MEDIA_TYPES and path.is_file())
    return {path.relative_to(STATIC).as_posix(): path for path in files}
