"""``latentcut evaluate`` with several predictors, users, protocols and processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from latentcut.cli.evaluating import Job
from latentcut.evaluation.classical import GrabCut

OUR_PATHS = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
FAST = ("--threads", 1, "--max-clicks", 3)


def test_predictors_and_users_are_crossed_and_compared(run, shapes, tmp_path):
    out = tmp_path / "out.json"
    predictors = ("--predictor", "ours=default", "--predictor", "grabcut?working_px=64")

    ran = run(
        "evaluate", "--data", shapes, *predictors, "--user", "centre", "--user", "noisy",
        "--json", out, "--markdown", *FAST,
    )  # fmt: skip

    result = json.loads(out.read_text())
    assert [(r["predictor"], r["user"]) for r in result["runs"]] == [
        ("ours", "centre"),
        ("ours", "noisy"),
        ("grabcut", "centre"),
        ("grabcut", "noisy"),
    ]
    assert [(c["a"], c["b"], c["user"]) for c in result["comparisons"]] == [
        ("ours", "grabcut", "centre"),
        ("ours", "grabcut", "noisy"),
    ]
    headings = [line for line in ran.out.splitlines() if line.startswith("###")]
    assert headings[4:] == [
        "### Predictors on the same objects",
        "### Users: shapes, predictor ours",
        "### Users: shapes, predictor grabcut",
    ]


@pytest.mark.parametrize("markdown", [True, False])
def test_a_predictor_with_one_mask_has_one_column(run, shapes, markdown):
    asked = ("--predictor", "grabcut", "--markdown") if markdown else ("--predictor", "grabcut")

    ran = run("evaluate", "--data", shapes, *asked, *FAST)

    assert ran.code == 0
    assert "the one mask" in ran.out
    assert "oracle" not in ran.out


def test_a_user_without_targets_is_told_and_the_others_go_on(run, shapes, tmp_path):
    out = tmp_path / "out.json"

    ran = run(
        "evaluate", "--data", shapes, "--user", "parts", "--user", "centre", "--json", out, *FAST
    )

    reason = (
        "shapes has nothing for the user 'parts': no region of one of its label maps lies in a "
        "larger region of another map of the same picture"
    )
    assert ran.code == 0
    assert ran.err.splitlines()[0] == f"Nothing to measure: {reason}"
    result = json.loads(out.read_text())
    assert result["skipped"] == [{"dataset": "shapes", "user": "parts", "reason": reason}]
    assert [r["user"] for r in result["runs"]] == ["centre"]


def test_the_protocol_of_ritm_stops_and_says_so(run, shapes, tmp_path):
    out = tmp_path / "out.json"

    ran = run("evaluate", "--data", shapes, "--protocol", "ritm", "--json", out, *FAST)

    result = json.loads(out.read_text())
    assert ran.code == 0
    assert (result["protocol"]["name"], result["protocol"]["stop_at"]) == ("ritm", 0.9)
    assert result["runs"][0]["user"] == "deepest"
    assert result["predictors"][0]["facts"]["mask_threshold"] == 0.49
    assert result["runs"][0]["table"]["selected"]["noc_95"] is None


def test_two_workers_give_the_numbers_of_one(run, shapes, tmp_path):
    def rows(workers):
        out = tmp_path / f"{workers}.json"
        asked = ("--workers", workers, "--user", "off-centre", "--json", out)
        assert run("evaluate", "--data", shapes, *asked, *FAST).code == 0
        (evaluation,) = json.loads(out.read_text())["runs"]
        return [
            {key: row[key] for key in row if not key.endswith(("_s", "_mb"))}
            for row in evaluation["rows"]
        ]

    assert rows(2) == rows(1)


def test_the_objects_of_killed_workers_are_done_by_others(run, shapes, tmp_path):
    out = tmp_path / "out.json"
    dying = ("--predictor", "evaluation_deaths:Dying", "--workers", 2)

    ran = run("evaluate", "--data", shapes, "--json", out, *dying, *FAST)

    assert ran.code == 0
    (evaluation,) = json.loads(out.read_text())["runs"]
    assert [row["name"] for row in evaluation["rows"]] == ["one:1", "two:1", "two:2"]


def test_an_object_that_kills_workers_leaves_what_was_done(run, shapes, tmp_path):
    out = tmp_path / "out.json"
    deadly = ("--predictor", "evaluation_deaths:Deadly", "--workers", 2)

    ran = run("evaluate", "--data", shapes, "--json", out, *deadly, *FAST)

    assert ran.code == 1
    assert ran.err.splitlines()[-2] == (
        f"{out}.rows-*.jsonl holds what is done, the same command goes on from there"
    )
    last = ran.err.splitlines()[-1]
    assert last.startswith("Error: the third evaluation worker on two:")
    assert last.endswith(
        " was ended by signal 9, perhaps because memory ran out: fewer --workers need less"
    )
    assert not out.exists()


def test_a_checkpoint_is_given_to_the_training_room(run, shapes, tmp_path, monkeypatch):
    asked = []

    def load_segmenter(path):
        asked.append(path.name)
        return GrabCut(working_px=64)

    room = SimpleNamespace(load_segmenter=load_segmenter)
    monkeypatch.setitem(sys.modules, "latentcut.training.paper.segmenter", room)

    ran = run("evaluate", "--data", shapes, "--predictor", "checkpoint:runs/a.ckpt", *FAST)

    assert ran.code == 0
    assert asked == ["a.ckpt"]
    assert ran.out.splitlines()[0].strip() == "shapes: 3 objects, predictor a, user centre"


def test_two_predictors_of_one_name_are_refused(run, shapes):
    ran = run("evaluate", "--data", shapes, "--predictor", "grabcut", "--predictor", "grabcut?a=1")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --predictor: two predictors have the same name: grabcut, grabcut; "
        "give one of them another, NAME=SPEC"
    )


def test_ways_of_naming_a_bundle_are_not_mixed(run, shapes):
    ran = run("evaluate", "--data", shapes, "--predictor", "default", "--frame", "zoom_px=320")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --predictor: it names bundles itself: write --predictor DIR?key=value "
        "instead of --bundle and --frame"
    )


def test_frame_settings_reach_the_bundle(run, shapes, tmp_path):
    out = tmp_path / "out.json"

    ran = run("evaluate", "--data", shapes, "--frame", "zoom_px=320", "--json", out, *FAST)

    assert ran.code == 0
    (described,) = json.loads(out.read_text())["predictors"]
    assert described["facts"]["frame"]["zoom_px"] == 320


def test_a_report_is_written_from_the_same_objects(run, shapes, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("latentcut.cli.evaluate.importlib.util.find_spec", lambda name: name)
    room = SimpleNamespace(make_report=lambda *args: asked.append(args))
    monkeypatch.setitem(sys.modules, "latentcut.evaluation.report.report", room)

    ran = run("evaluate", "--data", shapes, "--report", tmp_path / "r.html", *FAST)

    assert ran.code == 0
    ((result, datasets, segmenters, path),) = asked
    assert [r["objects"] for r in result["runs"]] == [3]
    assert sorted(datasets) == ["shapes"]
    assert sorted(segmenters) == ["default"]
    assert path == tmp_path / "r.html"


def test_workers_share_the_threads():
    shared = [Job(("d",), workers=w, threads=t).threads_each for w, t in ((1, 4), (2, 4), (3, 2))]

    assert shared == [4, 2, 1]


def test_without_torch_a_checkpoint_says_what_to_install(run, shapes, monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("latentcut.cli.predictors.importlib.import_module", import_module)

    ran = run("evaluate", "--data", shapes, "--predictor", "checkpoint:a.ckpt", *FAST)

    assert (ran.code, ran.err) == (
        1,
        "Error: checkpoint:PATH needs packages that are not installed: run pip install "
        "'latentcut[train]'\n",
    )


def test_a_report_without_its_packages_is_refused_before_computing(run, shapes, monkeypatch):
    monkeypatch.setattr("latentcut.cli.evaluate.importlib.util.find_spec", lambda name: None)

    ran = run("evaluate", "--data", shapes, "--report", "r.html", *FAST)

    assert (ran.code, ran.err) == (
        1,
        "Error: --report needs packages that are not installed: run pip install "
        "'latentcut[evaluation]'\n",
    )


def test_an_unknown_engine_is_refused_before_computing(run, shapes):
    ran = run("evaluate", "--data", shapes, "--engine", "spark", *FAST)

    assert (ran.code, ran.err) == (
        1,
        "Error: there is no engine 'spark': known: local, ray\n",
    )


def test_an_address_belongs_to_ray(run, shapes):
    ran = run("evaluate", "--data", shapes, "--ray-address", "auto", *FAST)

    assert ran.code == 2
    assert ran.usage_error == "Invalid value for --ray-address: it belongs to --engine ray"


@pytest.mark.slow
def test_a_ray_of_two_gives_the_numbers_of_one_process(shapes, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'latentcut[ray]'")

    def rows(*engine):
        out = tmp_path / f"{len(engine)}.json"
        asked = ["evaluate", "--data", shapes, "--user", "off-centre", "--json", out, *FAST]
        # another process, because Ray's threads and sockets outlive a test
        command = [sys.executable, "-m", "latentcut", *map(str, [*asked, *engine])]
        subprocess.run(command, check=True, capture_output=True, env=OUR_PATHS)
        (evaluation,) = json.loads(out.read_text())["runs"]
        return [
            {key: row[key] for key in row if not key.endswith(("_s", "_mb"))}
            for row in evaluation["rows"]
        ]

    assert rows("--engine", "ray", "--workers", 2) == rows()
