"""The queue in front of the model: what goes first, what is replaced, what is refused."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import CancelledError

import pytest

from latentcut.errors import LatentcutError, ServerBusy, Superseded
from latentcut.web.inference import InferenceQueue, Priority


@pytest.fixture
def make():
    """Queues with a gate: work waits behind a first job until the gate is opened."""
    queues = []

    def make(max_waiting: int = 16) -> tuple[InferenceQueue, threading.Event]:
        queue, gate, is_running = InferenceQueue(max_waiting), threading.Event(), threading.Event()
        queues.append((queue, gate))
        queue.start()

        def wait() -> None:
            is_running.set()
            gate.wait(30)

        queue.submit(wait, Priority.ACTION)
        assert is_running.wait(30)
        return queue, gate

    yield make
    for queue, gate in queues:
        gate.set()
        queue.stop(30)


def test_work_is_done_and_its_result_comes_back(make):
    queue, gate = make()
    gate.set()

    assert queue.submit(lambda: 6 * 7, Priority.ACTION).result(30) == 42


def test_an_error_of_the_work_comes_back_and_the_queue_goes_on(make):
    queue, gate = make()
    gate.set()

    failed = queue.submit(lambda: 1 / 0, Priority.ACTION)
    after = queue.submit(lambda: "still here", Priority.ACTION)

    assert type(failed.exception(30)) is ZeroDivisionError
    assert after.result(30) == "still here"


def test_the_more_urgent_goes_first_and_equals_in_their_order(make):
    queue, gate = make()
    done: list[str] = []
    queue.prepare([lambda: done.append("prepare 1"), lambda: done.append("prepare 2")])
    wanted = [("hover", Priority.HOVER), ("candidates", Priority.CANDIDATES)]
    wanted += [("action 1", Priority.ACTION), ("action 2", Priority.ACTION)]
    jobs = [queue.submit(lambda name=name: done.append(name), level) for name, level in wanted]

    gate.set()
    for job in jobs:
        job.result(30)
    while len(done) < 6:
        time.sleep(0.001)

    assert done == ["action 1", "action 2", "candidates", "hover", "prepare 1", "prepare 2"]


def test_images_are_prepared_only_while_nothing_waits(make):
    queue, gate = make()
    done: list[str] = []
    steps = [lambda: (done.append("step 1"), time.sleep(0.3)), lambda: done.append("step 2")]

    queue.prepare(steps)
    gate.set()
    while not done:
        time.sleep(0.001)
    begun = time.perf_counter()
    queue.submit(lambda: done.append("click"), Priority.ACTION).result(30)
    waited_s = time.perf_counter() - begun

    assert done[:2] == ["step 1", "click"]  # behind the one step in progress, not behind both
    assert waited_s < 2


def test_a_step_that_fails_does_not_end_the_queue(make, caplog):
    queue, gate = make()

    def broken_image() -> None:
        raise LatentcutError("broken")

    queue.prepare([broken_image, lambda: 1 / 0])
    gate.set()

    assert queue.submit(lambda: "still here", Priority.ACTION).result(30) == "still here"
    while not caplog.messages:
        time.sleep(0.001)
    assert caplog.messages == ["preparing an image failed: ZeroDivisionError"]


def test_a_newer_request_replaces_the_one_with_its_key_that_waits(make):
    queue, gate = make()
    runs: list[int] = []
    jobs = [queue.submit(lambda n=n: runs.append(n), Priority.ACTION, "key") for n in range(20)]
    other = queue.submit(lambda: runs.append(99), Priority.ACTION, "other key")

    gate.set()
    other.result(30)

    assert runs == [19, 99]
    assert {type(job.exception(30)) for job in jobs[:-1]} == {Superseded}
    message = "a newer request of the same object replaced this one"
    assert str(jobs[0].exception()) == message


def test_a_full_queue_refuses_at_once(make):
    queue, _ = make(max_waiting=16)
    for _ in range(16):
        queue.submit(time.perf_counter, Priority.ACTION)

    begun = time.perf_counter()
    with pytest.raises(ServerBusy) as caught:
        queue.submit(time.perf_counter, Priority.ACTION)
    took_s = time.perf_counter() - begun

    assert str(caught.value) == "16 requests are waiting already: try again in a second"
    assert took_s < 0.05


def test_a_full_queue_still_takes_what_replaces_one_that_waits(make):
    queue, gate = make(max_waiting=2)
    queue.submit(lambda: None, Priority.HOVER, "a")
    queue.submit(lambda: None, Priority.HOVER, "b")

    newer = queue.submit(lambda: "b again", Priority.HOVER, "b")
    gate.set()

    assert newer.result(30) == "b again"


def test_a_mouse_that_moves_never_keeps_a_click_out(make):
    queue, gate = make(max_waiting=3)
    hovers = [queue.submit(lambda: "hover", Priority.HOVER, n) for n in range(3)]

    clicked = queue.submit(lambda: "click", Priority.ACTION)
    gate.set()

    assert clicked.result(30) == "click"
    assert [type(hover.exception(30)) for hover in hovers] == [type(None), type(None), ServerBusy]


def test_what_is_cancelled_while_it_waits_is_never_run_and_makes_room(make):
    queue, gate = make(max_waiting=1)
    runs: list[str] = []
    gone = queue.submit(lambda: runs.append("gone"), Priority.ACTION)

    gone.cancel()
    num_waiting = queue.num_waiting
    after = queue.submit(lambda: runs.append("after"), Priority.ACTION)
    gate.set()
    after.result(30)

    assert (num_waiting, runs) == (0, ["after"])


def test_cancelling_the_waiting_coroutine_takes_the_work_back(make):
    queue, gate = make()
    runs: list[str] = []

    async def leave() -> int:
        task = asyncio.ensure_future(queue.run(lambda: runs.append("gone"), Priority.ACTION))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return queue.num_waiting

    num_waiting = asyncio.run(leave())
    gate.set()
    queue.submit(lambda: None, Priority.ACTION).result(30)

    assert (num_waiting, runs) == (0, [])


def test_stopping_drops_what_waits_and_refuses_what_comes():
    queue, gate, is_running = InferenceQueue(16), threading.Event(), threading.Event()
    queue.start()
    running = queue.submit(lambda: (is_running.set(), gate.wait(30)), Priority.ACTION)
    waiting = queue.submit(lambda: None, Priority.ACTION)
    assert is_running.wait(30)

    threading.Timer(0.05, gate.set).start()
    queue.stop(30)

    with pytest.raises(CancelledError):
        waiting.result(30)
    assert running.result(30) == (None, True)
    with pytest.raises(ServerBusy):
        queue.submit(lambda: None, Priority.ACTION)
