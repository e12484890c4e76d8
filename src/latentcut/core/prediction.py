"""What a prediction returns: M candidate masks, their scores, and the one selected."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click, Clicks, broken_clicks
from latentcut.core.frame import Frame
from latentcut.errors import NoSuchCandidate

OUTSIDE_LOGIT = -20.0  # of what a crop did not show; a probability of 2e-9
CORRECTION_RADIUS_PX = 3.0  # network pixels around a click that the mask had not obeyed

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]


class PlacedLogits(NamedTuple):
    """
    One candidate of the network.

    Attributes:
        logits: float32 (h, w), positive inside, at any resolution of the frame.
        frame: Where they lie in the image.
    """

    logits: FloatArray
    frame: Frame


def place_logits(logits: FloatArray, frame: Frame) -> tuple[PlacedLogits, ...]:
    """All candidates of one network run, float32 (M, h, w), in the frame it saw."""
    return tuple(PlacedLogits(plane, frame) for plane in logits)


class Prediction:
    """
    The answer to a set of clicks. Immutable and safe to share between threads.

    Masks are brought to image resolution when first asked for, so a click costs one of them
    and not all M.

    Args:
        placed: One per candidate: its logits, and where they lie in the image.
        scores: float32 (M,), probabilities.
        expected_iou: float32 (M,), in [0, 1].
        clicks: The clicks that were answered.
        selected: Index of the mask to show; None: the largest score's.

    Attributes:
        scores: g's probability of each candidate, float32 (M,), sum 1.
        expected_iou: g's calibrated guess of each candidate's IoU with what is meant.
        selected: argmax of the scores, unless the user chose another one.
        clicks: The clicks that were answered.
    """

    def __init__(
        self,
        placed: Sequence[PlacedLogits],
        scores: FloatArray,
        expected_iou: FloatArray,
        clicks: Clicks,
        selected: int | None = None,
    ) -> None:
        self.scores, self.expected_iou, self.clicks = scores, expected_iou, clicks
        self.selected = int(np.argmax(scores) if selected is None else selected)
        self._placed = tuple(placed)
        self._masks: dict[int, BoolArray] = {}
        self._num_broken: dict[int, int] = {}  # of the same candidates, before they were repaired
        self._lock = threading.Lock()
        for array in (scores, expected_iou, *(logits for logits, _ in self._placed)):
            array.flags.writeable = False

    def __repr__(self) -> str:
        height, width = self._placed[0].frame.image_hw
        return (
            f"Prediction({len(self.clicks)} clicks on {width} x {height} px, "
            f"{self.num_masks} candidates, selected {self.selected})"
        )

    @property
    def num_masks(self) -> int:
        """M, the number of candidates."""
        return len(self.scores)

    @property
    def placed(self) -> tuple[PlacedLogits, ...]:
        """The network's own candidates, before clicks are obeyed, in f's order."""
        return self._placed

    @property
    def mask(self) -> BoolArray:
        """The selected mask, bool (H0, W0), read-only."""
        return self.candidate(self.selected)

    @property
    def candidates(self) -> BoolArray:
        """All candidates, bool (M, H0, W0), in f's order."""
        return np.stack([self.candidate(m) for m in range(self.num_masks)])

    def candidate(self, index: int) -> BoolArray:
        """
        One candidate at image resolution, bool (H0, W0), read-only.

        Clicks are obeyed: see ``obey_clicks``.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1.
        """
        if not 0 <= index < self.num_masks:
            raise NoSuchCandidate(index, self.num_masks)
        with self._lock:
            if index not in self._masks:
                logits, frame = self._placed[index]
                self._masks[index], self._num_broken[index] = paste(logits, frame, self.clicks)
            return self._masks[index]

    def logits(self, index: int) -> FloatArray:
        """
        What f said of one candidate, float32 (H0, W0); positive exactly inside ``candidate``.

        Where the candidate was changed to obey a click the value is +-1; where f saw nothing of
        the image, because it looked at a crop, it is -20.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1.
        """
        mask = self.candidate(index)
        logits, frame = self._placed[index]
        values = frame.place_values(logits, OUTSIDE_LOGIT)
        changed = (values > 0) != mask
        values[changed] = np.where(mask[changed], 1.0, -1.0)
        return values

    def broken_clicks(self, index: int) -> int:
        """
        How many clicks the network's own candidate did not obey before it was repaired.

        Many mean that the candidate is another thing than the clicks ask for. Counted when the
        candidate is made, which this asks for.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1.
        """
        self.candidate(index)
        return self._num_broken[index]

    def reduced(self, index: int, max_side: int) -> BoolArray:
        """
        One candidate at reduced size, for previews; the full-size mask is not made.

        Args:
            index: The candidate.
            max_side: Longest side of the result, in pixels; at least 1.

        Returns:
            bool (h, w), read-only, in the image's shape up to rounding. Equals
            ``candidate(index)`` where no side of the image is longer than ``max_side``.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1.
        """
        if not 0 <= index < self.num_masks:
            raise NoSuchCandidate(index, self.num_masks)
        logits, frame = self._placed[index]
        small = frame.reduced(max_side)
        if small is frame:
            return self.candidate(index)
        return paste(logits, small, reduced_clicks(self.clicks, frame.image_hw, small.image_hw))[0]

    @property
    def clicks_satisfied(self) -> bool:
        """
        Whether the selected mask holds every positive click and no negative one.

        False only when clicks contradict each other: opposite signs in one pixel.
        """
        return not broken_clicks(self.mask, self.clicks)

    def choose(self, index: int) -> Prediction:
        """
        The same prediction with another candidate selected.

        Raises:
            NoSuchCandidate: index is not 0 to M - 1.
        """
        chosen = self._sharing(self.scores, index)
        chosen.candidate(index)
        return chosen

    def reranked(self, scores: FloatArray) -> Prediction:
        """
        The same candidates with other scores, the largest of which is selected.

        Args:
            scores: float32 (M,), probabilities.
        """
        return self._sharing(scores, None)

    def _sharing(self, scores: FloatArray, selected: int | None) -> Prediction:
        """A prediction of the same candidates, with the masks that were made already."""
        other = Prediction(self._placed, scores, self.expected_iou, self.clicks, selected)
        with self._lock:
            other._masks.update(self._masks)
            other._num_broken.update(self._num_broken)
        return other


