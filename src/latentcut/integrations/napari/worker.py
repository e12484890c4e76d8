"""One thread that does the work of the widget, so that the window stays alive."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its value, or the error that it ended in."""

    value: Any = None
    error: BaseException | None = None


class Worker(QObject):
    """
    Does one job after the other, and none of those that a newer one has replaced.

    Attributes:
        done: Emitted with a job, the function that waits for its outcome, and the outcome.
    """

    done = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="latentcut")
        self._newest: Future[Any] | None = None
        self.done.connect(self._finish)

    def ask(self, job: Callable[[], Any], finish: Callable[[Outcome], None]) -> None:
        """
        Do a job soon; one that waits for its turn is dropped, without an outcome.

        Args:
            job: Runs in the worker's thread.
            finish: Gets the outcome in the thread of the window, unless a newer job was asked for.
        """
        if self._newest is not None:
            self._newest.cancel()
        self._newest = self._pool.submit(job)
        self._newest.add_done_callback(partial(self._report, finish))

    @property
    def is_busy(self) -> bool:
        """Whether the outcome of the newest job is still to come."""
        return self._newest is not None

    def stop(self) -> None:
        """Take no more jobs; the one at hand is finished, and nobody hears of it."""
        self._newest = None
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _report(self, finish: Callable[[Outcome], None], future: Future[Any]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        outcome = Outcome(error=error) if error is not None else Outcome(future.result())
        with suppress(RuntimeError):  # the window was closed and Qt has deleted this object
            self.done.emit(future, finish, outcome)

    def _finish(
        self, future: Future[Any], finish: Callable[[Outcome], None], outcome: Outcome
    ) -> None:
        """Called in the thread of the window, to which this object belongs."""
        if future is self._newest:
            self._newest = None
            finish(outcome)
