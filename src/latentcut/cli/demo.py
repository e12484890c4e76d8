"""``latentcut demo``: cut things out of the sample photos and show the result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from latentcut.cli.options import BundleOption, ThreadsOption, check_folder_target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from latentcut.cli.samples import Entry
    from latentcut.core.predictor import Predictor


@dataclass(frozen=True)
class Outcome:
    """
    What became of one entry.

    Attributes:
        entry: The thing that was cut out.
        first_ms: From the decoded photo to the first mask.
        later_ms: Median of the later clicks; None if there was only one click.
        expected_iou: Of the selected mask after the last click.
        is_satisfied: Whether that mask obeys every click.
        sheet: The contact sheet.
    """

    entry: Entry
    first_ms: float
    later_ms: float | None
    expected_iou: float
    is_satisfied: bool
    sheet: Path


def demo(
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the pictures. Made if new.")
    ] = Path("demo_output"),
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Cut things out of four sample photos: needs no picture, no network and no GPU.

    Writes for every thing NAME_mask.png, NAME_candidate_0.png, ..., NAME_overlay.png and
    NAME_sheet.png, the one to look at first. Files of an earlier demo are replaced.
    """
    check_folder_target(output)

    from rich.console import Console

    from latentcut.cli.samples import read_entries
    from latentcut.core.predictor import load

    predictor = load(bundle, threads)
    output.mkdir(parents=True, exist_ok=True)
    outcomes = [show(predictor, entry, output) for entry in read_entries()]
    Console().print(table_of(outcomes))
    typer.echo(f"The pictures are in {output}; look at the sheets first.")


def show(predictor: Predictor, entry: Entry, output: Path) -> Outcome:
    """Answer an entry's clicks one by one and write its pictures."""
    from latentcut.cli.pictures import overlay_picture
    from latentcut.cli.sheet import contact_sheet
    from latentcut.core.images import read_image, write_image

    image = read_image(entry.photo)
    times = []
    started = time.perf_counter()
    session = predictor.open(image)
    for click in entry.clicks:
        prediction = session.click(click.x, click.y, click.positive)
        mask = prediction.mask
        times.append(1000 * (time.perf_counter() - started))
        started = time.perf_counter()
    title = f"{entry.name}  ({entry.photo.name})"
    files: dict[str, NDArray[np.bool_] | NDArray[np.uint8]] = {
        "mask": mask,
        "overlay": overlay_picture(image, mask, session.clicks),
        "sheet": contact_sheet(title, image, session.clicks, prediction),
    }
    for index in range(prediction.num_masks):
        files[f"candidate_{index}"] = prediction.candidate(index)
    for kind, picture in files.items():
        write_image(output / f"{entry.name}_{kind}.png", picture)
    return Outcome(
        entry,
        times[0],
        median(times[1:]) if times[1:] else None,
        float(prediction.expected_iou[prediction.selected]),
        prediction.clicks_satisfied,
        output / f"{entry.name}_sheet.png",
    )


def table_of(outcomes: list[Outcome]) -> object:
    """A Rich table, one row per entry."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("thing")
    for heading in ("clicks", "first\nmask", "later\nclick", "expected\nIoU"):
        table.add_column(heading, justify="right")
    table.add_column("sheet")
    for outcome in outcomes:
        later = "" if outcome.later_ms is None else f"{outcome.later_ms:.0f} ms"
        table.add_row(
            outcome.entry.name,
            str(len(outcome.entry.clicks)),
            f"{outcome.first_ms:.0f} ms",
            later,
            f"{outcome.expected_iou:.2f}" + ("" if outcome.is_satisfied else " BREAKS A CLICK"),
            outcome.sheet.name,
        )
    return table
