"""Predictors whose every IoU can be worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from evaluation_helpers import OneAnswer

from latentcut.core.frame import Frame
from latentcut.core.prediction import Prediction, place_logits
from latentcut.datasets.folder import FolderDataset


class ConvergingPredictor:
    """
    The object is what is bright in the picture.

    Candidate 0, the selected one, is too large by one pixel all around until ``solved_after``
    clicks; candidate 1 is exact from the start.
    """

    num_masks = 2

    def __init__(self, solved_after=3, fingerprint="f" * 64):
        self.solved_after, self.fingerprint = solved_after, fingerprint
        self.encoded, self.asked = 0, []

    def encode(self, image):
        self.encoded += 1
        return SimpleNamespace(bright=image[:, :, 0] > 127)

    def predict(self, encoded, clicks, previous_mask=None):
        self.asked.append((tuple(clicks), previous_mask))
        exact = encoded.bright
        large = cv2.dilate(exact.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        selected = exact if len(clicks) >= self.solved_after else large
        logits = np.where(np.stack([selected, exact]), 1, -1).astype(np.float32)
        height, width = exact.shape
        # a frame this fine makes corrections one pixel wide
        frame = Frame((0, 0, width, height), (height, width), (16 * height, 16 * width))
        scores, expected = np.array([0.6, 0.4]), np.array([0.75, 0.25])
        return Prediction(
            place_logits(logits, frame),
            scores.astype(np.float32),
            expected.astype(np.float32),
            tuple(clicks),
        )


@pytest.fixture
def converging():
    return ConvergingPredictor


@pytest.fixture
def one_answer():
    return OneAnswer


@pytest.fixture
def three_squares(make_dataset):
    """Three pictures with one square each."""
    images, masks = {}, {}
    for k, name in enumerate("abc"):
        labels = np.zeros((12, 12), dtype=np.uint8)
        labels[2 : 6 + k, 2:6] = 1
        images[f"{name}.png"] = np.repeat(labels[:, :, None] * 200, 3, axis=2)
        masks[f"{name}.png"] = labels
    return FolderDataset(make_dataset(images, masks))
