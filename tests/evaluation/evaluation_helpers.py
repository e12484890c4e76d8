"""What worker processes must be able to import: segmenters and data sets made by name."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from latentcut.datasets.folder import FolderDataset
from latentcut.errors import BadConfig
from latentcut.evaluation.segmenter import Answer


class OneAnswer:
    """
    A segmenter with one candidate and no scores: what is bright, after so many clicks.

    Before that the mask is too large by one pixel all around.
    """

    name, fingerprint = "one-answer", "1" * 64

    def __init__(self, solved_after: int = 2) -> None:
        self.solved_after, self.started = int(solved_after), 0
        self.facts = {"kind": "test"}

    def start(self, image):
        self.started += 1
        exact = image[:, :, 0] > 127
        large = cv2.dilate(exact.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0

        def answer(clicks):
            return Answer((exact if len(clicks) >= self.solved_after else large)[None])

        return SimpleNamespace(answer=answer)


class SamShaped:
    """
    Segment Anything's interface: three candidates around the bright part, then one.

    Logits are 4 x 4 and say how many clicks there were, so that tests see what is fed back.
    """

    def __init__(self, best: str = "1") -> None:
        self.best, self.asked = int(best), []

    def set_image(self, image):
        self.bright = image[:, :, 0] > 127

    def predict(self, point_coords, point_labels, mask_input, multimask_output):
        self.asked.append((point_coords, point_labels, mask_input, multimask_output))
        count = 3 if multimask_output else 1
        grown = [cv2.dilate(self.bright.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=k)
                 for k in range(count)]  # fmt: skip
        scores = np.full(count, 0.25, dtype=np.float64)
        scores[self.best if count > 1 else 0] = 1.5
        low_res = np.stack([np.full((4, 4), 10 * len(point_labels) + k) for k in range(count)])
        return np.stack(grown) > 0, scores, low_res.astype(np.float32)


def broken() -> OneAnswer:
    """What a worker meets when its segmenter cannot be made."""
    raise BadConfig("this segmenter cannot be made")


class Dying(OneAnswer):
    """Ends its process at the second object, as the system does when memory runs out."""

    def start(self, image):
        if self.started == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().start(image)


class Deadly(OneAnswer):
    """Ends its process at every picture whose bright part reaches a place."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__()
        self.place = row, column

    def start(self, image):
        if image[*self.place, 0] > 127:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().start(image)


class Confused(OneAnswer):
    """Has a mistake in it."""

    def start(self, image):
        raise ZeroDivisionError("a mistake")


def no_predictor() -> object:
    """A factory whose result cannot be asked anything."""
    return SimpleNamespace(set_image=print)


def open_folder(path: Path) -> FolderDataset:
    return FolderDataset(path)
