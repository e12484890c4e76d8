"""
Pictures in one folder, masks in another, matched by name: GrabCut, Berkeley, any other pair.

GrabCut and Berkeley lie as the field hands them around: ``data_GT/`` and ``boundary_GT/``,
``images/`` and ``masks/``, one object per mask: 255 = the object, 128 = its uncertain border,
which does not count. DAVIS and COCO_MVal of the same collection are ``img/`` and ``gt/``, where
everything that is not black is the object.
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
    need_folder,
    read_mask_file,
    visible_files,
)
from latentcut.errors import DatasetBroken

BORDER = 128  # of GrabCut's and Berkeley's masks
RELEASES = "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0"
MASK_WORDS = ("mask", "gt", "label", "anno", "seg")
RITM_FOLDERS = ("img", "gt")
EACH_OR_ONE = ("each", "one")


class PairedDataset(MapDataset):
    """Base of the layouts with one mask file per picture, matched by the name."""

    def match(self, images: Path, masks: Path, options: ReaderOptions) -> tuple[Annotated, ...]:
        """
        Pictures with their masks, by name.

        Raises:
            FileMissing: A folder does not exist.
            DatasetBroken: A file has no partner or there is no pair.
        """
        pictures = by_stem(visible_files(images), options)
        found = by_stem(visible_files(masks), options)
        for stem, path in found.items():
            if stem not in pictures:
                options.complain(f"{path} has no image {stem}.* in {images}")
        for stem, path in pictures.items():
            if stem not in found:
                options.complain(f"{path} has no mask in {masks}")
        both = [stem for stem in pictures if stem in found]
        if not both:
            raise DatasetBroken(f"{images} and {masks} have no file name in common")
        ids = chosen_ids(both, options)
        return tuple(Annotated(i, pictures[i], (found[i],)) for i in ids)

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """The one mask of a picture. Raises DatasetBroken."""
        return [self.read(entry.image_id, entry.mask_paths[0])]

    def read(self, name: str, path: Path) -> LabelMap:
        """A mask file as a label map. Raises DatasetBroken."""
        raise NotImplementedError


class GrabCutDataset(PairedDataset):
    """
    GrabCut: ``data_GT/`` and ``boundary_GT/``, 50 pictures with one object each.

    Args:
        path: The folder.
        options: ``image_list`` is understood.

    Raises:
        FileMissing: The folder or one of the two in it does not exist.
        DatasetBroken: A picture has no mask, or a mask no picture.
    """

    format = "grabcut"
    folders = ("data_GT", "boundary_GT")
    title = "GrabCut"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        options.known()
        self.path = Path(path)
        self.name = self.path.name
        has = f"{self.title} has {'/ and '.join(self.folders)}/; download: {RELEASES}"
        images, masks = (need_folder(self.path / folder, has) for folder in self.folders)
        self.images = self.match(images, masks, options)

    def read(self, name: str, path: Path) -> LabelMap:
        """1 = the object, 255 = its uncertain border. Raises DatasetBroken."""
        grey = one_channel(read_mask_file(path, as_shown=True), path)
        darkest = BORDER if grey.max() > 1 else 0  # some copies hold 0 and 1
        labels = np.where(grey == BORDER, 255, grey > darkest)
        return LabelMap(name, labels.astype(np.uint8), 255)


class BerkeleyDataset(GrabCutDataset):
    """Berkeley: as GrabCut, in ``images/`` and ``masks/``; 100 objects in 96 pictures."""

    format = "berkeley"
    folders = ("images", "masks")
    title = "Berkeley"


class LoosePairsDataset(PairedDataset):
    """
    Two folders of any names.

    Args:
        path: The folder that holds the two.
        options: ``image_list``; ``images`` and ``masks`` name the folders; ``objects`` is
            ``each`` (every value or colour of a mask is one object) or ``one`` (all that is not
            0 or black is), which is the default for ``img/`` and ``gt/`` only; ``ignore`` is a
            grey value that does not count.

    Raises:
        FileMissing: A folder does not exist.
        DatasetBroken: It is unclear which folders are meant, or files do not match.
    """

    format = "pairs"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        self.path = need_folder(Path(path), "it holds a folder of images and one of masks")
        self.name = self.path.name
        more = options.known(images="", masks="", objects="", ignore="")
        guessed = pair_of_folders(self.path) or ("", "")
        folders = (more["images"] or guessed[0], more["masks"] or guessed[1])
        if not all(folders):
            raise DatasetBroken(
                f"{self.path} has no pair of folders that can be told apart; write "
                f"pairs:{self.path}?images=FOLDER&masks=FOLDER"
            )
        rule = more["objects"] or ("one" if folders == RITM_FOLDERS else "each")
        if rule not in EACH_OR_ONE:
            raise DatasetBroken(f"objects={rule} is unknown: give each or one")
        if more["ignore"] and not more["ignore"].isdecimal():
            raise DatasetBroken(f"ignore={more['ignore']} is no grey value: give 0 to 65535")
        self.joined = rule == "one"
        self.ignore_value = int(more["ignore"]) if more["ignore"] else None
        has = "of images and masks that belong together by name"
        images, masks = (need_folder(self.path / folder, has) for folder in folders)
        self.images = self.match(images, masks, options)

    def read(self, name: str, path: Path) -> LabelMap:
        """A mask file, its colours numbered or its objects joined. Raises DatasetBroken."""
        labels = flat_labels(read_mask_file(path))
        if self.joined:
            labels = joined(labels, self.ignore_value)
        return LabelMap(name, labels, self.ignore_value)


def pair_of_folders(path: Path) -> tuple[str, str] | None:
    """Which two folders hold images and masks: ``img`` and ``gt``, or one is named like masks."""
    if all((path / name).is_dir() for name in RITM_FOLDERS):
        return RITM_FOLDERS
    folders = [p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")]
    masks = [p.name for p in folders if any(word in p.name.lower() for word in MASK_WORDS)]
    others = [p.name for p in folders if p.name not in masks]
    return (others[0], masks[0]) if len(masks) == len(others) == 1 else None


def one_channel(values: IntArray, path: Path) -> IntArray:
    """
    The grey values of a mask that may be stored as a grey RGB picture, (H0, W0).

    Raises:
        DatasetBroken: It has colours.
    """
    grey = grey_of(values)
    if grey is None:
        raise DatasetBroken(f"{path} has colours; the mask must be grey")
    return grey


def grey_of(values: IntArray) -> IntArray | None:
    """Grey values (H0, W0) without transparency; None if there are colours."""
    if values.ndim == 2:
        return values
    colours = values[:, :, :3] if values.shape[2] >= 3 else values[:, :, :1]
    return None if (colours != colours[:, :, :1]).any() else np.asarray(colours[:, :, 0])


def flat_labels(values: IntArray) -> IntArray:
    """One number per grey value or colour, (H0, W0); black is 0, transparency means nothing."""
    grey = grey_of(values)
    if grey is not None:
        return grey
    red, green, blue = (values[:, :, c].astype(np.uint32) for c in range(3))
    packed = (red << 16) | (green << 8) | blue
    known, numbers = np.unique(packed, return_inverse=True)
    if known[0] != 0:
        numbers = numbers + 1
    return np.asarray(numbers.reshape(packed.shape), dtype=np.uint32)


def joined(labels: IntArray, ignore_value: int | None) -> IntArray:
    """All objects of a label map as one of value 1 (2 where 1 is the ignore value)."""
    value = 2 if ignore_value == 1 else 1
    is_object = (labels != 0) & (labels != (-1 if ignore_value is None else ignore_value))
    return np.where(is_object, value, labels).astype(labels.dtype)
