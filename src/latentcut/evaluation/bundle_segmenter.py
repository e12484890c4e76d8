"""Our own predictor as a segmenter: the mask it showed is fed back with the next click."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.backend import Backend, Features
from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.predictor import Predictor
from latentcut.evaluation.segmenter import Answer, Conversation

FloatArray = NDArray[np.float32]


class BundleSegmenter:
    """
    A predictor behind the seam of the evaluation.

    Args:
        predictor: Any predictor.
        name: What tables call it.
        facts: What else results should say of it.
        mask_threshold: Probability above which a pixel belongs to a mask. 0.5 leaves the
            predictor as it is; RITM's code uses 0.49.
    """

    def __init__(
        self,
        predictor: Predictor,
        name: str = "bundle",
        facts: dict[str, Any] | None = None,
        mask_threshold: float = 0.5,
    ) -> None:
        self.name = name
        self.facts = {"kind": "bundle", **(facts or {}), "mask_threshold": mask_threshold}
        self.fingerprint = predictor.fingerprint
        self.predictor = predictor
        if mask_threshold != 0.5:
            self.fingerprint += f"-mask-threshold-{mask_threshold:g}"
            self.predictor = Predictor(
                ShiftedBackend(predictor.backend, mask_threshold),
                predictor.frame_info,
                predictor.selection,
                predictor.limits,
                self.fingerprint,
            )

    def start(self, image: NDArray[np.uint8]) -> Conversation:
        """Encode an image, uint8 RGB (H0, W0, 3)."""
        return BundleConversation(self.predictor, self.predictor.encode(image))


class BundleConversation:
    """Clicks on one object of an encoded image."""

    def __init__(self, predictor: Predictor, encoded: EncodedImage) -> None:
        self._predictor, self._encoded = predictor, encoded
        self._shown: NDArray[np.bool_] | None = None

    def answer(self, clicks: Sequence[Click]) -> Answer:
        """Predict from all clicks and the mask shown before the last one."""
        started = time.perf_counter()
        prediction = self._predictor.predict(self._encoded, clicks, self._shown)
        self._shown = prediction.mask
        seconds = time.perf_counter() - started  # what a user waits for; the rest is for us
        return Answer(
            prediction.candidates,
            prediction.selected,
            prediction.expected_iou,
            prediction.scores,
            seconds,
        )


class ShiftedBackend:
    """
    A network whose masks are cut at another probability than 0.5.

    Predictors cut at logit 0, so the logits are moved by what lies between the two.
    """

    def __init__(self, backend: Backend, mask_threshold: float) -> None:
        self._backend = backend
        self._shift = np.float32(-math.log(mask_threshold / (1 - mask_threshold)))
        self.num_masks = backend.num_masks

    def encode(self, image: NDArray[np.uint8]) -> Features:
        """See ``Backend``."""
        return self._backend.encode(image)

    def decode(
        self,
        features: Features,
        guidance: FloatArray,
        index: NDArray[np.int64],
        sign: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """See ``Backend``; logits are larger by log((1 - t) / t)."""
        logits, scores = self._backend.decode(features, guidance, index, sign)
        return logits + self._shift, scores
