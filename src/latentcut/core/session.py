"""A session: one object on one image in work, with its clicks, choices and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Click, Clicks
from latentcut.core.prediction import Prediction
from latentcut.core.scribbles import scribble_clicks
from latentcut.errors import MaskSizeMismatch, NothingToUndo

if TYPE_CHECKING:
    from latentcut.core.encoded import EncodedImage
    from latentcut.core.predictor import Predictor

BoolArray = NDArray[np.bool_]


class _State(NamedTuple):
    clicks: Clicks
    box_xyxy: BoxXyxy | None
    prediction: Prediction | None


class Session:
    """
    Clicks and a box on one object, undo and redo, and the choice among candidates.

    Every click, scribble, box and choice is one step of the history. A session belongs to one
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
        self._history = [_State((), None, None)]
        self._now = 0

    @property
    def clicks(self) -> Clicks:
        """The clicks in force, in order."""
        return self._history[self._now].clicks

    @property
    def box_xyxy(self) -> BoxXyxy | None:
        """The box in force (x0, y0, x1, y1), as it was given; None when there is none."""
        return self._history[self._now].box_xyxy

    @property
    def prediction(self) -> Prediction | None:
        """The newest prediction; None before the first click or box."""
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
        return self._click((Click(float(x), float(y), bool(positive)),))

    def scribble(self, points_xy: ArrayLike, positive: bool = True) -> Prediction:
        """
        Add a stroke, as the few clicks that stand for it, and return the new prediction.

        Args:
            points_xy: (N, 2), the stroke, positions as those of clicks; what leaves the image
                is moved to its edge.
            positive: True on the object, False on the background.

        Raises:
            BadScribble: No points, or some that are no numbers; nothing has changed.
        """
        size_hw = self.encoded.size_hw
        return self._click(scribble_clicks(points_xy, bool(positive), size_hw))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Prediction:
        """
        Say that the object lies in a box, and return the new prediction.

        It is answered anew, without the mask so far. It takes the place of an earlier box; clicks
        stay in force, and so does the box for the clicks that follow.

        Args:
            x0: Left edge, a position as that of a click; what lies outside the image is cut off.
            y0: Top edge.
            x1: Right edge.
            y1: Bottom edge.

        Raises:
            BadBox: Nothing of the image lies in the box; nothing has changed.
        """
        return self._ask(self.clicks, None, (float(x0), float(y0), float(x1), float(y1)))

    def choose(self, index: int) -> Prediction:
        """
        Select another candidate of the newest prediction; the next click starts from it.

        Raises:
            NothingToUndo: There is no prediction yet.
            NoSuchCandidate: index is not 0 to M - 1; nothing has changed.
        """
        if self.prediction is None:
            raise NothingToUndo(
                "there are no candidates to choose from before the first click or box"
            )
        chosen = self.prediction.choose(index)
        self._add(_State(self.clicks, self.box_xyxy, chosen))
        return chosen

    def undo(self) -> Prediction | None:
        """
        Take back the last click, box or choice; return the prediction before it (None: none yet).

        Raises:
            NothingToUndo: Nothing was done yet.
        """
        if self._now == 0:
            raise NothingToUndo("there is nothing to undo: no click, box or choice was made")
        self._now -= 1
        return self.prediction

    def redo(self) -> Prediction | None:
        """
        Do again what was last undone.

        Raises:
            NothingToUndo: Nothing was undone since the last click, box or choice.
        """
        if self._now + 1 == len(self._history):
            raise NothingToUndo("there is nothing to redo: nothing was undone")
        self._now += 1
        return self.prediction

    def _click(self, new: Clicks) -> Prediction:
        before = self.start_mask if self.prediction is None else self.prediction.mask
        return self._ask((*self.clicks, *new), before, self.box_xyxy)

    def _ask(
        self, clicks: Clicks, before: BoolArray | None, box_xyxy: BoxXyxy | None
    ) -> Prediction:
        prediction = self.predictor.predict(self.encoded, clicks, before, box=box_xyxy)
        self._add(_State(clicks, box_xyxy, prediction))
        return prediction

    def _add(self, state: _State) -> None:
        del self._history[self._now + 1 :]
        self._history.append(state)
        self._now += 1
