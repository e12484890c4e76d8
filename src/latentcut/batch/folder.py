"""The images of a folder, for batches that have no file of prompts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from latentcut.batch.prompts import ImagePrompts, PromptSet
from latentcut.errors import FileMissing, NoImages

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


def images_in(folder: Path) -> PromptSet:
    """
    Every image of a folder and the folders below, by name; hidden ones are passed over.

    Raises:
        FileMissing: It is no folder.
        NoImages: There is none.
    """
    if not folder.is_dir():
        raise FileMissing(folder, "a folder of images")
    paths = sorted(_found(folder, ""))
    if not paths:
        raise NoImages(folder, IMAGE_SUFFIXES)
    return PromptSet(tuple(map(ImagePrompts, paths)))


def _found(folder: Path, below: str) -> Iterator[str]:
    with os.scandir(folder / below) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _found(folder, f"{below}{entry.name}/")
            elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                yield below + entry.name
