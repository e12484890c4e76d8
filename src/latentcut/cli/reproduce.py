"""``latentcut reproduce``: experiments of the paper as one command each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.options import check_folder_target
from latentcut.cli.train import missing_extra
from latentcut.errors import FileMissing

reproduce = typer.Typer(no_args_is_help=True, help="Run an experiment of the paper again.")


@reproduce.callback()
def group() -> None:
    """A group, even while it holds one command."""


@reproduce.command("ablations")
def ablations(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="TOML file, see configs/paper_ablations.toml.")
    ],
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that holds the data sets of the config.")
    ],
    backbones: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with the pretrained features.")
    ],
    benchmark: Annotated[
        list[str],
        typer.Option(metavar="SPEC", help="Data set to evaluate on; may be repeated."),
    ],
    output: Annotated[
        Path,
        typer.Option(metavar="RUN", help="Folder of checkpoints and rows; what is there is kept."),
    ],
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report (default: RUN/report)."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIANT", help="Only this variant; may be repeated."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Trainings at once; they share the cores.")
    ] = 1,
) -> None:
    """
    Train every variant of a plan, evaluate all on the same objects, and write the tables.

    May be stopped at any moment: the same command goes on from there. Tables, plots and
    pictures are made of what is complete, also with --only.
    """
    if not data.is_dir():
        raise FileMissing(data, "a folder of data sets")
    check_folder_target(output)
    try:
        from latentcut.training.paper.ablation_report import write_ablation_report
        from latentcut.training.paper.ablations import Places, load_plan, run_ablations
    except ModuleNotFoundError as error:
        raise missing_extra(error, "latentcut reproduce") from error

    loaded, trials = load_plan(plan)
    for name in only or ():
        if name not in loaded.variants:
            known = ", ".join(loaded.variants)
            raise typer.BadParameter(
                f"{plan} has no variant {name!r}; it has {known}", param_hint="--only"
            )
    places = Places(data, backbones, tuple(benchmark), output)
    wanted = [trial for trial in trials if not only or trial.variant in only]
    stopped = f"Interrupted; the same command goes on from what is in {output}"
    try:
        complete = run_ablations(
            loaded, wanted, places, jobs, say=lambda text: typer.echo(text, err=True)
        )
    except KeyboardInterrupt:
        interrupted(stopped)
    if not complete:
        interrupted(stopped)
    typer.echo(write_ablation_report(loaded, trials, places, report or output / "report"))
