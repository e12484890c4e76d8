"""Which annotated image a step looks at: data sets with weights, less the held-out images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from latentcut.datasets.dataset import Annotated, open_dataset
from latentcut.errors import BadConfig, nearest

MIN_OBJECT_PX = 60  # of the source image: smaller regions are mostly annotation noise
MAX_DRAWS = 1000  # images in a row without a usable object; then there is none, or hardly any

Found = TypeVar("Found")


def is_held_out(image_id: str, every: int) -> bool:
    """Whether an image belongs to the validation slice: one in ``every``, by a hash of its id."""
    if every <= 0:
        return False
    digest = hashlib.sha256(image_id.encode()).digest()
    return int.from_bytes(digest[:4], "big") % every == 0


class WeightedSets:
    """
    Data sets of which one is drawn by its weight, and of it any image that may be trained on.

    Args:
        root: Folder that holds the data sets.
        weights: Folder name -> sampling weight; within a set every image is as likely as another.
        held_out_every: One image in this many is never drawn.

    Attributes:
        sets: The opened data sets.
        entries: Per set, the images that may be drawn.

    Raises:
        BadConfig: No set is named, one is not in ``root``, or all of its images are held out.
    """

    def __init__(self, root: Path, weights: Mapping[str, float], held_out_every: int) -> None:
        known = sorted(p.name for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
        for name in weights:
            if name not in known:
                raise BadConfig(f"data.sets names {name!r}, not in {root}; {nearest(name, known)}")
        if not weights:
            raise BadConfig(f"data.sets is empty; {nearest('', known)}")
        self.root, self.names = root, list(weights)
        self.sets = [open_dataset(root / name, split="train") for name in weights]
        self.entries = [
            [e for e in s.images if not is_held_out(e.image_id, held_out_every)] for s in self.sets
        ]
        for name, entries in zip(self.names, self.entries, strict=True):
            if not entries:
                raise BadConfig(
                    f"every picture of {root / name} is held out for validation; raise "
                    f"data.held_out_every from {held_out_every}, or leave the set out"
                )
        shares = np.array(list(weights.values()))
        self.shares = shares / shares.sum()

    def draw(
        self, rng: np.random.Generator, use: Callable[[int, Annotated], Found | None]
    ) -> Found:
        """
        Draw images until one serves.

        Args:
            rng: Source of all randomness.
            use: Makes something of an image, given the number of its set, or None.

        Raises:
            BadConfig: ``MAX_DRAWS`` images in a row did not serve.
        """
        for _ in range(MAX_DRAWS):
            which = int(rng.choice(len(self.sets), p=self.shares))
            entries = self.entries[which]
            found = use(which, entries[int(rng.integers(len(entries)))])
            if found is not None:
                return found
        raise BadConfig(
            f"{MAX_DRAWS} images drawn in a row from {', '.join(self.names)} in {self.root} show "
            f"no object of at least {MIN_OBJECT_PX} px; look at the masks with: "
            f"latentcut data check {self.root / self.names[0]}"
        )
