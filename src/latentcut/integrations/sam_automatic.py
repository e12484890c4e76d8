"""Segment Anything's automatic masks over our everything-mode; part of ``integrations.sam``."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentcut.core.everything import EverythingOptions, FoundObject
from latentcut.core.masks import encode_rle
from latentcut.core.predictor import Predictor

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]
OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")
DEFAULTS = EverythingOptions()


class AutomaticMaskGenerator:
    """
    All masks of an image, as ``SamAutomaticMaskGenerator``.

    The names are SAM's; the thresholds have our own defaults, because our scores are calibrated
    and SAM's are not. Crops are not looked at one by one.

    Args:
        model: A predictor, as of ``sam_model_registry``.
        points_per_side: Clicks along the longer side.
        pred_iou_thresh: Least expected IoU.
        stability_score_thresh: Least IoU of the masks at two thresholds.
        box_nms_thresh: Two masks of a larger IoU are the same; of the masks, not of their boxes.
        output_mode: Form of "segmentation": "binary_mask" bool (H, W), "uncompressed_rle" or
            "coco_rle".

    Raises:
        ValueError: Another output mode.
        BadConfig: A threshold that is not allowed.
    """

    def __init__(
        self,
        model: Predictor,
        points_per_side: int = DEFAULTS.points_per_side,
        pred_iou_thresh: float = DEFAULTS.min_score,
        stability_score_thresh: float = DEFAULTS.min_stability,
        box_nms_thresh: float = DEFAULTS.max_overlap,
        output_mode: OutputMode = "binary_mask",
    ) -> None:
        if output_mode not in OUTPUT_MODES:
            raise ValueError(f"output_mode must be one of {OUTPUT_MODES}, given {output_mode!r}")
        self.model, self.output_mode = model, output_mode
        self.options = EverythingOptions(
            points_per_side=points_per_side,
            min_score=pred_iou_thresh,
            min_stability=stability_score_thresh,
            max_overlap=box_nms_thresh,
        )

    def generate(self, image: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """
        All masks, the surest first.

        Args:
            image: uint8 RGB (H, W, 3).

        Returns:
            For each: segmentation, area in pixels, bbox (x, y, width, height), predicted_iou,
            point_coords [[x, y]], stability_score, crop_box (x, y, width, height) of the part
            of the image that was looked at.
        """
        height, width = image.shape[:2]
        found = self.model.find_all(image, self.options)
        return [self._record(thing, [0, 0, width, height]) for thing in found]

    def _record(self, thing: FoundObject, crop_box: list[int]) -> dict[str, Any]:
        left, top, right, bottom = thing.box_xyxy
        return {
            "segmentation": self._segmentation(thing),
            "area": thing.area,
            "bbox": [left, top, right - left, bottom - top],
            "predicted_iou": thing.score,
            "point_coords": [[thing.click.x, thing.click.y]],
            "stability_score": thing.stability,
            "crop_box": crop_box,
        }

    def _segmentation(self, thing: FoundObject) -> Any:
        if self.output_mode == "coco_rle":
            return thing.rle
        if self.output_mode == "binary_mask":
            return thing.mask
        return {"size": list(thing.rle["size"]), "counts": encode_rle(thing.mask)}
