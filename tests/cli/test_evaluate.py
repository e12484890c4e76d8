"""``latentcut evaluate`` on two tiny pictures with three objects."""

from __future__ import annotations

import json
import sys

import pytest

import latentcut
from latentcut.cli.tables import comparison_rows, markdown_of
from latentcut.evaluation import workers
from latentcut.evaluation.protocol import evaluate_sample

FAST = ("--threads", 1, "--max-clicks", 3)
NAMES = ["one:1", "two:1", "two:2"]


@pytest.fixture
def evaluated(monkeypatch):
    """Names of the objects that were really evaluated; set ``stop_at`` to interrupt at one."""

    class Evaluated(list):
        stop_at = None

    names = Evaluated()

    def evaluate(segmenter, sample, *rules):
        if sample.name == names.stop_at:
            raise KeyboardInterrupt
        names.append(sample.name)
        return evaluate_sample(segmenter, sample, *rules)

    monkeypatch.setattr(workers, "evaluate_sample", evaluate)
    return names


def test_a_data_set_is_evaluated_shown_and_written(run, shapes, tmp_path, monkeypatch):
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["latentcut", "evaluate", "--data", str(shapes)])

    ran = run("evaluate", "--data", shapes, "--json", out, *FAST)
    result = json.loads(out.read_text())

    assert ran.code == 0
    assert result["format"] == "latentcut-evaluation-2"
    assert result["command"] == ["evaluate", "--data", "shapes"]
    predictor = latentcut.load()
    (described,) = result["predictors"]
    assert (described["name"], described["spec"]) == ("default", "default")
    assert described["fingerprint"] == predictor.fingerprint
    assert described["facts"]["frame"] == predictor.frame_info.model_dump()
    (evaluation,) = result["runs"]
    assert (evaluation["dataset"], evaluation["user"]) == ("shapes", "centre")
    assert [row["name"] for row in evaluation["rows"]] == NAMES
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[0] == "shapes: 3 objects, predictor default, user centre"
    assert lines[2].split() == ["selected", "oracle", "first", "candidate"]
    shown = [" ".join(line.split()) for line in lines]
    for row in comparison_rows(evaluation):
        assert " ".join(row) in shown
    assert f"written to {out}\n" in ran.err


def test_an_interrupted_run_goes_on_without_computing_anything_twice(
    run, shapes, tmp_path, evaluated
):
    out = tmp_path / "out.json"
    evaluated.stop_at = "two:1"

    first = run("evaluate", "--data", shapes, "--json", out, *FAST)

    assert first.code == 130
    assert first.err.splitlines()[-1] == (
        f"Interrupted; {out}.rows-*.jsonl holds what is done, the same command goes on from there"
    )
    assert not out.exists()
    assert evaluated == ["one:1"]

    evaluated.stop_at = None
    second = run("evaluate", "--data", shapes, "--json", out, *FAST)

    assert second.code == 0
    assert evaluated == NAMES
    rows = json.loads(out.read_text())["runs"][0]["rows"]
    assert [row["name"] for row in rows] == NAMES


def test_an_interrupt_without_a_result_file_says_that_nothing_was_kept(run, shapes, evaluated):
    evaluated.stop_at = "one:1"

    ran = run("evaluate", "--data", shapes, *FAST)

    assert ran.code == 130
    assert ran.err.splitlines()[-1] == (
        "Interrupted; nothing was kept: --json OUT makes a run resumable"
    )


def test_a_limit_takes_the_first_objects(run, shapes, evaluated):
    ran = run("evaluate", "--data", shapes, "--limit", 1, *FAST)

    assert ran.code == 0
    assert evaluated == ["one:1"]
    assert ran.out.splitlines()[0].strip() == "shapes: 1 object, predictor default, user centre"


def test_rows_of_other_settings_are_not_mixed_in(run, shapes, tmp_path):
    out = tmp_path / "out.json"
    run("evaluate", "--data", shapes, "--json", out, *FAST)

    ran = run("evaluate", "--data", shapes, "--json", out, "--threads", 1, "--max-clicks", 2)

    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        f"Error: {out}.rows-shapes-default-centre.jsonl holds rows of another predictor, data set, "
        "user or protocol; delete it or give another output"
    )


