"""Two processes train the paper's networks as one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

STEPS = ("--set", "train.f_steps=2", "--set", "train.g_steps=2")


def trained(num_processes: int, config: Path, data: Path, output: Path) -> dict[str, torch.Tensor]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(num_processes), "-m", "latentcut", "train", str(config)]
    command += ["--data", str(data), "--output", str(output), *STEPS]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stderr
    state = load_file(output / "checkpoint.safetensors")
    return {name: value for name, value in state.items() if name.startswith("model.")}


def test_two_processes_with_half_the_batch_each_train_f_and_g_as_one_does(
    shapes_root: Path, paper_config_path: Path, tmp_path: Path
):
    one = trained(1, paper_config_path, shapes_root, tmp_path / "one")
    two = trained(2, paper_config_path, shapes_root, tmp_path / "two")

    assert one.keys() == two.keys()
    values = [torch.cat([state[name].float().ravel() for name in one]) for state in (one, two)]
    alike = torch.isclose(values[0], values[1], rtol=1e-3, atol=1e-4).float().mean().item()
    # Adam moves a weight by the sign of its first gradient, however small: where that is all
    # rounding, the two may differ
    assert alike > 0.98


def test_each_process_takes_one_whole_image_however_large(
    shapes_root: Path, paper_config_path: Path, tmp_path: Path
):
    config = tmp_path / "whole.toml"
    config.write_text(paper_config_path.read_text().replace('"crops"', '"whole"'))

    state = trained(2, config, shapes_root, tmp_path / "run")

    assert all(torch.isfinite(value.float()).all() for value in state.values())
