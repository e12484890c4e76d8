"""Segmenters for worker processes that end."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

from latentcut.evaluation.segmenter import Answer


class Dying:
    """Answers one object, then its process ends as the system ends those that take too much."""

    name, fingerprint = "dying", "d" * 64

    def __init__(self) -> None:
        self.facts: dict[str, object] = {}
        self.started = 0

    def is_end(self, image) -> bool:
        return self.started == 2

    def start(self, image):
        self.started += 1
        if self.is_end(image):
            os.kill(os.getpid(), signal.SIGKILL)
        bright = image[:, :, 0] > 127
        return SimpleNamespace(answer=lambda clicks: Answer(bright[None]))


class Deadly(Dying):
    """Its process ends at every picture that is blue at its corner."""

    name, fingerprint = "deadly", "e" * 64

    def is_end(self, image) -> bool:
        return image[4, 4, 0] == 30
