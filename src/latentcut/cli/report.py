"""``latentcut report``: one HTML file from a stored result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.options import ThreadsOption, check_file_target

if TYPE_CHECKING:
    from latentcut.datasets.dataset import Dataset
    from latentcut.evaluation.segmenter import Segmenter

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SPEC",
        help="Data set of the result, for pictures of cases; as for evaluate. May be repeated.",
    ),
]
PredictorOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=SPEC",
        help="Predictor of the result, for pictures; needed for bundle folders, checkpoints and "
        "module:factory, whose places a result does not tell. May be repeated.",
    ),
]


def report(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="File that evaluate --json has written.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="HTML file to write.")
    ],
    data: DataOption = None,
    predictor: PredictorOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Make a report of an evaluation: tables, plots, pictures, one HTML file.

    The file needs nothing else and can be sent around. Pictures of the worst, the median and the
    best object are in it where --data says where they are.
    """
    check_file_target(output)

    from latentcut.evaluation.report.report import make_report
    from latentcut.evaluation.results import read_result

    found = read_result(result)
    datasets = open_datasets(found, data or ())
    segmenters: dict[str, Segmenter] = {}
    remarks: list[str] = []
    if datasets:
        segmenters, remarks = build_predictors(found, predictor or (), threads)
    make_report(found, datasets, segmenters, output, remarks)
    for remark in remarks:
        typer.echo(remark, err=True)
    typer.echo(f"written to {output}", err=True)


def open_datasets(result: Mapping[str, Any], specs: Sequence[str]) -> dict[str, Dataset]:
    """
    The data sets by name.

    Raises:
        typer.BadParameter: The result has none of that name.
    """
    from latentcut.datasets.dataset import open_dataset

    known = list(dict.fromkeys(run["dataset"] for run in result["runs"]))
    datasets: dict[str, Dataset] = {d.name: d for d in map(open_dataset, specs)}
    for name in datasets:
        if name not in known:
            raise typer.BadParameter(
                f"the result has no data set {name}; it has {', '.join(known)}",
                param_hint="--data",
            )
    return datasets


def build_predictors(
    result: Mapping[str, Any], specs: Sequence[str], threads: int
) -> tuple[dict[str, Segmenter], list[str]]:
    """
    The predictors by name, and a sentence for each that is not known well enough to be asked.

    What a result says is followed only where it names something inside this package: a result
    may come from anywhere, and ``module:factory`` is code.

    Raises:
        typer.BadParameter: The result has no predictor of a name that was given.
        LatentcutError: A predictor that was given cannot be made.
    """
    from latentcut.cli.predictors import build
    from latentcut.evaluation.specs import CLASSICAL, parse_spec

    given = {parse_spec(text).name: text for text in specs}
    known = {predictor["name"]: str(predictor["spec"]) for predictor in result["predictors"]}
    for name in given:
        if name not in known:
            raise typer.BadParameter(
                f"the result has no predictor {name}; it has {', '.join(known)}",
                param_hint="--predictor",
            )
    mask_threshold = float(result["protocol"]["mask_threshold"])
    segmenters, remarks = {}, []
    for name, told in known.items():
        text = given.get(name)
        if text is None and parse_spec(told).what in ("default", *CLASSICAL):
            text = told
        if text is None:
            remarks.append(f"No pictures of {name}: say where it is with --predictor {name}=SPEC.")
        else:
            segmenters[name] = build(text, threads, mask_threshold)
    return segmenters, remarks
