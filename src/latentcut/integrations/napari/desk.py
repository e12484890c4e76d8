"""The model's side of the plugin: what the widget asks for, done in the worker's thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.encoded import EncodedImage
from latentcut.core.everything import find_all
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor, load
from latentcut.integrations.napari.pixels import RgbImage, rgb_pixels
from latentcut.integrations.napari.planes import Plane
from latentcut.integrations.napari.trail import Prompts, Trail

MAX_PLANES = 4  # kept encoded, with their pixels
THUMBNAIL_PX = 72
SEARCH_PX = 512  # longest side of the masks that thumbnails are cut from
TINT = np.array([38, 132, 255])
MARGIN = 0.25  # of the box around the candidates, on every side of a thumbnail

NOTHING_ASKED = Prompts()

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """
    What is asked about one plane.

    Attributes:
        source: Names the pixels: another value when they have changed.
        plane: Where.
        read: Gives the pixels of the plane, (H, W) or (H, W, colours).
        is_rgb: Whether the pixels have colours.
        prompts: Clicks and box; may be empty.
        start: bool (H, W), the mask of an object that is worked on again, or None.
    """

    source: Hashable
    plane: Plane
    read: Callable[[], NDArray[Any]]
    is_rgb: bool
    prompts: Prompts = NOTHING_ASKED
    start: BoolArray | None = None


@dataclass(frozen=True)
class Answer:
    """
    What the widget shows.

    Attributes:
        question: What was asked.
        prediction: The candidates; its selected mask is at hand.
        thumbnails: One per candidate, uint8 (h, w, 3).
    """

    question: Question
    prediction: Prediction
    thumbnails: tuple[RgbImage, ...]


@dataclass
class _Kept:
    """A plane in work: its picture encoded, and the answers about the object at hand."""

    encoded: EncodedImage
    trail: Trail


class Loads(Protocol):
    """What gives the model: `latentcut.load`."""

    def __call__(self) -> Predictor: ...


class Desk:
    """
    Answers questions, one at a time; keeps the last few planes encoded.

    Args:
        load_predictor: Called once, when the first question is asked.
    """

    def __init__(self, load_predictor: Loads = load) -> None:
        self._load = load_predictor
        self._predictor: Predictor | None = None
        self._kept: OrderedDict[tuple[Hashable, Plane], _Kept] = OrderedDict()

    def answer(self, question: Question) -> Answer:
        """
        The prediction for the prompts of a question.

        Raises:
            ClickOutsideImage: A click lies outside the plane.
            BadBox: Nothing of the plane lies in the box.
            ImageTooLarge: The plane has more pixels than the model takes.
        """
        trail = self._trail(question)
        return self._answered(question, trail.answer(question.prompts))

    def choose(self, question: Question, index: int) -> Answer:
        """Take another candidate of an answer; errors as of ``answer``."""
        trail = self._trail(question)
        return self._answered(question, trail.choose(question.prompts, index))

    def everything(
        self, question: Question, progress: Callable[[int, int], None]
    ) -> NDArray[np.int32]:
        """
        All that is found in a plane.

        Args:
            question: Names the plane.
            progress: Told how many of how many places were tried; may raise, which ends it.

        Returns:
            A label map, int32 (H, W): 0 is nothing, 1 the largest thing, and so on; where
            things overlap, the smaller one is in front.
        """
        encoded = self._trail(question).encoded
        found = find_all(self._model(), encoded, progress=progress)
        labels = np.zeros(encoded.size_hw, np.int32)
        for number, thing in enumerate(sorted(found, key=lambda thing: -thing.area), start=1):
            labels[thing.mask] = number
        return labels

    def _model(self) -> Predictor:
        if self._predictor is None:
            self._predictor = self._load()
        return self._predictor

    def _trail(self, question: Question) -> Trail:
        """The trail of a question's plane, begun anew when its start is another one."""
        key = (question.source, question.plane)
        kept = self._kept.get(key)
        if kept is None:
            picture = rgb_pixels(question.read(), question.is_rgb)
            encoded = self._model().encode(picture)
            kept = _Kept(encoded, Trail(self._model(), encoded, question.start))
            self._kept[key] = kept
            while len(self._kept) > MAX_PLANES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        if kept.trail.start is not question.start:
            kept.trail = Trail(kept.trail.predictor, kept.encoded, question.start)
        return kept.trail

    def _answered(self, question: Question, prediction: Prediction) -> Answer:
        prediction.candidate(prediction.selected)  # made here, not in the window's thread
        image = self._kept[question.source, question.plane].encoded.image
        return Answer(question, prediction, tuple(thumbnails(image, prediction)))


def thumbnails(image: RgbImage, prediction: Prediction) -> Iterator[RgbImage]:
    """Small pictures of all candidates, of the same part of the image: that around all of them."""
    masks = [prediction.reduced(m, SEARCH_PX) for m in range(prediction.num_masks)]
    height, width = masks[0].shape
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    y0, y1, x0, x1 = _part(np.logical_or.reduce(masks))
    scale = THUMBNAIL_PX / max(y1 - y0, x1 - x0)
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    for mask in masks:
        painted = small[y0:y1, x0:x1].astype(np.float32)
        inside = mask[y0:y1, x0:x1]
        painted[inside] = painted[inside] * 0.5 + TINT * 0.5
        painted[~inside] *= 0.6
        picture = cv2.resize(painted.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        yield picture.astype(np.uint8, copy=False)


def _part(mask: BoolArray) -> tuple[int, int, int, int]:
    """Rows and columns (y0, y1, x0, x1) around a mask with a margin; all of it if it is empty."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, height, 0, width
    margin = int(MARGIN * max(np.ptp(rows), np.ptp(columns))) + 2
    return (
        max(0, int(rows[0]) - margin),
        min(height, int(rows[-1]) + 1 + margin),
        max(0, int(columns[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
    )
