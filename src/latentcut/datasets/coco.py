"""
COCO and LVIS: one JSON file with the objects of all pictures.

Objects overlap, so a picture has as many label maps as are needed for every object to keep its
whole mask. Crowds (``iscrowd``) are no objects: their pixels do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentcut.datasets.coco_records import (
    CocoImage,
    CocoObject,
    read_records,
)
from latentcut.datasets.coco_shapes import area_of, mask_of, polygon_tool
from latentcut.datasets.dataset import (
    DEFAULT_OPTIONS,
    Annotated,
    BoolArray,
    LabelMap,
    MapDataset,
    ObjectRef,
    ReaderOptions,
    Sample,
)
from latentcut.datasets.files import chosen_ids
from latentcut.errors import DatasetBroken, FileMissing

IGNORED = 65_535
HAS = (
    "COCO has annotations/instances_val2017.json and val2017/, LVIS lvis_v1_val.json; "
    "download: https://cocodataset.org/#download and https://www.lvisdataset.org/dataset"
)


@dataclass(frozen=True)
class CocoAnnotated(Annotated):
    """A picture with what the file says of it."""

    size_hw: tuple[int, int]
    objects: tuple[CocoObject, ...]
    crowds: tuple[CocoObject, ...]


class CocoDataset(MapDataset):
    """
    Instances in the COCO format, also LVIS.

    Args:
        path: The JSON file, or a folder with ``annotations/`` of which one file fits the split.
        options: ``image_list`` names pictures by file name or id; ``images`` is the folder
            of the pictures, if they are in none of the usual places.

    Raises:
        FileMissing: There is no such file.
        DatasetBroken: Several files fit, the file breaks COCO's rules, or pictures are missing.
        MissingExtra: pycocotools is not installed and an object is a polygon.
    """

    format = "coco"
    images: tuple[CocoAnnotated, ...]

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        self.path = Path(path)
        self.file = self.path if self.path.is_file() else annotation_file(self.path, options)
        self.name = self.file.stem
        self.tool = None
        more = options.known(images="")
        places = picture_places(self.file, Path(more["images"]) if more["images"] else None)
        self.images = self._match(places, options)

    def _match(self, places: list[Path], options: ReaderOptions) -> tuple[CocoAnnotated, ...]:
        records = read_records(self.file, options)
        ids = unique_ids(records)
        images = []
        for image_id in chosen_ids(list(ids), options):
            record = ids[image_id]
            objects = tuple(o for o in record.objects if not o.is_crowd)
            if not objects:
                continue  # nothing to segment; about one picture in a hundred of COCO
            picture = find_picture(record, places)
            if picture is None:
                options.complain(f"{record.file_names[0]} is missing; {self.file} names it")
                continue
            crowds = tuple(o for o in record.objects if o.is_crowd)
            entry = CocoAnnotated(image_id, picture, (), record.size_hw, objects, crowds)
            images.append(entry)
        if not images:
            raise DatasetBroken(f"{self.file} has no object in a picture that is there")
        if any(o.is_polygon for entry in images for o in (*entry.objects, *entry.crowds)):
            self.tool = polygon_tool()
        return tuple(images)

    def _mask(self, entry: CocoAnnotated, thing: CocoObject) -> BoolArray:
        return mask_of(thing, entry.size_hw, self.tool, self.file)

    def _crowd(self, entry: CocoAnnotated) -> BoolArray:
        crowd = np.zeros(entry.size_hw, dtype=bool)
        for thing in entry.crowds:
            crowd |= self._mask(entry, thing)
        return crowd

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """Objects in the file's order, each in the first map where it hides none."""
        assert isinstance(entry, CocoAnnotated)  # of this data set
        layers: list[np.ndarray[tuple[int, int], np.dtype[np.uint16]]] = []
        for value, thing in enumerate(entry.objects, start=1):
            mask = self._mask(entry, thing)
            free = next((layer for layer in layers if not layer[mask].any()), None)
            if free is None:
                free = np.zeros(entry.size_hw, dtype=np.uint16)
                layers.append(free)
            free[mask] = value
        names = {value: name_of(entry, thing) for value, thing in enumerate(entry.objects, start=1)}
        crowd = self._crowd(entry)
        ignored = IGNORED if crowd.any() else None
        maps = []
        for number, layer in enumerate(layers, start=1):
            if ignored is not None:
                layer[crowd & (layer == 0)] = ignored
            name = entry.image_id if len(layers) == 1 else f"{entry.image_id}__{number}"
            maps.append(LabelMap(name, layer, ignored, names))
        return maps

    def _is_empty(self, entry: CocoAnnotated, thing: CocoObject) -> bool:
        return area_of(thing, entry.size_hw, self.tool, self.file) == 0

    def empty_objects(self, entry: Annotated) -> list[str]:
        """Objects too thin for COCO's rasteriser. Raises DatasetBroken."""
        assert isinstance(entry, CocoAnnotated)
        empty = (thing for thing in entry.objects if self._is_empty(entry, thing))
        return [name_of(entry, thing) for thing in empty]

    def objects(self) -> Iterator[ObjectRef]:
        """Every object that covers a pixel, named by the file's id. Raises DatasetBroken."""
        for place, entry in enumerate(self.images):
            for number, thing in enumerate(entry.objects):
                if not self._is_empty(entry, thing):
                    name = name_of(entry, thing)
                    yield ObjectRef(name, entry.image_path, place, (number,))

    def sample(self, ref: ObjectRef) -> Sample:
        """One object, and the crowds beside it as what does not count. Raises DatasetBroken."""
        entry = self.images[ref.entry]
        (number,) = ref.key
        gt_mask = self._mask(entry, entry.objects[number])
        return Sample(ref.name, ref.image_path, gt_mask, self._crowd(entry) & ~gt_mask)


