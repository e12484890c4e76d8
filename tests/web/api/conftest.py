"""What the tests of the API share: a server in a thread, and the command in a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from api_servers import RunningApi, api_in_thread, launched, send


@pytest.fixture(scope="module")
def api(tmp_path_factory, predictor) -> Iterator[RunningApi]:
    """A server for the whole module: for tests that do not depend on what others sent."""
    with api_in_thread(predictor, tmp_path_factory.mktemp("spool")) as running:
        yield running


@pytest.fixture
def client(api):
    with api.client() as client:
        yield client


@pytest.fixture
def image_id(client) -> str:
    """The photo of the cat, sent."""
    return send(client)


@pytest.fixture
def launch_api(tmp_path) -> Iterator[Callable[..., RunningApi]]:
    """Start ``latentcut serve``; what still runs is killed at the end of the test."""
    started: list[RunningApi] = []

    def launch(*arguments: str) -> RunningApi:
        running = launched(tmp_path / f"serve{len(started)}.log", *arguments)
        started.append(running)
        return running

    yield launch
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()
        running.process.stdout.close()
