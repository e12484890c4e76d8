"""
Tasks done on a Ray cluster: one actor per worker, one task at a time.

Ray Data is not used. It restarts whole blocks of rows, cannot say which row of a block ends its
worker, and gives rows in the order of the blocks that are ready: a finished task could be done
twice, and a deadly one would take its neighbours with it. Actors are asked one by one instead,
so that every task has exactly one result and only a deadly one is given up.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from latentcut.engines.crew import Crew
from latentcut.engines.engine import Lost, Raised, Result, Task, attempted
from latentcut.engines.local import Build
from latentcut.errors import ClusterUnusable, MissingExtra

CONNECT_S = 10.0  # for a cluster to be reached


class RayWorkers(Crew[Any, Task, Result]):
    """
    Actors on a Ray cluster do the tasks.

    Args:
        count: How many at most, at least 1; each asks the cluster for one CPU.
        build: Makes the function that does a task, in each actor. What it needs, files
            included, must be on every machine of the cluster, at the same place.
        address: Of the cluster, such as "auto" or "ray://head:10001"; None: that of the
            variable RAY_ADDRESS, else one of its own on this machine.
        name: What a worker is called.

    Raises:
        MissingExtra: Ray is not installed.
        ClusterUnusable: There is no cluster at the address.
    """

    def __init__(
        self,
        count: int,
        build: Build[Task, Result],
        address: str | None = None,
        name: str = "worker",
    ) -> None:
        try:
            ray: Any = importlib.import_module("ray")  # types are no use where it is missing
        except ModuleNotFoundError as error:
            raise MissingExtra("--engine ray", "ray") from error
        super().__init__(count, name)
        self._build, self._ray = build, ray
        self._actors: list[Any] = []
        self._asked: dict[Any, Any] = {}  # reference to what an actor will say: the actor
        where = address or os.environ.get("RAY_ADDRESS") or "local"
        own = {"num_cpus": count, "include_dashboard": False} if where == "local" else {}
        self._is_ours = not ray.is_initialized()
        self._address = where
        if self._is_ours:
            check_reachable(where)
            # one of our own tells nobody that it runs; a cluster's owner decides about theirs
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            # Ray's own words are for those who look after the cluster, and stay in its log files
            try:
                ray.init(address=where, logging_level="ERROR", log_to_driver=False, **own)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise ClusterUnusable(where, reason_of(error)) from error
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)

    @property
    def pids(self) -> list[int]:
        """Process numbers of the actors that there are now, each on its machine."""
        return list(self._ray.get([actor.pid.remote() for actor in self._actors]))

    def end(self) -> None:
        """End the actors, and the connection to the cluster where it was made here."""
        for actor in list(self._actors):
            self._kill(actor)
        self._idle.clear()
        if self._is_ours:
            self._ray.shutdown()

    def _start(self) -> Any:
        actor = self._actor.remote(str(Path.cwd()), [path for path in sys.path if path])
        self._actors.append(actor)
        self._asked[actor.built.remote(self._build)] = actor
        return actor

    def _send(self, worker: Any, task: Task) -> None:
        self._asked[worker.do.remote(task)] = worker

    def _listen(self, workers: list[Any]) -> tuple[Any, Any]:
        (reference, *_), _ = self._ray.wait(list(self._asked), num_returns=1)
        worker = self._asked.pop(reference)
        try:
            return worker, self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # Ray could not call us
            reason = f"{reason_of(error)}; latentcut must be installed on every machine of it"
            return worker, Raised(ClusterUnusable(self._address, reason))
        except self._ray.exceptions.RayError:  # it has ended, or its machine has
            self._kill(worker)
            return worker, Lost(1)

    def _kill(self, worker: Any) -> None:
        self._actors.remove(worker)
        self._asked = {asked: w for asked, w in self._asked.items() if w != worker}
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker)


def check_reachable(address: str) -> None:
    """
    Whether somebody answers at a HOST:PORT; Ray itself tries for minutes.

    Raises:
        ClusterUnusable: Nobody does. Addresses of another form are left to Ray.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdecimal()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterUnusable(address, f"nobody answers there ({error})") from error


def reason_of(error: Exception) -> str:
    """The first line of what Ray says that names a cause, or else its first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [
        line for line in lines if "Error: " in line and "ray." not in line.split("Error: ")[0]
    ]
    return (causes or lines or [type(error).__name__])[-1 if causes else 0].rstrip(".")


class Worker:
    """
    The actor. What does its tasks is made in it, after it has begun.

    Args:
        folder: Where the caller works, so that relative paths mean the same here.
        paths: Where the caller finds modules; those that are here, too, are looked into last.
    """

    def __init__(self, folder: str, paths: list[str]) -> None:
        if Path(folder).is_dir():
            os.chdir(folder)
        sys.path += [path for path in paths if path not in sys.path and Path(path).is_dir()]
        self._do: Callable[[Any], Any] | None = None

    def built(self, build: Callable[[], Callable[[Any], Any]]) -> Any:
        """None as soon as tasks can be done, or the error that forbids it."""
        do = attempted(build, "building a worker")
        if isinstance(do, Raised):
            return do
        self._do = do
        return None

    def do(self, task: Any) -> Any:
        """The result of one task, or the error that it raised."""
        assert self._do is not None
        do = self._do
        return attempted(lambda: do(task), task)

    def pid(self) -> int:
        """Number of this process."""
        return os.getpid()
