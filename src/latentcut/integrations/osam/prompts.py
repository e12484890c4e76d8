"""osam's points as clicks and a box, and a prediction as its annotation; without osam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click, Clicks
from latentcut.core.encoded import EncodedImage
from latentcut.core.masks import mask_box_xyxy
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.errors import PromptUnusable
from latentcut.integrations.positions import Point, box_at, click_at

IGNORED, BACKGROUND, FOREGROUND, BOX_FIRST, BOX_SECOND = -1, 0, 1, 2, 3


class Found(NamedTuple):
    """
    An object as osam describes it.

    Attributes:
        mask: bool (h, w), the part of the mask inside the box.
        box_xyxy: First column and row of the box, and its last column and row.
        score: Expected IoU, in [0, 1].
    """

    mask: NDArray[np.bool_]
    box_xyxy: tuple[int, int, int, int]
    score: float


def prompts_of(
    points: Sequence[Point], labels: Sequence[int], size_hw: tuple[int, int]
) -> tuple[Clicks, BoxXyxy | None]:
    """
    Osam's points as clicks, in their order, and a box.

    Args:
        points: (x, y) in pixels from the top-left corner of the image.
        labels: One each: 1 is the object, 0 background, 2 and 3 opposite corners of a box, -1
            nothing.
        size_hw: Height and width of the image, in pixels.

    Raises:
        PromptUnusable: There are more labels than points or fewer, a label is another number, or
            the corners are not two.
    """
    if len(points) != len(labels):
        raise PromptUnusable("point_labels", f"{len(labels)} labels for {len(points)} points")
    clicks: list[Click] = []
    corners: dict[int, Point] = {}
    for point, label in zip(points, labels, strict=True):
        if label in (BACKGROUND, FOREGROUND):
            clicks.append(click_at(point, label == FOREGROUND, size_hw))
        elif label in (BOX_FIRST, BOX_SECOND) and label not in corners:
            corners[label] = point
        elif label != IGNORED:
            raise PromptUnusable("point_labels", "they are 1, 0, -1, and 2 and 3 once for a box")
    if len(corners) == 1:
        raise PromptUnusable("point_labels", "a box needs both of its corners, labelled 2 and 3")
    box = box_at(corners[BOX_FIRST], corners[BOX_SECOND]) if corners else None
    return tuple(clicks), box


def find(
    predictor: Predictor, encoded: EncodedImage, points: Sequence[Point], labels: Sequence[int]
) -> Found | None:
    """
    The object that points mean; None where they mean none yet.

    Raises:
        PromptUnusable: See ``prompts_of``.
        NoClicks: There are no points.
        ClickOutsideImage, BadBox: A point lies outside the image.
    """
    clicks, box = prompts_of(points, labels, encoded.size_hw)
    return found_in(replayed(predictor, encoded, clicks, box))


def found_in(prediction: Prediction | None) -> Found | None:
    """The selected mask of a prediction; None where that is empty."""
    box = None if prediction is None else mask_box_xyxy(prediction.mask)
    if prediction is None or box is None:
        return None
    x0, y0, x1, y1 = box
    score = float(prediction.expected_iou[prediction.selected])
    return Found(prediction.mask[y0:y1, x0:x1], (x0, y0, x1 - 1, y1 - 1), score)
