"""
What a data set is, whatever its layout on disk: pictures, label maps, objects.

A label map is an integer per pixel: 0 = background or not labelled, any other value = one
object, ``ignore_value`` = does not count. A picture has one map or several: other annotators,
other levels (parts and wholes), or objects that overlap.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from latentcut.core.images import read_image
from latentcut.errors import DatasetBroken, nearest

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer]
Split = Literal["train", "val"]


@dataclass(frozen=True)
class Annotated:
    """
    One picture and the files of its masks.

    Attributes:
        image_id: Unique in its data set.
        image_path: The picture; read it with ``core.images.read_image``.
        mask_paths: Empty where one file holds the masks of all pictures (COCO).
    """

    image_id: str
    image_path: Path
    mask_paths: tuple[Path, ...]


@dataclass(frozen=True)
class LabelMap:
    """
    Objects of one picture that do not overlap.

    Attributes:
        name: Unique in its data set.
        labels: Unsigned integers (H0, W0), 0 = background.
        ignore_value: Pixels of this value do not count; None: all do.
        names: What objects are called, by value, where it is not ``name:value``.
    """

    name: str
    labels: IntArray
    ignore_value: int | None
    names: Mapping[int, str] = field(default_factory=dict)

    def name_of(self, value: int) -> str:
        """The name of an object, as in ``ObjectRef.name``."""
        return self.names.get(value, f"{self.name}:{value}")

    @property
    def values(self) -> list[int]:
        """The values of the objects, ascending."""
        return label_values(self.labels, self.ignore_value)

    @property
    def ignore_mask(self) -> BoolArray:
        """Pixels that do not count, bool (H0, W0)."""
        if self.ignore_value is None:
            return np.zeros(self.labels.shape, dtype=bool)
        return np.asarray(self.labels == self.ignore_value)


@dataclass(frozen=True)
class ObjectRef:
    """
    One object without its pixels; small, and may be sent to another process.

    Attributes:
        name: Unique in its data set.
        image_path: The picture.
        entry: Place of the picture in ``Dataset.images``.
        key: Where its data set finds it in that picture; means nothing elsewhere.
    """

    name: str
    image_path: Path
    entry: int
    key: tuple[int, ...]


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


class Dataset(Protocol):
    """
    Any data set, as evaluation and training see it.

    Attributes:
        name: For people and for file names.
        path: What was opened.
        images: In a fixed order, with at least one.
    """

    name: str
    path: Path
    images: tuple[Annotated, ...]

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """All maps of one picture, at least one. Raises DatasetBroken."""

    def objects(self) -> Iterator[ObjectRef]:
        """Every object in a fixed order. Raises DatasetBroken."""

    def sample(self, ref: ObjectRef) -> Sample:
        """The masks of one object as listed by ``objects``. Raises DatasetBroken."""


@dataclass(frozen=True)
class ReaderOptions:
    """
    What may be chosen of a data set; each reader knows which of it means something to it.

    Attributes:
        image_list: Text file that names the pictures to take, one a line.
        split: Of layouts with official lists: which one is taken where no list is given.
        more: Options of one layout, by name.
        problems: Collects what does not fit, in sentences; None: the first is raised.
    """

    image_list: Path | None = None
    split: Split = "val"
    more: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] | None = None

    def known(self, **defaults: str) -> dict[str, str]:
        """The layout's options with those given in place. Raises DatasetBroken for unknown ones."""
        for key in self.more:
            if key not in defaults:
                raise DatasetBroken(
                    f"{key} is no option here; {nearest(key, ('list', 'split', *defaults))}"
                )
        return {**defaults, **self.more}

    def complain(self, problem: str) -> None:
        """Note a problem that leaves the rest usable. Raises DatasetBroken if none is noted."""
        if self.problems is None:
            raise DatasetBroken(problem)
        self.problems.append(problem)


DEFAULT_OPTIONS = ReaderOptions()


class MapDataset(ABC):
    """A data set whose objects are the values of its label maps; base of the readers."""

    format: ClassVar[str]  # what it is called in ``format:path``
    name: str
    path: Path
    images: tuple[Annotated, ...]

    @abstractmethod
    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """All maps of one picture, at least one. Raises DatasetBroken."""

    def label_map(self, entry: Annotated, number: int) -> LabelMap:
        """One map of a picture; readers that keep maps in files of their own read only that."""
        return self.label_maps(entry)[number]

    def empty_objects(self, entry: Annotated) -> list[str]:
        """Names of objects of a picture that have no pixel; a label map cannot hold such."""
        return []

    def objects(self) -> Iterator[ObjectRef]:
        """Every value of every map, picture by picture. Raises DatasetBroken."""
        for place, entry in enumerate(self.images):
            for number, label_map in enumerate(self.label_maps(entry)):
                for value in label_map.values:
                    name = label_map.name_of(value)
                    yield ObjectRef(name, entry.image_path, place, (number, value))

    def sample(self, ref: ObjectRef) -> Sample:
        """The masks of one object as listed by ``objects``. Raises DatasetBroken."""
        number, value = ref.key
        label_map = self.label_map(self.images[ref.entry], number)
        return sample_of(label_map, value, ref.name, ref.image_path)


def open_dataset(
    spec: str | Path,
    format: str | None = None,
    image_list: Path | None = None,
    *,
    split: str = "val",
    problems: list[str] | None = None,
) -> MapDataset:
    """
    Open a data set of any known layout.

    Args:
        spec: ``[FORMAT:]PATH[?key=value&...]``. The layout is found out where no format is
            given. Keys: ``list`` (as image_list), ``split``, and those of one layout. A path
            that exists as it is written is never taken apart.
        format: The layout, if ``spec`` does not begin with it.
        image_list: Text file that names the pictures to take, one a line.
        split: Of layouts with official lists: which one is taken where no list is given, train
            or val.
        problems: Collects what does not fit; None: the first is raised. What leaves nothing to
            read is raised in any case.

    Raises:
        FileMissing: The path does not exist, or a file or folder of the layout.
        DatasetBroken: The layout is unknown or something in it does not fit.
        MissingExtra: The layout needs packages of the extra ``evaluation``.
    """
    from latentcut.datasets.layouts import open_layout, parse_spec  # they import this module

    found, path, more = parse_spec(spec, format)
    given_list, given_split = more.pop("list", None), more.pop("split", split)
    if given_split not in ("train", "val"):
        raise DatasetBroken(f"split={given_split} is unknown: give train or val, or list=FILE")
    chosen = image_list or (None if given_list is None else Path(given_list))
    options = ReaderOptions(chosen, "train" if given_split == "train" else "val", more, problems)
    return open_layout(path, found, options)


def label_values(labels: IntArray, ignore_value: int | None) -> list[int]:
    """The object values in a label map, ascending: neither 0 nor the ignore value."""
    return [int(v) for v in np.unique(labels) if v != 0 and v != ignore_value]


def sample_of(label_map: LabelMap, value: int, name: str, image_path: Path) -> Sample:
    """One object of a label map."""
    gt_mask = np.asarray(label_map.labels == value)
    return Sample(name, image_path, gt_mask, label_map.ignore_mask)


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
