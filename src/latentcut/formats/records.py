"""
Annotated images as every format takes and gives them: no database, no file layout.

Masks are read when they are asked for, so that a project of any size passes through one image
at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.annotation.records import Label
from latentcut.core.masks import CocoRle
from latentcut.formats import runs as run_lengths
from latentcut.formats.names import Stems, safe_name, shown
from latentcut.formats.runs import Runs

UNLABELLED = "unlabelled"  # what objects without a label are called in formats that need one
NOWHERE = Path()  # folder of what was read from a file
MAX_LABEL_BYTES = 60  # in the name of a file
SHOWN_PLACES = 10  # of a note, for a person; all of them are in its JSON

BoolArray = NDArray[np.bool_]
Facts = Mapping[str, Any]  # a JSON object


@dataclass(frozen=True, kw_only=True)
class AnnotatedObject:
    """
    One object of an image.

    Attributes:
        size_hw: Of its image.
        read_runs: Gives its mask; called again whenever the mask is asked for.
        id: Its number in the project; 0 for one that is not there yet.
        label: Name of its label; None: not labelled.
        name: Free text; may be empty.
        position: Order in the image; where masks overlap, the later object is in front.
        attributes: What only we know: its parts with clicks and scores.
        extra: Keys of the file it comes from that nobody here knows.
    """

    size_hw: tuple[int, int]
    read_runs: Callable[[], Runs]
    id: int = 0
    label: str | None = None
    name: str = ""
    position: int = 0
    attributes: Facts = field(default_factory=dict)
    extra: Facts = field(default_factory=dict)

    def outlook(self) -> Outlook:
        """The mask with its box, read once."""
        runs = self.read_runs()
        return Outlook(self.size_hw, runs, run_lengths.box_xyxy(runs, self.size_hw[0]))

    def mask(self) -> BoolArray:
        """The mask, bool (H, W)."""
        height, width = self.size_hw
        return run_lengths.crop(self.read_runs(), self.size_hw, (0, 0, width, height))


class Outlook(NamedTuple):
    """
    A mask as writers look at it.

    Attributes:
        size_hw: Of the image.
        runs: The mask.
        box_xyxy: Smallest box around it, half-open; None when it is empty.
    """

    size_hw: tuple[int, int]
    runs: Runs
    box_xyxy: tuple[int, int, int, int] | None

    @property
    def area(self) -> int:
        """Pixels."""
        return run_lengths.area(self.runs)

    @property
    def rle(self) -> CocoRle:
        """Compressed COCO code."""
        return run_lengths.rle_of_runs(self.runs, self.size_hw)

    def crop(self) -> tuple[BoolArray, tuple[int, int]]:
        """The mask inside its box, bool (h, w), and the box's corner (x0, y0); not if empty."""
        if self.box_xyxy is None:
            raise AssertionError("an empty mask has no crop")
        return run_lengths.crop(self.runs, self.size_hw, self.box_xyxy), self.box_xyxy[:2]


@dataclass(frozen=True, kw_only=True)
class AnnotatedImage:
    """
    One image.

    Attributes:
        path: Relative to the image folder, with forward slashes; as a file wrote it, when it
            was read from one.
        width: Of the upright image, in pixels.
        height: Likewise.
        objects: By position.
        id: Its number in the project; 0 for one that was read from a file.
        extra: Keys of the file it comes from that nobody here knows.
    """

    path: str
    width: int
    height: int
    objects: tuple[AnnotatedObject, ...] = ()
    id: int = 0
    extra: Facts = field(default_factory=dict)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return self.height, self.width

    def place(self, record: AnnotatedObject) -> str:
        """Where an object is, for a report."""
        name = f" {record.name!r}" if record.name else ""
        return f"{self.path} object {record.id or record.position}{name}"