def paste(logits: FloatArray, frame: Frame, clicks: Clicks) -> tuple[BoolArray, int]:
    """
    A candidate as users meet it.

    Args:
        logits: float32 (h, w), positive inside, at any resolution of the frame.
        frame: Where they lie in the image.
        clicks: Clicks inside the image, to be obeyed.

    Returns:
        bool (H0, W0), read-only, and how many clicks it did not obey of itself.
    """
    mask = frame.paste_logits(logits)
    num_broken = len(broken_clicks(mask, clicks))
    obey_clicks(mask, clicks, CORRECTION_RADIUS_PX * frame.pixels_per_network_pixel)
    mask.flags.writeable = False
    return mask, num_broken


def reduced_clicks(
    clicks: Clicks, image_hw: tuple[int, int], reduced_hw: tuple[int, int]
) -> Clicks:
    """The clicks on a picture of another size, which is counted from pixel centres, too."""
    height, width = reduced_hw
    ratio_x, ratio_y = width / image_hw[1], height / image_hw[0]
    return tuple(
        Click(
            min(max((click.x + 0.5) * ratio_x - 0.5, 0.0), width - 1.0),
            min(max((click.y + 0.5) * ratio_y - 0.5, 0.0), height - 1.0),
            click.positive,
        )
        for click in clicks
    )


def obey_clicks(mask: BoolArray, clicks: Sequence[Click], radius_px: float) -> None:
    """
    Change a mask in place so that it obeys its clicks.

    Around each click that is not obeyed, a disc takes the click's sign, except for pixels
    nearer to a click of the other sign. Where clicks of both signs lie in one pixel the
    last one wins, and no mask can obey all of them.

    Args:
        mask: bool (H0, W0).
        clicks: Clicks inside the image.
        radius_px: Radius of the disc, in image pixels; the click's own pixel always changes.
    """
    height, width = mask.shape
    for click in broken_clicks(mask, clicks):
        column, row = click.pixel_xy
        reach = int(radius_px)
        top, bottom = max(0, row - reach), min(height, row + reach + 1)
        left, right = max(0, column - reach), min(width, column + reach + 1)
        rows = np.arange(top, bottom)[:, None]
        columns = np.arange(left, right)[None, :]
        own = (rows - row) ** 2 + (columns - column) ** 2
        disc = own <= radius_px**2
        for other in clicks:
            if other.positive != click.positive:
                other_column, other_row = other.pixel_xy
                disc &= own < (rows - other_row) ** 2 + (columns - other_column) ** 2
        mask[top:bottom, left:right][disc] = click.positive
    for click in clicks:  # in order: the last click in a pixel decides it
        column, row = click.pixel_xy
        mask[row, column] = click.positive
