"""
X-AnyLabeling's remote server: its model list, and polygons for the points and boxes of its canvas.

The names are those of X-AnyLabeling-Server (docs/router.md) and of the client in X-AnyLabeling
4.2.1 (services/auto_labeling/remote_server.py). Failures have the body that is described there,
and unlike there an HTTP status of their own: the client only shows those to its user.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any, Literal

import cv2
import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click, Clicks
from latentcut.core.encoded import EncodedImage
from latentcut.core.masks import has_holes, mask_to_polygons_centres
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.errors import (
    ImageTooLarge,
    LatentcutError,
    PromptUnusable,
    ServerBusy,
    UnreadableImage,
    UnsupportedImage,
)
from latentcut.integrations.positions import box_at, click_on_pixel
from latentcut.integrations.serving import AdapterSettings, adapter_app, image_of
from latentcut.web.bodies import JsonRoute, while_connected
from latentcut.web.service import PredictionService

DEFAULT_PORT = 8000  # the client's own default
MODEL = "latentcut"
OBJECT_LABEL = "AUTOLABEL_OBJECT"  # the client asks for the label when the object is finished
MAX_MARKS = 1000
BAD_IMAGE = (UnreadableImage, UnsupportedImage, ImageTooLarge)
HOLES = "the object has holes, which a polygon cannot show"
MODEL_INFO: dict[str, Any] = {
    "display_name": "latentcut: clicks and boxes",
    "batch_processing_mode": None,  # there is nothing to find without a click
    "widgets": [
        {"name": "button_add_point", "value": None},
        {"name": "button_remove_point", "value": None},
        {"name": "button_add_rect", "value": None},
        {"name": "button_clear", "value": None},
        {"name": "button_finish_object", "value": None},
        {"name": "mask_fineness_slider", "value": 1},
        {"name": "mask_fineness_value_label", "value": None},
        # after a failed request the client removes all shapes of the image unless this is on
        {"name": "toggle_preserve_existing_annotations", "value": True},
    ],
    "params": {},
}

BoolArray = NDArray[np.bool_]


class Mark(BaseModel):
    """A point (x, y) or two opposite corners of a box, in whole pixels; label 0 is background."""

    type: Literal["point", "rectangle"]
    data: list[float] = Field(min_length=2, max_length=4)
    label: int = 1


class Params(BaseModel):
    """What the canvas and the sliders say; the client sends more than is used here."""

    model_config = ConfigDict(extra="ignore")

    marks: list[Mark] = Field(default=[], max_length=MAX_MARKS)
    epsilon_factor: float = Field(default=0.0, ge=0, le=1)


class PredictRequest(BaseModel):
    """A prediction."""

    model: str
    image: str
    params: Params = Params()


class Refused(Exception):
    """An answer that is none, as the protocol writes it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def check_token(request: Request) -> None:
    """Raise Refused unless the header ``Token`` is right, where one is wanted."""
    expected: str | None = request.app.state.api_key
    given = request.headers.get("token", "")
    if expected is not None and not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(401, "UNAUTHORIZED", "Invalid or missing API Key")


router = APIRouter(route_class=JsonRoute)
guarded = APIRouter(prefix="/v1", route_class=JsonRoute, dependencies=[Depends(check_token)])


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """The process answers; ``models_loaded`` becomes 1 when the model is there."""
    service: PredictionService = request.app.state.service
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    stamp = now.replace("+00:00", "Z")
    return {"status": "healthy", "models_loaded": int(service.is_ready), "timestamp": stamp}


@guarded.get("/models")
async def models() -> dict[str, Any]:
    """The one model, and what buttons it needs."""
    return {"success": True, "data": {MODEL: MODEL_INFO}}


@guarded.get("/models/{model_id}/info")
async def model_info(model_id: str) -> dict[str, Any]:
    """The same about one model."""
    check_model(model_id)
    return {"success": True, "data": {"model_id": MODEL, **MODEL_INFO}}


@guarded.post("/predict")
async def predict(request: Request, asked: PredictRequest) -> dict[str, Any]:
    """Polygons of what the marks mean; none while there are no positive ones."""
    check_model(asked.model)
    shapes: list[dict[str, Any]] = []
    if any(mark.label == 1 for mark in asked.params.marks):
        shapes = await found_shapes(request, asked)
    # False: shapes that are finished stay, and only the last answer is replaced
    return {"success": True, "data": {"shapes": shapes, "description": "", "replace": False}}


