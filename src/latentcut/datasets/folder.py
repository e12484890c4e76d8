"""
The folder format: images/, masks/ and META.json.

``images/<id>.<ext>`` is a picture; ``masks/<id>.png``, or several ``masks/<id>__<k>.png``
(other annotators, other levels), are label maps: 0 = background or not labelled, 1..N =
one object each, ``ignore_value`` of META.json (when given) = does not count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentcut.core.images import read_image
from latentcut.errors import DatasetBroken, FileMissing

BoolArray = NDArray[np.bool_]
MAP_SUFFIX = re.compile(r"^(?P<id>.+)__(?P<map>\w+)$")


@dataclass(frozen=True)
class Annotated:
    """One picture and the label maps that belong to it."""

    image_id: str
    image_path: Path
    mask_paths: tuple[Path, ...]


@dataclass(frozen=True)
class Sample:
    """
    One object to segment.

    Attributes:
        name: Unique in its data set: image id, map and object value.
        image_path: The picture; read it with ``core.images.read_image``.
        gt_mask: bool (H0, W0), the object.
        ignore_mask: bool (H0, W0), pixels that do not count.
    """

    name: str
    image_path: Path
    gt_mask: BoolArray
    ignore_mask: BoolArray


class FolderDataset:
    """
    A data set in the folder format.

    Args:
        path: The folder.

    Raises:
        FileMissing: The folder, images/ or masks/ does not exist.
        DatasetBroken: A mask has no image, an image no mask, two images have one id, or
            META.json is no JSON or has an ignore_value that is no whole number.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        for folder in (self.path, self.path / "images", self.path / "masks"):
            if not folder.is_dir():
                raise FileMissing(folder, "a folder (a data set has images/ and masks/)")
        self.meta = self._read_meta()
        self.ignore_value = self._ignore_value()
        self.images = self._match_files()

    def _read_meta(self) -> dict[str, object]:
        path = self.path / "META.json"
        if not path.is_file():
            return {}
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetBroken(f"{path} is not JSON: {error}") from error
        if not isinstance(meta, dict):
            raise DatasetBroken(f"{path} must hold a JSON object, found {type(meta).__name__}")
        return meta

    def _ignore_value(self) -> int | None:
        value = self.meta.get("ignore_value")
        if value is None or type(value) is int:
            return value
        raise DatasetBroken(
            f"{self.path / 'META.json'} has ignore_value {value!r}; it must be a whole number"
        )

    def _match_files(self) -> tuple[Annotated, ...]:
        images: dict[str, Path] = {}
        for path in _visible_files(self.path / "images"):
            if path.stem in images:
                raise DatasetBroken(f"{images[path.stem]} and {path} have the same id {path.stem}")
            images[path.stem] = path
        masks: dict[str, list[Path]] = {image_id: [] for image_id in images}
        for path in _visible_files(self.path / "masks", "*.png"):
            match = MAP_SUFFIX.match(path.stem)
            image_id = path.stem if path.stem in images else match["id"] if match else path.stem
            if image_id not in images:
                raise DatasetBroken(f"{path} has no image {image_id}.* in {self.path / 'images'}")
            masks[image_id].append(path)
        for image_id, paths in masks.items():
            if not paths:
                raise DatasetBroken(f"{images[image_id]} has no mask in {self.path / 'masks'}")
        if not images:
            raise DatasetBroken(f"{self.path / 'images'} is empty")
        return tuple(Annotated(i, images[i], tuple(masks[i])) for i in images)

    def objects(self) -> Iterator[tuple[str, Path, Path, int]]:
        """Name, image path, mask path and label value of every object, without its pixels."""
        for entry in self.images:
            for mask_path in entry.mask_paths:
                labels = read_label_map(mask_path)
                for value in label_values(labels, self.ignore_value):
                    yield f"{mask_path.stem}:{value}", entry.image_path, mask_path, value

    def sample(self, name: str, image_path: Path, mask_path: Path, value: int) -> Sample:
        """Read the masks of one object as listed by ``objects``."""
        labels = read_label_map(mask_path)
        ignore = np.zeros(labels.shape, dtype=bool)
        if self.ignore_value is not None:
            ignore = labels == self.ignore_value
        return Sample(name, image_path, labels == value, ignore)


def _visible_files(folder: Path, pattern: str = "*") -> list[Path]:
    """Files by name, without the hidden ones that file managers leave behind."""
    return sorted(p for p in folder.glob(pattern) if p.is_file() and not p.name.startswith("."))


def read_label_map(path: Path) -> NDArray[np.integer]:
    """
    A label map as integers, (H0, W0); palette indices and 16-bit values stay as stored.

    Raises:
        DatasetBroken: The file is no readable single-channel PNG.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            labels = np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetBroken(f"{path} cannot be read as a PNG label map: {error}") from error
    if labels.ndim != 2:
        raise DatasetBroken(f"{path} has {labels.shape[2]} channels; a label map has one")
    return labels.astype(np.uint8) if labels.dtype == bool else labels


def label_values(labels: NDArray[np.integer], ignore_value: int | None) -> list[int]:
    """The object values in a label map, ascending: neither 0 nor the ignore value."""
    return [int(v) for v in np.unique(labels) if v != 0 and v != ignore_value]


def read_sample_image(sample: Sample) -> NDArray[np.uint8]:
    """
    The sample's picture, uint8 RGB (H0, W0, 3), checked against the size of its mask.

    Raises:
        DatasetBroken: Picture and mask differ in size.
    """
    image = read_image(sample.image_path)
    if image.shape[:2] != sample.gt_mask.shape:
        raise DatasetBroken(
            f"{sample.image_path} is {image.shape[1]} x {image.shape[0]} px, but its mask "
            f"{sample.name} is {sample.gt_mask.shape[1]} x {sample.gt_mask.shape[0]} px"
        )
    return image
