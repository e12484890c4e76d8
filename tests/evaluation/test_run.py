from __future__ import annotations

import json

import numpy as np
import pytest

from latentcut.datasets.folder import FolderDataset
from latentcut.errors import DatasetBroken, FileMissing, OutputExists
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.protocol import find_protocol
from latentcut.evaluation.run import Plan, chosen_objects, dataset_facts, evaluate_dataset


@pytest.fixture
def dataset(three_squares):
    """Three pictures with one square each."""
    return three_squares


def evaluate(predictor, dataset, rows_path=None, progress=None, max_clicks=20, **plan):
    """Evaluate one of our predictors under the standard protocol."""
    rules = find_protocol("standard", max_clicks)
    return evaluate_dataset(
        BundleSegmenter(predictor), dataset, Plan(rules, **plan), rows_path, progress
    )


class Stopped(Exception):
    """What a test uses to break off a run."""


def stop_after(num_objects):
    def progress(done, _):
        if done == num_objects:
            raise Stopped

    return progress


def answers(result):
    """The rows without their times."""
    return [
        {key: value for key, value in row.items() if not key.endswith("_s")}
        for row in result["rows"]
    ]


def test_the_run_says_what_was_evaluated_and_who_clicked(converging, dataset):
    run = evaluate(converging(), dataset, max_clicks=4)

    assert {key: run[key] for key in ("dataset", "predictor", "user", "seed", "objects")} == {
        "dataset": "things",
        "predictor": "bundle",
        "user": "centre",
        "seed": 0,
        "objects": 3,
    }
    assert run["dataset_facts"] == {"format": "folder", "images": 3}
    assert [row["name"] for row in run["rows"]] == ["a:1", "b:1", "c:1"]
    assert run["table"]["objects"] == 3
    assert json.loads(json.dumps(run)) == run


def test_the_numbers_of_clicks_are_those_of_the_protocol(converging, dataset):
    result = evaluate(converging(solved_after=3), dataset)

    selected, oracle = result["table"]["selected"], result["table"]["oracle"]
    assert (selected["noc_85"], selected["noc_90"], selected["failures_90"]) == (3.0, 3.0, 0)
    assert (oracle["noc_85"], oracle["noc_90"]) == (1.0, 1.0)
    assert selected["noc_85_interval"] == [3.0, 3.0]
    assert selected["mean_iou"][2:] == [1.0] * 18


def test_an_object_that_is_never_right_counts_all_clicks_and_is_a_failure(converging, dataset):
    result = evaluate(converging(solved_after=99), dataset, max_clicks=5, limit=1)

    selected = result["table"]["selected"]
    # 16 px are right and 36 - 4 marked after the fifth click: IoU 0.5
    assert (selected["noc_85"], selected["noc_90"]) == (5.0, 5.0)
    assert (selected["failures_85"], selected["failures_90"]) == (1, 1)


def test_the_limit_takes_the_first_objects(converging, dataset):
    result = evaluate(converging(), dataset, limit=2)

    assert [row["name"] for row in result["rows"]] == ["a:1", "b:1"]


def test_progress_is_told_after_each_object(converging, dataset):
    told = []

    evaluate(converging(), dataset, progress=lambda *numbers: told.append(numbers))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_run_goes_on_where_it_was_stopped(converging, dataset, tmp_path):
    rows_path = tmp_path / "rows.jsonl"
    with pytest.raises(Stopped):
        evaluate(converging(), dataset, rows_path, progress=stop_after(2))

    predictor = converging()
    result = evaluate(predictor, dataset, rows_path)

    assert predictor.encoded == 1
    assert answers(result) == answers(evaluate(converging(), dataset))
    assert len(rows_path.read_text(encoding="utf-8").splitlines()) == 1 + 3


