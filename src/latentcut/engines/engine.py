"""
What every engine does, whatever it runs on.

An engine makes workers, gives each one task at a time and passes on the results as they come. A
worker that is killed costs time and nothing else: its task is given to another one, and every
task has exactly one result. A task that kills worker after worker is given up.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from latentcut.errors import LatentcutError

MAX_DEATHS = 3  # workers that a task may kill; and workers in a row that end while they are built

Task = TypeVar("Task")
Result = TypeVar("Result")
TaskIn = TypeVar("TaskIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)


@dataclass(frozen=True)
class Lost:
    """
    What stands for the result of a task that was given up.

    Attributes:
        deaths: Workers that ended while they had it.
        exit_code: Of the last one, negative for a signal; None: not known.
    """

    deaths: int
    exit_code: int | None = None


class Engine(Protocol[TaskIn, ResultOut]):
    """Whoever does the tasks. A context manager, too: what it started ends with it."""

    def __enter__(self) -> Self:
        """The engine."""

    def __exit__(self, *_: object) -> None:
        """End what the engine started."""

    def run(self, tasks: Iterable[TaskIn]) -> Iterator[tuple[int, ResultOut | Lost]]:
        """
        Do tasks, and give each result with the place of its task, as they are finished.

        Args:
            tasks: Taken one by one, when a worker is free.

        Raises:
            WorkerDied: Workers end before they have begun, one after the other.
            LatentcutError: What a worker raised.
            RuntimeError: Another error in a worker, with the traceback there.
        """


@dataclass(frozen=True)
class Raised:
    """An error on its way out of a worker."""

    error: Exception


def attempted(work: Callable[[], Result], what: object) -> Result | Raised:
    """What a call gives, or the error it raises, in a form that reaches another process."""
    try:
        return work()
    except LatentcutError as error:
        return Raised(error)
    except Exception:
        # its class may not exist on the other side, and its traceback does not travel
        return Raised(RuntimeError(f"on {what}:\n{traceback.format_exc()}"))
