"""Runs of the paper family that were stopped, are gone on with, or must not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from paper_runs import changed, log_of, tensors, timeless_log_of

from latentcut.errors import CheckpointBroken
from latentcut.training.checkpoint import read_facts
from latentcut.training.config import load_config
from latentcut.training.loop import train
from latentcut.training.paper.config import PaperConfig
from latentcut.training.paper.loop import train_paper

MakeConfig = Callable[..., PaperConfig]


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        pytest.param(2, "f", id="in f"),
        pytest.param(4, "f", id="when f is complete"),
        pytest.param(6, "g", id="in g"),
    ],
)
def test_a_stopped_run_goes_on_bit_for_bit(
    paper_config: MakeConfig,
    shapes_root: Path,
    tmp_path: Path,
    stop_after: Callable[[int], None],
    whole_run: Path,
    steps: int,
    stage: str,
):
    config, run = paper_config(), tmp_path / "run"
    stop_after(steps)
    path = train_paper(config, shapes_root, None, run)
    stopped = read_facts(path)
    stop_after(100)

    train_paper(config, shapes_root, None, run)

    assert (stopped["step"], stopped["stage"]) == (steps, stage)
    whole, resumed = tensors(whole_run), tensors(run)
    assert whole.keys() == resumed.keys()
    assert [name for name in whole if not torch.equal(whole[name], resumed[name])] == []
    assert timeless_log_of(run) == timeless_log_of(whole_run)


def test_what_was_logged_after_the_checkpoint_is_dropped_when_a_run_goes_on(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path, stop_after: Callable[[int], None]
):
    config, run = paper_config(), tmp_path / "run"
    stop_after(3)
    train_paper(config, shapes_root, None, run)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "stage": "f", "loss": 9}\n{"step": 5, "st')  # killed here
    stop_after(100)

    train_paper(config, shapes_root, None, run)

    assert [line["step"] for line in log_of(run)] == list(range(1, 9))


def test_a_complete_run_is_left_as_it_is(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path
):
    config, run = paper_config("train.f_steps=1", "train.g_steps=1"), tmp_path / "run"
    train_paper(config, shapes_root, None, run)
    before, lines = tensors(run), log_of(run)

    train_paper(config, shapes_root, None, run)

    assert changed(before, tensors(run), "") == []
    assert log_of(run) == lines


def test_steps_of_g_can_be_added(paper_config: MakeConfig, shapes_root: Path, tmp_path: Path):
    short = paper_config("train.g_steps=2")
    run = tmp_path / "run"
    train_paper(short, shapes_root, None, run)

    train_paper(paper_config(), shapes_root, None, run)

    assert read_facts(run / "checkpoint.safetensors")["step"] == 8
    assert len(log_of(run)) == 8


# ---------------------------------------------------------------- g on another run's f


def test_a_run_may_take_the_f_of_another_one_and_train_g_alone(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path, whole_run: Path
):
    run = tmp_path / "run"

    train_paper(
        paper_config("train.g_steps=2"),
        shapes_root,
        None,
        run,
        f_from=whole_run / "checkpoint.safetensors",
    )

    assert [(line["step"], line["stage"]) for line in log_of(run)] == [(5, "g"), (6, "g")]
    assert changed(tensors(whole_run), tensors(run), "model.f.") == []


def test_an_f_of_another_size_is_refused(
    paper_config: MakeConfig, shapes_root: Path, tmp_path: Path, whole_run: Path
):
    path = whole_run / "checkpoint.safetensors"

    with pytest.raises(CheckpointBroken) as caught:
        train_paper(paper_config("model.width=5"), shapes_root, None, tmp_path / "run", f_from=path)

    # what follows is torch's own list of shapes
    assert str(caught.value).startswith(f"{path}: its f does not fit the model: ")


# ---------------------------------------------------------------- another config


@pytest.mark.parametrize(
    ("override", "key", "there", "now"),
    [
        ("model.width=6", "model.width", "4", "6"),
        ("model.dilations=[1]", "model.dilations", "(1, 2)", "(1,)"),
        ("features.kind=vgg16", "features.kind", "'none'", "'vgg16'"),
        ("loss.ranked_diversity=false", "loss.ranked_diversity", "True", "False"),
        ("data.pairs_per_image=3", "data.pairs_per_image", "2", "3"),
        ("clicks.max_positive=3", "clicks.max_positive", "5", "3"),
    ],
)
def test_a_run_is_not_resumed_with_another_config(
    paper_config: MakeConfig,
    shapes_root: Path,
    whole_run: Path,
    override: str,
    key: str,
    there: str,
    now: str,
):
    before = (whole_run / "checkpoint.safetensors").read_bytes()

    with pytest.raises(CheckpointBroken) as caught:
        train_paper(paper_config(override), shapes_root, None, whole_run)

    path = whole_run / "checkpoint.safetensors"
    assert str(caught.value) == (
        f"{path} was made with another {key}: {there} there, {now} now; "
        "use another --output folder or the run's own config"
    )
    assert path.read_bytes() == before


def test_the_steps_of_f_are_fixed_once_g_has_begun(
    paper_config: MakeConfig, shapes_root: Path, whole_run: Path
):
    with pytest.raises(CheckpointBroken) as caught:
        train_paper(paper_config("train.f_steps=5"), shapes_root, None, whole_run)

    assert str(caught.value) == (
        f"{whole_run / 'checkpoint.safetensors'} is past its 4 steps of f; "
        "train.f_steps cannot become 5 any more"
    )


def test_a_practical_run_is_not_gone_on_with_as_one_of_the_paper(
    paper_config: MakeConfig, config_path: Path, shapes_root: Path, tmp_path: Path
):
    practical = load_config(config_path, ["train.steps=1"])
    path = train(practical, shapes_root, None, tmp_path / "run")
    before = path.read_bytes()

    with pytest.raises(CheckpointBroken) as caught:
        train_paper(paper_config(), shapes_root, None, tmp_path / "run")

    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