def name_of(entry: CocoAnnotated, thing: CocoObject) -> str:
    """The name of an object, by which it is found in the file again."""
    return f"{entry.image_id}:{thing.object_id}"


def annotation_file(path: Path, options: ReaderOptions) -> Path:
    """
    The JSON file of a folder that fits the split.

    Raises:
        FileMissing: There is none.
        DatasetBroken: There are several.
    """
    folder = path / "annotations" if (path / "annotations").is_dir() else path
    files = sorted(p for p in folder.glob("*.json") if not p.name.startswith("."))
    named = [p for p in files if p.name.startswith(("instances", "lvis"))] or files
    fitting = [p for p in named if options.split in p.stem] or named
    if not fitting:
        raise FileMissing(folder / f"instances_{options.split}2017.json", f"a file ({HAS})")
    if len(fitting) > 1:
        names = ", ".join(p.name for p in fitting)
        raise DatasetBroken(
            f"{folder} holds several annotation files; give the path of one: {names}"
        )
    return fitting[0]


def picture_places(file: Path, given: Path | None) -> list[Path]:
    """Folders in which the pictures of an annotation file may lie, the likeliest first."""
    if given is not None:
        return [given]
    root = file.parent.parent if file.parent.name == "annotations" else file.parent
    years = [f"{split}{year}" for split in ("val", "train") for year in (2017, 2014)]
    splits = [name for name in years if name in file.stem]
    inner = [name for split in splits for name in (split, f"images/{split}")]
    return [root / name for name in (*inner, "", "images")] + [file.parent]


def find_picture(record: CocoImage, places: list[Path]) -> Path | None:
    """Where a picture lies, by the names that the file has for it."""
    paths = (place / name for name in record.file_names for place in places)
    return next((path for path in paths if path.is_file()), None)


def unique_ids(records: list[CocoImage]) -> dict[str, CocoImage]:
    """Pictures by the stem of their name; by the file's id as well where stems are equal."""
    stems = [Path(record.file_names[0]).stem for record in records]
    twice = (
        {stem for stem in stems if stems.count(stem) > 1} if len(set(stems)) < len(stems) else ()
    )
    return {
        f"{stem}-{record.image_id}" if stem in twice else stem: record
        for stem, record in zip(stems, records, strict=True)
    }
