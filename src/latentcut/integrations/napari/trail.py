"""
From what lies on the prompt layers to a prediction, and back again when a prompt is taken away.

Prompts on layers are a state, not a history: points can be moved, removed and brought back. So
the answers given so far are kept, and the next one goes on from the longest part that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Clicks
from latentcut.core.encoded import EncodedImage
from latentcut.core.prediction import Prediction

MAX_STEPS = 24  # answers kept
MAX_MASK_BYTES = 100_000_000  # of their masks, each of which has the image's size

BoolArray = NDArray[np.bool_]
Strokes = tuple[Clicks, ...]


class Predicts(Protocol):
    """What answers prompts: a `Predictor`."""

    def predict(
        self,
        encoded: EncodedImage,
        clicks: Clicks,
        previous_mask: BoolArray | None = None,
        box: BoxXyxy | None = None,
    ) -> Prediction: ...


@dataclass(frozen=True)
class Prompts:
    """
    What is asked about one plane.

    Attributes:
        strokes: In order: each a click, or the clicks of one scribble.
        box: (x0, y0, x1, y1), or None.
    """

    strokes: Strokes = ()
    box: BoxXyxy | None = None

    @property
    def clicks(self) -> Clicks:
        """The clicks of all strokes, in order."""
        return tuple(click for stroke in self.strokes for click in stroke)

    def __bool__(self) -> bool:
        return bool(self.strokes) or self.box is not None

    def begins(self, other: Prompts) -> bool:
        """Whether the other goes on from this one by strokes alone."""
        return self.box == other.box and self.strokes == other.strokes[: len(self.strokes)]


def in_order(before: Strokes, now: Sequence[Clicks]) -> Strokes:
    """
    Strokes of several layers in the order in which they came.

    Args:
        before: The strokes of the last time, in order.
        now: Those that lie there now, in any order.

    Returns:
        Those of before that are still there, then the others.
    """
    left = list(now)
    kept = []
    for stroke in before:
        if stroke in left:
            left.remove(stroke)
            kept.append(stroke)
    return (*kept, *left)


class Trail:
    """
    The answers about one object in one plane.

    Args:
        predictor: Answers.
        encoded: The plane.
        start: bool (H, W), a mask to start from, or None.
    """

    def __init__(
        self, predictor: Predicts, encoded: EncodedImage, start: BoolArray | None = None
    ) -> None:
        self.predictor, self.encoded, self.start = predictor, encoded, start
        self._steps: dict[Prompts, Prediction] = {}
        height, width = encoded.size_hw
        self._max_steps = max(2, min(MAX_STEPS, MAX_MASK_BYTES // (height * width)))

    def answer(self, prompts: Prompts) -> Prediction:
        """
        The prediction for prompts, each stroke answered in turn as if it had just been made.

        Raises:
            ClickOutsideImage: A click lies outside the plane.
            BadBox: Nothing of the plane lies in the box.
            NoClicks: The prompts are empty.
        """
        known = max(
            (step for step in self._steps if step.begins(prompts)),
            key=lambda step: len(step.strokes),
            default=None,
        )
        if known is None:
            return self._answer_anew(prompts)
        prediction = self._steps[known]
        for count in range(len(known.strokes) + 1, len(prompts.strokes) + 1):
            prediction = self._step(Prompts(prompts.strokes[:count], prompts.box), prediction.mask)
        return prediction

    def choose(self, prompts: Prompts, index: int) -> Prediction:
        """
        Take another candidate of an answer; later answers that went on from it are forgotten.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1; nothing has changed.
        """
        chosen = self.answer(prompts).choose(index)
        self._steps = {
            step: prediction
            for step, prediction in self._steps.items()
            if not prompts.begins(step) or step == prompts
        }
        self._steps[prompts] = chosen
        return chosen

    def _answer_anew(self, prompts: Prompts) -> Prediction:
        if prompts.box is not None or not prompts.strokes:
            return self._step(prompts, None)
        prediction = None
        for count in range(1, len(prompts.strokes) + 1):
            before = self.start if prediction is None else prediction.mask
            prediction = self._step(Prompts(prompts.strokes[:count]), before)
        assert prediction is not None
        return prediction

    def _step(self, prompts: Prompts, before: BoolArray | None) -> Prediction:
        prediction = self.predictor.predict(self.encoded, prompts.clicks, before, box=prompts.box)
        self._steps[prompts] = prediction
        while len(self._steps) > self._max_steps:
            del self._steps[next(iter(self._steps))]
        return prediction
