"""
Methods without learning, as the floor that a network must stand well above.

Both work on a reduced picture, which keeps a click below a third of a second on one thread; the
mask is enlarged to the picture's size. Neither knows objects: they spread clicks by colour.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import warnings
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.errors import BadConfig, MissingExtra
from latentcut.evaluation.segmenter import Answer, Conversation

BoolArray = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

GRABCUT_PX, WALKER_PX = 320, 256
MODES = ("bf", "cg", "cg_j")  # of scikit-image; the others need more packages
BORDERS = ("always", "first")


class Reduced:
    """
    A picture at working size.

    Args:
        image: uint8 RGB (H0, W0, 3).
        working_px: Longer side at most.
    """

    def __init__(self, image: Bytes, working_px: int) -> None:
        self.full_hw: tuple[int, int] = (image.shape[0], image.shape[1])
        self.scale = min(1.0, working_px / max(self.full_hw))
        height, width = (max(1, round(side * self.scale)) for side in self.full_hw)
        self.image: Bytes = np.ascontiguousarray(image)
        if self.scale < 1:
            self.image = np.asarray(
                cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
            )

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the reduced picture."""
        return self.image.shape[0], self.image.shape[1]

    def discs(self, clicks: Sequence[Click], radius_px: float) -> NDArray[np.int8]:
        """
        Where clicks rule: int8 (h, w), 1 in discs of positive ones, -1 of negative ones, else 0.

        Where discs of both signs meet, the nearer click rules; a click's own pixel is always
        its own, the last one's where several share it.
        """
        height, width = self.size_hw
        rows, columns = np.mgrid[:height, :width]
        nearest_sq = np.full((height, width), radius_px**2, dtype=np.float64)
        ruled = np.zeros((height, width), dtype=np.int8)
        for click in clicks:
            x, y = self.place(click)
            distance_sq = (columns - x) ** 2 + (rows - y) ** 2
            nearer = distance_sq <= nearest_sq
            ruled[nearer] = 1 if click.positive else -1
            np.minimum(nearest_sq, distance_sq, out=nearest_sq)
        return ruled

    def place(self, click: Click) -> tuple[int, int]:
        """The reduced pixel (x, y) in which a click lies."""
        height, width = self.size_hw
        x = int((click.x + 0.5) * width / self.full_hw[1])
        y = int((click.y + 0.5) * height / self.full_hw[0])
        return min(x, width - 1), min(y, height - 1)

    def enlarged(self, mask: BoolArray) -> BoolArray:
        """A mask (h, w) at the picture's size, bool (H0, W0)."""
        height, width = self.full_hw
        share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(share >= 0.5)


def reached(mask: BoolArray, discs: NDArray[np.int8]) -> BoolArray:
    """The 8-connected parts of a mask (h, w) that hold a positive click's disc."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    kept = np.unique(labels[(discs > 0) & mask])
    return np.isin(labels, kept) & mask


def fingerprint_of(facts: dict[str, Any]) -> str:
    """Everything that decides a classical method's answers is in its facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class GrabCut:
    """
    GrabCut (Rother et al. 2004) in OpenCV's version, started from clicks instead of a box.

    After the first click everything within ``guess_share`` of the picture's longer side from
    it is probably object, all else probably background. The colour models are kept from click to
    click. Parts of the mask without a positive click are dropped.

    Args:
        working_px: Longer side of the picture it works on.
        first_iterations: After the first click.
        later_iterations: After every other one.
        radius_px: Of the disc around a click that has the click's sign for certain.
        guess_share: See above.
    """

    def __init__(
        self,
        working_px: int = GRABCUT_PX,
        first_iterations: int = 3,
        later_iterations: int = 1,
        radius_px: float = 8.0,
        guess_share: float = 0.07,
    ) -> None:
        self.name = "grabcut"
        self.working_px, self.radius_px, self.guess_share = working_px, radius_px, guess_share
        self.iterations = (first_iterations, later_iterations)
        self.facts: dict[str, Any] = {
            "kind": "classical",
            "method": "GrabCut (OpenCV), started from clicks",
            "opencv": cv2.__version__,
            "working_px": working_px,
            "first_iterations": first_iterations,
            "later_iterations": later_iterations,
            "radius_px": radius_px,
            "guess_share": guess_share,
        }
        self.fingerprint = fingerprint_of(self.facts)

    def start(self, image: Bytes) -> Conversation:
        """Reduce an image, uint8 RGB (H0, W0, 3)."""
        return _GrabCutTalk(self, Reduced(image, self.working_px))


