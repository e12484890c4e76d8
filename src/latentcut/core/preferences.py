"""
Selection that learns: which of the candidates a person tends to mean.

g ranks the M candidates as people on average would. A person who always cuts out whole people, or
only their hats, differs from the average in a few ways that can be told from the candidates
themselves: larger or smaller than the others, holding them or held by them. Preferences are a
weight for each of these, added to the logarithm of g's scores; they change no mask. Without
weights the order is exactly g's.

They are learned from lessons: what the candidates after a first click looked like, and how much
each of them resembles what the object became. Preferences are a function of the set of lessons and
not of what happened when, so a lesson that is taken away (by undo, say) is unlearned without a
trace, and one that is given again is not counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from latentcut.core.frame import resize
from latentcut.core.masks import CocoRle, coco_rle, mask_from_coco_rle
from latentcut.core.prediction import Prediction

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

FEATURES = ("size", "size_squared", "rank", "holds", "held")
LOOK_SIDE_PX = 256  # candidates are compared at this size
PRECISION = 0.5  # of the prior of each weight, around 0: g's own ranking
SHARPNESS = 8.0  # what a resemblance says: its likelihood is exp(8 IoU)
MAX_LESSONS = 100  # the newest ones count
NUM_STEPS = 8
MIN_LESSONS, NUM_FOLDS = 3, 5
MIN_GAIN = 0.25  # IoU, summed over lessons, that weights must bring where they were not learned
MIN_SCORE = 1e-6  # a candidate that g rules out stays ruled out, but not for ever

Weight = Annotated[float, Field(allow_inf_nan=False)]


class Lesson(NamedTuple):
    """
    One object that is done.

    Attributes:
        features: float64 (M, 5), see ``features_of_masks``.
        log_scores: float64 (M,), logarithms of g's own scores.
        agreement: float64 (M,), IoU of each candidate with what the object became.
    """

    features: FloatArray
    log_scores: FloatArray
    agreement: FloatArray


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LookMask(_Record):
    """A candidate at reduced size, in COCO's compressed run-length code."""

    size: tuple[int, int]
    counts: str

    def to_mask(self) -> BoolArray:
        """The mask, bool (h, w). Raises BadMask."""
        rle: CocoRle = {"size": list(self.size), "counts": self.counts}
        return mask_from_coco_rle(rle, max_pixels=LOOK_SIDE_PX**2)


