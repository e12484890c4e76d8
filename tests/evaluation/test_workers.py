"""Objects evaluated by other processes: the same rows, and clean ends."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from evaluation_helpers import Confused, Deadly, Dying, OneAnswer, broken, open_folder

from latentcut.datasets.folder import FolderDataset
from latentcut.errors import BadConfig, DatasetBroken, WorkerDied
from latentcut.evaluation.protocol import STANDARD
from latentcut.evaluation.run import Plan, header_of, run_tasks
from latentcut.evaluation.workers import Here, Task, Workers

RULES = replace(STANDARD, max_clicks=4)


def tasks_of(dataset):
    return [Task(0, ref, RULES, user="off-centre") for ref in dataset.objects()]


def workers(count, build, dataset):
    return Workers(count, build, [partial(open_folder, dataset.path)])


def figures(row):
    """A row without its times and its memory."""
    return {k: v for k, v in row.to_dict().items() if not k.endswith(("_s", "_mb"))}


def test_the_rows_do_not_depend_on_the_number_of_workers(three_squares):
    tasks = tasks_of(three_squares)
    here = [row for _, row in Here(OneAnswer(3), [three_squares]).results(tasks)]

    with workers(2, partial(OneAnswer, 3), three_squares) as pool:
        there = dict(pool.results(tasks))

    assert [figures(there[place]) for place in range(3)] == [figures(row) for row in here]


def test_workers_answer_one_run_after_another(three_squares):
    tasks = tasks_of(three_squares)

    with workers(2, OneAnswer, three_squares) as pool:
        counts = [len(list(pool.results(tasks))), len(list(pool.results(tasks[:1])))]
        nothing = list(pool.results([]))

    assert (counts, nothing) == ([3, 1], [])


def test_rows_come_in_the_order_of_the_set_whoever_is_done_first(three_squares, tmp_path):
    header = header_of(three_squares, "f", Plan(RULES, "off-centre"))

    with workers(2, OneAnswer, three_squares) as pool:
        rows = run_tasks(pool, tasks_of(three_squares), header, tmp_path / "rows.jsonl")

    assert [row.name for row in rows] == ["a:1", "b:1", "c:1"]


def test_the_object_of_a_killed_worker_is_given_to_another(three_squares, tmp_path):
    header = header_of(three_squares, "f", Plan(RULES, "off-centre"))

    with workers(1, Dying, three_squares) as pool:
        rows = run_tasks(pool, tasks_of(three_squares), header, tmp_path / "rows.jsonl")

    assert [row.name for row in rows] == ["a:1", "b:1", "c:1"]
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 1 + 3


def test_an_object_that_kills_every_worker_is_told_and_what_was_done_is_kept(
    three_squares, tmp_path
):
    rows_path = tmp_path / "rows.jsonl"
    header = header_of(three_squares, "f", Plan(RULES, "off-centre"))
    deadly = partial(Deadly, 7, 3)  # only the square of c reaches so far down

    with pytest.raises(WorkerDied) as caught, workers(1, deadly, three_squares) as pool:
        run_tasks(pool, tasks_of(three_squares), header, rows_path)

    assert str(caught.value) == (
        "the third evaluation worker on c:1 was ended by signal 9, perhaps because memory ran "
        "out: fewer --workers need less"
    )
    assert len(rows_path.read_text().splitlines()) == 1 + 2

    with workers(1, OneAnswer, three_squares) as pool:
        rows = run_tasks(pool, tasks_of(three_squares), header, rows_path)

    assert [row.name for row in rows] == ["a:1", "b:1", "c:1"]


def test_an_error_in_a_worker_is_raised_as_itself(three_squares):
    with pytest.raises(BadConfig) as caught, workers(2, broken, three_squares) as pool:
        list(pool.results(tasks_of(three_squares)))

    assert str(caught.value) == "this segmenter cannot be made"


def test_a_broken_file_is_found_by_the_worker_that_reads_it(three_squares):
    tasks = tasks_of(three_squares)
    (three_squares.path / "masks" / "b.png").write_bytes(b"no picture")

    with pytest.raises(DatasetBroken) as caught, workers(1, OneAnswer, three_squares) as pool:
        list(pool.results(tasks))

    assert str(three_squares.path / "masks" / "b.png") in str(caught.value)


def test_a_mistake_in_a_segmenter_is_told_with_its_place(three_squares):
    with pytest.raises(RuntimeError) as caught, workers(1, Confused, three_squares) as pool:
        list(pool.results(tasks_of(three_squares)[:1]))

    lines = str(caught.value).splitlines()
    assert lines[0] == "on a:1:"
    assert lines[-1] == "ZeroDivisionError: a mistake"


def test_no_process_is_left_when_the_caller_is_interrupted(three_squares):
    pool = workers(2, OneAnswer, three_squares)
    processes = []

    def interrupt(done, total):
        processes.extend(pool._engine._processes.values())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), pool:
        run_tasks(pool, tasks_of(three_squares), {}, progress=interrupt)

    assert [process.is_alive() for process in processes] == [False, False]


def test_several_sets_are_named_by_their_place(three_squares, make_dataset):
    other = FolderDataset(three_squares.path)
    tasks = [replace(task, dataset=1) for task in tasks_of(other)]

    openers = [partial(open_folder, three_squares.path / "none"), partial(open_folder, other.path)]
    with Workers(1, OneAnswer, openers) as pool:
        rows = list(pool.results(tasks))

    assert len(rows) == 3
