"""
Training crops: a square cut from an annotated picture, and the targets in it.

Everything random comes from the generator that is passed in, and that generator is
derived from (seed, step, image of the step) alone. So the data of a step never depends on
what ran before it: runs resume exactly, and any number of processes see the same batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.frame import resize
from latentcut.core.images import read_image
from latentcut.datasets.dataset import Annotated, LabelMap
from latentcut.simulation.training_clicks import FirstClicks, first_clicks, happens
from latentcut.training.config import ClickConfig, DataConfig
from latentcut.training.pasted_objects import CutOut, cut_out, paste_object
from latentcut.training.thin_structures import add_thin_structure
from latentcut.training.weighted_sets import MIN_OBJECT_PX, WeightedSets

BoolArray = NDArray[np.bool_]

MIN_TARGET_SHARE = 0.001  # of the crop
MAX_TARGET_SHARE = 0.95
MIN_SIDE_PX = 48  # of a crop in the source image
MAX_REGIONS = 8  # objects considered per crop; BSDS shows over a hundred


@dataclass(frozen=True)
class Crop:
    """
    One image of a step with its pairs.

    Attributes:
        image: uint8 (S, S, 3), RGB.
        targets: bool (P, S, S), one object per pair.
        ignore: bool (S, S), pixels that do not count.
        clicks: The first clicks of each pair, in pixels of the crop.
    """

    image: NDArray[np.uint8]
    targets: BoolArray
    ignore: BoolArray
    clicks: tuple[tuple[Click, ...], ...]


class CropSource:
    """
    Draws crops from weighted data sets.

    Args:
        root: Folder that holds the data sets.
        data: Sets, weights and crop geometry.
        clicks: First clicks.

    Raises:
        BadConfig: As weighted_sets.WeightedSets.
    """

    def __init__(self, root: Path, data: DataConfig, clicks: ClickConfig) -> None:
        self.pictures = WeightedSets(root, data.sets, data.held_out_every)
        self.data = data
        self.how = FirstClicks(
            clicks.single_share,
            clicks.centre_share,
            clicks.max_positive,
            clicks.max_negative,
            clicks.anywhere_share,
        )
        self.budget = int(data.cache_gib * 2**30)
        self.images: dict[Path, NDArray[np.uint8]] = {}
        self.maps: dict[tuple[int, str], list[LabelMap]] = {}

    def __call__(self, size: int, rng: np.random.Generator) -> Crop:
        """One crop of ``size`` px with ``data.pairs_per_image`` pairs."""

        def cut(which: int, entry: Annotated) -> Crop | None:
            return self._cut(entry, self._maps(which, entry), size, rng)

        return self.pictures.draw(rng, cut)

    def _maps(self, which: int, entry: Annotated) -> list[LabelMap]:
        found = self.maps.get((which, entry.image_id))
        if found is None:
            found = self.pictures.sets[which].label_maps(entry)
            if self._has_room(sum(m.labels.nbytes for m in found)):
                self.maps[which, entry.image_id] = found
        return found

    def _image(self, path: Path) -> NDArray[np.uint8]:
        found = self.images.get(path)
        if found is None:
            found = read_image(path)
            if self._has_room(found.nbytes):
                self.images[path] = found
        return found

    def _has_room(self, num_bytes: int) -> bool:
        """Whether so much may be kept; if so, it is counted."""
        fits = self.budget >= num_bytes
        self.budget -= num_bytes if fits else 0
        return fits

    def _cut(
        self, entry: Annotated, maps: list[LabelMap], size: int, rng: np.random.Generator
    ) -> Crop | None:
        first = int(rng.integers(len(maps)))
        labels, ignore_value = maps[first].labels, maps[first].ignore_value
        values = maps[first].values
        rng.shuffle(values)
        chosen = next((v for v in values if (labels == v).sum() >= MIN_OBJECT_PX), None)
        if chosen is None:
            return None
        window = self._window(labels == chosen, rng)
        image = self._image(entry.image_path)
        x0, y0, x1, y1 = window
        pixels = resize(image[y0:y1, x0:x1], (size, size))
        mirror = bool(rng.random() < 0.5)
        regions = self._regions(maps, (first, chosen), window, size, rng)
        if not regions:
            return None
        ignore = np.zeros((size, size), dtype=bool)
        if ignore_value is not None:
            cut = (labels[y0:y1, x0:x1] == ignore_value).astype(np.uint8)
            ignore = cv2.resize(cut, (size, size), interpolation=cv2.INTER_NEAREST) > 0
        if mirror:
            pixels, ignore = pixels[:, ::-1], ignore[:, ::-1]
            regions = [region[:, ::-1] for region in regions]
        pixels, ignore = np.ascontiguousarray(pixels), np.ascontiguousarray(ignore)
        regions = [np.ascontiguousarray(region) for region in regions]
        if happens(self.data.paste_share, rng):
            pixels, regions = paste_object(pixels, regions, self._whole_object(rng), rng)
        if happens(self.data.thin_share, rng):
            pixels, regions = add_thin_structure(pixels, regions, rng)
        targets, clicks = self._pairs(regions, rng)
        return Crop(np.ascontiguousarray(change_colours(pixels, rng)), targets, ignore, clicks)

    def _window(self, gt_mask: BoolArray, rng: np.random.Generator) -> tuple[int, int, int, int]:
        """Box (x0, y0, x1, y1) of the crop in the image, around or near the object."""
        height, width = gt_mask.shape
        rows, columns = np.flatnonzero(gt_mask.any(1)), np.flatnonzero(gt_mask.any(0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        if rng.random() < self.data.whole_image_share:
            side = max(height, width) * rng.uniform(0.8, 1.0)
        else:
            factor = np.exp(
                rng.uniform(np.log(self.data.smallest_crop), np.log(self.data.largest_crop))
            )
            side = max(MIN_SIDE_PX, max(bottom - top, right - left) * factor)
        aspect = np.exp(rng.uniform(-0.15, 0.15))
        crop_w = int(min(width, max(MIN_SIDE_PX, side * aspect)))
        crop_h = int(min(height, max(MIN_SIDE_PX, side / aspect)))
        # a crop cut by the image border would be a thin strip: keep its shape near a square
        crop_w, crop_h = min(crop_w, int(crop_h * 1.5)), min(crop_h, int(crop_w * 1.5))
        x0 = place(int(left), int(right), crop_w, width, rng)
        y0 = place(int(top), int(bottom), crop_h, height, rng)
        return x0, y0, x0 + crop_w, y0 + crop_h

    def _whole_object(self, rng: np.random.Generator) -> CutOut:
        """Any object of any picture that does not touch the picture's edge."""

        def cut(which: int, entry: Annotated) -> CutOut | None:
            maps = self._maps(which, entry)
            one = maps[int(rng.integers(len(maps)))]
            values = one.values
            if len(values) == 0:
                return None
            mask = one.labels == values[int(rng.integers(len(values)))]
            if mask.sum() < MIN_OBJECT_PX:
                return None
            return cut_out(self._image(entry.image_path), mask)

        return self.pictures.draw(rng, cut)

    def _regions(
        self,
        maps: list[LabelMap],
        chosen: tuple[int, int],
        window: tuple[int, int, int, int],
        size: int,
        rng: np.random.Generator,
    ) -> list[BoolArray]:
        """Visible objects of all maps in the crop, the chosen one first; empty if it is not."""
        x0, y0, x1, y1 = window
        found: list[tuple[int, int]] = []
        for which, one in enumerate(maps):
            values, counts = np.unique(one.labels[y0:y1, x0:x1], return_counts=True)
            area = (y1 - y0) * (x1 - x0)
            fits = (counts > area * MIN_TARGET_SHARE) & (counts < area * MAX_TARGET_SHARE)
            fits &= (values != 0) & (
                values != (-1 if one.ignore_value is None else one.ignore_value)
            )
            found += [(which, int(value)) for value in values[fits]]
        if chosen not in found:
            return []
        found.remove(chosen)
        order = rng.permutation(len(found))[: MAX_REGIONS - 1]
        regions = []
        for which, value in [chosen, *(found[i] for i in order)]:
            cut = (maps[which].labels[y0:y1, x0:x1] == value).astype(np.float32)
            # resized softly and cut at one half: enlarged nearest pixels would teach staircases
            region = cv2.resize(cut, (size, size), interpolation=cv2.INTER_LINEAR) > 0.5
            if region.any():
                regions.append(region)
            elif not regions:
                return []
        return regions

    def _pairs(
        self, regions: list[BoolArray], rng: np.random.Generator
    ) -> tuple[BoolArray, tuple[tuple[Click, ...], ...]]:
        targets, clicks = [], []
        for pair in range(self.data.pairs_per_image):
            # the object the crop was cut for takes the first pair and half of the others
            pick = 0 if pair == 0 or rng.random() < 0.4 else int(rng.integers(len(regions)))
            target = regions[pick]
            others = [r for i, r in enumerate(regions) if i != pick]
            if others and rng.random() < self.data.union_share:
                joined = target | others[int(rng.integers(len(others)))]
                if joined.mean() < MAX_TARGET_SHARE:
                    target = joined
            targets.append(target)
            clicks.append(tuple(first_clicks(target, others, rng, self.how)))
        return np.stack(targets), tuple(clicks)


def place(start: int, stop: int, length: int, limit: int, rng: np.random.Generator) -> int:
    """
    Where a crop of ``length`` begins so that it holds the object, or lies inside it if larger.

    Args:
        start: First pixel of the object on this axis.
        stop: One past its last pixel.
        length: Side of the crop, at most ``limit``.
        limit: Side of the image.
    """
    low, high = sorted((stop - length, start))
    low, high = max(0, low), min(limit - length, high)
    return int(rng.integers(low, high + 1)) if high > low else max(0, min(low, limit - length))


def change_colours(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Random brightness, contrast, colour balance and saturation, and at times a slight blur."""
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.93, 1.07, size=3)
    offset = rng.uniform(-20, 20)
    x = image.astype(np.float32)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * np.float32(rng.uniform(0.7, 1.3))
    x = x * gain.astype(np.float32) + np.float32(offset)
    changed = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        changed = np.asarray(
            cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.4, 1.0))), dtype=np.uint8
        )
    return changed
