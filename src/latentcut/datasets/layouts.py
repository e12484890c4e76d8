"""Which layouts there are, how one is told from another, and how a spec is read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from latentcut.datasets.ade20k import Ade20kDataset
from latentcut.datasets.coco import CocoDataset
from latentcut.datasets.dataset import MapDataset, ReaderOptions
from latentcut.datasets.davis import DavisDataset
from latentcut.datasets.folder import FolderDataset
from latentcut.datasets.pairs import (
    BerkeleyDataset,
    GrabCutDataset,
    LoosePairsDataset,
    pair_of_folders,
)
from latentcut.datasets.sbd import SbdDataset, dataset_folder
from latentcut.datasets.voc import VocDataset, year_folder
from latentcut.errors import DatasetBroken, FileMissing, nearest


class Reader(Protocol):
    """A class that reads one layout."""

    format: str

    def __call__(self, path: Path, options: ReaderOptions) -> MapDataset:
        """Open a path."""


READERS: dict[str, Reader] = {
    reader.format: reader
    for reader in (
        FolderDataset,
        GrabCutDataset,
        BerkeleyDataset,
        DavisDataset,
        SbdDataset,
        VocDataset,
        CocoDataset,
        Ade20kDataset,
        LoosePairsDataset,
    )
}


def parse_spec(spec: str | Path, layout: str | None) -> tuple[str | None, Path, dict[str, str]]:
    """
    Layout, path and options of ``[FORMAT:]PATH[?key=value&...]``.

    Raises:
        DatasetBroken: The layout is unknown, or an option has no value.
    """
    text = str(spec)
    if layout is None and not Path(text).exists():
        first, colon, rest = text.partition(":")
        if colon and len(first) > 1:  # one letter is a drive of Windows
            layout, text = first, rest
    if layout is not None and layout not in READERS:
        raise DatasetBroken(f"there is no data set format {layout!r}; {nearest(layout, READERS)}")
    more: dict[str, str] = {}
    if not Path(text).exists():
        text, _, query = text.partition("?")
        try:
            more = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        except ValueError as error:
            raise DatasetBroken(f"?{query} is not key=value&key=value") from error
    path = Path(text)
    return layout, path.resolve() if path.name in ("", "..") else path, more


def open_layout(path: Path, layout: str | None, options: ReaderOptions) -> MapDataset:
    """
    Open a path with the reader of a layout, or of the one it seems to have.

    Raises:
        FileMissing, DatasetBroken, MissingExtra: As ``open_dataset``.
    """
    if layout is None and not path.exists():
        raise FileMissing(path, "a data set: a folder, or a COCO JSON file")
    found = layout or detect(path)
    if found is None:
        raise DatasetBroken(
            f"{path} has no layout that is known: give FORMAT:PATH with one of "
            f"{', '.join(sorted(READERS))}"
        )
    return READERS[found](path, options)


def detect(path: Path) -> str | None:
    """The layout that a folder or file seems to have, by the names in it; None: none."""
    if path.is_file():
        return "coco" if path.suffix.lower() == ".json" else None
    has = {p.name for p in path.iterdir()}
    if {"data_GT", "boundary_GT"} <= has:
        return "grabcut"
    if (year_folder(path) / "SegmentationObject").is_dir():
        return "voc"
    if (dataset_folder(path) / "inst").is_dir():
        return "sbd"
    if {"JPEGImages", "Annotations"} <= has:
        return "davis"
    if "annotations_instance" in has or is_ade20k(path):
        return "ade20k"
    if any(path.glob("annotations/*.json")):
        return "coco"
    if {"images", "masks"} <= has:
        is_berkeley = path.name.lower() == "berkeley" and "META.json" not in has
        return "berkeley" if is_berkeley else "folder"
    if pair_of_folders(path):
        return "pairs"
    return "folder" if {"images", "masks"} & has else None


def is_ade20k(path: Path) -> bool:
    """Whether images/ holds a split of ADE20K's full release."""
    roots = (path / "images", path / "images" / "ADE")
    splits = (root / split for root in roots for split in ("training", "validation"))
    return any(next(p.glob("**/*_seg.png"), None) is not None for p in splits if p.is_dir())
