"""A session: one object on one image in work, with its clicks, choices and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click, Clicks
from latentcut.core.prediction import Prediction
from latentcut.errors import MaskSizeMismatch, NothingToUndo

if TYPE_CHECKING:
    from latentcut.core.predictor import EncodedImage, Predictor

BoolArray = NDArray[np.bool_]


class _State(NamedTuple):
    clicks: Clicks
    prediction: Prediction | None


class Session:
    """
    Clicks on one object, undo and redo, and the choice among candidates.

    Every click and every choice is one step of the history. A session belongs to one
    thread; several sessions may share a predictor and an encoded image.

    Args:
        predictor: Answers the clicks.
        encoded: The image.
        previous_mask: bool (H0, W0), a mask to start from.

    Raises:
        MaskSizeMismatch: The mask does not have the image's size.
    """

    def __init__(
        self, predictor: Predictor, encoded: EncodedImage, previous_mask: BoolArray | None = None
    ) -> None:
        if previous_mask is not None:
            previous_mask = np.asarray(previous_mask)
            if previous_mask.shape != encoded.size_hw:
                raise MaskSizeMismatch(previous_mask.shape, encoded.size_hw)
            previous_mask = previous_mask > 0  # a copy
            previous_mask.flags.writeable = False
        self.predictor, self.encoded, self.start_mask = predictor, encoded, previous_mask
        self._history = [_State((), None)]
        self._now = 0

    @property
    def clicks(self) -> Clicks:
        """The clicks in force, in order."""
        return self._history[self._now].clicks

    @property
    def prediction(self) -> Prediction | None:
        """The newest prediction; None before the first click."""
        return self._history[self._now].prediction

    @property
    def mask(self) -> BoolArray:
        """The mask to show, bool (H0, W0): the selected one, the start mask, or empty."""
        if self.prediction is not None:
            return self.prediction.mask
        if self.start_mask is not None:
            return self.start_mask
        return np.zeros(self.encoded.size_hw, dtype=bool)

    def click(self, x: float, y: float, positive: bool = True) -> Prediction:
        """
        Add a click and return the new prediction.

        Args:
            x: Image pixels from the centre of the left-most pixel, 0 to W0 - 1.
            y: Image pixels from the centre of the top-most pixel, 0 to H0 - 1.
            positive: True on the object, False on the background.

        Raises:
            ClickOutsideImage: The position lies outside the image; nothing has changed.
        """
        clicks = (*self.clicks, Click(float(x), float(y), bool(positive)))
        before = self.start_mask if self.prediction is None else self.prediction.mask
        prediction = self.predictor.predict(self.encoded, clicks, before)
        self._add(_State(clicks, prediction))
        return prediction

    def choose(self, index: int) -> Prediction:
        """
        Select another candidate of the newest prediction; the next click starts from it.

        Raises:
            NothingToUndo: There is no prediction yet.
            NoSuchCandidate: index is not 0 to M - 1; nothing has changed.
        """
        if self.prediction is None:
            raise NothingToUndo("there are no candidates to choose from before the first click")
        chosen = self.prediction.choose(index)
        self._add(_State(self.clicks, chosen))
        return chosen

    def undo(self) -> Prediction | None:
        """
        Take back the last click or choice; return the prediction before it (None: none yet).

        Raises:
            NothingToUndo: Nothing was done yet.
        """
        if self._now == 0:
            raise NothingToUndo("there is nothing to undo: no click or choice was made")
        self._now -= 1
        return self.prediction

    def redo(self) -> Prediction | None:
        """
        Do again what was last undone.

        Raises:
            NothingToUndo: Nothing was undone since the last click or choice.
        """
        if self._now + 1 == len(self._history):
            raise NothingToUndo("there is nothing to redo: nothing was undone")
        self._now += 1
        return self.prediction

    def _add(self, state: _State) -> None:
        del self._history[self._now + 1 :]
        self._history.append(state)
        self._now += 1
