"""Other people's predictors: anything that ``module:factory`` makes and that answers clicks."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.errors import BadConfig, MaskSizeMismatch
from latentcut.evaluation.segmenter import Answer, Conversation, Segmenter

MULTIMASK = ("first", "always", "never")


def load_foreign(
    target: str, options: Mapping[str, str] | None = None, name: str | None = None
) -> Segmenter:
    """
    Import a factory and use what it makes.

    Args:
        target: ``module:factory``; the module must be importable, the factory callable.
        options: Text values. ``multimask`` is ours (see ``SamSegmenter``), the others are
            keyword arguments of the factory.
        name: What tables call it; None: the factory's name.

    Returns:
        What the factory returned, where it has ``start``; else a ``SamSegmenter`` of it.

    Raises:
        BadConfig: The module or factory does not exist, refuses its arguments, or returned
            something that cannot be asked; or multimask is none of its values.
    """
    given = dict(options or {})
    multimask = given.pop("multimask", "first")
    made = call_factory(target, given)
    described = target + "".join(f"&{key}={given[key]}" for key in sorted(given))
    if callable(getattr(made, "start", None)):
        return cast("Segmenter", made)
    return SamSegmenter(made, name or target.rpartition(":")[2], described, multimask)


def call_factory(target: str, arguments: Mapping[str, str]) -> Any:
    """What ``module:factory`` returns for keyword arguments. Raises BadConfig."""
    module_name, _, factory_name = target.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
    except (ImportError, AttributeError) as error:
        raise BadConfig(
            f"{target} cannot be imported: {error}; give module:factory, importable from where "
            "the command runs (PYTHONPATH)"
        ) from error
    try:
        return factory(**arguments)
    except TypeError as error:
        raise BadConfig(f"{target} refused its arguments: {error}") from error


class SamSegmenter:
    """
    A predictor of the shape of Segment Anything's.

    It has ``set_image(uint8 RGB (H0, W0, 3))`` and ``predict(point_coords=float32 (K, 2) in
    (x, y), point_labels=int (K,) with 1 on the object, mask_input=float32 (1, h, w) or None,
    multimask_output=bool)``, which returns masks (C, H0, W0), scores (C,) and low-resolution
    logits (C, h, w). The mask of the largest score is selected, and its logits are fed back with
    the next click. Scores are taken as expected IoUs, which SAM's are.

    Args:
        predictor: Holds one image at a time, so only the newest conversation can be asked.
        name: What tables call it.
        described: Where it comes from, the fingerprint unless the predictor has one itself:
            nobody can see here whether its weights changed.
        multimask: When several masks are asked for: after the ``first`` click only, as in
            SAM's own evaluation, ``always`` or ``never``.

    Raises:
        BadConfig: The predictor lacks a method, or multimask is none of these.
    """

    def __init__(self, predictor: Any, name: str, described: str, multimask: str = "first") -> None:
        missing = [m for m in ("set_image", "predict") if not callable(getattr(predictor, m, None))]
        if missing:
            raise BadConfig(
                f"{name} is a {type(predictor).__name__} without {' and '.join(missing)}: it must "
                "have set_image and predict as Segment Anything's predictor, or start as "
                "latentcut.evaluation.segmenter.Segmenter"
            )
        if multimask not in MULTIMASK:
            raise BadConfig(f"multimask={multimask} is unknown: give {', '.join(MULTIMASK)}")
        self.name = name
        self.fingerprint = str(getattr(predictor, "fingerprint", "")) or (
            f"{described}&multimask={multimask}"
        )
        self.facts: dict[str, Any] = {
            "kind": "foreign",
            "factory": described,
            "class": type(predictor).__name__,
            "multimask": multimask,
        }
        self.predictor, self.multimask = predictor, multimask

    def start(self, image: NDArray[np.uint8]) -> Conversation:
        """Set an image, uint8 RGB (H0, W0, 3)."""
        self.predictor.set_image(image)
        return SamConversation(self.predictor, image.shape[:2], self.multimask)


class SamConversation:
    """Clicks on one object of the image that is set."""

    def __init__(self, predictor: Any, size_hw: tuple[int, ...], multimask: str) -> None:
        self._predictor, self._size_hw, self._multimask = predictor, size_hw, multimask
        self._logits: NDArray[np.float32] | None = None  # (1, h, w), of the mask shown last

    def answer(self, clicks: Sequence[Click]) -> Answer:
        """
        Predict from all clicks and the logits of the mask shown before the last one.

        Raises:
            MaskSizeMismatch: The masks do not have the image's size.
        """
        wanted = {"first": len(clicks) == 1, "always": True, "never": False}
        masks, scores, low_res = self._predictor.predict(
            point_coords=np.array([(c.x, c.y) for c in clicks], dtype=np.float32),
            point_labels=np.array([int(c.positive) for c in clicks]),
            mask_input=self._logits,
            multimask_output=wanted[self._multimask],
        )
        candidates, scores = np.asarray(masks), np.asarray(scores, dtype=np.float32)
        if candidates.shape[1:] != self._size_hw:
            height, width = self._size_hw
            raise MaskSizeMismatch(candidates.shape[1:], (height, width))
        selected = int(np.argmax(scores))
        self._logits = np.asarray(low_res, dtype=np.float32)[selected][None]
        return Answer(candidates > 0, selected, np.clip(scores, 0, 1), scores)
