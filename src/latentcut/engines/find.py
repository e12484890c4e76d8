"""Engines by name, as commands offer them."""

from __future__ import annotations

from latentcut.engines.engine import Engine, Result, Task
from latentcut.engines.local import Build, LocalWorkers
from latentcut.errors import BadConfig, nearest

ENGINES = ("local", "ray")


def find_engine(
    engine_name: str,
    count: int,
    build: Build[Task, Result],
    address: str | None = None,
    worker_name: str = "worker",
) -> Engine[Task, Result]:
    """
    An engine by name.

    Args:
        engine_name: "local": other processes on this machine; "ray": a Ray cluster.
        count: Workers, at least 1.
        build: Makes the function that does a task, in each worker.
        address: Of the Ray cluster; see ``RayWorkers``.
        worker_name: What a worker is called in messages.

    Raises:
        BadConfig: There is no such engine.
        MissingExtra: Ray is not installed.
        ClusterUnusable: There is no Ray cluster at the address.
    """
    check_engine_name(engine_name)
    if engine_name == "ray":
        from latentcut.engines.ray import RayWorkers

        return RayWorkers(count, build, address, worker_name)
    return LocalWorkers(count, build, worker_name)


def check_engine_name(engine_name: str) -> None:
    """Raise BadConfig where there is no such engine."""
    if engine_name not in ENGINES:
        raise BadConfig(f"there is no engine {engine_name!r}: {nearest(engine_name, ENGINES)}")
