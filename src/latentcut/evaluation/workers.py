"""
Processes that evaluate objects side by side.

Each builds its own segmenter and opens the data sets itself: nothing large travels. Objects are
handed out one at a time, to whoever is free; answers come back in any order. The processes are
started anew (``spawn``), so what they are given must be importable and picklable.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Protocol

from latentcut.datasets.dataset import Dataset, ObjectRef
from latentcut.errors import LatentcutError, WorkerDied
from latentcut.evaluation.protocol import ObjectResult, evaluate_sample
from latentcut.evaluation.protocol import Protocol as Rules
from latentcut.evaluation.segmenter import Segmenter

GRACE_S = 5.0  # for a process to end after it was told to, before it is killed


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
    Other processes evaluate. A context manager: they end with it, however it ends.

    Args:
        count: How many, at least 1.
        build: Makes the segmenter, in each process.
        open_sets: Open the data sets that tasks name by place, in each process.
    """

    def __init__(
        self,
        count: int,
        build: Callable[[], Segmenter],
        open_sets: Sequence[Callable[[], Dataset]],
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._processes: dict[Connection, Any] = {}
        try:
            for number in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=work,
                    args=(theirs, build, tuple(open_sets)),
                    daemon=True,
                    name=f"evaluation worker {number + 1}",
                )
                with interrupts_ignored():
                    process.start()
                theirs.close()  # so that its end is seen here
                self._processes[ours] = process
        except BaseException:
            self.end()
            raise

    def __enter__(self) -> Workers:
        """The workers, which have begun to build their segmenters."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes."""
        self.end()

    def end(self) -> None:
        """End all processes, those that still work as well."""
        for connection, process in self._processes.items():
            connection.close()
            process.terminate()
        for process in self._processes.values():
            process.join(GRACE_S)
            if process.exitcode is None:
                process.kill()
                process.join()
        self._processes = {}

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, ObjectResult]]:
        """
        As they are finished.

        Raises:
            WorkerDied: A process ended, killed by the system for instance.
            LatentcutError: What a worker met first.
        """
        waiting = iter(enumerate(tasks))
        busy = {c for c in self._processes if self._give(c, next(waiting, None))}
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                place, found = self._receive(connection)
                if isinstance(found, BaseException):
                    raise found
                yield place, found
                if not self._give(connection, next(waiting, None)):
                    busy.discard(connection)

    def _give(self, connection: Connection, numbered: tuple[int, Task] | None) -> bool:
        if numbered is None:
            return False
        try:
            connection.send(numbered)
        except (BrokenPipeError, ConnectionResetError):
            raise self._died(connection) from None
        return True

    def _receive(self, connection: Connection) -> tuple[int, ObjectResult | BaseException]:
        try:
            received: tuple[int, ObjectResult | BaseException] = connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._died(connection) from None
        return received

    def _died(self, connection: Connection) -> WorkerDied:
        process = self._processes[connection]
        process.join(GRACE_S)
        return WorkerDied(process.name, process.exitcode)


def work(
    connection: Connection,
    build: Callable[[], Segmenter],
    open_sets: Sequence[Callable[[], Dataset]],
) -> None:
    """What a worker process does, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends us
    use_one_thread()
    segmenter: Segmenter | None = None
    opened: dict[int, Dataset] = {}
    while True:
        try:
            place, task = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            segmenter = segmenter or build()
            if task.dataset not in opened:
                opened[task.dataset] = open_sets[task.dataset]()
            found: ObjectResult | BaseException = do(segmenter, opened[task.dataset], task)
        except LatentcutError as error:
            found = error
        except Exception:
            # its class may not exist on the other side, and its traceback does not travel
            found = RuntimeError(f"on {task.ref.name}:\n{traceback.format_exc()}")
        try:
            connection.send((place, found))
        except (BrokenPipeError, ConnectionResetError):
            return


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """
    Processes started meanwhile never hear Ctrl-C, which goes to all of a terminal's.

    Outside the main thread, where Python does not let signals be set, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: not set by Python


def use_one_thread() -> None:
    """OpenCV in a worker: the other cores belong to the other workers."""
    import cv2

    cv2.setNumThreads(1)
