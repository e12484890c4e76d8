from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from latentcut.errors import BadConfig, CheckpointBroken
from latentcut.training.checkpoint import read_facts
from latentcut.training.config import TrainConfig, load_config
from latentcut.training.loop import learning_rate_share, train


def command(config: Path, data: Path, output: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "latentcut", "train", str(config), "--from-scratch"),
        *("--data", str(data), "--output", str(output), *more),
    ]


def run(*arguments: object) -> subprocess.CompletedProcess:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment, check=True
    )


def wait_for_step(checkpoint: Path, step: int, process: subprocess.Popen) -> int:
    """Wait until the checkpoint is at a step at least, and return the step it is at."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if checkpoint.exists() and (reached := read_facts(checkpoint)["step"]) >= step:
            return int(reached)
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint of step {step}: exit code {process.poll()}")


def test_a_killed_run_resumes_bit_for_bit(shapes_root: Path, config_path: Path, tmp_path: Path):
    run(config_path, shapes_root, tmp_path / "whole")
    killed = subprocess.Popen(
        command(config_path, shapes_root, tmp_path / "killed"),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    step = wait_for_step(tmp_path / "killed" / "checkpoint.safetensors", 3, killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert step < 8  # it was stopped on the way

    run(config_path, shapes_root, tmp_path / "killed")

    whole = load_file(tmp_path / "whole" / "checkpoint.safetensors")
    resumed = load_file(tmp_path / "killed" / "checkpoint.safetensors")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    steps = [
        json.loads(line)["step"]
        for line in (tmp_path / "killed" / "log.jsonl").read_text().splitlines()
    ]
    assert steps == list(range(1, 9))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_saves_its_checkpoint_first(
    shapes_root: Path, config_path: Path, tmp_path: Path, number: int
):
    output = tmp_path / "run"
    arguments = ["train.checkpoint_minutes=60.0", "train.steps=100000", "data.workers=1"]
    process = subprocess.Popen(
        command(config_path, shapes_root, output, *[x for a in arguments for x in ("--set", a)]),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (output / "log.jsonl").exists():
        time.sleep(0.05)
    os.killpg(process.pid, number)  # as a terminal does: the loader's processes get it, too
    errors = process.communicate(timeout=60)[1]

    assert read_facts(output / "checkpoint.safetensors")["step"] >= 1
    assert b"Traceback" not in errors


def test_training_lowers_the_loss_on_drawn_shapes(
    shapes_root: Path, config_path: Path, tmp_path: Path
):
    config = load_config(config_path, ["train.steps=150", "train.checkpoint_minutes=60.0"])

    train(config, shapes_root, None, tmp_path / "run")

    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert sum(losses[-20:]) < 0.8 * sum(losses[:20])


def test_a_run_is_not_resumed_with_another_model(
    shapes_root: Path, config_path: Path, tmp_path: Path
):
    train(load_config(config_path, ["train.steps=1"]), shapes_root, None, tmp_path / "run")
    other = load_config(config_path, ["model.trunk=24"])

    with pytest.raises(CheckpointBroken) as caught:
        train(other, shapes_root, None, tmp_path / "run")

    assert str(caught.value) == (
        f"{tmp_path / 'run' / 'checkpoint.safetensors'} was made with another model.trunk: "
        "16 there, 24 now; use another --output folder or the run's own config"
    )


def test_the_learning_rate_warms_up_and_falls_on_a_cosine():
    config = TrainConfig(steps=110, warmup_steps=10, final_rate=0.1)

    shares = [learning_rate_share(step, config) for step in (0, 9, 10, 60, 110)]

    assert shares == pytest.approx([0.1, 1.0, 1.0, 0.55, 0.1])  # (1 + 0.1) / 2 halfway


def test_data_without_objects_end_in_one_clear_error(
    shapes_root: Path, config_path: Path, tmp_path: Path
):
    empty = tmp_path / "data"
    shutil.copytree(shapes_root, empty)
    for mask in (empty / "shapes" / "masks").iterdir():
        Image.new("L", (128, 96)).save(mask)
    config = load_config(config_path, ["data.workers=1"])

    with pytest.raises(BadConfig) as caught:
        train(config, empty, None, tmp_path / "run")

    assert str(caught.value).startswith("1000 images drawn in a row from shapes in ")
