"""What a worker of a batch does: one image with its prompts becomes one row of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.batch.prompts import ImagePrompts, Prompt
from latentcut.core.encoded import EncodedImage
from latentcut.core.everything import EverythingOptions, FoundObject
from latentcut.core.images import read_image
from latentcut.core.masks import coco_rle, mask_from_coco_rle
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor, load
from latentcut.core.session import Session
from latentcut.errors import BadPrompts, LatentcutError, MaskSizeMismatch
from latentcut.formats.pictures import path_in

BoolArray = NDArray[np.bool_]
JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """
    What all images of a batch have in common.

    Attributes:
        threads: Per prediction. With another number sums round differently.
        candidates: Whether rows hold all candidates.
        everything: How all things of an image are found; None: there are prompts.
    """

    threads: int = 1
    candidates: bool = False
    everything: EverythingOptions | None = None


@dataclass(frozen=True)
class ImageTask:
    """
    One image.

    Attributes:
        folder: The image folder, absolute.
        asked: The image and its prompts.
    """

    folder: Path
    asked: ImagePrompts

    def __str__(self) -> str:
        """What an error calls it."""
        return self.asked.path


class Answering:
    """
    Answers images.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        options: Of the batch.
    """

    def __init__(self, bundle: Path | None, options: Options) -> None:
        import cv2

        cv2.setNumThreads(1)  # the other cores belong to the other workers
        self.predictor, self.options = load(bundle, options.threads), options

    def __call__(self, task: ImageTask) -> JsonObject:
        """
        The row of an image.

        Returns:
            Size, objects and what was left out of them; or, where the image as a whole cannot
            be answered, only the reason.
        """
        try:
            encoded = self.predictor.encode(read_image(path_in(task.folder, task.asked.path)))
        except (LatentcutError, OSError, MemoryError) as error:
            return {"problem": str(error) or type(error).__name__}
        height, width = encoded.size_hw
        row: JsonObject = {"width": width, "height": height, "objects": [], "problems": []}
        if self.options.everything is not None:
            found = self.predictor.find_all(encoded, self.options.everything)
            row["objects"] = [as_found(number, thing) for number, thing in enumerate(found, 1)]
            return row
        for prompt in task.asked.prompts:
            try:
                row["objects"].append(self._answered(encoded, prompt, task.folder))
            except LatentcutError as error:
                row["problems"].append({"object": prompt.name, "reason": str(error)})
        return row

    def _answered(self, encoded: EncodedImage, prompt: Prompt, folder: Path) -> JsonObject:
        prediction = predicted(self.predictor, encoded, prompt, folder)
        chosen = prediction.selected
        facts: JsonObject = prompt.shown_as() | {
            "from_mask": prompt.previous is not None,
            "selected": chosen,
            "score": rounded(prediction.scores[chosen]),
            "expected_iou": rounded(prediction.expected_iou[chosen]),
            "clicks_satisfied": prediction.clicks_satisfied,
        }
        if self.options.candidates:
            facts["candidates"] = [
                {
                    "score": rounded(prediction.scores[m]),
                    "expected_iou": rounded(prediction.expected_iou[m]),
                    "rle": coco_rle(prediction.candidate(m)),
                }
                for m in range(prediction.num_masks)
            ]
        named = {"name": prompt.name, "label": prompt.label, "id": prompt.id}
        return {**named, "rle": coco_rle(prediction.mask), "facts": facts}


def as_found(number: int, thing: FoundObject) -> JsonObject:
    """An object of everything-mode, as the rows hold those of prompts."""
    facts = {
        "clicks": [{"x": thing.click.x, "y": thing.click.y, "positive": True}],
        "from_mask": False,
        "selected": thing.candidate,
        "expected_iou": rounded(thing.score),
        "stability": rounded(thing.stability),
    }
    return {"name": str(number), "label": None, "id": 0, "rle": thing.rle, "facts": facts}


def predicted(
    predictor: Predictor, encoded: EncodedImage, prompt: Prompt, folder: Path
) -> Prediction:
    """
    The answer to a prompt, as a person would get it: box or mask, then scribbles, then clicks.

    Raises:
        BadPrompts: It has a box and a mask, which cannot both be the beginning.
        LatentcutError: It does not fit the image.
    """
    if prompt.previous is not None and prompt.box_xyxy is not None:
        raise BadPrompts("a box is answered anew, without a mask to start from; give one of them")
    start = None if prompt.previous is None else mask_of(prompt.previous, encoded, folder)
    session = Session(predictor, encoded, start)
    if prompt.box_xyxy is not None:
        session.box(*prompt.box_xyxy)
    for scribble in prompt.scribbles:
        session.scribble(scribble.points_xy, scribble.positive)
    for click in prompt.clicks:
        session.click(click.x, click.y, click.positive)
    return session.prediction or predictor.predict(encoded, (), start)


def mask_of(previous: Mapping[str, Any] | str, encoded: EncodedImage, folder: Path) -> BoolArray:
    """
    A mask to start from, bool (H0, W0).

    Args:
        previous: A COCO run-length code, or the path of a picture in the image folder, whose
            pixels brighter than half of its brightest one are meant.
        encoded: The image.
        folder: The image folder.

    Raises:
        LatentcutError: It cannot be read, or is of another size than the image.
    """
    if isinstance(previous, str):
        brightness = read_image(path_in(folder, previous)).max(axis=2)  # (H0, W0)
        mask: BoolArray = brightness > brightness.max() / 2
    else:
        mask = mask_from_coco_rle(previous)
    if mask.shape != encoded.size_hw:
        raise MaskSizeMismatch(mask.shape, encoded.size_hw)
    return mask


def rounded(value: float) -> float:
    """A score as files hold it."""
    return round(float(value), 5)
