"""Masks by the name of their content."""

from __future__ import annotations

import re

from fastapi import APIRouter, Response

from latentcut.errors import NotInProject
from latentcut.web.documents import RleAnswer
from latentcut.web.routes.parameters import Desk

router = APIRouter(prefix="/masks")


@router.get("/{mask_id}", response_model=RleAnswer)
def mask(mask_id: str, desk: Desk) -> Response:
    """A mask. Its name says what it holds, so a browser may keep it for ever."""
    if not re.fullmatch("[0-9a-f]{32}", mask_id):
        raise NotInProject("mask", "of that name")
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    found = RleAnswer.of(desk.store.mask(mask_id))
    return Response(found.model_dump_json(), 200, headers, media_type="application/json")