class _GrabCutTalk:
    def __init__(self, method: GrabCut, picture: Reduced) -> None:
        self._method, self._picture = method, picture
        self._labels: Bytes | None = None  # (h, w), GC_*: what the last click led to
        self._models = np.zeros((1, 65)), np.zeros((1, 65))  # background, foreground

    def answer(self, clicks: Sequence[Click]) -> Answer:
        """Iterate from what was found before the newest click."""
        discs = self._picture.discs(clicks, self._method.radius_px)
        is_first = self._labels is None
        labels = self._guess(clicks) if self._labels is None else self._labels
        # what was certain only because of a click is certain again below, if it still is
        labels[labels == cv2.GC_FGD], labels[labels == cv2.GC_BGD] = cv2.GC_PR_FGD, cv2.GC_PR_BGD
        labels[discs > 0], labels[discs < 0] = cv2.GC_FGD, cv2.GC_BGD
        iterations = self._method.iterations[0 if is_first else 1]
        if _has_both(labels) and iterations:
            mode = cv2.GC_INIT_WITH_MASK if is_first else cv2.GC_EVAL
            cv2.setRNGSeed(0)  # the colour models begin with k-means, which is random
            no_box = (0, 0, 0, 0)  # not looked at in these modes
            cv2.grabCut(self._picture.image, labels, no_box, *self._models, iterations, mode)
        self._labels = labels
        mask = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
        return Answer(self._picture.enlarged(reached(mask, discs))[None])

    def _guess(self, clicks: Sequence[Click]) -> Bytes:
        size_hw = self._picture.size_hw
        near = self._picture.discs(clicks, self._method.guess_share * max(size_hw)) > 0
        return np.where(near, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)


def _has_both(labels: Bytes) -> bool:
    """Whether object and background have the few pixels that colour models need."""
    inside = int(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).sum())
    return 5 <= inside <= labels.size - 5


class RandomWalker:
    """
    Random walker (Grady 2006) in scikit-image's version.

    Every pixel takes the sign of the click that a walker from it, who shuns colour edges,
    reaches first. The picture's border is background wherever no click lies.

    Args:
        working_px: Longer side of the picture it works on.
        beta: How much walkers shun edges.
        radius_px: Of the disc around a click that is the walkers' goal.
        mode: How scikit-image solves for it. ``bf`` is exact; the iterative ones stop at a
            tolerance at which the number of clicks is not that of the method.
        border: ``always`` background, or ``first``: only until there is a negative click.

    Raises:
        MissingExtra: scikit-image is not installed.
        BadConfig: mode or border is unknown.
    """

    def __init__(
        self,
        working_px: int = WALKER_PX,
        beta: float = 1000.0,
        radius_px: float = 4.0,
        mode: str = "bf",
        border: str = "always",
    ) -> None:
        if mode not in MODES:
            raise BadConfig(f"mode={mode} is unknown: give {', '.join(MODES)}")
        if border not in BORDERS:
            raise BadConfig(f"border={border} is unknown: give {', '.join(BORDERS)}")
        try:
            importlib.import_module("skimage.segmentation")  # it needs scipy, too
        except ImportError as error:
            raise MissingExtra("the random walker", "evaluation") from error
        self.name = "random-walker"
        self.working_px, self.beta, self.radius_px, self.mode = working_px, beta, radius_px, mode
        self.border = border
        self.facts: dict[str, Any] = {
            "kind": "classical",
            "method": "random walker (scikit-image)",
            "scikit-image": metadata.version("scikit-image"),
            "working_px": working_px,
            "beta": beta,
            "radius_px": radius_px,
            "mode": mode,
            "border": border,
        }
        self.fingerprint = fingerprint_of(self.facts)

    def start(self, image: Bytes) -> Conversation:
        """Reduce an image, uint8 RGB (H0, W0, 3)."""
        return _WalkerTalk(self, Reduced(image, self.working_px))


class _WalkerTalk:
    def __init__(self, method: RandomWalker, picture: Reduced) -> None:
        self._method, self._picture = method, picture

    def answer(self, clicks: Sequence[Click]) -> Answer:
        """Solve anew for all clicks; nothing is kept between them."""
        from skimage.segmentation import random_walker

        discs = self._picture.discs(clicks, self._method.radius_px)
        seeds = np.where(discs > 0, 1, np.where(discs < 0, 2, 0))
        if self._method.border == "always" or not (discs < 0).any():
            border = np.ones_like(discs, dtype=bool)
            border[1:-1, 1:-1] = False
            seeds[border & (discs == 0)] = 2
        if not (seeds == 2).any() or not (seeds == 0).any():  # a picture as small as a disc
            return Answer(self._picture.enlarged(seeds == 1)[None])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about solvers that are not installed
            found = random_walker(
                self._picture.image,
                seeds,
                beta=self._method.beta,
                mode=self._method.mode,
                channel_axis=-1,
            )
        return Answer(self._picture.enlarged(np.asarray(found) == 1)[None])
