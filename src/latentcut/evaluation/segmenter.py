"""
The seam between the evaluation and whatever answers clicks.

A ``Segmenter`` is anything that can be shown an image; what it returns is a ``Conversation``
about one object of it, asked once per click with all clicks so far. Our bundles, classical
methods and other people's networks are all met through these two methods, so that a row of a
result means the same for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answer:
    """
    What a segmenter says to the clicks so far.

    Attributes:
        candidates: bool (M, H0, W0); M is 1 for a segmenter with one answer.
        selected: Index of the candidate that the user is shown.
        expected_iou: float32 (M,), the segmenter's own guess of each candidate's IoU, in
            [0, 1]; None where it makes none.
        scores: float32 (M,), what the selected one is largest in, any scale; None where it
            has none.
        seconds: What a user waits for: the time to the selected mask, where the segmenter
            makes the other candidates only because the evaluation wants them. None: all the
            time that ``Conversation.answer`` took.
    """

    candidates: BoolArray
    selected: int = 0
    expected_iou: FloatArray | None = None
    scores: FloatArray | None = None
    seconds: float | None = None

    @property
    def mask(self) -> BoolArray:
        """The selected candidate, bool (H0, W0)."""
        mask: BoolArray = self.candidates[self.selected]
        return mask


class Conversation(Protocol):
    """One object of one image: it may remember its own earlier answers."""

    def answer(self, clicks: Sequence[Click]) -> Answer:
        """
        Answer all clicks so far, in order.

        Called with one click, then two, ...; the last one is new.
        """


class Segmenter(Protocol):
    """
    Something that answers clicks.

    Attributes:
        name: What tables call it.
        fingerprint: Names everything that decides its answers, so that rows of one are never
            mixed with those of another; a sha256 where there is a file to take it of.
        facts: Plain values for JSON: settings and where the weights come from. No paths of
            this machine.
    """

    name: str
    fingerprint: str
    facts: dict[str, Any]

    def start(self, image: NDArray[np.uint8]) -> Conversation:
        """Begin with an image, uint8 RGB (H0, W0, 3); what is computed once is computed here."""
