from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("gradients.py")


def gradients(num_processes: int, config: Path, data: Path, output: Path) -> dict:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(num_processes), str(SCRIPT), config, data, output]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stderr
    return load_file(output)


def test_two_processes_with_half_the_batch_each_give_the_gradients_of_one(
    shapes_root: Path, config_path: Path, tmp_path: Path
):
    one = gradients(1, config_path, shapes_root, tmp_path / "one.safetensors")
    two = gradients(2, config_path, shapes_root, tmp_path / "two.safetensors")

    assert one.keys() == two.keys()
    largest = max(g.abs().max().item() for g in one.values())
    for name in one:
        torch.testing.assert_close(
            two[name], one[name], rtol=1e-3, atol=1e-5 * largest, msg=lambda m, n=name: f"{n}: {m}"
        )