@dataclass(frozen=True)
class AnnotationSet:
    """
    What is written: images of one folder.

    Attributes:
        folder: The image folder.
        labels: In order; two of one name are one.
        read_images: Goes through the images; may be called more than once.
        num_images: How many there are.
        extra: Keys of the file it comes from that nobody here knows.
    """

    folder: Path
    labels: tuple[Label, ...]
    read_images: Callable[[], Iterator[AnnotatedImage]]
    num_images: int
    extra: Facts = field(default_factory=dict)

    @functools.cached_property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels in order, each once."""
        return tuple(dict.fromkeys(label.name for label in self.labels))


@dataclass(frozen=True)
class Note:
    """
    One kind of thing worth knowing about an export or import.

    Attributes:
        sentence: What happened.
        places: Where, each time it did; empty where it concerns the whole.
    """

    sentence: str
    places: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """For a person: the sentence, how often, and the first places."""
        if not self.places:
            return self.sentence
        some = ", ".join(shown(place) for place in self.places[:SHOWN_PLACES])
        more = len(self.places) - SHOWN_PLACES
        rest = f" and {more} more" if more > 0 else ""
        return f"{self.sentence} ({len(self.places)}): {some}{rest}"


class Notes:
    """
    Collects what is worth knowing while files are written or read.

    Attributes:
        num_objects: Objects written so far.
    """

    def __init__(self) -> None:
        self.num_objects = 0
        self._places: dict[str, dict[str, None]] = {}

    def add(self, sentence: str, place: str | None = None) -> None:
        """Note something, at a place or about the whole; the same twice is noted once."""
        places = self._places.setdefault(sentence, {})
        if place is not None:
            places[place] = None

    def all(self) -> tuple[Note, ...]:
        """Everything noted, in the order in which each kind came up first."""
        return tuple(Note(sentence, tuple(places)) for sentence, places in self._places.items())


class ExportedFile(NamedTuple):
    """
    A file of an export.

    Attributes:
        path: In the export folder, with forward slashes.
        data: The whole content.
    """

    path: str
    data: bytes


@dataclass(frozen=True)
class ExportOptions:
    """
    What can be chosen; the defaults lose the least.

    Attributes:
        only_done: Only images that are marked done.
        polygons: COCO: outlines instead of run-length codes, where an object has no hole.
        crowd_rle: COCO: run-length codes get iscrowd 1, for loaders that insist.
        separate_lines: YOLO: one line per part instead of one bridged line per object.
        copy_images: YOLO and VOC: put the pictures beside their annotations.
        void_px: VOC: width of the void border that is drawn around objects, in pixels.
        mask_shapes: labelme: every object as a mask shape, none as polygons.
        embed_images: labelme: the picture inside its JSON file.
        object_masks: PNG: besides, one black and white mask per object.
        feather_px: Cut-outs: how far the edge is softened, in pixels.
        decontaminate: Cut-outs: edge pixels take the colour of the inside next to them.
    """

    only_done: bool = False
    polygons: bool = False
    crowd_rle: bool = False
    separate_lines: bool = False
    copy_images: bool = False
    void_px: int = 0
    mask_shapes: bool = False
    embed_images: bool = False
    object_masks: bool = False
    feather_px: float = 0.0
    decontaminate: bool = False


@dataclass(frozen=True)
class Job:
    """
    All that a writer needs.

    Attributes:
        annotations: What to write.
        options: How.
        notes: Takes every loss and every choice.
        to_images: Way from the export folder to the image folder, with forward slashes.
    """

    annotations: AnnotationSet
    options: ExportOptions = ExportOptions()
    notes: Notes = field(default_factory=Notes)
    to_images: str = "."

    def objects(self, image: AnnotatedImage) -> Iterator[tuple[AnnotatedObject, Outlook]]:
        """The objects of an image with their masks; empty ones are noted and left out."""
        for record in image.objects:
            outlook = record.outlook()
            if outlook.box_xyxy is None:
                self.notes.add("empty objects are left out", image.place(record))
                continue
            self.notes.num_objects += 1
            yield record, outlook

    def way_to(self, image: AnnotatedImage, from_file: str) -> str:
        """Path of an image relative to a file of the export, with forward slashes."""
        way = [".."] * from_file.count("/")
        way += [self.to_images] if self.to_images != "." else []
        return "/".join([*way, image.path])

    def stem_of(self, image: AnnotatedImage, stems: Stems) -> str:
        """Where the files of an image go; noted where that is not its own name."""
        stem = stems.of(image.path)
        if stem != stems.plain(image.path):
            self.notes.add("files have another name than their image", f"{image.path} ({stem})")
        return stem

    def file_label(self, record: AnnotatedObject) -> str:
        """An object's label as a part of a file name; noted where it had to be changed."""
        label = UNLABELLED if record.label is None else record.label
        name = safe_name(label, MAX_LABEL_BYTES)
        if name != label:
            self.notes.add("labels are changed in names of files", f"{label} ({name})")
        return name

    def class_of(self, image: AnnotatedImage, record: AnnotatedObject) -> str:
        """Name of an object's label; noted where it has none."""
        if record.label is None:
            self.notes.add(f"objects without a label are {UNLABELLED!r}", image.place(record))
            return UNLABELLED
        return record.label


def object_of_runs(runs: Runs, size_hw: tuple[int, int], **facts: Any) -> AnnotatedObject:
    """An object whose mask is at hand; `facts` are its other attributes."""
    return AnnotatedObject(size_hw=size_hw, read_runs=lambda: runs, **facts)


def object_of_mask(mask: BoolArray, **facts: Any) -> AnnotatedObject:
    """An object of a mask, bool (H, W)."""
    height, width = mask.shape
    return object_of_runs(run_lengths.runs_of_mask(mask), (height, width), **facts)


def images_as_set(
    images: Iterable[AnnotatedImage],
    labels: Iterable[Label] | None = None,
    folder: Path = NOWHERE,
    extra: Facts | None = None,
) -> AnnotationSet:
    """
    A set of images at hand.

    Args:
        images: The images.
        labels: In order; None: those of the objects, as they come up.
        folder: The image folder; not needed by formats that look at no picture.
        extra: Keys of the file it comes from that nobody here knows.
    """
    every = tuple(images)
    if labels is None:
        names = dict.fromkeys(o.label for i in every for o in i.objects if o.label is not None)
        labels = [Label(id=n, name=name) for n, name in enumerate(names, start=1)]
    return AnnotationSet(folder, tuple(labels), lambda: iter(every), len(every), extra or {})
