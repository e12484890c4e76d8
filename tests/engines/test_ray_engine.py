"""Tasks on a real Ray of two workers on this machine: nothing lost, nothing doubled."""

from __future__ import annotations

import socket
import subprocess
import sys
from functools import partial

import pytest
from engine_things import broken, confused, deadly, deadly_once, doubling, stillborn, telling_pid

from latentcut.engines.engine import Lost
from latentcut.engines.find import find_engine
from latentcut.engines.ray import RayWorkers, check_reachable
from latentcut.errors import BadConfig, ClusterUnusable, MissingExtra, WorkerDied

DOUBLED = {place: 2 * place for place in range(8)}

# Ray's own warnings, and files and sockets that it leaves to the collector of garbage
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'latentcut[ray]'")
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_actors_give_every_result_once():
    with RayWorkers(2, doubling) as engine:
        results = list(engine.run(range(8)))
        again = list(engine.run([5]))

    assert sorted(results) == sorted(DOUBLED.items())
    assert again == [(0, 10)]


def test_the_task_of_a_killed_actor_is_done_by_another(tmp_path):
    with RayWorkers(2, partial(deadly_once, tmp_path)) as engine:
        results = list(engine.run(range(8)))

    assert sorted(results) == sorted(DOUBLED.items())
    attempts = {place: len(list(tmp_path.glob(f"{place}-*"))) for place in range(8)}
    assert attempts == {place: 2 if place == 3 else 1 for place in range(8)}


def test_an_actor_killed_from_outside_is_replaced(tmp_path):
    from test_local_engine import KILLER

    with RayWorkers(2, partial(telling_pid, tmp_path)) as engine:
        killer = subprocess.Popen([sys.executable, "-c", KILLER, str(tmp_path)])
        results = list(engine.run(range(4)))

    assert killer.wait() == 0
    assert sorted(results) == [(0, 0), (1, 2), (2, 4), (3, 6)]
    assert len(list(tmp_path.glob("pid-*"))) == 3


def test_a_task_that_kills_three_actors_is_given_up_and_the_rest_is_done():
    with RayWorkers(2, deadly) as engine:
        results = dict(engine.run(range(8)))

    assert results == {**DOUBLED, 3: Lost(deaths=3)}


def test_actors_that_end_before_they_begin_are_told():
    with pytest.raises(WorkerDied) as caught, RayWorkers(2, stillborn) as engine:
        list(engine.run(range(8)))

    assert str(caught.value) == (
        "the third worker in a row that had not begun yet was ended, perhaps because memory ran "
        "out: fewer --workers need less"
    )


def test_an_actor_that_cannot_be_built_says_why():
    with pytest.raises(BadConfig) as caught, RayWorkers(2, broken) as engine:
        list(engine.run(range(8)))

    assert str(caught.value) == "this worker cannot be built"


def test_a_mistake_in_an_actor_is_told_with_its_task_and_place():
    with pytest.raises(RuntimeError) as caught, RayWorkers(1, confused) as engine:
        list(engine.run([3]))

    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == ("on 3:", "ZeroDivisionError: division by zero")


def test_an_engine_is_found_by_its_name():
    with find_engine("ray", 1, doubling) as engine:
        results = list(engine.run([4]))

    assert results == [(0, 8)]


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(MissingExtra) as caught:
        find_engine("ray", 2, doubling)

    assert str(caught.value) == (
        "--engine ray needs packages that are not installed: run pip install 'latentcut[ray]'"
    )


def test_an_address_where_nobody_answers_is_told_at_once():
    with socket.socket() as taken:  # a port that is ours, and not listened to
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ClusterUnusable) as caught:
            check_reachable(address)

    assert str(caught.value).startswith(
        f"the Ray cluster '{address}' cannot be used: nobody answers there ("
    )


def test_a_cluster_that_misses_a_module_says_which(monkeypatch):
    paths = [path for path in sys.path if not path.endswith("engines")]
    monkeypatch.setattr(sys, "path", paths)

    with pytest.raises(ClusterUnusable) as caught, RayWorkers(1, doubling) as engine:
        list(engine.run([1]))

    assert str(caught.value) == (
        "the Ray cluster 'local' cannot be used: ModuleNotFoundError: No module named "
        "'engine_things'; latentcut must be installed on every machine of it"
    )