class Look(_Record):
    """
    What the candidates of a prediction look like; small, and written as JSON.

    Attributes:
        format: Version of this record.
        scores: g's own, one per candidate.
        masks: The candidates, longer side at most 256 px.
    """

    format: Literal[1] = 1
    scores: Annotated[tuple[Weight, ...], Field(min_length=1, max_length=64)]
    masks: Annotated[tuple[LookMask, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _masks_fit(self) -> Self:
        if len(self.masks) != len(self.scores) or len({mask.size for mask in self.masks}) > 1:
            raise ValueError("a mask per score is needed, all of one size")
        return self

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """The look of a prediction that no preferences were applied to."""
        masks = [coco_rle(mask) for mask in _reduced(prediction)]
        return cls(
            scores=tuple(prediction.scores.tolist()),
            masks=tuple(LookMask.model_validate(mask) for mask in masks),
        )

    def stack(self) -> BoolArray:
        """The masks, bool (M, h, w). Raises BadMask."""
        return np.stack([mask.to_mask() for mask in self.masks])

    def agreement(self, mask: BoolArray) -> tuple[float, ...]:
        """
        How much a finished object resembles each candidate.

        Args:
            mask: bool (H0, W0), of the same image.

        Returns:
            One IoU per candidate, at the reduced size, rounded to 4 digits; an empty mask
            resembles none.
        """
        candidates = self.stack()
        small = resize(mask.astype(np.float32), candidates.shape[1:]) > 0.5
        shared = (candidates & small).sum(axis=(1, 2))
        either = (candidates | small).sum(axis=(1, 2))
        return tuple(round(float(ratio), 4) for ratio in shared / np.maximum(either, 1))

    def lesson(self, agreement: Sequence[float]) -> Lesson:
        """What is to be learned from an object that began with this look. Raises BadMask."""
        scores = np.maximum(np.asarray(self.scores, dtype=np.float64), MIN_SCORE)
        return Lesson(
            features_of_masks(self.stack()), np.log(scores), np.asarray(agreement, np.float64)
        )


class Preferences(_Record):
    """
    What was learned. Immutable.

    ``model_dump_json`` and ``model_validate_json`` write and read it.

    Attributes:
        format: Version of this record and of what its weights mean.
        weights: One per feature, in the order of ``FEATURES``; zeros: g alone.
        num_learned: Objects they were learned from.
    """

    format: Literal[1] = 1
    weights: Annotated[tuple[Weight, ...], Field(min_length=5, max_length=5)] = (0.0,) * 5
    num_learned: Annotated[int, Field(ge=0)] = 0

    @property
    def is_neutral(self) -> bool:
        """Whether the order of candidates is g's own."""
        return not any(self.weights)

    def applied(self, prediction: Prediction) -> Prediction:
        """
        The same candidates, scored as this person would; masks and expected IoUs do not change.

        Args:
            prediction: An answer to clicks; one to a box, or one that started from a mask, has
                little left to choose from.
        """
        if self.is_neutral:
            return prediction
        logits = np.log(np.maximum(prediction.scores.astype(np.float64), MIN_SCORE))
        logits += features_of(prediction) @ np.asarray(self.weights)
        return prediction.reranked(_softmax(logits).astype(np.float32))


def learn(lessons: Sequence[Lesson]) -> Preferences:
    """
    The most probable weights, given lessons, with a Gaussian prior around g's own ranking.

    Which candidate was meant is not known for certain: the likelihood of a lesson is the mean of
    exp(8 IoU) over the candidates, each as probable as its score with the weights. It is maximised
    by expectation maximisation, a Newton step at a time, from g's ranking on.

    Somebody without habits must lose nothing. So weights are only used if they would have paid
    off: each fifth of the lessons is answered with weights learned from the others, and what was
    selected must resemble the finished objects more, by 0.25 IoU in all, than what g selects.

    Args:
        lessons: The oldest first, all with the same M. The last 100 count.
    """
    lessons = lessons[-MAX_LESSONS:]
    if len(lessons) < MIN_LESSONS:
        return Preferences(num_learned=len(lessons))
    data = _Lessons.of(lessons)
    gain = 0.0
    for fold in range(NUM_FOLDS):
        is_asked = np.arange(len(lessons)) % NUM_FOLDS == fold
        asked = data.taken(is_asked)
        gain += asked.agreement_with(data.taken(~is_asked).fitted())
    if gain - data.agreement_with(np.zeros(len(FEATURES))) <= MIN_GAIN:
        return Preferences(num_learned=len(lessons))
    weights = tuple(round(float(weight), 6) for weight in data.fitted())
    return Preferences(weights=weights, num_learned=len(lessons))


class _Lessons(NamedTuple):
    """
    N lessons as arrays.

    Attributes:
        features: float64 (N, M, F).
        log_scores: float64 (N, M).
        agreement: float64 (N, M).
    """

    features: FloatArray
    log_scores: FloatArray
    agreement: FloatArray

    @classmethod
    def of(cls, lessons: Sequence[Lesson]) -> Self:
        return cls(
            np.stack([lesson.features for lesson in lessons]),
            np.stack([lesson.log_scores for lesson in lessons]),
            np.stack([lesson.agreement for lesson in lessons]),
        )

    def taken(self, which: BoolArray) -> Self:
        return type(self)(self.features[which], self.log_scores[which], self.agreement[which])

    def agreement_with(self, weights: FloatArray) -> float:
        """Sum over lessons of how much what the weights select resembles the finished object."""
        selected = (self.log_scores + self.features @ weights).argmax(axis=1)
        return float(self.agreement[np.arange(len(selected)), selected].sum())

    def fitted(self) -> FloatArray:
        """The most probable weights, (F,)."""
        weights = np.zeros(self.features.shape[2])
        for _ in range(NUM_STEPS):
            logits = self.log_scores + self.features @ weights
            likely, meant = _softmax(logits), _softmax(logits + SHARPNESS * self.agreement)
            gradient = np.einsum("nm,nmf->f", meant - likely, self.features) - PRECISION * weights
            curvature = self._spread(likely) + PRECISION * np.eye(len(weights))
            weights = weights + np.linalg.solve(curvature, gradient)
        return weights

    def _spread(self, shares: FloatArray) -> FloatArray:
        """Covariance of the features under shares (N, M), summed over lessons, (F, F)."""
        mean = np.einsum("nm,nmf->nf", shares, self.features)
        flat = self.features.reshape(-1, self.features.shape[2])  # (N M, F)
        square = flat.T @ (flat * shares.reshape(-1, 1))
        return np.asarray(square - mean.T @ mean)


def features_of(prediction: Prediction) -> FloatArray:
    """What tells the candidates of a prediction apart, float64 (M, 5)."""
    return features_of_masks(_reduced(prediction))


def features_of_masks(masks: BoolArray) -> FloatArray:
    """
    What tells candidates apart, float64 (M, 5).

    In the order of ``FEATURES``: the binary logarithm of the area, 0 at a sixteenth of the image
    and 1 at all of it; its square, so that a size in the middle can be preferred; the share of
    the others that are smaller; how much of the others it holds; how much of it they hold.

    Args:
        masks: Candidates, bool (M, h, w), M at least 1.
    """
    num_masks = len(masks)
    flat = masks.reshape(num_masks, -1).astype(np.float32)
    shared = (flat @ flat.T).astype(np.float64)  # (M, M), pixels that two have in common
    area = np.maximum(shared.diagonal(), 1.0)
    size = np.log2(area / flat.shape[1]) / 4 + 1
    inside = shared / area[:, None]  # share of a row's candidate in a column's
    np.fill_diagonal(inside, 0)
    others = max(1, num_masks - 1)
    rank = (area[:, None] > area[None, :]).sum(axis=1)
    columns = [size, size**2, rank / others, inside.sum(axis=0) / others, inside.sum(1) / others]
    return np.stack(columns, axis=1)


def _reduced(prediction: Prediction) -> BoolArray:
    masks = [prediction.reduced(m, LOOK_SIDE_PX) for m in range(prediction.num_masks)]
    return np.stack(masks)


def _softmax(logits: FloatArray) -> FloatArray:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
