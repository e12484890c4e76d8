"""The result file: what it says, what it does not tell, and old ones."""

from __future__ import annotations

import json

import pytest
from evaluation_helpers import OneAnswer

from latentcut.errors import BadConfig
from latentcut.evaluation.protocol import STANDARD, find_protocol
from latentcut.evaluation.results import (
    FORMAT,
    predictor_facts,
    protocol_of,
    read_result,
    result_bytes,
    result_of,
    rows_of,
    without_folders,
)
from latentcut.evaluation.run import Plan, evaluate_dataset
from latentcut.evaluation.table import summarise

RULES = find_protocol("standard", 4)


@pytest.fixture
def result(three_squares):
    """Two segmenters, the slower of which needs one click more."""
    segmenters = {"quick": OneAnswer(2), "slow": OneAnswer(3)}
    runs = [
        evaluate_dataset(segmenter, three_squares, Plan(RULES)) | {"predictor": name}
        for name, segmenter in segmenters.items()
    ]
    facts = [predictor_facts(s, name, f"here/{name}") for name, s in segmenters.items()]
    return result_of(RULES, facts, runs, ["evaluate", "--data", "/home/me/sets/things"])


def test_a_result_says_who_did_what_with_which_rules(result):
    assert result["format"] == FORMAT == "latentcut-evaluation-2"
    assert result["command"] == ["evaluate", "--data", "things"]
    assert protocol_of(result) == RULES
    assert result["predictors"][0] == {
        "name": "quick",
        "spec": "quick",
        "fingerprint": "1" * 64,
        "facts": {"kind": "test"},
    }
    assert {"python", "numpy", "onnxruntime"} <= result["versions"].keys()
    assert sorted(result["machine"]) == ["architecture", "cores", "cpu", "os"]
    assert result["skipped"] == []
    assert json.loads(json.dumps(result)) == result


def test_tables_follow_from_the_rows(result):
    for run in result["runs"]:
        assert summarise(rows_of(run), protocol=protocol_of(result)) == run["table"]


def test_predictors_of_the_same_objects_are_compared(result):
    (pair,) = result["comparisons"]

    where = {key: pair[key] for key in ("dataset", "user", "a", "b", "objects")}
    assert where == {"dataset": "things", "user": "centre", "a": "quick", "b": "slow", "objects": 3}
    assert pair["noc_90"] == {
        "difference": 1.0,
        "interval": [1.0, 1.0],
        "a_fewer": 3,
        "b_fewer": 0,
    }


@pytest.mark.parametrize("key", ["dataset", "user", "seed"])
def test_what_differs_in_more_than_the_predictor_is_not_compared(result, key):
    first, second = result["runs"]

    again = result_of(RULES, [], [first, second | {key: "another"}])

    assert again["comparisons"] == []


def test_a_result_comes_back_from_its_file(result, tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(result_bytes(result))

    assert read_result(path) == result


def test_the_file_holds_one_line_per_row(result):
    lines = result_bytes(result).decode().splitlines()

    rows = [line for line in lines if line.startswith('{"name": ')]
    assert [json.loads(line.rstrip(","))["name"] for line in rows] == ["a:1", "b:1", "c:1"] * 2


def test_a_result_of_the_first_format_becomes_one_of_today(tmp_path):
    row = {
        "name": "a:1",
        "selected_ious": [0.5, 0.9],
        "oracle_ious": [0.6, 0.9],
        "first_ious": [0.5, 0.8],
        "expected_ious": [0.5, 0.5],
        "clicks_broken": 0,
        "encode_s": 0.1,
        "click_s": [0.1, 0.1],
    }
    run = {
        "dataset": "D",
        "bundle": "f" * 64,
        "protocol": "rules of then",
        "max_clicks": 2,
        "versions": {"python": "3.11"},
        "table": {"objects": 1},
        "rows": [row],
    }
    bundle = {"name": "b", "fingerprint": "f" * 64, "frame": {"zoom_px": 384}}
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"bundle": bundle, "datasets": [run]}))

    result = read_result(path)

    (new,) = result["runs"]
    assert (new["dataset"], new["predictor"], new["user"], new["objects"]) == (
        "D",
        "b",
        "centre",
        1,
    )
    assert result["predictors"][0]["fingerprint"] == "f" * 64
    assert (protocol_of(result).max_clicks, protocol_of(result).rules) == (2, "rules of then")
    table = summarise(rows_of(new), protocol=protocol_of(result))
    assert table["selected"]["noc_90"] == 2.0


@pytest.mark.parametrize("content", ["no JSON", "[1]", '{"format": "another"}', '{"datasets": []}'])
def test_what_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "notes.json"
    path.write_text(content)

    with pytest.raises(BadConfig) as caught:
        read_result(path)

    assert str(caught.value) == f"{path} is no result of latentcut evaluate"


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("--data", "--data"),
        ("/home/me/sets/DAVIS", "DAVIS"),
        ("/home/me/sets/DAVIS/", "DAVIS"),
        ("davis:/home/me/DAVIS?list=/home/me/val.txt", "davis:DAVIS?list=val.txt"),
        ("--json=/tmp/out.json", "--json=out.json"),
        ("mine=/home/me/bundle?zoom_px=320", "mine=bundle?zoom_px=320"),
        ("checkpoint:../runs/last.ckpt", "checkpoint:last.ckpt"),
        (r"C:\Users\me\DAVIS", "DAVIS"),
        ("package.module:factory?size=b", "package.module:factory?size=b"),
        ("0.5", "0.5"),
    ],
)
def test_a_published_command_holds_no_folders(argument, shown):
    assert without_folders(argument) == shown


def test_the_standard_protocol_is_described_in_every_result(result):
    assert result["protocol"]["rules"] == STANDARD.rules
