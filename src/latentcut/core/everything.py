"""
Everything-mode: all things in an image, found with a grid of single clicks.

Every place of a grid is clicked once; what is answered confidently and stably is kept; of answers
that are nearly the same mask the best one stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.frame import reduced_size, resize
from latentcut.core.masks import CocoRle, coco_rle, mask_area, mask_box_xyxy, mask_from_coco_rle
from latentcut.core.prediction import PlacedLogits, Prediction, paste
from latentcut.errors import BadConfig

if TYPE_CHECKING:
    from latentcut.core.encoded import EncodedImage
    from latentcut.core.predictor import Predictor

STABILITY_OFFSET = 1.0  # logits; as in Segment Anything's automatic masks
COMPARED_PX = 160  # longer side of the masks that are compared with each other
KNOWN_MARGIN = 0.05  # of IoU, by which masks of things that are there already may differ
TIDY_EVERY = 64  # clicks after which repetitions are dropped, so that memory stays bounded

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class EverythingOptions:
    """
    How thoroughly to look, and what to keep.

    Attributes:
        points_per_side: Clicks along the image's longer side; the shorter one gets as many as
            keep the grid square.
        min_score: Least expected IoU.
        min_stability: Least IoU of the masks at two thresholds; see ``stability_of``.
        max_overlap: Two masks whose IoU is larger are the same thing.
        min_area: Least share of the image.
        max_area: Largest share of the image: nearly all of it is no thing.
        max_objects: The best so many are kept.

    Raises:
        BadConfig: A value that is not allowed.
    """

    points_per_side: int = 12
    min_score: float = 0.3
    min_stability: float = 0.5
    max_overlap: float = 0.7
    min_area: float = 0.0005
    max_area: float = 0.9
    max_objects: int = 1000

    def __post_init__(self) -> None:
        """Check all values."""
        if not 1 <= self.points_per_side <= 128:
            raise BadConfig(f"points_per_side must be 1 to 128, given {self.points_per_side}")
        if self.max_objects < 1:
            raise BadConfig(f"max_objects must be 1 or more, given {self.max_objects}")
        for name in ("min_score", "min_stability", "max_overlap", "min_area", "max_area"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadConfig(f"{name} must be 0 to 1, given {getattr(self, name)}")


@dataclass(frozen=True)
class FoundObject:
    """
    A thing that was found.

    Attributes:
        rle: Its mask as COCO run lengths: all things of a large image would not fit as arrays.
        score: Expected IoU, in [0, 1].
        stability: See ``stability_of``, in [0, 1].
        click: The click that found it.
        candidate: Which of the answers to that click it is.
        area: Pixels.
        box_xyxy: Smallest box around it, half-open.
    """

    rle: CocoRle
    score: float
    stability: float
    click: Click
    candidate: int
    area: int
    box_xyxy: tuple[int, int, int, int]

    @property
    def mask(self) -> BoolArray:
        """The mask, bool (H0, W0)."""
        return mask_from_coco_rle(self.rle)


@dataclass(frozen=True, eq=False)
class _Proposal:
    """A candidate that may be kept; ``small`` as of ``small_mask``."""

    small: FloatArray
    score: float
    stability: float
    placed: PlacedLogits
    click: Click
    candidate: int


class Search:
    """
    The search of one image, in small steps, so that others can be answered in between.

    Args:
        predictor: Who answers.
        encoded: The image.
        options: How thoroughly to look.
    """

    def __init__(
        self,
        predictor: Predictor,
        encoded: EncodedImage,
        options: EverythingOptions | None = None,
    ) -> None:
        self.predictor, self.encoded = predictor, encoded
        self.options = options or EverythingOptions()
        self.clicks = grid_clicks(encoded.size_hw, self.options.points_per_side)
        self.num_done = 0
        self._kept: list[_Proposal] = []

    @property
    def is_done(self) -> bool:
        """Whether all clicks were made."""
        return self.num_done == len(self.clicks)

    def advance(self, num_clicks: int = 1) -> None:
        """Make the next clicks of the grid."""
        for click in self.clicks[self.num_done : self.num_done + num_clicks]:
            self._propose(self.predictor.predict(self.encoded, (click,)))
            self.num_done += 1
            if self.num_done % TIDY_EVERY == 0:
                self._kept = self._distinct()

    def found(self, known: Sequence[BoolArray] = ()) -> tuple[FoundObject, ...]:
        """
        What the clicks so far have found, the best first; no two are nearly the same.

        May be asked from another thread than the one that advances.

        Args:
            known: Masks of things that are there already, bool (H0, W0): what repeats one of
                them is left out.
        """
        best = self._distinct(known)[: self.options.max_objects]
        return tuple(thing for proposal in best if (thing := object_of(proposal)))

    def _distinct(self, known: Sequence[BoolArray] = ()) -> list[_Proposal]:
        """The proposals without repetitions, of each other and of known masks, the best first."""
        ranked = sorted(self._kept, key=lambda p: -p.score * p.stability)  # stable: by click
        first = [shrunk(mask) for mask in known]
        distinct = without_repeats(
            [*first, *(p.small for p in ranked)], self.options.max_overlap, len(first)
        )
        return [ranked[place - len(first)] for place in distinct if place >= len(first)]

    def _propose(self, prediction: Prediction) -> None:
        """Keep those candidates of an answer that pass the filters."""
        options, click = self.options, prediction.clicks[0]
        for candidate, (logits, frame) in enumerate(prediction.placed):
            score = float(prediction.expected_iou[candidate])
            if score < options.min_score:
                continue
            stability = stability_of(logits)
            if stability < options.min_stability:
                continue
            own = PlacedLogits(logits.copy(), frame)  # not all six, of which it is a part
            small = small_mask(own)
            if options.min_area <= float(small.mean()) <= options.max_area:
                self._kept.append(_Proposal(small, score, stability, own, click, candidate))


def object_of(proposal: _Proposal) -> FoundObject | None:
    """A proposal at image resolution; None where nothing of it is left there."""
    mask, _ = paste(*proposal.placed, (proposal.click,))
    box_xyxy = mask_box_xyxy(mask)
    if box_xyxy is None:
        return None
    return FoundObject(
        rle=coco_rle(mask),
        score=proposal.score,
        stability=proposal.stability,
        click=proposal.click,
        candidate=proposal.candidate,
        area=mask_area(mask),
        box_xyxy=box_xyxy,
    )


def find_all(
    predictor: Predictor,
    encoded: EncodedImage,
    options: EverythingOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FoundObject, ...]:
    """
    All things in an image, the best first.

    Args:
        predictor: Who answers.
        encoded: The image.
        options: How thoroughly to look, and what to keep.
        progress: Called after every click with how many were made, of how many. What it raises
            ends the search.
    """
    search = Search(predictor, encoded, options)
    while not search.is_done:
        search.advance()
        if progress is not None:
            progress(search.num_done, len(search.clicks))
    return search.found()


def grid_clicks(size_hw: tuple[int, int], points_per_side: int) -> tuple[Click, ...]:
    """Clicks in the centres of the cells of a square grid, row by row."""
    # never two in one pixel
    counts = [min(side, max(1, round(points_per_side * side / max(size_hw)))) for side in size_hw]
    ys, xs = (
        (np.arange(n) + 0.5) * side / n - 0.5 for n, side in zip(counts, size_hw, strict=True)
    )
    return tuple(Click(max(float(x), 0.0), max(float(y), 0.0)) for y in ys for x in xs)


def stability_of(logits: FloatArray) -> float:
    """
    How little a mask depends on where it is cut: IoU of the masks at logits +1 and -1.

    Source:
        Kirillov et al., Segment Anything, ICCV 2023, appendix B.
    """
    inner = int((logits > STABILITY_OFFSET).sum())
    outer = int((logits > -STABILITY_OFFSET).sum())
    return inner / outer if outer else 0.0


def small_mask(placed: PlacedLogits) -> FloatArray:
    """A mask for comparisons: the image at most 160 px long, flat, float32 of 0 and 1."""
    mask, _ = paste(placed.logits, placed.frame.reduced(COMPARED_PX), ())
    return mask.astype(np.float32).ravel()


def shrunk(mask: BoolArray) -> FloatArray:
    """A mask at image resolution, bool (H0, W0), for comparisons; as ``small_mask``."""
    height, width = mask.shape
    size_hw = reduced_size((height, width), COMPARED_PX)
    return (resize(mask.astype(np.float32), size_hw) > 0.5).astype(np.float32).ravel()


def without_repeats(masks: list[FloatArray], max_overlap: float, num_known: int = 0) -> list[int]:
    """
    Places of the masks that are no repetition of an earlier one.

    Args:
        masks: Flat, float32 of 0 and 1, the best first.
        max_overlap: Two masks of a larger IoU are the same.
        num_known: So many at the beginning are there whatever they repeat. They were reduced
            from whole masks, which moves an IoU by a few hundredths: less makes a repetition of
            them, so that what was left out next to a mask is left out next to its copy, too.
    """
    kept: list[int] = []
    if not masks:
        return kept
    chosen = np.empty((len(masks), len(masks[0])), dtype=np.float32)
    areas = np.empty(len(masks), dtype=np.float32)
    limits = np.full(len(masks), max_overlap, dtype=np.float32)
    limits[:num_known] -= KNOWN_MARGIN
    for place, mask in enumerate(masks):
        area, count = float(mask.sum()), len(kept)
        if count and place >= num_known:
            both = chosen[:count] @ mask
            union = areas[:count] + area - both
            if (both > limits[:count] * np.maximum(union, 1e-6)).any():
                continue
        chosen[count], areas[count] = mask, area
        kept.append(place)
    return kept