async def found_shapes(request: Request, asked: PredictRequest) -> list[dict[str, Any]]:
    """
    The shapes of the marks, of which one at least is positive.

    Raises:
        Refused: The image or a mark cannot be used.
        ServerBusy: Too much waits already.
    """
    service: PredictionService = request.app.state.service
    marks, epsilon = asked.params.marks, asked.params.epsilon_factor

    def answer(model: Predictor, encoded: EncodedImage) -> list[dict[str, Any]]:
        clicks, box = prompts_of(marks, encoded.size_hw)
        return shapes_of(replayed(model, encoded, clicks, box), epsilon)

    try:
        return await while_connected(request, service.ask(image_of(asked.image), answer))
    except ServerBusy:
        raise
    except LatentcutError as error:
        code = "INVALID_IMAGE" if isinstance(error, BAD_IMAGE) else "INFERENCE_ERROR"
        raise Refused(422, code, str(error)) from error


def check_model(model_id: str) -> None:
    """Raise Refused for a model that is not here."""
    if model_id != MODEL:
        raise Refused(404, "MODEL_NOT_FOUND", f"Model '{model_id}' not loaded")


def prompts_of(marks: list[Mark], size_hw: tuple[int, int]) -> tuple[Clicks, BoxXyxy | None]:
    """
    The canvas' marks as clicks and a box; of several boxes the last one counts.

    Args:
        marks: In the order they were made.
        size_hw: Height and width of the image, in pixels.

    Raises:
        PromptUnusable: A box is negative, or a mark has another number of values than it needs.
    """
    clicks: list[Click] = []
    box: BoxXyxy | None = None
    for mark in marks:
        if mark.type == "point" and len(mark.data) == 2:
            point = mark.data[0], mark.data[1]
            clicks.append(click_on_pixel(point, mark.label == 1, size_hw))
        elif mark.type == "rectangle" and len(mark.data) == 4:
            if mark.label != 1:
                raise PromptUnusable("a box that is background", "give a negative point instead")
            x0, y0, x1, y1 = mark.data
            box = box_at((x0, y0), (x1, y1))
        else:
            found = f"it has {len(mark.data)} numbers"
            raise PromptUnusable(f"a mark of type {mark.type}", found)
    return tuple(clicks), box


def shapes_of(prediction: Prediction | None, epsilon_factor: float) -> list[dict[str, Any]]:
    """
    Shapes of the selected mask, one polygon per part.

    Args:
        prediction: None: nothing is meant yet.
        epsilon_factor: How far a polygon may lie from the outline, as a share of its length; the
            slider "mask fineness". 0 keeps every corner.
    """
    if prediction is None:
        return []
    description = HOLES if has_holes(prediction.mask) else None
    score = round(float(prediction.expected_iou[prediction.selected]), 4)
    return [
        {
            "label": OBJECT_LABEL,
            "shape_type": "polygon",
            "points": [*points, points[0]],  # closed, as the client closes its own
            "score": score,
            "attributes": {},
            "description": description,
            "difficult": False,
            "direction": 0,
            "flags": None,
            "group_id": None,
            "kie_linking": [],
        }
        for points in polygons_of(prediction.mask, epsilon_factor)
    ]


def polygons_of(mask: BoolArray, epsilon_factor: float) -> list[list[list[float]]]:
    """Outlines of the parts, largest first; points (x, y) at centres of pixels."""
    found: list[tuple[float, list[list[float]]]] = []
    for ring in mask_to_polygons_centres(mask):
        outline = ring.astype(np.float32)[:, None]  # (N, 1, 2), as OpenCV takes it
        epsilon = epsilon_factor * cv2.arcLength(outline, True)
        kept = cv2.approxPolyDP(outline, epsilon, True)[:, 0] if epsilon > 0 else ring
        if len(kept) >= 3:
            found.append((cv2.contourArea(outline), kept.astype(np.float64).tolist()))
    return [points for _, points in sorted(found, key=lambda entry: -entry[0])]


def create_xanylabeling_app(
    settings: AdapterSettings,
    api_key: str | None = None,
    service: PredictionService | None = None,
) -> FastAPI:
    """
    The server.

    Args:
        settings: Address, model and limits.
        api_key: What clients must send in the header ``Token``; None: nothing.
        service: Who answers; None: a new one with the model of the settings.
    """
    routes = APIRouter()
    routes.include_router(router)
    routes.include_router(guarded)
    app = adapter_app("latentcut for X-AnyLabeling", settings, routes, service)
    app.state.api_key = api_key
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(ServerBusy, _busy)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _failure(status: int, code: str, message: str) -> JSONResponse:
    error = {"code": code, "message": message}
    return JSONResponse({"success": False, "error": error}, status)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _failure(error.status, error.code, error.message)


async def _busy(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "1"})


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"][1:]) or "the body"
    return _failure(422, "INVALID_REQUEST", f"{place}: {first['msg'].lower()}")
