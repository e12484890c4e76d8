"""
The training loop, to be read from top to bottom.

One process:    latentcut train configs/practical.toml --data DATA --backbones DIR --output RUN
Two processes:  torchrun --standalone --nproc-per-node 2 -m latentcut train ... (same options)

RUN/checkpoint.safetensors is replaced every few minutes; the same command goes on from it.
RUN/log.jsonl has one line per logged step. Only the main process writes.
"""

from __future__ import annotations

import json
import math
import platform
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from latentcut.errors import CheckpointBroken
from latentcut.nets.decoder import MoreBlocks
from latentcut.nets.model import ClickModel
from latentcut.training.batches import load_batches
from latentcut.training.checkpoint import Mix, load_checkpoint, read_facts, save_checkpoint
from latentcut.training.config import (
    Config,
    ModelConfig,
    TrainConfig,
    config_from_dict,
    config_to_dict,
)
from latentcut.training.crops import CropSource
from latentcut.training.distributed import average_gradients, join_job, leave_job
from latentcut.training.objective import step_loss
from latentcut.training.start import set_start

Validation = Callable[[ClickModel, int], dict[str, float]]


def build_model(model: ModelConfig) -> ClickModel:
    """A model with random weights, channels last in memory."""
    built = ClickModel(
        model.num_masks,
        model.trunk,
        model.head,
        model.detail,
        model.embedding,
        model.dilations,
        model.semantics,
        model.context_blocks,
        model.changes,
        MoreBlocks(model.more_context, model.more_trunk, model.more_head, model.more_detail),
    )
    return built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def learning_rate_share(step: int, train: TrainConfig) -> float:
    """Share of the learning rate at a step: linear warm-up, then a cosine to ``final_rate``."""
    if step < train.warmup_steps:
        return (step + 1) / train.warmup_steps
    progress = (step - train.warmup_steps) / max(1, train.steps - train.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return train.final_rate + (1 - train.final_rate) * cosine


def build_optimiser(model: ClickModel, train: TrainConfig) -> torch.optim.AdamW:
    """AdamW for what learns: a smaller rate for the backbone, no decay of biases and norms."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        pretrained = name.startswith("encoder.backbone.")
        groups.setdefault((pretrained, parameter.dim() > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "base_rate": train.backbone_learning_rate if pretrained else train.learning_rate,
                "weight_decay": train.weight_decay if decays else 0.0,
            }
            for (pretrained, decays), parameters in groups.items()
        ],
        lr=train.learning_rate,
        betas=(0.9, 0.99),
    )


@torch.no_grad()
def update_average(average: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    """Move the average of weights and buffers towards the model; integer buffers are copied."""
    for name, value in model.state_dict().items():
        if value.dtype.is_floating_point:
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


class StopRequest:
    """Turns the first interrupt or termination signal into a flag the loop reads."""

    def __init__(self) -> None:
        self.is_set = False
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._set) for number in numbers}

    def withdraw(self) -> None:
        """Give the signals back to whoever had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def agreed(self, device: torch.device) -> bool:
        """Whether any process of the job was asked to stop; all must leave at the same step."""
        if not dist.is_initialized():
            return self.is_set
        flag = torch.tensor(float(self.is_set), device=device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def _set(self, number: int, frame: object) -> None:
        if self.is_set:
            raise KeyboardInterrupt  # asked twice: stop at once
        self.is_set = True


class Log:
    """JSON lines; a resumed run drops the lines after its checkpoint first."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def write(self, entry: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62  # half a line of a killed run


def train(
    config: Config,
    data_root: Path,
    backbone: Path | None,
    output: Path,
    validate: Validation | None = None,
    start_from: Path | None = None,
    mixes: Sequence[Mix] = (),
) -> Path:
    """
    Train to ``config.train.steps``, resuming from the output folder's checkpoint if there is one.

    Args:
        config: What to compute.
        data_root: Folder with the data sets named in the config.
        backbone: Pretrained encoder file; None starts from random weights.
        output: Run folder, made if need be.
        validate: Called with the averaged model and the step every ``validate_every`` steps.
        start_from: What a new run starts from: a checkpoint's averaged weights, or a bundle.
        mixes: Others whose averaged weights are mixed into these first, one after the other.

    Returns:
        The checkpoint's path. A run that was interrupted has saved it, too.

    Raises:
        CheckpointBroken: The folder's checkpoint belongs to another model, data, clicks or loss.
    """
    job = join_job()
    torch.manual_seed(config.train.seed)
    model = build_model(config.model).to(job.device)
    source = CropSource(data_root, config.data, config.clicks)
    output.mkdir(parents=True, exist_ok=True)
    path, step, seconds = output / "checkpoint.safetensors", 0, 0.0
    if not path.exists():
        set_start(model, config, source, backbone, start_from, mixes)
    model.train()
    if config.train.learns == "g":
        model.freeze_f()
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    optimiser = build_optimiser(model, config.train)
    if path.exists():
        check_same_run(path, config)
        facts = load_checkpoint(path, model, average, optimiser)
        step, seconds = int(facts["step"]), float(facts["seconds"])

    batches = load_batches(source, config, job, start=step * config.train.accumulate)
    log = Log(output / "log.jsonl", step) if job.is_main else None
    stop = StopRequest()
    started = last_saved = time.monotonic()
    waited, logged_at, pairs, images = 0.0, 0.0, 0, 0

    def save() -> None:
        if not job.is_main:
            return
        facts = {
            "step": step,
            "seconds": seconds + time.monotonic() - started,
            "config": config_to_dict(config),
            "versions": {"torch": torch.__version__, "python": platform.python_version()},
        }
        save_checkpoint(path, model, average, optimiser, facts)

    progress = Progress(
        TextColumn("[bold]step"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        disable=not job.is_main,
    )
    recent: list[dict[str, float]] = []
    with progress:
        bar = progress.add_task("train", total=config.train.steps, completed=step, figures="")
        while step < config.train.steps and not stop.agreed(job.device):
            share = learning_rate_share(step, config.train)
            for group in optimiser.param_groups:
                group["lr"] = group["base_rate"] * share
            optimiser.zero_grad(set_to_none=True)
            for _ in range(config.train.accumulate):
                asked = time.monotonic()
                batch = next(batches)
                waited += time.monotonic() - asked
                loss, figures = step_loss(model, batch, config)
                (loss / config.train.accumulate).backward()
                pairs += len(batch.clicks) * job.world_size
                images += len(batch.images) * job.world_size
                if log is not None:
                    recent.append(figures)
            average_gradients(model.parameters())
            norm = nn.utils.clip_grad_norm_(model.parameters(), config.train.clip_norm)
            if torch.isfinite(norm):  # a single overflow must not destroy the weights
                optimiser.step()
            step += 1
            update_average(average, model, min(config.train.ema, (1 + step) / (10 + step)))

            if log is not None and (step % config.train.log_every == 0 or step == 1):
                elapsed = time.monotonic() - started
                mean = {k: float(np.mean([r[k] for r in recent])) for k in recent[0]}
                mean["pairs_per_second"] = pairs / max(1e-9, elapsed - logged_at)
                mean["images_per_second"] = images / max(1e-9, elapsed - logged_at)
                logged_at, pairs, images = elapsed, 0, 0
                log.write(
                    {"step": step, "seconds": round(seconds + elapsed, 1), "lr_share": share}
                    | {"grad_norm": float(norm), "waiting_share": waited / elapsed}
                    | {k: round(v, 5) for k, v in mean.items()}
                )
                recent.clear()
                text = f"IoU {mean['iou_selected']:.3f} best {mean['iou_best']:.3f}"
                progress.update(bar, figures=f"{text}, {speed_text(mean, waited / elapsed)}")
            progress.update(bar, completed=step)
            if time.monotonic() - last_saved > 60 * config.train.checkpoint_minutes:
                save()
                last_saved = time.monotonic()
            every = config.train.validate_every
            if validate and every and step % every == 0 and log is not None:
                averaged = build_model(config.model).to(job.device).eval()
                averaged.load_state_dict(average)
                log.write({"step": step} | validate(averaged, step))
    save()
    stop.withdraw()
    leave_job()
    return path


def speed_text(mean: dict[str, float], waiting_share: float) -> str:
    """Throughput for the progress line; a loader that keeps up leaves waiting under 5 %."""
    return (
        f"{mean['images_per_second']:.1f} images/s, {mean['pairs_per_second']:.0f} pairs/s, "
        f"{100 * waiting_share:.0f} % waiting for data"
    )


def check_same_run(path: Path, config: Config) -> None:
    """
    Refuse to resume a checkpoint with another model, data, clicks or loss.

    The [train] section may differ: steps can be added, the rest only changes what follows.
    """
    facts = read_facts(path)
    refuse_other_family(path, facts, None)
    # read back as a config, so that a key which the stored run did not know has its default
    stored = config_to_dict(config_from_dict(facts["config"]))
    refuse_changes(path, stored, config_to_dict(config), ("model", "data", "clicks", "loss"))


def refuse_other_family(path: Path, facts: dict[str, Any], family: str | None) -> None:
    """Raises CheckpointBroken if a checkpoint is of another family; None: the practical one."""
    found = facts.get("family")
    if found != family:
        names = {None: "the practical family", "paper": "the paper's family"}
        raise CheckpointBroken(
            f"{path} is a checkpoint of {names.get(found, found)}, the config is of "
            f"{names[family]}; use another --output folder"
        )


def refuse_changes(
    path: Path, stored: dict[str, Any], now: dict[str, Any], sections: tuple[str, ...]
) -> None:
    """Raises CheckpointBroken at the first key of these sections that differs."""
    for section in sections:
        changed = [k for k in now[section] if stored[section][k] != now[section][k]]
        if changed:
            raise CheckpointBroken(
                f"{path} was made with another {section}.{changed[0]}: "
                f"{stored[section][changed[0]]!r} there, {now[section][changed[0]]!r} now; "
                "use another --output folder or the run's own config"
            )
