"""``latentcut batch``: prompts from a file on thousands of images; any engine, resumable."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentcut.cli.edge import EXIT_ERROR, interrupted
from latentcut.cli.export import counted, progress_bar
from latentcut.cli.options import (
    BundleOption,
    EngineOption,
    JsonFlag,
    RayAddressOption,
    check_engine,
    check_file_target,
    check_folder_target,
)

if TYPE_CHECKING:
    from latentcut.batch.prompts import PromptSet

MAX_DEFAULT_WORKERS = 8  # each holds a model and an image


def batch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The image folder.")],
    output: Annotated[Path, typer.Option("--output", metavar="JSON", help="COCO file to write.")],
    prompts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What is meant in which image: JSON, CSV or COCO (docs/batch.md).",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="No prompts: all objects of all images.")
    ] = False,
    points_per_side: Annotated[
        int,
        typer.Option(
            min=1, max=64, metavar="N", help="Of --everything: clicks along each side of an image."
        ),
    ] = 12,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also one PNG per object: DIR/image/object.png."),
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Keep all candidates of every object.")
    ] = False,
    engine: EngineOption = "local",
    ray_address: RayAddressOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=4096, metavar="N", help="Side by side (default: one per core, at most 8)."
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Per prediction, in each worker.")
    ] = 1,
    bundle: BundleOption = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Answer prompts from a file on all images of a folder, and write one COCO file.

    Finished images are kept in OUTPUT.journal: after an interrupt, a crash or a change of some
    prompts the same command answers only what is missing. The file does not depend on --workers
    or --engine. What cannot be answered is listed and left out, and the exit code is 1.

    Example: latentcut batch photos --prompts boxes.csv --output masks.json
    """
    if (prompts is None) != everything:
        raise typer.BadParameter(
            "give a file of prompts, or --everything, and not both", param_hint="--prompts"
        )
    if everything and candidates:
        raise typer.BadParameter("it belongs to --prompts", param_hint="--candidates")
    check_engine(engine, ray_address)
    check_file_target(output)
    if masks is not None:
        check_folder_target(masks)
    asked = what_is_asked(folder, prompts)

    from latentcut.batch.answering import Answering, Options
    from latentcut.batch.run import Batch, run_batch
    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.core.everything import EverythingOptions
    from latentcut.engines.find import find_engine
    from latentcut.errors import WorkerDied

    options = Options(
        threads, candidates, EverythingOptions(points_per_side) if everything else None
    )
    fingerprint = read_bundle(bundle or default_bundle_path()).fingerprint
    job = Batch(folder, asked, output, fingerprint, options, masks)
    build = partial(Answering, bundle, options)
    count = min(workers or default_workers(), max(1, len(asked.images)))
    kept = f"{job.journal_path} holds what is done, the same command goes on from there"
    try:
        with find_engine(engine, count, build, ray_address) as crew, progress_bar("batch") as bar:
            report = run_batch(job, crew, bar)
    except KeyboardInterrupt:
        interrupted(f"Interrupted; {kept}")
    except WorkerDied:
        typer.echo(kept, err=True)
        raise
    for problem in report.problems:
        typer.echo(f"Left out: {problem.line}", err=True)
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        done = f"{counted(report.num_objects, 'object')} of {counted(report.num_images, 'image')}"
        earlier = f" ({report.num_kept:,} done earlier)" if report.num_kept else ""
        typer.echo(f"{done}{earlier}: {report.output}")
        for note in report.notes:
            typer.echo(f"- {note.line}")
    if report.problems:
        raise typer.Exit(EXIT_ERROR)


def what_is_asked(folder: Path, prompts: Path | None) -> PromptSet:
    """The images and what is meant in them. Raises FileMissing and what the readers raise."""
    from latentcut.batch.folder import images_in
    from latentcut.batch.reading import read_prompts
    from latentcut.errors import FileMissing

    if prompts is None:
        return images_in(folder)
    if not folder.is_dir():
        raise FileMissing(folder, "a folder of images")
    return read_prompts(prompts, folder)


def default_workers() -> int:
    """One for every core that may be used, but not more than memory usually allows."""
    may_use = getattr(os, "sched_getaffinity", None)
    cores = len(may_use(0)) if may_use else os.cpu_count() or 1
    return min(MAX_DEFAULT_WORKERS, cores)
