"""``latentcut data``: looking at data sets before time is spent on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.options import JsonFlag, check_file_target
from latentcut.errors import LatentcutError, UnsupportedImage

if TYPE_CHECKING:
    from latentcut.datasets.dataset import MapDataset

SHEET_SUFFIXES = (".jpg", ".jpeg", ".png")
JPEG_QUALITY = 88
SHOWN_PROBLEMS = 50

data = typer.Typer(no_args_is_help=True)


@data.callback()
def group() -> None:
    """Look at data sets: every layout that `evaluate` and `train` read."""


@data.command("check")
def check(
    path: Annotated[
        str,
        typer.Argument(metavar="[FORMAT:]PATH", help="Data set; its layout is found out."),
    ],
    layout: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="F",
            help="Its layout, if it is not found out rightly: folder, grabcut, berkeley, davis, "
            "sbd, voc, coco, ade20k or pairs.",
        ),
    ] = None,
    image_list: Annotated[
        Path | None,
        typer.Option(
            "--list", metavar="FILE", help="Text file that names the pictures to take, one a line."
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help="Official list to take without --list: train, val.")
    ] = "val",
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Draw random pictures with their objects (JPEG, PNG)."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, max=600, metavar="N", help="Pictures on the sheet.")
    ] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Other seeds draw other pictures.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """
    Read all of a data set: counts, sizes and everything that is wrong with it.

    The exit code is 1 if something is wrong: a file that is missing or cannot be read, a mask
    of another size than its picture, a mask without an object.
    """
    if sheet is not None:
        check_sheet_target(sheet)

    from latentcut.datasets.dataset import open_dataset

    problems: list[str] = []
    try:
        dataset = open_dataset(path, layout, image_list, split=split, problems=problems)
    except LatentcutError:
        for problem in problems[:SHOWN_PROBLEMS]:  # why nothing is left to read
            typer.echo(problem, err=True)
        raise
    facts = checked(dataset, problems)
    if sheet is not None:
        write_sheet(dataset, sheet, samples, seed)
        facts["sheet"] = str(sheet)
    typer.echo(json.dumps(facts) if as_json else in_words(facts))
    if facts["problems"]:
        raise typer.Exit(1)


def check_sheet_target(path: Path) -> None:
    """Whether a sheet can be written there; raises as ``check_png_target``."""
    if path.suffix.lower() not in SHEET_SUFFIXES:
        raise UnsupportedImage(
            str(path), "no JPEG or PNG name", f"give one that ends in {', '.join(SHEET_SUFFIXES)}"
        )
    check_file_target(path)


def checked(dataset: MapDataset, problems: list[str]) -> dict[str, Any]:
    """Go through a data set under a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from latentcut.datasets.check import check_dataset

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(dataset.name, total=len(dataset.images))
        return check_dataset(
            dataset, problems, lambda done, total: progress.update(task, completed=done)
        )


def write_sheet(dataset: MapDataset, path: Path, samples: int, seed: int) -> None:
    """Draw the sheet and write it, whole or not at all."""
    import io

    from PIL import Image

    from latentcut.cli.data_sheet import data_sheet
    from latentcut.core.files import write_atomically

    buffer = io.BytesIO()
    picture = Image.fromarray(data_sheet(dataset, samples, seed))
    if path.suffix.lower() == ".png":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    write_atomically(path, buffer.getvalue())


def in_words(facts: dict[str, Any]) -> str:
    """What was found, for a person."""
    share = f"{100 * facts['ignored_share']:.2f} %"
    lines = [
        f"data set   {facts['name']} (format {facts['format']})",
        f"pictures   {facts['images']:,}, {spread_in_words(facts['width'], 'wide')}, "
        f"{spread_in_words(facts['height'], 'high')}",
        f"maps       {facts['maps']:,}, {share} of their pixels do not count",
        f"objects    {facts['objects']:,}, {spread_in_words(facts['object_px'], 'each')}; "
        f"{facts['tiny_objects']:,} tiny (under 100 px)",
    ]
    if "sheet" in facts:
        lines.append(f"sheet      {facts['sheet']}")
    problems = facts["problems"]
    lines.append(f"problems   {len(problems) or 'none'}")
    lines += [f"  {problem}" for problem in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"  ... and {len(problems) - SHOWN_PROBLEMS} more; --json prints all of them")
    return "\n".join(lines)


def spread_in_words(spread: list[float] | None, what: str) -> str:
    """Least to largest and the median."""
    if spread is None:
        return f"none can be read ({what})"
    least, middle, largest = spread
    return f"{least:,.0f} to {largest:,.0f} px {what} (median {middle:,.0f})"
