"""``latentcut import``: annotations of other programs into a project."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.export import (
    FolderOption,
    ProjectArgument,
    counted,
    opened,
    progress_bar,
    project_and_folder,
)
from latentcut.cli.options import JsonFlag
from latentcut.errors import BadAnnotationFile, FileMissing, NotInProject

if TYPE_CHECKING:
    from latentcut.formats.importing import ImportReport
    from latentcut.store.project import ProjectStore


class ImportFormat(StrEnum):
    """What can be read."""

    COCO = "coco"
    LABELME = "labelme"
    PNG = "png"


def import_(
    project: ProjectArgument,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="COCO or labelme JSON, or PNG masks."),
    ],
    format_name: Annotated[
        ImportFormat | None,
        typer.Option("--format", help="What the files are (default: as their content says)."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="The image that is meant, as a path in the image folder (default: by name).",
        ),
    ] = None,
    folder: FolderOption = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Add annotations of other programs to a project.

    Objects are added in front of those that are there; each image gets one action, which can be
    undone on the page. Labels that are new are added. Files are read completely, and refused
    when they are broken, before the project is changed.

    Example: latentcut import photos instances.json
    """
    place, images = project_and_folder(project, folder)
    for file in files:
        if not file.is_file():
            raise FileMissing(file, "an annotation file")

    from latentcut.formats.importing import import_file

    reports: list[ImportReport] = []
    try:
        with opened(place, create=True) as store, progress_bar("import") as progress:
            look_for_images(store, images)
            image_id = None if image is None else id_of(store, image)
            for number, file in enumerate(files, start=1):
                data = read_bytes(file)
                reports.append(import_file(store, images, format_name, str(file), data, image_id))
                progress(number, len(files))
    except KeyboardInterrupt:
        interrupted(f"Interrupted after {counted(len(reports), 'file')}")
    finally:
        show(files, reports, as_json=as_json)  # what was taken in is in the project, come what may


def show(files: list[Path], reports: list[ImportReport], *, as_json: bool) -> None:
    """Print what became of the files that were read."""
    read = list(zip(files, reports, strict=False))
    if as_json:
        typer.echo(json.dumps({"files": [{"file": str(f), **r.as_json()} for f, r in read]}))
        return
    for file, report in read:
        got = f"{counted(report.num_objects, 'object')} in {counted(len(report.images), 'image')}"
        typer.echo(f"{file}: {got}")
        for line in report.lines:
            typer.echo(f"- {line}")


def look_for_images(store: ProjectStore, folder: Path) -> None:
    """Bring the project's list of images up to date, as the page does when it is opened."""
    from latentcut.web.folder import ImageFolder

    store.sync_images(ImageFolder(folder).scan().images)


def id_of(store: ProjectStore, path: str) -> int:
    """Number of an image by its path in the folder. Raises NotInProject."""
    for row in store.images():
        if row.path == path:
            return row.id
    raise NotInProject("image", path)


def read_bytes(path: Path) -> bytes:
    """A file, unless it is larger than any that would be read."""
    from latentcut.formats.json_input import MAX_FILE_BYTES

    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadAnnotationFile(
            f"{path} has {path.stat().st_size:,} bytes, but at most {MAX_FILE_BYTES:,} are allowed"
        )
    return path.read_bytes()
