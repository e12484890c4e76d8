"""
Handing out tasks to workers, wherever they run, and what happens when one of them ends.

A kind of workers says how one is started, asked, listened to and killed; the rest is here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from latentcut.engines.engine import MAX_DEATHS, Lost, Raised, Result, Task
from latentcut.errors import WorkerDied

Handle = TypeVar("Handle", bound=Hashable)


@dataclass(frozen=True)
class Held(Generic[Task]):
    """A task that a worker has, or gets as soon as it is built."""

    place: int
    task: Task
    is_sent: bool


class Crew(ABC, Generic[Handle, Task, Result]):
    """
    Workers with one task each. A context manager: they end with it, however it ends.

    They are started when there is a task for them, and kept from run to run.

    Args:
        count: How many at most, at least 1.
        name: What a worker is called.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count, self.name = count, name
        self._idle: list[Handle] = []
        self._busy: dict[Handle, Held[Task]] = {}

    def __enter__(self) -> Self:
        """The engine, with no worker started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers."""
        self.end()

    @property
    @abstractmethod
    def pids(self) -> list[int]:
        """Process numbers of the workers that there are now, each on its machine."""

    @abstractmethod
    def end(self) -> None:
        """End all workers, those that still work as well."""

    @abstractmethod
    def _start(self) -> Handle:
        """A new worker, which says once whether it could be built."""

    @abstractmethod
    def _send(self, worker: Handle, task: Task) -> None:
        """Give a worker a task; where it has ended, that is seen on listening."""

    @abstractmethod
    def _listen(self, workers: list[Handle]) -> tuple[Handle, Any]:
        """
        Wait for one worker: which, and what it says. ``Lost``: it has ended and is forgotten.

        One at a time, so that no other is forgotten while it still counts as busy.
        """

    @abstractmethod
    def _kill(self, worker: Handle) -> None:
        """End one worker at once and forget it."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[int, Result | Lost]]:
        """See ``Engine``."""
        todo = Tasks(tasks)
        deaths = 0  # in a row, of workers that were being built
        try:
            self._hand_out(todo)
            while self._busy:
                worker, said = self._listen(list(self._busy))
                held = self._busy.pop(worker)
                if isinstance(said, Raised):
                    self._kill(worker)
                    raise said.error
                if isinstance(said, Lost):
                    deaths = 0 if held.is_sent else deaths + 1
                    if deaths == MAX_DEATHS:
                        which = f"the third {self.name} in a row that had not begun yet"
                        raise WorkerDied(which, said.exit_code)
                    given_up = todo.give_back(held, said)
                    if given_up is not None:
                        yield held.place, given_up
                elif held.is_sent:
                    self._idle.append(worker)
                    yield held.place, said
                else:
                    deaths = 0
                    self._give(worker, held.place, held.task)
                self._hand_out(todo)
        finally:
            while self._busy:  # what they would answer belongs to no run any more
                self._kill(self._busy.popitem()[0])

    def _hand_out(self, todo: Tasks[Task]) -> None:
        """Give tasks to workers that are free, or to new ones."""
        while self._idle or len(self._busy) < self.count:
            numbered = todo.next()
            if numbered is None:
                return
            if self._idle:
                self._give(self._idle.pop(), *numbered)
            else:
                self._busy[self._start()] = Held(*numbered, is_sent=False)

    def _give(self, worker: Handle, place: int, task: Task) -> None:
        self._busy[worker] = Held(place, task, is_sent=True)
        self._send(worker, task)


class Tasks(Generic[Task]):
    """
    The tasks of one run: which is next, and how often each ended its worker.

    Args:
        tasks: In order.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._fresh = enumerate(tasks)
        self._again: deque[tuple[int, Task]] = deque()
        self._deaths: dict[int, int] = {}

    def next(self) -> tuple[int, Task] | None:
        """The place of a task and the task, first those that were given back; None: no more."""
        return self._again.popleft() if self._again else next(self._fresh, None)

    def give_back(self, held: Held[Task], end: Lost) -> Lost | None:
        """
        Take back the task of a worker that ended.

        Returns:
            What stands for the result of a task that is given up; None: it is done again.
        """
        deaths = self._deaths.get(held.place, 0) + held.is_sent
        self._deaths[held.place] = deaths
        if deaths == MAX_DEATHS:
            return Lost(deaths, end.exit_code)
        self._again.append((held.place, held.task))
        return None
