"""Exports: writing them into the folder, and giving the last one as one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from latentcut.formats.names import safe_name
from latentcut.web.bodies import JsonRoute
from latentcut.web.documents import ExportAnswer, json_response
from latentcut.web.exchange import ExportFormat, export, packed_export
from latentcut.web.routes.parameters import Desk

PIECE_BYTES = 2**18
MAX_TITLE_BYTES = 100

router = APIRouter(prefix="/exports", route_class=JsonRoute)


class ExportBody(BaseModel):
    """What to export."""

    model_config = ConfigDict(extra="forbid")
    format: ExportFormat
    only_done: bool = False


@router.post("", response_model=ExportAnswer)
def make(body: ExportBody, desk: Desk) -> Response:
    """Write all annotations in a format."""
    return json_response(export(desk, body.format, body.only_done))


@router.get("/{name}.zip")
def download(name: Annotated[ExportFormat, Path()], desk: Desk) -> Response:
    """The last export in a format, as one file."""
    packed = packed_export(desk, name)
    num_bytes = packed.seek(0, os.SEEK_END)
    packed.seek(0)
    title = safe_name(desk.folder.root.name, MAX_TITLE_BYTES)
    headers = {
        "Content-Disposition": attachment(f"{title}-{name}.zip"),
        "Content-Length": str(num_bytes),
    }
    return StreamingResponse(pieces(packed), 200, headers, media_type="application/zip")


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; it is closed at the end."""
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def attachment(name: str) -> str:
    """A Content-Disposition that saves under a name, whatever characters it has."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
