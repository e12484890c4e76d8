"""
One function for every export, used by the command line and the server alike.

Formats are chosen by name; each lists its files one after the other, and the files reach the
disk whole or not at all.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from latentcut.errors import BadConfig, OutputExists, nearest
from latentcut.formats.coco import coco_files
from latentcut.formats.cutouts import cutout_files
from latentcut.formats.folder import LIST_NAME, ExportFolder, listed_files
from latentcut.formats.labelme import labelme_files
from latentcut.formats.png import check_png, png_files
from latentcut.formats.project import annotation_set
from latentcut.formats.records import (
    AnnotatedImage,
    AnnotationSet,
    ExportedFile,
    ExportOptions,
    Job,
    Note,
    Notes,
)
from latentcut.formats.voc import check_voc, voc_files
from latentcut.formats.yolo import yolo_files
from latentcut.store.project import ProjectStore

EXPORT_FOLDER = "latentcut-export"  # in the image folder, when no other place is given

Progress = Callable[[int, int], None]  # images done, images in all


@dataclass(frozen=True)
class Writer:
    """
    A format that can be written.

    Attributes:
        files: Lists the files of an export, index files last.
        options: Names of the options it knows, besides `only_done`.
        check: Refuses what cannot be written, before anything is; None: all can.
    """

    files: Callable[[Job], Iterator[ExportedFile]]
    options: tuple[str, ...] = ()
    check: Callable[[AnnotationSet], None] | None = None


WRITERS = {
    "coco": Writer(coco_files, ("polygons", "crowd_rle")),
    "yolo": Writer(yolo_files, ("separate_lines", "copy_images")),
    "voc": Writer(voc_files, ("void_px", "copy_images"), check_voc),
    "labelme": Writer(labelme_files, ("mask_shapes", "embed_images")),
    "png": Writer(png_files, ("object_masks",), check_png),
    "cutouts": Writer(cutout_files, ("feather_px", "decontaminate")),
}


@dataclass(frozen=True)
class ExportReport:
    """
    What an export did.

    Attributes:
        format: Its name.
        folder: Where the files lie.
        files: Paths in the folder, with forward slashes, sorted.
        num_images: Images looked at.
        num_objects: Objects written.
        notes: Every loss and every choice.
    """

    format: str
    folder: Path
    files: tuple[str, ...]
    num_images: int
    num_objects: int
    notes: tuple[Note, ...]

    @property
    def lines(self) -> list[str]:
        """The notes for a person."""
        return [note.line for note in self.notes]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        report = [{"what": note.sentence, "where": list(note.places)} for note in self.notes]
        return {
            "format": self.format,
            "folder": str(self.folder),
            "files": list(self.files),
            "num_images": self.num_images,
            "num_objects": self.num_objects,
            "report": report,
        }


def export_project(
    store: ProjectStore,
    folder: Path,
    format_name: str,
    output: Path | None = None,
    options: ExportOptions | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """
    Write the annotations of a project.

    Args:
        store: The project.
        folder: The image folder.
        format_name: A key of `WRITERS`.
        output: Folder to write into; None: latentcut-export/FORMAT in the image folder.
        options: What can be chosen.
        progress: Told after every image.

    Raises:
        BadConfig: There is no such format.
        BadMask: The format cannot hold so many objects or labels; nothing was written.
        OutputExists: The folder holds something that no export wrote; that stays as it is.
        OSError: A file could not be written. What is there is whole, and the same call goes on.
    """
    options, notes = options or ExportOptions(), Notes()
    annotations = annotation_set(store, folder, options.only_done, notes)
    target = output or folder / EXPORT_FOLDER / format_name
    return export_annotations(annotations, format_name, target, options, progress, notes)


def export_annotations(
    annotations: AnnotationSet,
    format_name: str,
    output: Path,
    options: ExportOptions | None = None,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> ExportReport:
    """
    Write annotations from anywhere; see `export_project`.

    Args:
        annotations: What to write.
        format_name: A key of `WRITERS`.
        output: Folder to write into.
        options: What can be chosen.
        progress: Told after every image.
        notes: What is known already, for the report.
    """
    if format_name not in WRITERS:
        raise BadConfig(f"there is no format {format_name!r}: {nearest(format_name, WRITERS)}")
    writer, notes = WRITERS[format_name], notes or Notes()
    if writer.check is not None:
        writer.check(annotations)
    followed = replace(annotations, read_images=lambda: _followed(annotations, progress))
    way = _way(output, annotations.folder)
    job = Job(followed, options or ExportOptions(), notes, way)
    files = ExportFolder(output, format_name).write(writer.files(job), notes)
    return ExportReport(
        format_name, output, files, annotations.num_images, notes.num_objects, notes.all()
    )


def write_zip(folder: Path, target: IO[bytes]) -> None:
    """
    Pack a finished export into one ZIP file: what the export wrote and nothing else.

    Args:
        folder: Of the export.
        target: Open for writing bytes.

    Raises:
        FileMissing: There is no finished export.
    """
    names = [*sorted(listed_files(folder)), LIST_NAME]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            # without the time of the file: equal exports are equal archives
            archive.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes())


def _followed(annotations: AnnotationSet, progress: Progress | None) -> Iterator[AnnotatedImage]:
    for done, image in enumerate(annotations.read_images(), start=1):
        yield image
        if progress is not None:
            progress(done, annotations.num_images)


def _way(output: Path, images: Path) -> str:
    """How to get from a folder to another, with forward slashes."""
    try:
        return os.path.relpath(images.resolve(), output.resolve()).replace(os.sep, "/")
    except ValueError as error:
        raise OutputExists(
            f"{output} is on another drive than {images}; give a folder on the same one"
        ) from error
