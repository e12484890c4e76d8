"""
ADE20K: objects, their parts, and parts of parts, each level a label map.

The full release has ``<name>.jpg`` with ``<name>_seg.png`` and ``<name>_parts_1.png``, ...
beside it: red and green give the class, blue the instance; black is not labelled. The scene
parsing challenge has ``images/`` and ``annotations_instance/``: green is the instance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentcut.datasets.dataset import (
    DEFAULT_OPTIONS,
    Annotated,
    IntArray,
    LabelMap,
    MapDataset,
    ReaderOptions,
)
from latentcut.datasets.files import (
    by_stem,
    chosen_ids,
    image_of,
    need_folder,
    read_mask_file,
    visible_files,
)
from latentcut.errors import DatasetBroken

SPLITS = {"train": "training", "val": "validation"}
SEG, PARTS = "_seg", "_parts_"
CHALLENGE = "annotations_instance"
HAS = (
    "ADE20K has images/ with *_seg.png, or images/ and annotations_instance/; "
    "download: https://ade20k.csail.mit.edu"
)


class Ade20kDataset(MapDataset):
    """
    ADE20K, the full release of 2016 or 2021 or the challenge's instances.

    Args:
        path: The folder of images/.
        options: ``image_list`` names pictures of the split.

    Raises:
        FileMissing: The folder or that of the split does not exist.
        DatasetBroken: A picture has no masks or masks no picture.
    """

    format = "ade20k"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        options.known()
        self.path = Path(path)
        self.name = self.path.name
        root = need_folder(self.path / "images", HAS)
        instances = self.path / CHALLENGE
        self.is_challenge = instances.is_dir()
        split = SPLITS[options.split]
        if self.is_challenge:
            masks = need_folder(instances / split, HAS)
            found = of_challenge(root / split, masks, options)
        else:
            found = of_release(need_folder(release_folder(root, split), HAS), options)
        if not found:
            raise DatasetBroken(f"{self.path} holds no picture of {split} with its masks")
        self.images = tuple(found[image_id] for image_id in chosen_ids(list(found), options))

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """Objects first, then each level of parts. Raises DatasetBroken."""
        return [self.label_map(entry, number) for number in range(len(entry.mask_paths))]

    def label_map(self, entry: Annotated, number: int) -> LabelMap:
        """One level. Raises DatasetBroken."""
        path = entry.mask_paths[number]
        values = read_mask_file(path)
        if values.ndim != 3 or values.shape[2] < 3 or values.dtype != np.uint8:
            raise DatasetBroken(f"{path} is no ADE20K mask: expected an 8-bit RGB picture")
        labels = values[:, :, 1] if self.is_challenge else instances_of(values)
        name = path.stem.removesuffix(SEG)  # ADE_val_00000001, ADE_val_00000001_parts_1
        return LabelMap(name, labels, None)


def instances_of(values: IntArray) -> IntArray:
    """
    The instances of a mask of the full release as 1..N, (H0, W0).

    Class and instance together tell objects apart: a few pictures have more objects than blue
    has values.
    """
    red, green, blue = (values[:, :, c].astype(np.int32) for c in range(3))
    kind = red // 10 * 256 + green
    packed = np.where((kind == 0) | (blue == 0), 0, blue * 65_536 + kind)
    known, numbers = np.unique(packed, return_inverse=True)
    first = 0 if known[0] == 0 else 1
    return (numbers.reshape(packed.shape) + first).astype(np.uint16)


def release_folder(root: Path, split: str) -> Path:
    """images/training of 2016, images/ADE/training of 2021."""
    return next((p for p in (root / "ADE" / split, root / split) if p.is_dir()), root / split)


def of_release(folder: Path, options: ReaderOptions) -> dict[str, Annotated]:
    """Pictures of the full release, which lie in folders by scene."""
    found: dict[str, Annotated] = {}
    for seg in visible_files(folder, f"**/*{SEG}.png"):
        image_id = seg.stem.removesuffix(SEG)
        picture = image_of(seg.parent, image_id)
        if not picture.is_file():
            options.complain(f"{picture} is missing; {seg} is its mask")
            continue
        levels = (seg.with_name(f"{image_id}{PARTS}{level}.png") for level in range(1, 10))
        parts = [path for path in levels if path.is_file()]
        found[image_id] = Annotated(image_id, picture, (seg, *parts))
    return found


def of_challenge(pictures: Path, masks: Path, options: ReaderOptions) -> dict[str, Annotated]:
    """Pictures of the challenge and their instances, matched by name."""
    found: dict[str, Annotated] = {}
    for image_id, mask in by_stem(visible_files(masks, "*.png"), options).items():
        picture = image_of(pictures, image_id)
        if picture.is_file():
            found[image_id] = Annotated(image_id, picture, (mask,))
        else:
            options.complain(f"{picture} is missing; {mask} is its mask")
    return found
