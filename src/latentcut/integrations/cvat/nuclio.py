"""
A handler for CVAT's serverless functions: nuclio calls ``init_context`` once, then ``handler``.

``latentcut cvat-nuclio FOLDER`` writes the folder that ``nuctl deploy`` takes. Nothing of nuclio
is imported: it gives its objects to these functions.

Settings are environment variables of the function: ``LATENTCUT_BUNDLE`` names the folder of another
model, ``LATENTCUT_THREADS`` the threads per prediction, and ``LATENTCUT_BOX_FIRST=1`` says that an
old CVAT sends the box as the first two positive points.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Clicks
from latentcut.core.masks import mask_box_xyxy
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.errors import LatentcutError, PromptUnusable
from latentcut.integrations.positions import Point, box_at, click_at
from latentcut.web.memory import remembering_predictor

BUNDLE_VARIABLE = "LATENTCUT_BUNDLE"
THREADS_VARIABLE = "LATENTCUT_THREADS"
BOX_FIRST_VARIABLE = "LATENTCUT_BOX_FIRST"
RECIPE = Path(__file__).parent / "nuclio_function"
MAX_POINTS = 10_000


def init_context(context: Any) -> None:
    """
    Load the model before the first request, which has only 30 s.

    Raises:
        BundleBroken, FileMissing: There is no such model; nuclio then calls the function unhealthy.
    """
    bundle = os.environ.get(BUNDLE_VARIABLE)
    threads = int(os.environ.get(THREADS_VARIABLE, "0"))
    context.user_data.predictor = remembering_predictor(Path(bundle) if bundle else None, threads)
    context.logger.info("latentcut is ready")


def handler(context: Any, event: Any) -> Any:
    """Answer one request: 200 and the mask, or 400 and one sentence."""
    is_box_first = os.environ.get(BOX_FIRST_VARIABLE) == "1"
    try:
        answer = respond(context.user_data.predictor, body_of(event.body), is_box_first)
    except LatentcutError as error:
        return _response(context, {"error": str(error)}, 400)
    return _response(context, answer, 200)


def body_of(body: object) -> Mapping[str, Any]:
    """
    The request, which nuclio has parsed where it was called JSON.

    Raises:
        PromptUnusable: It is no JSON object.
    """
    if isinstance(body, bytes | str):
        try:
            body = json.loads(body)
        except ValueError as error:
            raise PromptUnusable("the request", "it is no JSON") from error
    if not isinstance(body, Mapping):
        raise PromptUnusable("the request", "it is no JSON object")
    return body


def respond(
    predictor: Predictor, body: Mapping[str, Any], is_box_first: bool = False
) -> dict[str, Any]:
    """
    The answer to one request of CVAT's server.

    Args:
        predictor: The model.
        body: ``image`` in base64, ``pos_points``, ``neg_points``, and ``obj_bbox`` from newer
            servers; positions in pixels from the top-left corner of the image.
        is_box_first: Take the first two positive points for the box where there is no
            ``obj_bbox``.

    Returns:
        ``mask``, rows of 0 and 255 inside the smallest box around the mask, and ``bounds``,
        its first column and row and its last column and row. An empty mask, also that of
        negative points alone, is one 0.

    Raises:
        PromptUnusable: A part of the request is missing or none of what is allowed.
        LatentcutError: As of ``Predictor.encode`` and ``Predictor.predict``.
    """
    encoded = predictor.encode(_image(body.get("image")))
    clicks, box = _prompts(body, encoded.size_hw, is_box_first)
    prediction = replayed(predictor, encoded, clicks, box)
    mask = np.zeros(encoded.size_hw, dtype=bool) if prediction is None else prediction.mask
    crop, bounds = cropped(mask)
    return {"mask": (crop * np.uint8(255)).tolist(), "bounds": bounds}


def cropped(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], list[int]]:
    """The part of a mask inside its smallest box, and first and last column and row of that."""
    x0, y0, x1, y1 = mask_box_xyxy(mask) or (0, 0, 1, 1)
    return mask[y0:y1, x0:x1], [x0, y0, x1 - 1, y1 - 1]


def write_recipe(folder: Path) -> None:
    """Write what ``nuctl deploy`` takes into a folder that is there; files are replaced."""
    for name in ("function.yaml", "main.py"):
        (folder / name).write_bytes((RECIPE / name).read_bytes())


def _image(given: object) -> bytes:
    if not isinstance(given, str):
        raise PromptUnusable("image", "it is missing")
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PromptUnusable("image", "it is not in base64") from error


def _prompts(
    body: Mapping[str, Any], size_hw: tuple[int, int], is_box_first: bool
) -> tuple[Clicks, BoxXyxy | None]:
    positive, negative = _points(body, "pos_points"), _points(body, "neg_points")
    corners = _points(body, "obj_bbox")
    if is_box_first and "obj_bbox" not in body:
        corners, positive = positive[:2], positive[2:]
    if len(corners) not in (0, 2):
        raise PromptUnusable("obj_bbox", "a box is two corners")
    clicks = (
        *(click_at(point, True, size_hw) for point in positive),
        *(click_at(point, False, size_hw) for point in negative),
    )
    return clicks, box_at(*corners) if corners else None


def _points(body: Mapping[str, Any], key: str) -> list[Point]:
    given = body.get(key) or []
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MAX_POINTS:
        raise PromptUnusable(key, f"it is no list of at most {MAX_POINTS:,} points")
    points = []
    for point in given:
        if not isinstance(point, Sequence) or len(point) != 2 or not all(map(_is_number, point)):
            raise PromptUnusable(key, "a point is two numbers, [x, y]")
        points.append((float(point[0]), float(point[1])))
    return points


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _response(context: Any, answer: Mapping[str, Any], status: int) -> Any:
    return context.Response(
        body=json.dumps(answer, separators=(",", ":")),
        headers={},
        content_type="application/json",
        status_code=status,
    )
