"""
The queue in front of the model: one run at a time, the most urgent first, never a long wait.

Work waits in a bounded list. A newer request with the same key replaces the one that waits; a
request whose client has gone is dropped. Images that will probably be opened next are prepared
only while nothing waits.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from latentcut.errors import LatentcutError, ServerBusy, Superseded

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Priority(IntEnum):
    """What goes first: the smaller number."""

    ACTION = 0
    CANDIDATES = 1
    HOVER = 2
    BACKGROUND = 3


@dataclass(eq=False)
class _Job:
    priority: Priority
    number: int
    key: Hashable | None
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)

    def refuse(self, error: LatentcutError) -> None:
        """End it with an error, unless its client has gone."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)

    def run(self) -> None:
        """Do the work, unless its client has gone."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.work()
        except BaseException as error:  # whatever it is, it belongs to whoever waits for it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class InferenceQueue:
    """
    A worker thread and the work that waits for it.

    Args:
        max_waiting: How many requests may wait, beside the one that runs.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._waiting: list[_Job] = []
        self._idle_work: deque[Callable[[], object]] = deque()
        self._wake = threading.Condition()
        self._is_stopped = False
        self._num_jobs = 0
        self._thread = threading.Thread(target=self._work, name="latentcut model", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Drop what waits, and wait for the run in progress, at most so long."""
        with self._wake:
            self._is_stopped = True
            dropped, self._waiting = self._waiting, []
            self._idle_work.clear()
            self._wake.notify_all()
        for job in dropped:
            job.future.cancel()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def num_waiting(self) -> int:
        """Requests that wait."""
        with self._wake:
            return len(self._waiting)

    async def run(
        self, work: Callable[[], T], priority: Priority, key: Hashable | None = None
    ) -> T:
        """
        Have work done on the worker thread; cancelling this takes waiting work back.

        Raises:
            ServerBusy: Too much waits already.
            Superseded: A newer request with the same key came in.
        """
        return await asyncio.wrap_future(self.submit(work, priority, key))

    def submit(
        self, work: Callable[[], T], priority: Priority, key: Hashable | None = None
    ) -> Future[T]:
        """
        Queue work without waiting; see ``run``.

        A full queue lets an urgent request in at the cost of a less urgent one, so that a
        mouse that moves never keeps a click out.

        Raises:
            ServerBusy: Too much waits already.
        """
        with self._wake:
            if self._is_stopped:
                raise ServerBusy(0)
            replaced = [job for job in self._waiting if key is not None and job.key == key]
            displaced = self._displaced_by(priority) if not replaced else None
            for old in (*replaced, *([displaced] if displaced else [])):
                self._waiting.remove(old)
            self._num_jobs += 1
            job = _Job(priority, self._num_jobs, key, work)
            self._waiting.append(job)
            num_waiting = len(self._waiting)
            self._wake.notify()
        job.future.add_done_callback(lambda _: self._forget(job))
        for old in replaced:
            old.refuse(Superseded("a newer request of the same object replaced this one"))
        if displaced:
            displaced.refuse(ServerBusy(num_waiting))
        return job.future

    def prepare(self, steps: Sequence[Callable[[], object]]) -> None:
        """Do these while nothing waits, in order; what was to be prepared before is dropped."""
        with self._wake:
            self._idle_work = deque(steps)
            self._wake.notify()

    def _displaced_by(self, priority: Priority) -> _Job | None:
        """The job that must go for a new one: none while there is room. Raises ServerBusy."""
        if len(self._waiting) < self._max_waiting:
            return None
        last = max(self._waiting, key=lambda job: (job.priority, job.number))
        if last.priority <= priority:
            raise ServerBusy(len(self._waiting))
        return last

    def _forget(self, job: _Job) -> None:
        with self._wake:
            if job in self._waiting:
                self._waiting.remove(job)

    def _next(self) -> Callable[[], object] | None:
        """The next thing to do; None when the queue is stopped."""
        with self._wake:
            while not (self._waiting or self._idle_work or self._is_stopped):
                self._wake.wait()
            if self._is_stopped:
                return None
            if self._waiting:
                job = min(self._waiting, key=lambda job: (job.priority, job.number))
                self._waiting.remove(job)
                return job.run
            return _quiet(self._idle_work.popleft())

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task()


def _quiet(step: Callable[[], object]) -> Callable[[], None]:
    """A step nobody waits for: what goes wrong is met again, and told, when it is asked for."""

    def run() -> None:
        try:
            step()
        except LatentcutError:
            pass
        except Exception as error:
            logger.error("preparing an image failed: %s", type(error).__name__)

    return run
