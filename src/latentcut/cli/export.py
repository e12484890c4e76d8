"""``latentcut export``: the annotations of a project in the formats of other programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.options import JsonFlag
from latentcut.errors import FileMissing

if TYPE_CHECKING:
    from latentcut.store.project import ProjectStore


class ExportFormat(StrEnum):
    """What can be written."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    LABELME = "labelme"
    PNG = "png"
    CUTOUTS = "cutouts"


ProjectArgument = Annotated[
    Path,
    typer.Argument(metavar="PROJECT", help="The image folder of a project, or its project.db."),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="The image folder, for a project file kept elsewhere."
    ),
]


def export(
    ctx: typer.Context,
    project: ProjectArgument,
    format_name: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for the files (default: latentcut-export/FORMAT)."
        ),
    ] = None,
    only_done: Annotated[
        bool, typer.Option("--only-done", help="Only images that are marked done.")
    ] = False,
    polygons: Annotated[
        bool, typer.Option("--polygons", help="COCO: outlines where an object has no hole.")
    ] = False,
    crowd_rle: Annotated[
        bool, typer.Option("--crowd-rle", help="COCO: run-length codes get iscrowd 1.")
    ] = False,
    separate_lines: Annotated[
        bool, typer.Option("--separate-lines", help="YOLO: one line per part, none bridged.")
    ] = False,
    copy_images: Annotated[
        bool, typer.Option("--images", help="YOLO, VOC: copy the pictures, too.")
    ] = False,
    void_px: Annotated[
        int,
        typer.Option(
            "--void", min=0, max=50, metavar="PX", help="VOC: width of a void border on outlines."
        ),
    ] = 0,
    mask_shapes: Annotated[
        bool, typer.Option("--mask-shapes", help="labelme: masks only, no polygons.")
    ] = False,
    embed_images: Annotated[
        bool, typer.Option("--embed-images", help="labelme: pictures inside the JSON files.")
    ] = False,
    object_masks: Annotated[
        bool, typer.Option("--object-masks", help="PNG: also one mask per object.")
    ] = False,
    feather_px: Annotated[
        float,
        typer.Option("--feather", min=0, max=50, metavar="PX", help="Cut-outs: soften the edge."),
    ] = 0.0,
    decontaminate: Annotated[
        bool,
        typer.Option("--decontaminate", help="Cut-outs: no background colour at the edge."),
    ] = False,
    folder: FolderOption = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Write the annotations of a project for other programs.

    Masks lose nothing unless the report says so. An earlier export into the same folder is
    replaced; a file that no export wrote is never touched. The images are only read.

    Example: latentcut export photos --format coco
    """
    place, images = project_and_folder(project, folder)

    from dataclasses import fields

    from latentcut.formats.exporting import EXPORT_FOLDER, WRITERS, export_project
    from latentcut.formats.records import ExportOptions

    # the parameters above that are not used here have the names that ExportOptions has
    names = {field.name for field in fields(ExportOptions)}
    for parameter in ctx.command.params:
        name = str(parameter.name)
        users = [key for key, writer in WRITERS.items() if name in writer.options]
        if users and format_name not in users and ctx.params[name]:
            raise typer.BadParameter(
                f"it belongs to --format {' and '.join(users)}, not {format_name}",
                param_hint=parameter.opts[0],
            )
    options = ExportOptions(**{name: ctx.params[name] for name in names})
    if output is None and place.is_file():
        output = kept_beside(place, images) / EXPORT_FOLDER / format_name
    try:
        with opened(place) as store, progress_bar(f"export {format_name}") as progress:
            report = export_project(store, images, format_name, output, options, progress)
    except KeyboardInterrupt:
        interrupted("Interrupted; every file that is there is whole, the same command goes on")
    if as_json:
        typer.echo(json.dumps(report.as_json()))
        return
    count = f"{counted(report.num_objects, 'object')} of {counted(report.num_images, 'image')}"
    typer.echo(f"{count} in {counted(len(report.files), 'file')}: {report.folder}")
    for line in report.lines:
        typer.echo(f"- {line}")


def project_and_folder(project: Path, folder: Path | None) -> tuple[Path, Path]:
    """
    What to open as a project, and the folder of its images.

    Raises:
        FileMissing: One of them does not exist.
        typer.BadParameter: It is a project file, and where the images are is not known.
    """
    if project.is_dir():
        if folder is not None:
            raise typer.BadParameter(f"{project} is an image folder already", param_hint="--folder")
        return project, project
    if not project.is_file():
        raise FileMissing(project, "an image folder or a project file")
    if folder is None:
        if project.absolute().parent.name != ".latentcut":
            raise typer.BadParameter(
                f"{project} does not lie in its image folder; say where that is",
                param_hint="--folder",
            )
        folder = project.absolute().parent.parent
    if not folder.is_dir():
        raise FileMissing(folder, "an image folder")
    return project, folder


def kept_beside(project: Path, folder: Path) -> Path:
    """Where exports of a project file go: into the image folder, or beside a file elsewhere."""
    parent = project.absolute().parent
    return folder if parent.parent == folder.absolute() else parent


@contextmanager
def opened(project: Path, create: bool = False) -> Iterator[ProjectStore]:
    """The project of a folder, or of a project file."""
    from latentcut.store.project import ProjectStore

    try:
        store = ProjectStore.open(project, create=create)
    except FileMissing as error:
        raise FileMissing(project, "a project; run latentcut annotate first") from error
    with store:
        yield store


@contextmanager
def progress_bar(task_name: str) -> Iterator[Callable[[int, int], Any]]:
    """A bar in a terminal; gives a function that takes what is done and how much there is."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    is_shown = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task(task_name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def counted(number: int, noun: str) -> str:
    """A number with its noun, which gets an s where there is not exactly one."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
