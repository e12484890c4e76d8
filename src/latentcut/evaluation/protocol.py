"""
The evaluation protocol: a robot user clicks, the selected and the best mask are scored.

Li, Chen & Koltun 2018, section 5: the clicks of ``simulation.robot``, at most 20 of
them, IoU after each. Choices, where the literature differs: the robot sees the *selected* mask,
the oracle (best of M by ground truth) is only recorded; a pixel belongs to a mask where
its logit is positive; pixels of the ignore mask never count; an object solved earlier
is clicked on to the 20th click, so that mean IoU after k clicks is over all objects; when no error
is left the remaining IoUs repeat the last one.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.metrics import MAX_CLICKS, iou
from latentcut.core.predictor import Predictor
from latentcut.datasets.folder import Sample, read_sample_image
from latentcut.simulation.robot import first_click, next_click

PROTOCOL = "centre of the largest error region, 20 clicks, selected mask shown, version 1"


@dataclass(frozen=True)
class ObjectResult:
    """
    What happened on one object.

    Attributes:
        name: The sample.
        selected_ious: IoU of the selected mask after 1 .. 20 clicks.
        oracle_ious: IoU of the best of the M candidates, likewise.
        first_ious: IoU of candidate 0, likewise.
        expected_ious: g's expected IoU of the selected mask, likewise.
        clicks_broken: Steps at which the selected mask did not obey its clicks.
        encode_s: Seconds to encode the image, reading excluded.
        click_s: Seconds from each click to the selected mask at image resolution.
    """

    name: str
    selected_ious: list[float]
    oracle_ious: list[float]
    first_ious: list[float]
    expected_ious: list[float]
    clicks_broken: int
    encode_s: float
    click_s: list[float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def evaluate_object(
    predictor: Predictor, sample: Sample, max_clicks: int = MAX_CLICKS
) -> ObjectResult:
    """
    Let the robot user segment one object.

    Args:
        predictor: Any predictor.
        sample: The object; its mask must not be empty outside the ignore mask.
        max_clicks: Number of clicks.

    Raises:
        DatasetBroken: Picture and mask differ in size.
    """
    image = read_sample_image(sample)
    gt_mask, ignore = sample.gt_mask, sample.ignore_mask
    started = time.perf_counter()
    encoded = predictor.encode(image)
    encode_s = time.perf_counter() - started

    selected: list[float] = []
    oracle: list[float] = []
    first: list[float] = []
    expected: list[float] = []
    click_s: list[float] = []
    clicks_broken = 0
    clicks = [click for click in [first_click(gt_mask, ignore)] if click is not None]
    mask: NDArray[np.bool_] | None = None
    while clicks:
        started = time.perf_counter()
        prediction = predictor.predict(encoded, clicks, mask)
        mask = prediction.mask
        click_s.append(round(time.perf_counter() - started, 5))
        ious = [iou(candidate, gt_mask, ignore) for candidate in prediction.candidates]
        # not rounded: 0.899996 has not reached 0.9
        selected.append(ious[prediction.selected])
        oracle.append(max(ious))
        first.append(ious[0])
        expected.append(round(float(prediction.expected_iou[prediction.selected]), 5))
        clicks_broken += not prediction.clicks_satisfied
        click = next_click(mask, gt_mask, ignore)
        if click is None or len(clicks) == max_clicks:
            break
        clicks.append(click)
    for figures in (selected, oracle, first, expected):
        figures += figures[-1:] * (max_clicks - len(figures))
    return ObjectResult(
        sample.name, selected, oracle, first, expected, clicks_broken, round(encode_s, 5), click_s
    )
