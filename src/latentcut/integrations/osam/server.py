"""
osam's HTTP protocol: ``POST /api/generate``.

The names are those of osam 0.8.1 (osam/types, osam/_server.py). A request holds an image and
points; texts, embeddings and earlier annotations are for other models than this one.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from latentcut.core.encoded import EncodedImage
from latentcut.core.predictor import Predictor
from latentcut.errors import PromptUnusable
from latentcut.integrations.osam.prompts import Found, find
from latentcut.integrations.serving import AdapterSettings, adapter_app, image_of
from latentcut.web.bodies import JsonRoute, while_connected
from latentcut.web.service import PredictionService

DEFAULT_PORT = 11_368  # osam's own
NAMES = ("latentcut", "latentcut:latest")
MAX_POINTS = 1000

router = APIRouter(route_class=JsonRoute)


class Prompt(BaseModel):
    """Points (x, y) in pixels and a label for each; the rest of osam's prompt is not used."""

    model_config = ConfigDict(extra="ignore")

    points: list[tuple[float, float]] | None = Field(default=None, max_length=MAX_POINTS)
    point_labels: list[int] | None = Field(default=None, max_length=MAX_POINTS)


class GenerateRequest(BaseModel):
    """A prediction; ``image`` is an image file in base64."""

    model_config = ConfigDict(extra="ignore")

    model: str
    image: str | None = None
    prompt: Prompt | None = None


@router.get("/")
async def index() -> Response:
    """What osam's clients ask to see whether it is there."""
    return Response("osam is running")


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """The process answers; ``ready`` tells whether the model is loaded."""
    service: PredictionService = request.app.state.service
    return {"status": "ok", "ready": service.is_ready}


@router.post("/api/generate")
async def generate(request: Request, asked: GenerateRequest) -> dict[str, Any]:
    """One annotation; none where the points mean nothing yet."""
    if asked.model not in NAMES:
        raise PromptUnusable("model", f"there is {NAMES[-1]} here, not {asked.model!r}")
    if asked.image is None:
        raise PromptUnusable("image", "it is missing")
    prompt = asked.prompt
    if prompt is None or prompt.points is None or prompt.point_labels is None:
        raise PromptUnusable("prompt", "give points and point_labels; texts are not understood")
    points, labels = prompt.points, prompt.point_labels

    def answer(model: Predictor, encoded: EncodedImage) -> Found | None:
        return find(model, encoded, points, labels)

    service: PredictionService = request.app.state.service
    found = await while_connected(request, service.ask(image_of(asked.image), answer))
    annotations = [] if found is None else [annotation_of(found)]
    return {"model": asked.model, "image_embedding": None, "annotations": annotations}


def annotation_of(found: Found) -> dict[str, Any]:
    """An object in osam's JSON: the mask is a PNG of 0 and 255 in base64."""
    file = io.BytesIO()
    Image.fromarray(found.mask).convert("L").save(file, format="PNG")
    return {
        "bounding_box": dict(zip(("xmin", "ymin", "xmax", "ymax"), found.box_xyxy, strict=True)),
        "text": None,
        "score": found.score,
        "mask": base64.b64encode(file.getvalue()).decode("ascii"),
    }


def create_osam_app(settings: AdapterSettings, service: PredictionService | None = None) -> FastAPI:
    """
    The server.

    Args:
        settings: Address, token, model and limits.
        service: Who answers; None: a new one with the model of the settings.
    """
    return adapter_app("latentcut as osam", settings, router, service)
