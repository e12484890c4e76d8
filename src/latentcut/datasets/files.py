"""Files of data sets: label maps, lists of pictures, matching of names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from latentcut.datasets.dataset import Annotated, IntArray, ReaderOptions
from latentcut.errors import DatasetBroken, FileMissing

PNG_ONLY = ("PNG",)
LEFT_BEHIND = ("Thumbs.db", "desktop.ini")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".JPG", ".JPEG", ".png", ".webp", ".bmp", ".tif", ".tiff")
MASK_FORMATS = ("PNG", "BMP", "TIFF", "GIF")  # without loss; GrabCut's masks are BMP


def visible_files(folder: Path, pattern: str = "*") -> list[Path]:
    """Files by name, without those that file managers leave behind."""
    found = (p for p in folder.glob(pattern) if not p.name.startswith("."))
    return sorted(p for p in found if p.name not in LEFT_BEHIND and p.is_file())


def need_folder(folder: Path, expected: str) -> Path:
    """
    The folder, if it is there.

    Raises:
        FileMissing: It is not; ``expected`` says what a data set of this layout has, and where
            to get it.
    """
    if not folder.is_dir():
        raise FileMissing(folder, f"a folder ({expected})")
    return folder


def need_file(file: Path, expected: str) -> Path:
    """The file, if it is there. Raises FileMissing, as ``need_folder``."""
    if not file.is_file():
        raise FileMissing(file, f"a file ({expected})")
    return file


def image_of(folder: Path, stem: str) -> Path:
    """The picture of a name: .jpg where there is one, else another kind; it may be missing."""
    paths = [folder / f"{stem}{suffix}" for suffix in PICTURE_SUFFIXES]
    return next((path for path in paths if path.is_file()), paths[0])


def is_there(path: Path, named_by: Path, options: ReaderOptions) -> bool:
    """Whether a file exists; if not, that is a problem. Raises DatasetBroken."""
    if path.is_file():
        return True
    options.complain(f"{path} is missing; {named_by} names it")
    return False


def listed_pairs(
    names: Path, pictures: Path, masks: Path, mask_suffix: str, options: ReaderOptions
) -> tuple[Annotated, ...]:
    """
    The pictures that a list names, each with its one mask.

    Raises:
        FileMissing: There is no such list.
        DatasetBroken: A picture or mask is not there (a problem that may be collected), or none is.
    """
    found = []
    for line in read_list(names):
        stem = Path(line).stem
        picture, mask = image_of(pictures, stem), masks / f"{stem}{mask_suffix}"
        if is_there(picture, names, options) and is_there(mask, names, options):
            found.append(Annotated(stem, picture, (mask,)))
    if not found:
        raise DatasetBroken(f"{names} names no picture that is in {pictures} with its mask")
    return tuple(found)


def by_stem(paths: Sequence[Path], options: ReaderOptions) -> dict[str, Path]:
    """
    Files by name without suffix, in their order; of two with the same name the first.

    Raises:
        DatasetBroken: Two have the same name (a problem that may be collected).
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            options.complain(f"{found[path.stem]} and {path} have the same id {path.stem}")
        else:
            found[path.stem] = path
    return found


def read_list(path: Path) -> list[str]:
    """
    The lines of a list of pictures, without empty ones.

    Raises:
        FileMissing: There is no such file.
        DatasetBroken: It is no text, or names nothing.
    """
    if not path.is_file():
        raise FileMissing(path, "a text file that names one picture a line")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetBroken(f"{path} is not UTF-8 text: {error}") from error
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise DatasetBroken(f"{path} names no picture")
    return found


def chosen_ids(known: Sequence[str], options: ReaderOptions) -> list[str]:
    """
    The ids to take: all of them, or those of the image list, in the list's order.

    A line is an id, or the name or path of a file whose stem is one.

    Raises:
        DatasetBroken: The list names a picture that is not there (a problem that may be
            collected).
    """
    if options.image_list is None:
        return list(known)
    there, found = set(known), dict[str, None]()
    for line in read_list(options.image_list):
        stem = Path(line).stem
        image_id = line if line in there else stem
        if image_id in there:
            found[image_id] = None
        else:
            options.complain(f"{options.image_list} names {line}, which is not in the data set")
    return list(found)


def read_label_map(path: Path) -> IntArray:
    """
    A label map as integers, (H0, W0); palette indices and 16-bit values stay as stored.

    Raises:
        DatasetBroken: The file is no readable single-channel PNG.
    """
    labels = read_mask_file(path, PNG_ONLY, "a PNG label map")
    if labels.ndim != 2:
        raise DatasetBroken(f"{path} has {labels.shape[2]} channels; a label map has one")
    return labels


def read_mask_file(
    path: Path,
    formats: Sequence[str] = MASK_FORMATS,
    what: str = "a mask",
    *,
    as_shown: bool = False,
) -> IntArray:
    """
    The stored values of a mask file, (H0, W0) or (H0, W0, C); black and white as 0 and 1.

    Args:
        path: The file.
        formats: Pillow's names of the formats that are let in.
        what: What the file should have been, for the error.
        as_shown: Whether a palette's colours are read, (H0, W0, 3), instead of its indices.

    Raises:
        DatasetBroken: The file cannot be read.
    """
    try:
        with Image.open(path, formats=list(formats)) as image:
            shown = image.convert("RGB") if as_shown and image.mode == "P" else image
            values = np.array(shown)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetBroken(f"{path} cannot be read as {what}: {error}") from error
    return values.astype(np.uint8) if values.dtype == bool else values