def test_markdown_holds_every_figure_of_the_table():
    part = {
        "noc_80": 1.5,
        "noc_80_interval": [1.0, 2.0],
        "failures_80": 0,
        "noc_85": 2.5,
        "noc_85_interval": [2.0, 3.0],
        "failures_85": 0,
        "noc_90": 4.0,
        "noc_90_interval": [3.5, 4.75],
        "failures_90": 1,
        "noc_95": None,
        "noc_95_interval": None,
        "failures_95": None,
        "mean_iou": [0.5, 0.75],
        "area_under_curve": 0.625,
    }
    table = {
        "objects": 2,
        "selected": part,
        "oracle": part | {"mean_iou": [0.625, 0.875]},
        "first": part,
        "oracle_gain": [0.125, 0.125],
        "diversity": [0.5, 0.75],
        "boundary_f": {"1": 0.5, "3": 0.75},
        "first_mask_ms": 61.4,
        "later_click_ms": None,
        "times": {"click_ms_p95": 80.2},
        "peak_mb": 512.4,
        "steps_with_broken_clicks": 0,
        "calibration_error": 0.0812,
    }
    evaluation = {"dataset": "shapes", "predictor": "ours", "user": "noisy", "table": table}

    actual = markdown_of(evaluation)

    assert actual == (
        "### shapes: 2 objects, predictor ours, user noisy\n"
        "\n"
        "|  | selected | oracle | first candidate |\n"
        "|---|---:|---:|---:|\n"
        "| NoC@80 [95 %] | 1.50 [1.00, 2.00] | 1.50 [1.00, 2.00] | 1.50 [1.00, 2.00] |\n"
        "| NoC@85 [95 %] | 2.50 [2.00, 3.00] | 2.50 [2.00, 3.00] | 2.50 [2.00, 3.00] |\n"
        "| NoC@90 [95 %] | 4.00 [3.50, 4.75] | 4.00 [3.50, 4.75] | 4.00 [3.50, 4.75] |\n"
        "| NoC@95 [95 %] | - | - | - |\n"
        "| failures@80 of 2 | 0 | 0 | 0 |\n"
        "| failures@85 of 2 | 0 | 0 | 0 |\n"
        "| failures@90 of 2 | 1 | 1 | 1 |\n"
        "| failures@95 of 2 | - | - | - |\n"
        "| IoU after 1 click | 0.500 | 0.625 | 0.500 |\n"
        "| IoU after 2 clicks | 0.750 | 0.875 | 0.750 |\n"
        "| area under the curve | 0.625 | 0.625 | 0.625 |\n"
        "\n"
        "| mean, median or count |  |\n"
        "|---|---:|\n"
        "| boundary F after 1 click | 0.500 |\n"
        "| boundary F after 3 clicks | 0.750 |\n"
        "| oracle gain after 1 click | 0.125 |\n"
        "| IoU between candidates after 1 click | 0.500 |\n"
        "| first mask | 61 ms |\n"
        "| later click | - |\n"
        "| 95 % of clicks within | 80 ms |\n"
        "| peak memory | 512 MB |\n"
        "| steps that broke a click | 0 |\n"
        "| calibration error of expected IoU | 0.081 |\n"
    )


def test_markdown_is_all_that_stdout_gets_when_it_is_asked_for(run, shapes):
    ran = run("evaluate", "--data", shapes, "--limit", 1, "--markdown", *FAST)

    assert ran.out.splitlines()[:3] == [
        "### shapes: 1 object, predictor default, user centre",
        "",
        "|  | selected | oracle | first candidate |",
    ]
    assert all(line == "" or line.startswith(("#", "|")) for line in ran.out.splitlines())


def test_a_missing_data_set_is_refused_before_the_first_one_runs(run, shapes, tmp_path, evaluated):
    ran = run("evaluate", "--data", shapes, "--data", tmp_path / "no", *FAST)

    assert ran.code == 1
    assert ran.err == (
        f"Error: {tmp_path / 'no'} does not exist or is not a data set: a folder, or a COCO JSON "
        "file\n"
    )
    assert evaluated == []


def test_a_result_file_in_a_missing_folder_is_refused_before_computing(
    run, shapes, tmp_path, evaluated
):
    ran = run("evaluate", "--data", shapes, "--json", tmp_path / "no" / "out.json", *FAST)

    assert ran.code == 1
    assert ran.err == (
        f"Error: {tmp_path / 'no'} does not exist or is not a folder, so out.json cannot be "
        "written there\n"
    )
    assert evaluated == []


def test_two_data_sets_of_one_name_would_share_their_rows_and_are_refused(run, shapes):
    ran = run("evaluate", "--data", shapes, "--data", shapes)

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --data: two data sets have the same name: shapes, shapes; evaluate "
        "them one after the other, with another --json"
    )


def test_a_sample_is_drawn(run, shapes, evaluated):
    ran = run("evaluate", "--data", shapes, "--sample", 2, "--seed", 1, *FAST)

    assert ran.code == 0
    assert len(evaluated) == 2
    assert ran.out.splitlines()[0].strip() == "shapes: 2 objects, predictor default, user centre"


def test_a_run_begun_alone_is_finished_by_workers(run, shapes, tmp_path, evaluated):
    out = tmp_path / "out.json"
    evaluated.stop_at = "two:1"
    run("evaluate", "--data", shapes, "--json", out, *FAST)

    ran = run("evaluate", "--data", shapes, "--json", out, "--workers", 2, *FAST)

    assert ran.code == 0
    assert evaluated == ["one:1"]  # the other two in other processes
    rows = json.loads(out.read_text())["runs"][0]["rows"]
    assert [row["name"] for row in rows] == NAMES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ("--user", "nois"),
            "there is no user 'nois': did you mean 'noisy'? known: boundary, centre, deepest, "
            "noisy, off-centre, parts, wholes",
            id="user",
        ),
        pytest.param(
            ("--protocol", "cvpr"),
            "there is no protocol 'cvpr': known: ritm, standard",
            id="protocol",
        ),
        pytest.param(
            ("--predictor", "watershed"),
            "there is no predictor 'watershed': give a bundle folder, checkpoint:PATH, "
            "module:factory, or a name; known: default, grabcut, random-walker",
            id="predictor",
        ),
    ],
)
def test_unknown_names_are_refused_before_computing(run, shapes, evaluated, options, message):
    ran = run("evaluate", "--data", shapes, *options, *FAST)

    assert (ran.code, ran.err) == (1, f"Error: {message}\n")
    assert evaluated == []
