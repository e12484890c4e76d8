"""
One function for every import, used by the command line and the server alike.

A file is read and checked completely before the project is touched. Names in it are only
compared with those of the project's images; no file is ever opened by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentcut.errors import BadAnnotationFile, nearest
from latentcut.formats.coco import read_coco
from latentcut.formats.json_input import Source
from latentcut.formats.labelme import read_labelme
from latentcut.formats.names import plain_stem, shown
from latentcut.formats.png import read_png
from latentcut.formats.png_input import PNG_MAGIC
from latentcut.formats.project import import_into
from latentcut.formats.records import AnnotatedImage, AnnotationSet, Note, Notes
from latentcut.store.project import ProjectStore
from latentcut.store.rows import ImageRow

READERS: dict[str, Callable[[str, bytes, Notes], AnnotationSet]] = {
    "coco": read_coco,
    "labelme": read_labelme,
    "png": read_png,
}
MANY_NAMES = 3  # as many as are named where none fits


@dataclass(frozen=True)
class ImportedImage:
    """An image that was changed: its number, path and new revision, and what it got."""

    id: int
    path: str
    revision: int
    num_objects: int


@dataclass(frozen=True)
class ImportReport:
    """
    What an import did.

    Attributes:
        format: Its name.
        images: Those that were changed; each has one action that can be undone.
        notes: Everything that was left out.
    """

    format: str
    images: tuple[ImportedImage, ...]
    notes: tuple[Note, ...]

    @property
    def num_objects(self) -> int:
        """Objects that were added."""
        return sum(image.num_objects for image in self.images)

    @property
    def lines(self) -> list[str]:
        """The notes for a person."""
        return [note.line for note in self.notes]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "format": self.format,
            "images": [vars(image) for image in self.images],
            "num_objects": self.num_objects,
            "report": [{"what": n.sentence, "where": list(n.places)} for n in self.notes],
        }


def import_file(
    store: ProjectStore,
    folder: Path,
    format_name: str | None,
    name: str,
    data: bytes,
    image_id: int | None = None,
) -> ImportReport:
    """
    Add the objects of a file to a project.

    Args:
        store: The project.
        folder: The image folder.
        format_name: A key of `READERS`; None: what the content says.
        name: Of the file, with or without folders; a PNG belongs to the image of that name.
        data: Its bytes.
        image_id: The image that is meant, whatever the file calls it; None: by its name.

    Raises:
        BadAnnotationFile: The file breaks the rules of its format or a limit, or none of its
            images is in the project. Nothing was changed.
        NotInProject: There is no image of that number.
    """
    format_name = format_name or format_of_content(name, data)
    if format_name not in READERS:
        raise BadAnnotationFile(
            f"there is no format {format_name!r}: {nearest(format_name, READERS)}"
        )
    notes = Notes()
    annotations = READERS[format_name](name, data, notes)
    images = tuple(annotations.read_images())
    rows = store.images()
    if image_id is None:
        pairs = _by_name(rows, images, format_name, name, notes)
    else:
        row = store.image(image_id)
        pairs = [(image_id, _the_one(row, images, format_name, name))]
    if images and not pairs:
        some = ", ".join(shown(image.path) for image in images[:MANY_NAMES])
        more = ", ..." if len(images) > MANY_NAMES else ""
        raise BadAnnotationFile(
            f"{shown(name)} belongs to no image of this project: it is for {some}{more}"
        )
    changed = import_into(store, folder, pairs, annotations.label_names, notes)
    paths = {row.id: row.path for row in rows}
    done = [ImportedImage(i, paths[i], *counts) for i, counts in changed.items()]
    return ImportReport(format_name, tuple(done), notes.all())


def format_of_content(name: str, data: bytes) -> str:
    """
    Which format a file has, by its content.

    Raises:
        BadAnnotationFile: None that we read.
    """
    if data.startswith(PNG_MAGIC):
        return "png"
    keys = Source(name, data).json_object().keys()
    if "shapes" in keys:
        return "labelme"
    if "annotations" in keys or "images" in keys:
        return "coco"
    raise BadAnnotationFile(
        f"{shown(name)} cannot be imported: it is neither COCO nor labelme JSON nor a PNG mask"
    )


def _by_name(
    rows: Sequence[ImageRow],
    images: Sequence[AnnotatedImage],
    format_name: str,
    name: str,
    notes: Notes,
) -> list[tuple[int, AnnotatedImage]]:
    """Each image of a file with the number of the project's image that it names."""
    index = _Index([row.path for row in rows])
    pairs: dict[int, AnnotatedImage] = {}
    for image in images:
        place = index.find(_spellings(image, format_name, name))
        if place is None:
            notes.add("images are not in this project, or several could be meant", image.path)
        elif rows[place].id in pairs:
            notes.add("images are in the file twice; the second is left out", image.path)
        else:
            pairs[rows[place].id] = image
    return list(pairs.items())


def _spellings(image: AnnotatedImage, format_name: str, name: str) -> list[tuple[str, bool]]:
    """Names an image may go by, best first, and whether they have the image's suffix."""
    stem = plain_stem(name)
    if format_name == "png":
        spellings = [(stem, False), (stem.rpartition("__")[0], False)]
    elif format_name == "labelme":  # which lies beside its image, under the same name
        spellings = [(image.path, True), (stem, False)]
    else:
        spellings = [(image.path, True)]
    # Windows separates folders by what is part of a name elsewhere
    return [*spellings, *((text.replace("\\", "/"), suffix) for text, suffix in spellings)]


def _the_one(
    row: ImageRow, images: Sequence[AnnotatedImage], format_name: str, name: str
) -> AnnotatedImage:
    """The image of a file that belongs to a given one of the project."""
    index = _Index([row.path])
    named = [i for i in images if index.find(_spellings(i, format_name, name)) is not None]
    fitting = named or images
    if len(fitting) != 1:
        raise BadAnnotationFile(
            f"{shown(name)} has {len(images)} images, and not one of them is {shown(row.path)}"
        )
    return fitting[0]


class _Index:
    """Finds paths by names that have more or fewer folders in front."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._whole: dict[str, list[tuple[int, list[str]]]] = {}
        self._stems: dict[str, list[tuple[int, list[str]]]] = {}
        for place, path in enumerate(paths):
            for table, spelled in ((self._whole, path), (self._stems, plain_stem(path))):
                segments = spelled.split("/")
                table.setdefault(segments[-1], []).append((place, segments))

    def find(self, spellings: Sequence[tuple[str, bool]]) -> int | None:
        """The only best fit of the first spelling that has one."""
        for spelling, has_suffix in spellings:
            wanted = [s for s in spelling.split("/") if s not in ("", ".", "..")]
            if not wanted:
                continue
            table = self._whole if has_suffix else self._stems
            common: dict[int, list[int]] = {}
            for place, segments in table.get(wanted[-1], []):
                length = min(len(wanted), len(segments))
                if wanted[-length:] == segments[-length:]:
                    is_exact = len(wanted) == len(segments)
                    common.setdefault(length + is_exact * len(wanted), []).append(place)
            if common and len(best := common[max(common)]) == 1:
                return best[0]
        return None
