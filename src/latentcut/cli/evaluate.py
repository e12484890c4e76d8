"""``latentcut evaluate``: the field's protocol on data sets, resumable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.options import BundleOption, ThreadsOption, check_file_target, with_name

if TYPE_CHECKING:
    from latentcut.core.predictor import Predictor
    from latentcut.datasets.folder import FolderDataset


def evaluate(
    data: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Data set: images/, masks/, META.json. May be repeated."),
    ],
    bundle: BundleOption = None,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT", help="Result file; also makes the run resumable."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N objects of each set.")
    ] = None,
    max_clicks: Annotated[int, typer.Option(min=1, max=100, help="Clicks per object.")] = 20,
    threads: ThreadsOption = 0,
    frame: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Other frame setting than the bundle's, such as zoom_px=320 or "
            "second_look_gain=none; may be repeated.",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables as Markdown.")
    ] = False,
) -> None:
    """
    Measure a bundle: a robot user clicks on every object, up to 20 times.

    With --json OUT, finished objects are kept in OUT.rows-NAME.jsonl: after an interrupt the
    same command goes on from there.
    """
    folders = [with_name(folder) for folder in data]
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        raise typer.BadParameter(
            f"two data sets have the same name: {', '.join(sorted(names))}; "
            "evaluate them one after the other, with another --json",
            param_hint="--data",
        )
    if json_path is not None:
        check_file_target(json_path)

    from latentcut.core.bundle import default_bundle_path, read_bundle, with_frame
    from latentcut.core.files import write_atomically
    from latentcut.core.predictor import predictor_of
    from latentcut.datasets.folder import FolderDataset

    datasets = [FolderDataset(folder) for folder in folders]  # all, before the first runs
    loaded = with_frame(read_bundle(bundle or default_bundle_path()), frame or ())
    predictor = predictor_of(loaded, threads)
    results = []
    try:
        for dataset in datasets:
            rows_path = None if json_path is None else rows_path_of(json_path, dataset.name)
            results.append(run(predictor, dataset, rows_path, max_clicks, limit))
            show(results[-1], markdown=markdown)
    except KeyboardInterrupt:
        if json_path is None:
            interrupted("Interrupted; nothing was kept: --json OUT makes a run resumable")
        kept = rows_path_of(json_path, "*")
        interrupted(f"Interrupted; {kept} holds what is done, the same command goes on from there")
    if json_path is not None:
        facts = {
            "bundle": {
                "name": loaded.info.name,
                "fingerprint": predictor.fingerprint,
                "frame": loaded.info.frame.model_dump(),
            },
            "datasets": results,
        }
        write_atomically(json_path, (json.dumps(facts, indent=1) + "\n").encode())
        typer.echo(f"written to {json_path}", err=True)


def rows_path_of(json_path: Path, dataset_name: str) -> Path:
    """Where the finished objects of one data set are kept."""
    return json_path.with_name(f"{json_path.name}.rows-{dataset_name}.jsonl")


def run(
    predictor: Predictor,
    dataset: FolderDataset,
    rows_path: Path | None,
    max_clicks: int,
    limit: int | None,
) -> dict[str, Any]:
    """Evaluate one data set under a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from latentcut.evaluation.run import evaluate_dataset

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(dataset.name, total=None)
        return evaluate_dataset(
            predictor,
            dataset,
            rows_path,
            max_clicks,
            limit,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def show(result: dict[str, Any], *, markdown: bool) -> None:
    """Print the table of one data set."""
    from latentcut.cli.tables import markdown_of, rich_table_of

    if markdown:
        typer.echo(markdown_of(result))
    else:
        from rich.console import Console

        Console().print(rich_table_of(result))
