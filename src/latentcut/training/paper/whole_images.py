"""Whole images with the click sets of Xu et al.: what a step of the paper's training sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.frame import resize
from latentcut.core.images import read_image
from latentcut.datasets.dataset import Annotated
from latentcut.simulation.training_clicks import sampled_clicks
from latentcut.training.crops import Crop
from latentcut.training.paper.config import PaperDataConfig
from latentcut.training.weighted_sets import MIN_OBJECT_PX, WeightedSets

BoolArray = NDArray[np.bool_]
MULTIPLE_PX = 16  # sizes are padded to it; the padding does not count


class WholeImages:
    """
    Draws annotated images from weighted data sets, and one object of each for every pair.

    Args:
        root: Folder that holds the data sets.
        data: Sets and weights; crop geometry is not looked at.

    Raises:
        BadConfig: As weighted_sets.WeightedSets.
    """

    def __init__(self, root: Path, data: PaperDataConfig) -> None:
        self.data = data
        self.pictures = WeightedSets(root, data.sets, data.held_out_every)

    def __call__(self, size: int, rng: np.random.Generator) -> Crop:
        """One image with ``data.pairs_per_image`` click sets; ``size`` is of no meaning here."""

        def look(which: int, entry: Annotated) -> Crop | None:
            maps = self.pictures.sets[which].label_maps(entry)
            chosen = maps[int(rng.integers(len(maps)))]
            image, factor = self._reduced(read_image(entry.image_path))
            labels = shrink_labels(chosen.labels, image.shape[:2]) if factor < 1 else chosen.labels
            objects = [
                labels == value
                for value in np.unique(labels)
                if value not in (0, chosen.ignore_value)
            ]
            objects = [o for o in objects if o.sum() >= MIN_OBJECT_PX]
            if not objects:
                return None
            ignore = np.zeros(labels.shape, dtype=bool)
            if chosen.ignore_value is not None:
                ignore = labels == chosen.ignore_value
            return self._crop(image, objects, ignore, rng)

        return self.pictures.draw(rng, look)

    def _reduced(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
        limit = self.data.longest_side
        factor = min(1.0, limit / max(image.shape[:2])) if limit else 1.0
        if factor == 1.0:
            return image, factor
        height, width = (max(1, round(n * factor)) for n in image.shape[:2])
        return resize(image, (height, width)), factor

    def _crop(
        self,
        image: NDArray[np.uint8],
        objects: list[BoolArray],
        ignore: BoolArray,
        rng: np.random.Generator,
    ) -> Crop:
        targets: list[BoolArray] = []
        clicks: list[tuple[Click, ...]] = []
        for _ in range(self.data.pairs_per_image):
            pick = int(rng.integers(len(objects)))
            others = [o for i, o in enumerate(objects) if i != pick]
            targets.append(objects[pick])
            clicks.append(tuple(sampled_clicks(objects[pick], others, rng)))
        bottom, right = (-n % MULTIPLE_PX for n in ignore.shape)
        if rng.random() < 0.5:
            width = image.shape[1]
            image, ignore = image[:, ::-1], ignore[:, ::-1]
            targets = [t[:, ::-1] for t in targets]
            clicks = [
                tuple(Click(width - 1 - c.x, c.y, c.positive) for c in pair) for pair in clicks
            ]
        around = ((0, bottom), (0, right))
        return Crop(
            np.pad(image, (*around, (0, 0)), mode="edge"),
            np.stack([np.pad(t, around) for t in targets]),
            np.pad(ignore, around, constant_values=True),
            tuple(clicks),
        )


def shrink_labels(labels: NDArray[np.integer], size_hw: tuple[int, ...]) -> NDArray[np.integer]:
    """A label map at a smaller size: each pixel takes the label at its centre."""
    rows = ((np.arange(size_hw[0]) + 0.5) * labels.shape[0] / size_hw[0]).astype(np.intp)
    columns = ((np.arange(size_hw[1]) + 0.5) * labels.shape[1] / size_hw[1]).astype(np.intp)
    return labels[rows[:, None], columns[None, :]]
