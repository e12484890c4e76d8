"""
The folder format: images/, masks/ and META.json.

``images/<id>.<ext>`` is a picture; ``masks/<id>.png``, or several ``masks/<id>__<k>.png``
(other annotators, other levels), are label maps: 0 = background or not labelled, 1..N =
one object each, ``ignore_value`` of META.json (when given) = does not count.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from latentcut.datasets.dataset import (
    DEFAULT_OPTIONS,
    Annotated,
    LabelMap,
    MapDataset,
    ReaderOptions,
    Sample,
    label_values,
    read_sample_image,
)
from latentcut.datasets.files import by_stem, chosen_ids, need_folder, read_label_map, visible_files
from latentcut.errors import DatasetBroken

__all__ = [
    "Annotated",
    "FolderDataset",
    "Sample",
    "label_values",
    "read_label_map",
    "read_sample_image",
]

MAP_SUFFIX = re.compile(r"^(?P<id>.+)__(?P<map>\w+)$")
HAS = "a data set has images/ and masks/"


class FolderDataset(MapDataset):
    """
    A data set in the folder format.

    Args:
        path: The folder.
        options: ``image_list`` is understood.

    Raises:
        FileMissing: The folder, images/ or masks/ does not exist.
        DatasetBroken: A mask has no image, an image no mask, two images have one id, or
            META.json is no JSON or has an ignore_value that is no whole number.
    """

    format = "folder"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        options.known()
        self.path = Path(path)
        self.name = self.path.name
        for folder in (self.path, self.path / "images", self.path / "masks"):
            need_folder(folder, HAS)
        self.meta = self._read_meta()
        self.ignore_value = self._ignore_value()
        self.images = self._match_files(options)

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

    def _match_files(self, options: ReaderOptions) -> tuple[Annotated, ...]:
        images = by_stem(visible_files(self.path / "images"), options)
        masks: dict[str, list[Path]] = {image_id: [] for image_id in images}
        for path in visible_files(self.path / "masks", "*.png"):
            match = MAP_SUFFIX.match(path.stem)
            image_id = path.stem if path.stem in images else match["id"] if match else path.stem
            if image_id in images:
                masks[image_id].append(path)
            else:
                folder = self.path / "images"
                options.complain(f"{path} has no image {image_id}.* in {folder}")
        for image_id, paths in masks.items():
            if not paths:
                options.complain(f"{images[image_id]} has no mask in {self.path / 'masks'}")
        if not images:
            raise DatasetBroken(f"{self.path / 'images'} is empty")
        ids = chosen_ids([image_id for image_id in images if masks[image_id]], options)
        return tuple(Annotated(i, images[i], tuple(masks[i])) for i in ids)

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """The mask files of a picture, by name. Raises DatasetBroken."""
        return [self.label_map(entry, number) for number in range(len(entry.mask_paths))]

    def label_map(self, entry: Annotated, number: int) -> LabelMap:
        """One mask file. Raises DatasetBroken."""
        path = entry.mask_paths[number]
        return LabelMap(path.stem, read_label_map(path), self.ignore_value)
