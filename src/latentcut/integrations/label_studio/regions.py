"""A prediction as Label Studio's regions: brushes, bitmasks, polygons or boxes."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from PIL import Image

from latentcut.core.masks import mask_box_xyxy, mask_to_polygons_centres
from latentcut.core.prediction import Prediction
from latentcut.integrations.label_studio.brush_rle import BoolArray, encode_brush
from latentcut.integrations.label_studio.tags import OutputTag

Json = dict[str, Any]

ID_CHARACTERS = 10


def result_of(
    prediction: Prediction | None,
    tag: OutputTag,
    label: str | None,
    model_version: str,
    tolerance_px: float = 0.0,
) -> Json:
    """
    One entry of an answer's ``results``.

    Args:
        prediction: None: nothing is meant yet.
        tag: What regions are drawn with.
        label: What the object is called, if that is known.
        model_version: Names the model.
        tolerance_px: How far a polygon may lie from the outline; 0 keeps every corner.
    """
    if prediction is None:
        return {"result": [], "score": 0.0, "model_version": model_version}
    mask = prediction.mask
    score = round(float(prediction.expected_iou[prediction.selected]), 4)
    height, width = mask.shape
    regions = []
    for number, value in enumerate(values_of(mask, tag.kind, tolerance_px)):
        region = {
            "id": region_id(mask, number),
            "from_name": tag.name,
            "to_name": tag.to_name,
            "type": tag.kind,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": score,
            "readonly": False,
            "value": {**value, tag.kind: tag.labels_for(label)},
        }
        regions.append(region)
    return {"result": regions, "score": score, "model_version": model_version}


def values_of(mask: BoolArray, kind: str, tolerance_px: float) -> Iterator[Json]:
    """Values of the regions that show a mask, bool (H, W): a polygon per part, else one."""
    box = mask_box_xyxy(mask)
    if box is None:
        return
    height, width = mask.shape
    if kind == "brushlabels":
        yield {"format": "rle", "rle": encode_brush(mask)}
    elif kind == "bitmasklabels":
        yield {"imageDataURL": png_uri(mask)}
    elif kind == "rectanglelabels":
        x0, y0, x1, y1 = box
        x, y = 100 * x0 / width, 100 * y0 / height
        w, h = 100 * (x1 - x0) / width, 100 * (y1 - y0) / height
        yield {"x": x, "y": y, "width": w, "height": h, "rotation": 0}
    else:
        for points in polygons_of(mask, tolerance_px):
            yield {"points": points, "closed": True}


def polygons_of(mask: BoolArray, tolerance_px: float) -> list[list[list[float]]]:
    """Outlines of the parts of a mask, largest first; points (x, y) in percent."""
    height, width = mask.shape
    found: list[tuple[float, list[list[float]]]] = []
    for ring in mask_to_polygons_centres(mask):
        outline = ring.astype(np.float32)[:, None]  # (N, 1, 2), as OpenCV takes it
        kept = ring
        if tolerance_px > 0:
            kept = cv2.approxPolyDP(outline, tolerance_px, True)[:, 0].astype(np.float64)
        if len(kept) >= 3:
            # the middle of pixel 0 is half a pixel from the edge that percents are counted from
            percents = 100 * (kept + 0.5) / [width, height]
            found.append((cv2.contourArea(outline), percents.tolist()))
    return [points for _, points in sorted(found, key=lambda entry: -entry[0])]


def png_uri(mask: BoolArray) -> str:
    """
    A mask as a data URI of a PNG, black where it is True and transparent elsewhere.

    Label Studio draws bitmasks so, and reads their transparency alone: an opaque picture would
    cover everything (https://labelstud.io/tags/bitmasklabels).
    """
    file = io.BytesIO()
    image = Image.fromarray(mask.astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0] * 2)
    image.save(file, format="PNG", bits=1, transparency=b"\x00\xff")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def region_id(mask: BoolArray, number: int) -> str:
    """A name for a region, the same for the same mask."""
    digest = hashlib.sha256(np.packbits(mask).tobytes() + bytes([number % 256]))
    return f"{number}{digest.hexdigest()}"[:ID_CHARACTERS]
