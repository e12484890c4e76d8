"""Annotations out to other formats and in from them: what `formats` does, for the routes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Literal

from latentcut.errors import FileMissing, LatentcutError
from latentcut.formats.exporting import export_project, write_zip
from latentcut.formats.folder import listed_files
from latentcut.formats.importing import import_file
from latentcut.formats.records import ExportOptions
from latentcut.web.documents import ExportAnswer, ImportAnswer, TouchedImage
from latentcut.web.failures import Problem
from latentcut.web.workplace import Workplace

ExportFormat = Literal["coco", "yolo", "voc", "labelme", "png", "cutouts"]
ImportFormat = Literal["coco", "labelme", "png"]


def export(workplace: Workplace, name: ExportFormat, only_done: bool) -> ExportAnswer:
    """
    Write all annotations into the export folder.

    Raises:
        LatentcutError: See `export_project`.
        Problem: A file could not be written.
    """
    target = workplace.settings.export_folder / name
    options = ExportOptions(only_done=only_done)
    try:
        report = export_project(workplace.store, workplace.folder.root, name, target, options)
    except LatentcutError:
        raise
    except OSError as error:
        message = f"{target.parent.name}/{name} cannot be written: {error.strerror}"
        raise Problem(507, "export_failed", f"{message}; export again") from error
    return ExportAnswer(
        folder=f"{target.parent.name}/{name}",
        files=list(report.files),
        report=report.lines,
        num_objects=report.num_objects,
        num_images=report.num_images,
    )


def packed_export(workplace: Workplace, name: ExportFormat) -> IO[bytes]:
    """
    The last export in a format as one ZIP file, nameless and temporary.

    Raises:
        Problem: There is none, or it was changed since.
    """
    folder = workplace.settings.export_folder / name
    try:
        check_inside(folder, name)
        packed = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it has been sent
        try:
            write_zip(folder, packed)
        except BaseException:
            packed.close()
            raise
    except FileMissing as error:
        raise Problem(404, "no_export", f"there is no {name} export yet: make one first") from error
    except OSError as error:
        message = f"the {name} export cannot be read: {error.strerror}; export again"
        raise Problem(409, "export_changed", message) from error
    return packed


def check_inside(folder: Path, name: ExportFormat) -> None:
    """Raise Problem when a link in an export leads out of it."""
    root = folder.resolve()
    for path in listed_files(folder, name):
        if not (folder / path).resolve().is_relative_to(root):
            message = f"the {name} export has a link that leads out of it; export again"
            raise Problem(409, "export_changed", message)


def take_in(
    workplace: Workplace, name: ImportFormat, file_name: str, data: bytes, image_id: int | None
) -> ImportAnswer:
    """
    Add the annotations of a file; every touched image gets one action that can be undone.

    Raises:
        LatentcutError: See `import_file`.
    """
    store, folder = workplace.store, workplace.folder.root
    report = import_file(store, folder, name, file_name, data, image_id)
    images = [TouchedImage(id=image.id, revision=image.revision) for image in report.images]
    return ImportAnswer(report=report.lines, images=images)
