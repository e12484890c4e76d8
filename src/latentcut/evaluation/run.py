"""A resumable run: one segmenter, one user, one data set; the table is made at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentcut.datasets.dataset import Dataset, ObjectRef
from latentcut.errors import DatasetBroken
from latentcut.evaluation.protocol import STANDARD, ObjectResult, Protocol
from latentcut.evaluation.rows import RowFile
from latentcut.evaluation.segmenter import Segmenter
from latentcut.evaluation.table import summarise
from latentcut.evaluation.targets import TARGET_USERS, targets_of
from latentcut.evaluation.workers import Here, Task, Work
from latentcut.simulation.users import make_user, rng_for

Progress = Callable[[int, int], None]  # objects done, objects in all


@dataclass(frozen=True)
class Plan:
    """
    What a run does.

    Attributes:
        protocol: The rules.
        user: Who clicks; None: the protocol's own.
        seed: Of the user's chance, and of the sample.
        limit: Only the first so many objects.
        sample: Only so many of them, drawn with the seed; fewer where there are not so many.
    """

    protocol: Protocol = STANDARD
    user: str | None = None
    seed: int = 0
    limit: int | None = None
    sample: int | None = None

    @property
    def user_name(self) -> str:
        """Who clicks."""
        return self.user or self.protocol.user


def evaluate_dataset(
    segmenter: Segmenter,
    dataset: Dataset,
    plan: Plan | None = None,
    rows_path: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """
    Evaluate a segmenter on the objects of a data set, in this process.

    Args:
        segmenter: Who answers.
        dataset: Where the objects are.
        plan: What is done; None: the standard protocol on all objects.
        rows_path: See ``run_tasks``.
        progress: Called after each object.

    Returns:
        One of the ``runs`` of a result; see ``results``.

    Raises:
        FileMissing, OutputExists: See ``RowFile``.
        DatasetBroken: A file of the data set does not fit, or there is no object.
        BadConfig: There is no such user.
    """
    chosen = plan or Plan()
    refs = chosen_objects(dataset, chosen)
    if not refs:
        raise DatasetBroken(why_nothing(dataset, chosen))
    here = Here(segmenter, [dataset])
    header = header_of(dataset, segmenter.fingerprint, chosen)
    tasks = [Task(0, ref, chosen.protocol, chosen.user, chosen.seed) for ref in refs]
    rows = run_tasks(here, tasks, header, rows_path, progress)
    return run_of(dataset, segmenter.name, chosen, rows)


def chosen_objects(dataset: Dataset, plan: Plan) -> list[ObjectRef]:
    """
    The objects of a plan, in the data set's order; none where nothing is to be measured.

    Raises:
        DatasetBroken: A file of the data set does not fit.
        BadConfig: There is no such user.
    """
    make_user(plan.user_name)
    refs = targets_of(dataset, plan.user_name)[: plan.limit]
    if plan.sample is None or plan.sample >= len(refs):
        return refs
    rng = rng_for(plan.seed, f"sample of {dataset.name}")
    return [refs[i] for i in sorted(rng.permutation(len(refs))[: plan.sample].tolist())]


def why_nothing(dataset: Dataset, plan: Plan) -> str:
    """Why there is no object."""
    if plan.user_name in TARGET_USERS and next(iter(dataset.objects()), None) is not None:
        return (
            f"{dataset.name} has nothing for the user {plan.user_name!r}: no region of one of its "
            "label maps lies in a larger region of another map of the same picture"
        )
    return f"{dataset.path} holds no object: every mask is empty"


def header_of(dataset: Dataset, fingerprint: str, plan: Plan) -> dict[str, Any]:
    """What the rows of a run belong to."""
    return {
        "dataset": dataset.name,
        "predictor": fingerprint,
        "user": plan.user_name,
        "seed": plan.seed,
        "protocol": asdict(plan.protocol),
    }


def run_tasks(
    work: Work,
    tasks: Sequence[Task],
    header: dict[str, Any],
    rows_path: Path | None = None,
    progress: Progress | None = None,
) -> list[ObjectResult]:
    """
    The rows of some objects, in their order.

    Args:
        work: Who evaluates.
        tasks: The objects, with distinct names.
        header: What the rows belong to.
        rows_path: File of finished rows. Rows that are there are not computed again; new ones
            are added as soon as they are known. None: nothing is kept.
        progress: Called after each object that was computed, and once for those that were there.

    Raises:
        FileMissing, OutputExists: See ``RowFile``.
        WorkerDied, DatasetBroken: See ``Workers``.
    """
    file = None if rows_path is None else RowFile(rows_path, header)
    done = {} if file is None else dict(file.done)
    missing = [task for task in tasks if task.ref.name not in done]
    count = len(tasks) - len(missing)
    if progress and count:
        progress(count, len(tasks))
    for number, (_, row) in enumerate(work.results(missing), start=count + 1):
        if file is not None:
            file.append(row)
        done[row.name] = row
        if progress:
            progress(number, len(tasks))
    return [done[task.ref.name] for task in tasks]


def run_of(
    dataset: Dataset, predictor: str, plan: Plan, rows: Sequence[ObjectResult]
) -> dict[str, Any]:
    """Plain values for JSON: one of the ``runs`` of a result."""
    return {
        "dataset": dataset.name,
        "dataset_facts": dataset_facts(dataset),
        "predictor": predictor,
        "user": plan.user_name,
        "seed": plan.seed,
        "objects": len(rows),
        "table": summarise(rows, protocol=plan.protocol),
        "rows": [row.to_dict() for row in rows],
    }


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Layout and number of pictures, and the plain values of META.json where there is one."""
    facts: dict[str, Any] = {
        "format": getattr(dataset, "format", type(dataset).__name__),
        "images": len(dataset.images),
    }
    meta: dict[str, Any] = getattr(dataset, "meta", None) or {}
    plain = {k: v for k, v in meta.items() if isinstance(v, str | int | float)}
    return facts | ({"meta": plain} if plain else {})
