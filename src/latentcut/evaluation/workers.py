"""
Workers that evaluate objects side by side.

Each builds its own segmenter and opens the data sets itself: nothing large travels. Objects are
handed out one at a time, to whoever is free; answers come back in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol

from latentcut.datasets.dataset import Dataset, ObjectRef
from latentcut.engines.engine import Engine, Lost
from latentcut.engines.find import find_engine
from latentcut.errors import WorkerDied
from latentcut.evaluation.protocol import ObjectResult, evaluate_sample
from latentcut.evaluation.protocol import Protocol as Rules
from latentcut.evaluation.segmenter import Segmenter

NAME = "evaluation worker"


@dataclass(frozen=True)
class Task:
    """
    One object to be evaluated.

    Attributes:
        dataset: Its place among the data sets of the workers.
        ref: The object.
        protocol: The rules.
        user: Who clicks; None: the protocol's own.
        seed: Of the user's chance.
    """

    dataset: int
    ref: ObjectRef
    protocol: Rules
    user: str | None = None
    seed: int = 0

    def __str__(self) -> str:
        """What an error calls it."""
        return self.ref.name


class Work(Protocol):
    """Whoever evaluates: this process or others."""

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, ObjectResult]]:
        """The place of each task and its row, as they are finished."""


class Here:
    """
    This process evaluates, object by object.

    Args:
        segmenter: Who answers.
        datasets: What tasks name by place.
    """

    def __init__(self, segmenter: Segmenter, datasets: Sequence[Dataset]) -> None:
        self.segmenter, self.datasets = segmenter, datasets

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, ObjectResult]]:
        """In the tasks' order."""
        for place, task in enumerate(tasks):
            yield place, do(self.segmenter, self.datasets[task.dataset], task)


def do(segmenter: Segmenter, dataset: Dataset, task: Task) -> ObjectResult:
    """Evaluate one object."""
    sample = dataset.sample(task.ref)
    return evaluate_sample(segmenter, sample, task.protocol, task.user, task.seed)


class Workers:
    """
    Workers of an engine evaluate. A context manager: they end with it, however it ends.

    Args:
        count: How many, at least 1.
        build: Makes the segmenter, in each worker.
        open_sets: Open the data sets that tasks name by place, in each worker.
        engine_name: Where the workers are; see ``engines.find``.
        address: Of a Ray cluster; see ``engines.ray``.

    Raises:
        BadConfig, MissingExtra, ClusterUnusable: See ``engines.find``.
    """

    def __init__(
        self,
        count: int,
        build: Callable[[], Segmenter],
        open_sets: Sequence[Callable[[], Dataset]],
        engine_name: str = "local",
        address: str | None = None,
    ) -> None:
        evaluator = partial(Evaluator, build, tuple(open_sets))
        self._engine: Engine[Task, ObjectResult] = find_engine(
            engine_name, count, evaluator, address, NAME
        )

    def __enter__(self) -> Workers:
        """The workers; they are started when there are tasks for them."""
        self._engine.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all workers."""
        self._engine.__exit__(kind, error, trace)

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, ObjectResult]]:
        """
        As they are finished; the object of a worker that is killed is given to another one.

        Raises:
            WorkerDied: An object ended three workers, or they end before they begin.
            LatentcutError: What a worker met first.
        """
        for place, found in self._engine.run(tasks):
            if isinstance(found, Lost):
                raise WorkerDied(f"the third {NAME} on {tasks[place]}", found.exit_code)
            yield place, found


class Evaluator:
    """
    What a worker does.

    Args:
        build: Makes the segmenter.
        open_sets: Open the data sets that tasks name by place; each is opened when it is needed.
    """

    def __init__(
        self, build: Callable[[], Segmenter], open_sets: tuple[Callable[[], Dataset], ...]
    ) -> None:
        use_one_thread()
        self._segmenter, self._open_sets = build(), open_sets
        self._opened: dict[int, Dataset] = {}

    def __call__(self, task: Task) -> ObjectResult:
        """Evaluate one object."""
        if task.dataset not in self._opened:
            self._opened[task.dataset] = self._open_sets[task.dataset]()
        return do(self._segmenter, self._opened[task.dataset], task)


def use_one_thread() -> None:
    """OpenCV in a worker: the other cores belong to the other workers."""
    import cv2

    cv2.setNumThreads(1)
