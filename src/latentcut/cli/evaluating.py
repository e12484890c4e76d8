"""What ``latentcut evaluate`` runs: every predictor on every set with every user."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from latentcut.datasets.dataset import Dataset, ObjectRef
    from latentcut.evaluation.protocol import Protocol
    from latentcut.evaluation.run import Plan
    from latentcut.evaluation.segmenter import Segmenter
    from latentcut.evaluation.workers import Work


@dataclass(frozen=True)
class Job:
    """The options of the command, as given."""

    data: tuple[str, ...]
    predictors: tuple[str, ...] = ("default",)
    users: tuple[str, ...] = ()
    protocol: str = "standard"
    max_clicks: int | None = None
    limit: int | None = None
    sample: int | None = None
    seed: int = 0
    workers: int = 1
    threads: int = 0
    json_path: Path | None = None
    engine: str = "local"
    ray_address: str | None = None

    @property
    def threads_each(self) -> int:
        """Threads per prediction in each of several workers; 0 with one: as many as cores."""
        if self.workers == 1:
            return self.threads
        may_use = getattr(os, "sched_getaffinity", None)
        cores = len(may_use(0)) if may_use else os.cpu_count() or 1
        return max(1, (self.threads or cores) // self.workers)


@dataclass(frozen=True)
class Prepared:
    """
    A job whose parts were all found.

    Attributes:
        job: The options.
        protocol: The rules.
        datasets: In the options' order, with distinct names.
        segmenters: By name, in the options' order.
    """

    job: Job
    protocol: Protocol
    datasets: tuple[Dataset, ...]
    segmenters: dict[str, Segmenter]

    def plan(self, user: str | None) -> Plan:
        """What is done with one predictor and one set."""
        from latentcut.evaluation.run import Plan

        job = self.job
        return Plan(self.protocol, user, job.seed, job.limit, job.sample)

    def facts(self) -> list[dict[str, Any]]:
        """What the result says of the predictors."""
        from latentcut.evaluation.results import predictor_facts

        named = zip(self.segmenters.items(), self.job.predictors, strict=True)
        return [predictor_facts(segmenter, name, text) for (name, segmenter), text in named]

    def datasets_by_name(self) -> dict[str, Dataset]:
        """The data sets as a report asks for them."""
        return {dataset.name: dataset for dataset in self.datasets}


def prepare(job: Job) -> Prepared:
    """
    Find everything before the first object is computed.

    Raises:
        typer.BadParameter: Two data sets or predictors have one name.
        LatentcutError: A data set, predictor, user or protocol is not what it must be.
    """
    from latentcut.cli.predictors import build
    from latentcut.datasets.dataset import open_dataset
    from latentcut.evaluation.protocol import find_protocol
    from latentcut.evaluation.specs import parse_spec
    from latentcut.simulation.users import make_user

    protocol = find_protocol(job.protocol, job.max_clicks)
    for user in job.users:
        make_user(user)
    datasets = tuple(open_dataset(text) for text in job.data)
    refuse_doubles([dataset.name for dataset in datasets], "data sets", "--data")
    names = [parse_spec(text).name for text in job.predictors]
    refuse_doubles(names, "predictors", "--predictor")
    built = [build(text, job.threads, protocol.mask_threshold) for text in job.predictors]
    return Prepared(job, protocol, datasets, dict(zip(names, built, strict=True)))


def refuse_doubles(names: Sequence[str], what: str, option: str) -> None:
    """Two of one name would share their rows. Raises typer.BadParameter."""
    if len(set(names)) == len(names):
        return
    way_out = (
        "give one of them another, NAME=SPEC"
        if option == "--predictor"
        else "evaluate them one after the other, with another --json"
    )
    raise typer.BadParameter(
        f"two {what} have the same name: {', '.join(sorted(names))}; {way_out}", param_hint=option
    )


def evaluate_each(prepared: Prepared) -> Iterator[dict[str, Any]]:
    """
    Every run as it ends, predictor by predictor.

    Yields:
        One of the ``runs`` of a result, or, where nothing was to be measured, its data set, user
        and reason.
    """
    chosen = [
        (place, plan, refs_of(prepared.datasets[place], plan))
        for place in range(len(prepared.datasets))
        for plan in map(prepared.plan, dict.fromkeys(prepared.job.users) or (None,))
    ]
    for place, plan, refs in chosen:
        if not refs:
            yield nothing_in(prepared.datasets[place], plan)
    named = zip(prepared.segmenters, prepared.job.predictors, strict=True)
    for name, text in named if any(refs for _, _, refs in chosen) else ():
        with ExitStack() as stack:
            work = start_work(prepared, name, text, stack)
            for place, plan, refs in chosen:
                if refs:
                    yield evaluate_one(prepared, name, work, place, plan, refs)


def refs_of(dataset: Dataset, plan: Plan) -> list[ObjectRef]:
    """The objects of a plan; none only where its user means none. Raises DatasetBroken."""
    from latentcut.errors import DatasetBroken
    from latentcut.evaluation.run import chosen_objects, why_nothing
    from latentcut.evaluation.targets import TARGET_USERS

    refs = chosen_objects(dataset, plan)
    if not refs and plan.user_name not in TARGET_USERS:
        raise DatasetBroken(why_nothing(dataset, plan))
    return refs


def nothing_in(dataset: Dataset, plan: Plan) -> dict[str, str]:
    """What a result says where there is nothing to measure."""
    from latentcut.evaluation.run import why_nothing

    reason = why_nothing(dataset, plan)
    return {"dataset": dataset.name, "user": plan.user_name, "reason": reason}


def evaluate_one(
    prepared: Prepared,
    name: str,
    work: Work,
    place: int,
    plan: Plan,
    refs: Sequence[ObjectRef],
) -> dict[str, Any]:
    """One predictor on one data set with one user, under a progress bar."""
    from latentcut.evaluation.run import header_of, run_of, run_tasks
    from latentcut.evaluation.workers import Task

    dataset = prepared.datasets[place]
    tasks = [Task(place, ref, plan.protocol, plan.user, plan.seed) for ref in refs]
    header = header_of(dataset, prepared.segmenters[name].fingerprint, plan)
    rows_path = rows_path_of(prepared.job.json_path, dataset.name, name, plan.user_name)
    with progress_bar(f"{dataset.name}, {name}, {plan.user_name}") as progress:
        rows = run_tasks(work, tasks, header, rows_path, progress)
    return run_of(dataset, name, plan, rows)


def start_work(prepared: Prepared, name: str, text: str, stack: ExitStack) -> Work:
    """Who evaluates with one predictor: this process, or as many others as were asked for."""
    from latentcut.cli.predictors import build
    from latentcut.datasets.dataset import open_dataset
    from latentcut.evaluation.workers import Here, Workers

    job = prepared.job
    if job.workers == 1 and job.engine == "local":
        return Here(prepared.segmenters[name], prepared.datasets)
    builder = partial(build, text, job.threads_each, prepared.protocol.mask_threshold)
    openers = [partial(open_dataset, given) for given in job.data]
    workers = Workers(job.workers, builder, openers, job.engine, job.ray_address)
    return stack.enter_context(workers)


def rows_path_of(
    json_path: Path | None, dataset_name: str, predictor_name: str, user_name: str
) -> Path | None:
    """Where the finished objects of one run are kept."""
    if json_path is None:
        return None
    run = f"{dataset_name}-{predictor_name}-{user_name}"
    return json_path.with_name(f"{json_path.name}.rows-{run}.jsonl")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; what is given is called with objects done and in all."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
