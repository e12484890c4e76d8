"""``latentcut evaluate``: users click on data sets, predictors answer; resumable."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.evaluating import Job, Prepared, evaluate_each, prepare
from latentcut.cli.options import (
    BundleOption,
    EngineOption,
    RayAddressOption,
    ThreadsOption,
    check_engine,
    check_file_target,
)


def evaluate(
    data: Annotated[
        list[str],
        typer.Option(
            metavar="SPEC",
            help="Data set: a folder, or FORMAT:PATH?key=value (docs/datasets.md). May be "
            "repeated.",
        ),
    ],
    predictor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]SPEC",
            help="Who answers: default, a bundle folder, grabcut, random-walker, "
            "checkpoint:PATH or module:factory, with ?key=value options "
            "(docs/evaluation.md). May be repeated.",
        ),
    ] = None,
    bundle: BundleOption = None,
    user: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Who clicks: centre, deepest, noisy, boundary, off-centre, parts, wholes. "
            "Default: the protocol's own. May be repeated.",
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help="Rules: standard, or ritm (as RITM's code).")
    ] = "standard",
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT", help="Result file; also makes the run resumable."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write a report, one HTML file with plots and pictures."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N objects of each set.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only N objects of each set, drawn.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="S", help="Of --sample and of users who take chances.")
    ] = 0,
    max_clicks: Annotated[
        int | None,
        typer.Option(min=1, max=100, metavar="N", help="Clicks per object (default: 20)."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Processes that work side by side.")
    ] = 1,
    engine: EngineOption = "local",
    ray_address: RayAddressOption = None,
    threads: ThreadsOption = 0,
    frame: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Other frame setting than the bundle's, such as zoom_px=320 or "
            "second_look_gain=none; may be repeated. Beside --predictor, write ?KEY=VALUE.",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables as Markdown.")
    ] = False,
) -> None:
    """
    Measure predictors: a robot user clicks on every object, up to 20 times.

    With --json OUT, finished objects are kept in OUT.rows-*.jsonl: after an interrupt the
    same command goes on from there. Numbers do not depend on --workers and --engine.
    """
    for target in (json_path, report):
        if target is not None:
            check_file_target(target)
    if report is not None:
        check_plots()
    check_engine(engine, ray_address)
    job = Job(
        data=tuple(data),
        predictors=predictor_specs(predictor, bundle, frame),
        users=tuple(user or ()),
        protocol=protocol,
        max_clicks=max_clicks,
        limit=limit,
        sample=sample,
        seed=seed,
        workers=workers,
        threads=threads,
        json_path=json_path,
        engine=engine,
        ray_address=ray_address,
    )
    prepared = prepare(job)
    runs, skipped = evaluate_all(prepared, markdown=markdown)

    from latentcut.core.files import write_atomically
    from latentcut.evaluation.results import result_bytes, result_of

    result = result_of(prepared.protocol, prepared.facts(), runs, sys.argv[1:], skipped)
    show_comparisons(result, markdown=markdown)
    if json_path is not None:
        write_atomically(json_path, result_bytes(result))
        typer.echo(f"written to {json_path}", err=True)
    if report is not None:
        from latentcut.evaluation.report.report import make_report

        make_report(result, prepared.datasets_by_name(), prepared.segmenters, report)
        typer.echo(f"written to {report}", err=True)


def check_plots() -> None:
    """Ask for what a report needs before the computing. Raises MissingExtra."""
    from latentcut.errors import MissingExtra

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra("--report", "evaluation")


def predictor_specs(
    predictors: list[str] | None, bundle: Path | None, frame: list[str] | None
) -> tuple[str, ...]:
    """
    What the three options name together.

    Raises:
        typer.BadParameter: Two ways of naming a bundle are mixed.
    """
    if not predictors:
        settings = "&".join(frame or ())
        return (str(bundle or "default") + (f"?{settings}" if settings else ""),)
    if bundle or frame:
        raise typer.BadParameter(
            "it names bundles itself: write --predictor DIR?key=value instead of --bundle and "
            "--frame",
            param_hint="--predictor",
        )
    return tuple(predictors)


def evaluate_all(
    prepared: Prepared, *, markdown: bool
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """All runs, shown as they end, and what had nothing to measure; an interrupt leaves."""
    from latentcut.errors import WorkerDied

    runs: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    try:
        for run in evaluate_each(prepared):
            if "reason" in run:
                skipped.append(run)
                typer.echo(f"Nothing to measure: {run['reason']}", err=True)
            else:
                runs.append(run)
                show(run, markdown=markdown)
    except KeyboardInterrupt:
        interrupted(f"Interrupted; {what_is_kept(prepared.job.json_path)}")
    except WorkerDied:
        typer.echo(what_is_kept(prepared.job.json_path), err=True)
        raise
    return runs, skipped


def what_is_kept(json_path: Path | None) -> str:
    """What the next run can go on from."""
    if json_path is None:
        return "nothing was kept: --json OUT makes a run resumable"
    kept = json_path.with_name(f"{json_path.name}.rows-*.jsonl")
    return f"{kept} holds what is done, the same command goes on from there"


def show(run: dict[str, Any], *, markdown: bool) -> None:
    """Print the table of one run."""
    from latentcut.cli.tables import markdown_of, rich_table_of

    if markdown:
        typer.echo(markdown_of(run))
    else:
        from rich.console import Console

        Console().print(rich_table_of(run))


def show_comparisons(result: dict[str, Any], *, markdown: bool) -> None:
    """Print how predictors and users compare, where there are several."""
    from latentcut.cli.tables import comparison_tables

    for title, headings, rows in comparison_tables(result):
        if markdown:
            from latentcut.cli.tables import markdown_table

            typer.echo("\n".join([f"### {title}", "", *markdown_table(headings, rows), ""]))
        else:
            from rich.console import Console

            from latentcut.cli.tables import rich_rows

            Console().print(rich_rows(title, headings, rows))
