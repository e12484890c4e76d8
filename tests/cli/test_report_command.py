"""``latentcut report`` on a result of two tiny pictures with three objects."""

from __future__ import annotations

import json
import re

import pytest

from latentcut.errors import FileMissing

pytest.importorskip("matplotlib", reason="reports need the extra evaluation")


@pytest.fixture
def result(run, shapes, tmp_path):
    """The file that evaluate has written."""
    path = tmp_path / "result.json"
    ran = run("evaluate", "--data", shapes, "--json", path, "--max-clicks", 2, "--threads", 1)
    assert ran.code == 0
    return path


def cases_in(path):
    return re.findall(r'<article class="case" aria-label="([^"]+)"', path.read_text())


def change(path, **predictor):
    content = json.loads(path.read_text())
    content["predictors"][0].update(predictor)
    for one in content["runs"]:
        one["predictor"] = predictor.get("name", one["predictor"])
    path.write_text(json.dumps(content))


def test_a_report_without_data_sets_has_tables_and_plots_and_no_pictures(run, result, tmp_path):
    out = tmp_path / "out.html"

    ran = run("report", result, "--output", out)

    assert (ran.code, ran.out, ran.err) == (0, "", f"written to {out}\n")
    assert "shapes, 3 objects" in out.read_text()
    assert cases_in(out) == []


def test_with_its_data_set_a_report_shows_the_worst_the_median_and_the_best_object(
    run, result, shapes, tmp_path
):
    out = tmp_path / "out.html"

    ran = run("report", result, "--data", shapes, "-o", out, "--threads", 1)

    assert (ran.code, ran.err) == (0, f"written to {out}\n")
    kinds, names = zip(*(case.split(" case: ") for case in cases_in(out)), strict=True)
    assert kinds == ("worst", "median", "best")
    assert sorted(names) == ["one:1", "two:1", "two:2"]
    assert '<p class="remark">' not in out.read_text()  # the same clicks gave the same IoU


def test_evaluate_writes_the_same_report_at_once(run, shapes, tmp_path):
    at_once, later, result = (tmp_path / name for name in ("a.html", "b.html", "r.json"))
    wanted = ("--json", result, "--report", at_once)
    run("evaluate", "--data", shapes, *wanted, "--max-clicks", 2, "--threads", 1)

    run("report", result, "--data", shapes, "--output", later, "--threads", 1)

    assert at_once.read_text() == later.read_text()


@pytest.mark.parametrize("spec", ["my-bundle", "os:system", "checkpoint:last.safetensors"])
def test_a_predictor_from_elsewhere_is_not_looked_for_by_what_the_result_says(
    run, result, shapes, tmp_path, spec
):
    change(result, name="ours", spec=spec)
    out = tmp_path / "out.html"

    ran = run("report", result, "--data", shapes, "--output", out)

    remark = "No pictures of ours: say where it is with --predictor ours=SPEC."
    assert (ran.code, ran.err) == (0, f"{remark}\nwritten to {out}\n")
    assert f'<p class="remark">{remark}</p>' in out.read_text()
    assert cases_in(out) == []


def test_a_predictor_from_elsewhere_is_shown_where_it_is_given(run, result, shapes, tmp_path):
    change(result, name="ours", spec="my-bundle")
    out = tmp_path / "out.html"
    given = ("--predictor", "ours=default", "--threads", 1)

    ran = run("report", result, "--data", shapes, "--output", out, *given)

    assert ran.code == 0
    assert len(cases_in(out)) == 3


def test_a_predictor_that_the_result_has_not_is_a_usage_error(run, result, shapes, tmp_path):
    out = tmp_path / "out.html"

    ran = run("report", result, "--data", shapes, "--output", out, "--predictor", "mine=default")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --predictor: the result has no predictor mine; it has default"
    )
    assert not out.exists()


def test_a_data_set_that_the_result_has_not_is_a_usage_error(run, result, shapes, tmp_path):
    other = shapes.rename(tmp_path / "other")

    ran = run("report", result, "--data", other, "--output", tmp_path / "out.html")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --data: the result has no data set other; it has shapes"
    )


def test_a_file_that_is_no_result_is_refused(run, tmp_path):
    path = tmp_path / "notes.json"
    path.write_text("[1, 2]")

    ran = run("report", path, "--output", tmp_path / "out.html")

    assert (ran.code, ran.err) == (1, f"Error: {path} is no result of latentcut evaluate\n")


def test_a_folder_that_is_not_there_is_refused_before_anything_is_read(run, tmp_path):
    out = tmp_path / "none" / "out.html"

    ran = run("report", tmp_path / "no.json", "--output", out)

    error = FileMissing(out.parent, "a folder, so out.html cannot be written there")
    assert (ran.code, ran.err) == (1, f"Error: {error}\n")