def test_a_finished_run_is_not_computed_again(converging, dataset, tmp_path):
    rows_path = tmp_path / "rows.jsonl"
    first = evaluate(converging(), dataset, rows_path)
    bytes_before = rows_path.read_bytes()

    predictor = converging()
    second = evaluate(predictor, dataset, rows_path)

    assert predictor.encoded == 0
    assert second == first
    assert rows_path.read_bytes() == bytes_before


@pytest.mark.parametrize("num_lost", [1, 30])
def test_a_last_row_that_was_cut_off_is_computed_again(converging, dataset, tmp_path, num_lost):
    rows_path = tmp_path / "rows.jsonl"
    first = evaluate(converging(), dataset, rows_path)
    rows_path.write_bytes(rows_path.read_bytes()[:-num_lost])

    predictor = converging()
    second = evaluate(predictor, dataset, rows_path)

    assert predictor.encoded == 1
    assert answers(second) == answers(first)
    lines = rows_path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line).get("name") for line in lines] == [None, "a:1", "b:1", "c:1"]


@pytest.mark.parametrize("num_bytes", [0, 1, 40])
def test_a_file_cut_off_in_its_first_line_is_begun_again(converging, dataset, tmp_path, num_bytes):
    rows_path = tmp_path / "rows.jsonl"
    evaluate(converging(), dataset, rows_path)
    whole = rows_path.read_bytes()
    rows_path.write_bytes(whole[:num_bytes])

    evaluate(converging(), dataset, rows_path)

    assert len(rows_path.read_bytes().splitlines()) == len(whole.splitlines())
    assert rows_path.read_bytes().splitlines()[0] == whole.splitlines()[0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"fingerprint": "0" * 64}, id="bundle"),
        pytest.param({"max_clicks": 5}, id="number-of-clicks"),
    ],
)
def test_rows_of_another_run_are_refused_and_kept(converging, dataset, tmp_path, other):
    rows_path = tmp_path / "rows.jsonl"
    evaluate(converging(), dataset, rows_path)
    bytes_before = rows_path.read_bytes()
    predictor = converging(fingerprint=other.get("fingerprint", "f" * 64))

    with pytest.raises(OutputExists) as caught:
        evaluate(predictor, dataset, rows_path, max_clicks=other.get("max_clicks", 20))

    assert str(caught.value) == (
        f"{rows_path} holds rows of another predictor, data set, user or protocol; "
        "delete it or give another output"
    )
    assert rows_path.read_bytes() == bytes_before
    assert predictor.encoded == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"my notes", ": Expecting value: line 1 column 1 (char 0)", id="one-line"),
        pytest.param(b"1\n", "", id="a-number"),
        pytest.param(
            b"my\nnotes\n", ": Expecting value: line 1 column 1 (char 0)", id="several-lines"
        ),
    ],
)
def test_a_file_that_holds_something_else_is_refused_and_kept(
    converging, dataset, tmp_path, content, reason
):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    with pytest.raises(OutputExists) as caught:
        evaluate(converging(), dataset, path)

    assert str(caught.value) == f"{path} is no file of evaluation rows{reason}"
    assert path.read_bytes() == content


def test_a_folder_for_rows_that_does_not_exist_is_refused_before_anything_is_computed(
    converging, dataset, tmp_path
):
    predictor = converging()

    with pytest.raises(FileMissing) as caught:
        evaluate(predictor, dataset, tmp_path / "none" / "rows.jsonl")

    assert str(caught.value) == f"{tmp_path / 'none'} does not exist or is not a folder"
    assert predictor.encoded == 0


def test_a_data_set_of_empty_masks_is_refused(converging, make_dataset):
    picture = np.zeros((3, 3, 3), dtype=np.uint8)
    folder = make_dataset({"a.png": picture}, {"a.png": np.zeros((3, 3), dtype=np.uint8)})

    with pytest.raises(DatasetBroken) as caught:
        evaluate(converging(), FolderDataset(folder))

    assert str(caught.value) == f"{folder} holds no object: every mask is empty"


