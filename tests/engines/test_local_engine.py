"""Tasks on this machine: nothing lost, nothing doubled, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count, islice
from pathlib import Path

import pytest
from engine_things import (
    broken,
    choosy,
    confused,
    deadly,
    deadly_once,
    doubling,
    stillborn,
    telling_pid,
)

from latentcut.engines.engine import Lost
from latentcut.engines.find import find_engine
from latentcut.engines.local import Here, LocalWorkers
from latentcut.errors import BadConfig, WorkerDied

DOUBLED = {place: 2 * place for place in range(8)}


def test_this_process_works_in_order():
    with Here(doubling) as engine:
        results = list(engine.run([5, 6, 7]))

    assert results == [(0, 10), (1, 12), (2, 14)]


def test_workers_give_every_result_once():
    with LocalWorkers(2, doubling) as engine:
        results = list(engine.run(range(8)))

    assert sorted(results) == sorted(DOUBLED.items())


def test_workers_are_kept_from_run_to_run():
    with LocalWorkers(1, doubling) as engine:
        first = list(engine.run([1]))
        before = engine.pids
        second = list(engine.run([2]))
        after = engine.pids

    assert (first, second) == ([(0, 2)], [(0, 4)])
    assert before == after


def test_no_worker_is_started_without_a_task():
    with LocalWorkers(2, doubling) as engine:
        results = list(engine.run([]))
        pids = engine.pids

    assert (results, pids) == ([], [])


def test_tasks_are_taken_when_a_worker_is_free():
    taken = []

    def endless():
        for number in count():
            taken.append(number)
            yield number

    with LocalWorkers(2, doubling) as engine:
        results = list(islice(engine.run(endless()), 3))

    assert len(results) == 3
    assert len(taken) <= 3 + 2


def test_the_task_of_a_killed_worker_is_done_by_another(tmp_path):
    with LocalWorkers(2, partial(deadly_once, tmp_path)) as engine:
        results = list(engine.run(range(8)))

    assert sorted(results) == sorted(DOUBLED.items())
    attempts = {place: len(list(tmp_path.glob(f"{place}-*"))) for place in range(8)}
    assert attempts == {place: 2 if place == 3 else 1 for place in range(8)}


def test_a_worker_killed_from_outside_is_replaced(tmp_path):
    with LocalWorkers(2, partial(telling_pid, tmp_path)) as engine:
        # another process, because this one is busy with the results
        killer = subprocess.Popen([sys.executable, "-c", KILLER, str(tmp_path)])
        results = list(engine.run(range(4)))

    assert killer.wait() == 0
    assert sorted(results) == [(0, 0), (1, 2), (2, 4), (3, 6)]
    assert len(list(tmp_path.glob("pid-*"))) == 3


KILLER = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
while len(found := sorted(folder.glob("pid-*"))) < 2:
    time.sleep(0.01)
os.kill(int(found[0].name.removeprefix("pid-")), signal.SIGKILL)
while len(list(folder.glob("pid-*"))) < 3:
    time.sleep(0.01)
(folder / "go").touch()
"""


def test_a_task_that_kills_three_workers_is_given_up_and_the_rest_is_done():
    with LocalWorkers(2, deadly) as engine:
        results = dict(engine.run(range(8)))

    assert results == {**DOUBLED, 3: Lost(deaths=3, exit_code=-signal.SIGKILL)}


def test_workers_that_end_before_they_begin_are_told():
    with pytest.raises(WorkerDied) as caught, LocalWorkers(2, stillborn) as engine:
        list(engine.run(range(8)))

    assert str(caught.value) == (
        "the third worker in a row that had not begun yet was ended by signal 9, perhaps because "
        "memory ran out: fewer --workers need less"
    )


def test_workers_that_end_at_the_same_moment_are_told_one_after_the_other():
    class Late(LocalWorkers):
        def _listen(self, workers):
            for process in self._processes.values():
                process.join()
            return super()._listen(workers)

    with pytest.raises(WorkerDied, match="signal 9"), Late(2, stillborn) as engine:
        list(engine.run(range(8)))

    assert engine.pids == []


def test_an_error_of_ours_is_raised_as_itself():
    with pytest.raises(BadConfig) as caught, LocalWorkers(2, choosy) as engine:
        list(engine.run(range(8)))

    assert str(caught.value) == "no threes"


def test_a_worker_that_cannot_be_built_says_why():
    with pytest.raises(BadConfig) as caught, LocalWorkers(2, broken) as engine:
        list(engine.run(range(8)))

    assert str(caught.value) == "this worker cannot be built"


def test_a_mistake_is_told_with_its_task_and_place():
    with pytest.raises(RuntimeError) as caught, LocalWorkers(1, confused) as engine:
        list(engine.run([3]))

    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == ("on 3:", "ZeroDivisionError: division by zero")


def test_an_engine_can_be_used_after_an_error():
    with LocalWorkers(2, choosy) as engine:
        with pytest.raises(BadConfig):
            list(engine.run([3, 1, 2]))
        after = sorted(engine.run([1, 2, 4]))

    assert after == [(0, 1), (1, 2), (2, 4)]


def test_a_run_that_is_left_early_answers_nothing_into_the_next():
    with LocalWorkers(2, doubling) as engine:
        list(islice(engine.run(range(8)), 1))
        after = sorted(engine.run([10, 20]))

    assert after == [(0, 20), (1, 40)]


def test_no_process_is_left_when_the_caller_is_interrupted():
    engine = LocalWorkers(2, doubling)
    pids: list[int] = []

    def interrupted():
        with engine:
            for _ in engine.run(range(8)):
                pids.extend(engine.pids)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert pids
    assert [is_running(pid) for pid in pids] == [False] * len(pids)


def test_workers_end_when_the_caller_is_killed(tmp_path):
    paths = {"PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path)], env={**os.environ, **paths}
    )
    wait_until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]

    caller.kill()
    caller.wait()
    (tmp_path / "go").touch()

    wait_until(lambda: not any(map(is_running, pids)))
    assert [is_running(pid) for pid in pids] == [False, False]


HERE = Path(__file__).parent
CALLER = """
import pathlib, sys
from functools import partial
from engine_things import telling_pid
from latentcut.engines.local import LocalWorkers

if __name__ == "__main__":
    with LocalWorkers(2, partial(telling_pid, pathlib.Path(sys.argv[1]))) as engine:
        list(engine.run(range(8)))
"""


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(BadConfig) as caught:
        find_engine("rya", 2, doubling)

    assert str(caught.value) == ("there is no engine 'rya': did you mean 'ray'? known: local, ray")


def wait_until(is_so: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for something that other processes do; a failure to come is one of the test."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than as a record of its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
