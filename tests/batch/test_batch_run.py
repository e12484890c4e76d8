"""A batch from prompts to its output: resumable, and the same bytes whoever does it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from batch_things import Squares
from PIL import Image

from latentcut.batch.answering import Options
from latentcut.batch.prompts import ImagePrompts, Problem, Prompt, PromptSet
from latentcut.batch.run import Batch, run_batch
from latentcut.core.clicks import Click
from latentcut.engines.local import Here, LocalWorkers
from latentcut.errors import OutputExists


def asked(*paths, x=3):
    """One prompt for each image, with a label."""
    return tuple(
        ImagePrompts(path, (Prompt("1", f"label of {path[0]}", clicks=(Click(x, 4),)),))
        for path in paths
    )


@pytest.fixture
def folder(tmp_path):
    """Files of five images; their content is never looked at."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "abcde":
        (folder / f"{name}.png").write_bytes(name.encode())
    return folder


@pytest.fixture
def log(tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    return log


@pytest.fixture
def batch(folder, tmp_path):
    prompts = PromptSet(asked(*(f"{name}.png" for name in "abcde")))
    return Batch(folder, prompts, tmp_path / "out.json", "f" * 64)


@pytest.fixture
def run(log):
    def run(batch, progress=None):
        with Here(partial(Squares, log)) as engine:
            return run_batch(batch, engine, progress)

    return run


def answered(log):
    """How often each image was answered."""
    found = {}
    for path in sorted(log.iterdir()):
        name = path.name.partition(".")[0]
        found[name] = found.get(name, 0) + 1
    return found


def test_the_output_is_a_coco_file_in_the_order_of_the_prompts(batch, run):
    report = run(batch)

    document = json.loads(batch.output.read_text())
    assert [image["file_name"] for image in document["images"]] == [
        f"photos/{name}.png" for name in "abcde"
    ]
    assert [entry["bbox"] for entry in document["annotations"]] == [[3, 4, 4, 4]] * 5
    assert [entry["name"] for entry in document["categories"]] == [
        f"label of {name}" for name in "abcde"
    ]
    assert document["annotations"][0]["attributes"]["latentcut"] == {
        "name": "1",
        "position": 0,
        "clicks": [{"x": 3, "y": 4, "positive": True}],
    }
    assert document["info"]["bundle"] == "f" * 64
    assert (report.num_images, report.num_objects, report.num_kept) == (5, 5, 0)
    assert report.problems == ()


def test_a_second_run_answers_nothing_and_writes_the_same_bytes(batch, run, log):
    run(batch)
    first = batch.output.read_bytes()
    batch.output.unlink()

    report = run(batch)

    assert batch.output.read_bytes() == first
    assert report.num_kept == 5
    assert answered(log) == dict.fromkeys("abcde", 1)


def test_an_interrupted_batch_goes_on_where_it_was(batch, run, log, tmp_path):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    run(replace(batch, output=tmp_path / "whole.json"))
    with pytest.raises(KeyboardInterrupt):
        run(batch, interrupt)
    exists_before_the_end = batch.output.exists()
    report = run(batch)

    assert not exists_before_the_end
    assert report.num_kept == 3
    assert answered(log) == dict.fromkeys("abcde", 2)
    assert batch.output.read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_workers_that_are_killed_lose_and_double_nothing(batch, run, log, tmp_path):
    killing = PromptSet((*batch.prompts.images, *asked("deadly.png")))
    run(batch)

    other = replace(batch, prompts=killing, output=tmp_path / "killed.json")
    with LocalWorkers(2, partial(Squares, log)) as engine:
        report = run_batch(other, engine)

    assert report.problems == (
        Problem(
            "deadly.png",
            None,
            "3 workers ended while they had it, the last with exit code -9, perhaps because "
            "memory ran out: the same command tries it again; fewer --workers need less",
        ),
    )
    expected = json.loads(batch.output.read_text())
    found = json.loads(other.output.read_text())
    assert (found["images"], found["annotations"]) == (expected["images"], expected["annotations"])
    assert answered(log) == {**dict.fromkeys("abcde", 2), "deadly": 3}


def test_an_image_that_failed_is_tried_again(batch, run, log):
    broken = replace(batch, prompts=PromptSet(asked("a.png", "broken.png")))

    reports = [run(broken), run(broken)]

    assert [report.problems for report in reports] == [
        (Problem("broken.png", None, "broken.png is broken"),)
    ] * 2
    assert answered(log) == {"a": 1, "broken": 2}


def test_problems_come_in_the_order_of_the_prompts_those_of_the_file_first(batch, run):
    images = (
        ImagePrompts("a.png", (Prompt("bad", clicks=(Click(1, 1),)), *asked("a.png")[0].prompts)),
        *asked("broken.png"),
        ImagePrompts("b.png", (Prompt("bad too", clicks=(Click(1, 1),)),)),
    )
    of_the_file = (Problem("z.png", None, "it is in no folder"),)

    report = run(replace(batch, prompts=PromptSet(images, problems=of_the_file)))

    assert [problem.line for problem in report.problems] == [
        "z.png: it is in no folder",
        "a.png object bad: it is bad",
        "broken.png: broken.png is broken",
        "b.png object bad too: it is bad",
    ]
    assert (report.num_images, report.num_objects) == (2, 1)


def test_only_what_has_changed_is_answered_again(batch, run, log, folder):
    run(batch)
    (folder / "b.png").write_bytes(b"another picture")
    changed = (*asked("a.png", "b.png"), *asked("c.png", x=9), *asked("d.png", "e.png"))

    report = run(replace(batch, prompts=PromptSet(changed)))

    assert report.num_kept == 3
    assert answered(log) == {"a": 1, "b": 2, "c": 2, "d": 1, "e": 1}


@pytest.mark.parametrize(
    "other", [{"fingerprint": "0" * 64}, {"options": Options(candidates=True)}]
)
def test_another_model_or_other_options_do_not_mix_with_what_is_there(batch, run, other):
    run(batch)

    with pytest.raises(OutputExists) as caught:
        run(replace(batch, **other))

    assert str(caught.value) == (
        f"{batch.output}.journal belongs to a batch with another model or other options; delete "
        "it to begin anew, or give another output"
    )


def test_progress_counts_what_was_there_at_once(batch, run):
    seen = []
    run(replace(batch, prompts=PromptSet(batch.prompts.images[:2])))

    run(batch, lambda done, total: seen.append((done, total)))

    assert seen == [(2, 5), (3, 5), (4, 5), (5, 5)]


def test_masks_are_one_file_per_object_and_written_again_where_one_is_missing(batch, run, tmp_path):
    two = Prompt("two/..", clicks=(Click(9, 9),))
    images = (ImagePrompts("sub/a.png", (*asked("a.png")[0].prompts, two)), *asked("b.png"))
    masked = replace(batch, prompts=PromptSet(images), masks=tmp_path / "masks")

    def files():
        return {
            str(path.relative_to(tmp_path / "masks")): int((np.asarray(Image.open(path)) > 0).sum())
            for path in sorted((tmp_path / "masks").rglob("*.png"))
        }

    run(masked)
    first = files()
    (tmp_path / "masks" / "b" / "1.png").unlink()
    run(masked)

    assert first == {"b/1.png": 16, "sub/a/1.png": 16, "sub/a/two_.png": 16}
    assert files() == first


def test_numbers_of_a_coco_file_are_kept(batch, run):
    prompt = Prompt("1", id=40, clicks=(Click(3, 4),))

    run(replace(batch, prompts=PromptSet((ImagePrompts("a.png", (prompt,), 30),))))

    document = json.loads(batch.output.read_text())
    assert (document["images"][0]["id"], document["annotations"][0]["id"]) == (30, 40)


def test_a_batch_of_nothing_writes_an_empty_file(batch, run):
    report = run(replace(batch, prompts=PromptSet(())))

    document = json.loads(batch.output.read_text())
    assert (document["images"], document["annotations"], report.num_images) == ([], [], 0)
