"""
Checkpoints: all a run needs to go on as if it had never stopped, in one safetensors file.

Weights, their moving average, the optimiser's moments, the step and the config. Random
states are not among them: every step's randomness follows from (seed, step) alone.
Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from latentcut.errors import CheckpointBroken, FileMissing

FORMAT = "latentcut-checkpoint-1"

# parts that start as no change at all: a model that has them can start from one that has not
GROWN_PARTS = (
    "encoder.context.",
    "encoder.deep_meaning.",
    "encoder.meaning.",
    "scorer.more",
    "scorer.changes",
    "decoder.trunk_more.",
    "decoder.head_more.",
    "decoder.detail_more.",
)


def save_checkpoint(
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> None:
    """
    Write a checkpoint; the file is replaced as a whole or not at all.

    Args:
        path: Target file.
        model: Its parameters and buffers are kept.
        average: Their moving average, by the same names.
        optimiser: Its state tensors are kept, numbered by parameter.
        facts: JSON values: step, config and whatever describes the run.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{k}": v for k, v in state.items()}
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file(plain, temporary, {"format": FORMAT, "facts": json.dumps(facts)})
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_facts(path: Path) -> dict[str, Any]:
    """The facts of a checkpoint, without its weights. Raises FileMissing or CheckpointBroken."""
    if not path.is_file():
        raise FileMissing(path, "a checkpoint (.safetensors)")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointBroken(f"{path} is no readable checkpoint: {error}") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointBroken(
            f"{path} is no checkpoint of this version: its format is "
            f"{metadata.get('format')!r}, {FORMAT!r} is needed"
        )
    facts: dict[str, Any] = json.loads(metadata["facts"])
    return facts


def _read_part(path: Path, part: str) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        names = [n for n in file.keys() if n.startswith(part + ".")]  # noqa: SIM118  # no mapping
        return {n[len(part) + 1 :]: file.get_tensor(n) for n in names}


def load_weights(
    path: Path, model: nn.Module, *, average: bool, may_grow: bool = False
) -> dict[str, Any]:
    """
    Copy a checkpoint's weights, or their moving average, into a model; return its facts.

    Args:
        path: The checkpoint.
        model: Its weights are replaced.
        average: Take the moving average.
        may_grow: Parts that start as no change may be missing; they keep the model's weights.

    Raises:
        CheckpointBroken: A weight is missing, too many or of another shape.
    """
    facts = read_facts(path)
    state = _read_part(path, "average" if average else "model")
    if may_grow:
        own = model.state_dict()
        state = {k: v for k, v in own.items() if k.startswith(GROWN_PARTS)} | state
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CheckpointBroken(f"{path} does not fit the model: {error}") from error
    return facts


class Mix(NamedTuple):
    """
    What is mixed into the weights of a model.

    Attributes:
        checkpoint: The other checkpoint.
        share: Of its weights, in [0, 1].
    """

    checkpoint: Path
    share: float

    def described(self, facts: dict[str, Any]) -> dict[str, Any]:
        """For the provenance: the share, and what the other checkpoint says of itself."""
        return {"share": self.share, "config": facts["config"], "step": facts["step"]}


def mix_weights(mix: Mix, model: nn.Module) -> dict[str, Any]:
    """
    Move a model's weights towards the moving average of another checkpoint; return its facts.

    Weights of two stages of one training lie close enough together that what is between them is
    a good network, too, and often better than both on pictures that the second stage forgot.

    Args:
        mix: The other checkpoint, and how much of it.
        model: Its weights become (1 - share) of their own and share of the other's.

    Raises:
        FileMissing: No such file.
        CheckpointBroken: It is of another model.

    Source:
        Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022, section 3.
    """
    own = {name: value.clone() for name, value in model.state_dict().items()}
    facts = load_weights(mix.checkpoint, model, average=True, may_grow=True)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.copy_((1 - mix.share) * own[name] + mix.share * value)
    return facts


def load_module(path: Path, name: str, module: nn.Module) -> None:
    """
    Copy one part of a checkpoint's model, such as "f", into a module.

    Raises:
        FileMissing: No such file.
        CheckpointBroken: A weight is missing, too many or of another shape.
    """
    read_facts(path)
    state = _read_part(path, f"model.{name}")
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CheckpointBroken(f"{path}: its {name} does not fit the model: {error}") from error


def load_checkpoint(
    path: Path, model: nn.Module, average: dict[str, Tensor], optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """Restore everything that ``save_checkpoint`` wrote; return the facts."""
    facts = load_weights(path, model, average=False)
    for name, value in _read_part(path, "average").items():
        average[name].copy_(value)
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _read_part(path, "optimiser").items():
        number, _, kind = name.partition(".")
        if value.dim() == 4:
            value = value.contiguous(memory_format=torch.channels_last)
        state.setdefault(int(number), {})[kind] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    return facts
