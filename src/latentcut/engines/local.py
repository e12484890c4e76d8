"""
Tasks done by this process, or by others on this machine.

Other processes are started anew (``spawn``), so what they are given must be importable and
picklable. They never hear Ctrl-C: the caller does, and ends them.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, cast

from latentcut.engines.crew import Crew
from latentcut.engines.engine import Lost, Raised, Result, Task, attempted

GRACE_S = 5.0  # for a process to end after it was told to, before it is killed
BUILT = "built"  # what a worker says first

Build = Callable[[], Callable[[Task], Result]]


class Here(Generic[Task, Result]):
    """
    This process does the tasks, in order.

    Args:
        build: Makes the function that does one; called for the first task.
    """

    def __init__(self, build: Build[Task, Result]) -> None:
        self._build = build
        self._do: Callable[[Task], Result] | None = None

    def __enter__(self) -> Here[Task, Result]:
        """The engine, with nothing built yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[int, Result | Lost]]:
        """See ``Engine``; every error is raised as it is."""
        for place, task in enumerate(tasks):
            if self._do is None:
                self._do = self._build()
            yield place, self._do(task)


class LocalWorkers(Crew[Connection, Task, Result]):
    """
    Other processes do the tasks.

    Args:
        count: How many at most, at least 1.
        build: Makes the function that does a task, in each process.
        name: What a process is called, before its number.
    """

    def __init__(self, count: int, build: Build[Task, Result], name: str = "worker") -> None:
        super().__init__(count, name)
        self._build = build
        self._context = multiprocessing.get_context("spawn")
        self._processes: dict[Connection, SpawnProcess] = {}
        self._num_started = 0

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that there are now."""
        return [pid for process in self._processes.values() if (pid := process.pid) is not None]

    def end(self) -> None:
        """End all processes, those that still work as well."""
        for connection, process in self._processes.items():
            connection.close()
            process.terminate()
        for process in self._processes.values():
            _join(process)
        self._processes = {}
        self._idle.clear()

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe()
        self._num_started += 1
        process = self._context.Process(
            target=work,
            args=(theirs, self._build),
            daemon=True,
            name=f"{self.name} {self._num_started}",
        )
        with interrupts_ignored():
            process.start()
        theirs.close()  # so that its end is seen here
        self._processes[ours] = process
        return ours

    def _send(self, worker: Connection, task: Task) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.send(task)

    def _listen(self, workers: list[Connection]) -> tuple[Connection, Any]:
        worker = cast(list[Connection], wait(workers))[0]
        return worker, self._said(worker)

    def _said(self, worker: Connection) -> Any:
        try:
            return worker.recv()
        except (EOFError, OSError):  # ended, perhaps in the middle of a word
            return Lost(1, self._bury(worker))

    def _kill(self, worker: Connection) -> None:
        self._processes[worker].kill()
        self._bury(worker)

    def _bury(self, worker: Connection) -> int | None:
        process = self._processes.pop(worker)
        worker.close()
        _join(process)
        return process.exitcode


def _join(process: SpawnProcess) -> None:
    """Wait for a process to end; kill it where it does not."""
    process.join(GRACE_S)
    if process.exitcode is None:
        process.kill()
        process.join()


def work(connection: Connection, build: Build[Task, Result]) -> None:
    """What a worker process does, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends us
    do = attempted(build, "building a worker")
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(do if isinstance(do, Raised) else BUILT)
        while not isinstance(do, Raised):
            task = connection.recv()
            connection.send(attempted(lambda: do(task), task))  # noqa: B023  # called at once


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