def test_the_packaged_model_is_evaluated_and_resumed(predictor, photo, make_dataset, tmp_path):
    rows, columns = np.mgrid[:96, :128]
    labels = ((columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2).astype(np.uint8)
    labels[70:90, 90:120] = 2
    dataset = FolderDataset(make_dataset({"disc.png": photo}, {"disc.png": labels}))
    rows_path = tmp_path / "rows.jsonl"

    first = evaluate(predictor, dataset, rows_path, max_clicks=2, limit=1)
    both = evaluate(predictor, dataset, rows_path, max_clicks=2)

    assert both["rows"][0] == first["rows"][0]
    assert both["table"]["steps_with_broken_clicks"] == 0
    assert both["table"]["oracle"]["noc_85"] <= both["table"]["selected"]["noc_85"]


def test_a_sample_is_drawn_by_its_seed_and_stays_in_order(converging, make_dataset):
    labels = np.arange(1, 41, dtype=np.uint8).repeat(2).reshape(8, 10)
    picture = np.zeros((8, 10, 3), dtype=np.uint8)
    dataset = FolderDataset(make_dataset({"a.png": picture}, {"a.png": labels}))

    first, again, other = (
        [ref.name for ref in chosen_objects(dataset, Plan(sample=9, seed=seed))]
        for seed in (0, 0, 1)
    )

    everything = [ref.name for ref in dataset.objects()]
    assert first == again
    assert first != other
    assert first == [name for name in everything if name in first]
    assert len(set(first)) == 9


def test_a_sample_larger_than_the_set_is_the_set(dataset):
    refs = chosen_objects(dataset, Plan(sample=99))

    assert [ref.name for ref in refs] == ["a:1", "b:1", "c:1"]


def test_a_sample_is_drawn_from_the_limit(dataset):
    refs = chosen_objects(dataset, Plan(limit=1, sample=1, seed=5))

    assert [ref.name for ref in refs] == ["a:1"]


def test_rows_of_another_user_or_seed_are_refused(converging, dataset, tmp_path):
    rows_path = tmp_path / "rows.jsonl"
    evaluate(converging(), dataset, rows_path)

    for other in ({"user": "noisy"}, {"seed": 1}):
        with pytest.raises(OutputExists) as caught:
            evaluate(converging(), dataset, rows_path, **other)

        assert str(caught.value) == (
            f"{rows_path} holds rows of another predictor, data set, user or protocol; "
            "delete it or give another output"
        )


def test_the_same_run_gives_the_same_numbers_again(converging, dataset):
    first, second = (answers(evaluate(converging(3), dataset, user="noisy")) for _ in range(2))

    assert first == second


def test_an_object_gets_the_same_clicks_whatever_ran_before_it(converging, dataset):
    everything = evaluate(converging(9), dataset, user="noisy")
    drawn = evaluate(converging(9), dataset, user="noisy", sample=1, seed=0)

    (row,) = answers(drawn)
    assert row in answers(everything)


def test_a_user_of_nested_things_finds_nothing_where_maps_do_not_nest(converging, dataset):
    with pytest.raises(DatasetBroken) as caught:
        evaluate(converging(), dataset, user="parts")

    assert str(caught.value) == (
        "things has nothing for the user 'parts': no region of one of its label maps lies in a "
        "larger region of another map of the same picture"
    )


def test_plain_values_of_the_meta_file_are_facts_of_the_data_set(make_dataset):
    labels = np.ones((2, 2), dtype=np.uint8)
    folder = make_dataset(
        {"a.png": np.zeros((2, 2, 3), dtype=np.uint8)},
        {"a.png": labels},
        meta={"licence": "CC0", "ignore_value": 255, "stats": {"objects": 1}},
    )

    facts = dataset_facts(FolderDataset(folder))

    assert facts == {
        "format": "folder",
        "images": 1,
        "meta": {"licence": "CC0", "ignore_value": 255},
    }
