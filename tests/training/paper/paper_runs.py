"""What a run folder of the paper family holds."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

OF_TIME = {"seconds", "images_per_second", "pairs_per_second", "waiting_share"}


def tensors(run: Path) -> dict[str, Tensor]:
    return load_file(run / "checkpoint.safetensors")


def log_of(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def timeless_log_of(run: Path) -> list[dict[str, object]]:
    """The log without what differs from one machine and moment to the next."""
    return [{k: v for k, v in line.items() if k not in OF_TIME} for line in log_of(run)]


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if name.startswith(prefix)}


def changed(before: dict[str, Tensor], after: dict[str, Tensor], prefix: str) -> list[str]:
    assert part(before, prefix)
    return [n for n, value in part(before, prefix).items() if not torch.equal(value, after[n])]
