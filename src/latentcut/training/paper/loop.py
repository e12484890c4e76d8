"""
Training of the paper family: f for its steps, then g for its own with f frozen.

    latentcut train configs/paper_sbd.toml --data DATA --backbones DIR --output RUN

Works, resumes and spreads over processes like the practical family's loop; RUN holds the same
two files, checkpoint.safetensors and log.jsonl.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from latentcut.errors import BadConfig, CheckpointBroken
from latentcut.nets.paper.features import load_features
from latentcut.nets.paper.model import LatentDiversity
from latentcut.training.batches import Source, load_batches
from latentcut.training.checkpoint import (
    load_checkpoint,
    load_module,
    read_facts,
    save_checkpoint,
)
from latentcut.training.config import Config, TrainConfig, config_to_dict
from latentcut.training.crops import CropSource
from latentcut.training.distributed import (
    Job,
    average_gradients,
    join_job,
    leave_job,
    share_of,
)
from latentcut.training.loop import (
    Log,
    StopRequest,
    learning_rate_share,
    refuse_changes,
    refuse_other_family,
    speed_text,
)
from latentcut.training.paper.config import (
    PaperConfig,
    PaperModelConfig,
    PaperTrainConfig,
    paper_config_from_dict,
)
from latentcut.training.paper.family import FAMILY
from latentcut.training.paper.objective import step_loss
from latentcut.training.paper.whole_images import WholeImages

CHECKED_SECTIONS = ("features", "model", "data", "clicks", "loss")


def build_paper_model(config: PaperConfig) -> LatentDiversity:
    """A model with random f and g; its features get their weights from a file or checkpoint."""
    model: PaperModelConfig = config.model
    built = LatentDiversity(
        model.num_masks,
        model.width,
        model.dilations,
        model.stride,
        config.features.kind,
        config.features.pooling,
        model.output,
        model.selection,
    )
    return built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def stage_of(step: int, train: PaperTrainConfig) -> tuple[str, int, int]:
    """Which network a step trains ("f" or "g"), the step within its stage, the stage's length."""
    if step < train.f_steps:
        return "f", step, train.f_steps
    return "g", step - train.f_steps, train.g_steps


def build_stage(model: LatentDiversity, stage: str, train: PaperTrainConfig) -> torch.optim.Adam:
    """Freeze all but one network and make its optimiser."""
    model.eval().requires_grad_(False)
    network: nn.Module = model.f if stage == "f" else model.g
    network.train().requires_grad_(True)
    return torch.optim.Adam(network.parameters(), lr=train.learning_rate)


def rate_of(place: int, length: int, train: PaperTrainConfig) -> float:
    """Learning rate at a step of a stage: constant as in the paper, or warm-up and cosine."""
    schedule = TrainConfig(
        steps=length, warmup_steps=train.warmup_steps, final_rate=train.final_rate
    )
    return train.learning_rate * learning_rate_share(place, schedule)


def data_of(config: PaperConfig) -> Config:
    """The part of a config that batches are drawn by."""
    train = config.train
    steps = train.f_steps + train.g_steps
    schedule = TrainConfig(seed=train.seed, steps=steps, accumulate=train.accumulate)
    return Config(data=config.data, clicks=config.clicks, train=schedule)


class PaperRun:
    """A run and everything of it that lives between steps."""

    def __init__(
        self,
        config: PaperConfig,
        data_root: Path,
        weights: Path | None,
        output: Path,
        job: Job,
        f_from: Path | None = None,
    ) -> None:
        self.config, self.job, self.path = config, job, output / "checkpoint.safetensors"
        torch.manual_seed(config.train.seed)
        self.model = build_paper_model(config).to(job.device)
        if weights is not None:
            load_features(self.model.features, weights)
        output.mkdir(parents=True, exist_ok=True)
        self.step, self.seconds = 0, 0.0
        self.waited, self.logged_at, self.images, self.pairs = 0.0, 0.0, 0, 0
        self.stage = "f"
        self.optimiser = build_stage(self.model, "f", config.train)
        if self.path.exists():
            self._restore()
        elif f_from is not None:
            load_module(f_from, "f", self.model.f)
            self.step = config.train.f_steps
        self.log = Log(output / "log.jsonl", self.step) if job.is_main else None
        if config.data.source == "whole" and len(share_of(config.data.images_per_step[0], job)) > 1:
            raise BadConfig(
                "data.source = 'whole': images of different sizes make no batch, so each process "
                f"takes one; data.images_per_step must be [{job.world_size}], the number of "
                f"processes, given {list(config.data.images_per_step)}"
            )
        source: Source
        if config.data.source == "crops":
            source = CropSource(data_root, config.data, config.clicks)
        else:
            source = WholeImages(data_root, config.data)
        done = self.step * config.train.accumulate
        self.batches = load_batches(source, data_of(config), job, start=done)

    def _restore(self) -> None:
        facts = read_facts(self.path)
        refuse_other_family(self.path, facts, FAMILY)
        stored = config_to_dict(paper_config_from_dict(facts["config"]))
        refuse_changes(self.path, stored, config_to_dict(self.config), CHECKED_SECTIONS)
        self.stage = str(facts["stage"])
        if self.stage == "g" and stored["train"]["f_steps"] != self.config.train.f_steps:
            raise CheckpointBroken(
                f"{self.path} is past its {stored['train']['f_steps']} steps of f; "
                f"train.f_steps cannot become {self.config.train.f_steps} any more"
            )
        self.optimiser = build_stage(self.model, self.stage, self.config.train)
        load_checkpoint(self.path, self.model, {}, self.optimiser)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])

    def save(self, seconds: float) -> None:
        """Replace the checkpoint; only the main process writes."""
        if self.job.is_main:
            facts = {
                "family": FAMILY,
                "step": self.step,
                "stage": self.stage,
                "seconds": self.seconds + seconds,
                "config": config_to_dict(self.config),
                "versions": {"torch": torch.__version__, "python": platform.python_version()},
            }
            save_checkpoint(self.path, self.model, {}, self.optimiser, facts)

    def advance(self) -> dict[str, float]:
        """One step of the stage it belongs to; the mean figures of its micro-steps."""
        train = self.config.train
        stage, place, length = stage_of(self.step, train)
        if stage != self.stage:
            self.stage, self.optimiser = stage, build_stage(self.model, stage, train)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_of(place, length, train)
        self.optimiser.zero_grad(set_to_none=True)
        figures = []
        for _ in range(train.accumulate):
            asked = time.monotonic()
            batch = next(self.batches)
            self.waited += time.monotonic() - asked
            loss, facts = step_loss(self.model, batch, self.config, train_g=stage == "g")
            (loss / train.accumulate).backward()
            self.images += len(batch.images) * self.job.world_size
            self.pairs += len(batch.clicks) * self.job.world_size
            figures.append(facts)
        network = self.model.g if stage == "g" else self.model.f
        average_gradients(network.parameters())
        norm = nn.utils.clip_grad_norm_(network.parameters(), train.clip_norm or float("inf"))
        if torch.isfinite(norm):  # a single overflow must not destroy the weights
            self.optimiser.step()
        self.step += 1
        return {k: float(np.mean([f[k] for f in figures])) for k in figures[0]}


def train_paper(
    config: PaperConfig,
    data_root: Path,
    weights: Path | None,
    output: Path,
    f_from: Path | None = None,
) -> Path:
    """
    Train f, then g, resuming from the output folder's checkpoint if there is one.

    Args:
        config: What to compute.
        data_root: Folder with the data sets named in the config.
        weights: Of the frozen features; None where they have none, or with a checkpoint.
        output: Run folder, made if need be.
        f_from: Checkpoint whose f a new run takes; only g is trained then.

    Returns:
        The checkpoint's path. A run that was interrupted has saved it, too.

    Raises:
        CheckpointBroken: The folder's checkpoint belongs to another config.
    """
    job = join_job()
    run = PaperRun(config, data_root, weights, output, job, f_from)
    stop = StopRequest()
    started = last_saved = time.monotonic()
    total, recent = config.train.f_steps + config.train.g_steps, []
    progress = Progress(
        TextColumn("[bold]{task.fields[stage]}"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        disable=not job.is_main,
    )
    with progress:
        bar = progress.add_task("train", total=total, completed=run.step, stage="f", figures="")
        while run.step < total and not stop.agreed(job.device):
            recent.append(run.advance())
            elapsed = time.monotonic() - started
            if stage_of(run.step, config.train)[0] != run.stage:
                run.save(elapsed)  # f is complete: worth keeping whatever becomes of g
                recent, _ = write_log(run, recent, elapsed)
            elif run.step % config.train.log_every == 0 or run.step in (1, total):
                best = recent[-1]["iou_best"]
                recent, speed = write_log(run, recent, elapsed)
                figures = f"IoU of the best mask {best:.3f}, {speed}"
                progress.update(bar, figures=figures, stage=run.stage)
            progress.update(bar, completed=run.step)
            if time.monotonic() - last_saved > 60 * config.train.checkpoint_minutes:
                run.save(elapsed)
                last_saved = time.monotonic()
    run.save(time.monotonic() - started)
    stop.withdraw()
    leave_job()
    return run.path


def write_log(
    run: PaperRun, recent: list[dict[str, float]], elapsed: float
) -> tuple[list[dict[str, float]], str]:
    """One line of means since the last one; returns a new, empty list and the speed in words."""
    mean = {k: float(np.mean([r[k] for r in recent])) for k in recent[0]}
    passed = max(1e-9, elapsed - run.logged_at)
    speed = {"images_per_second": run.images / passed, "pairs_per_second": run.pairs / passed}
    run.logged_at, run.images, run.pairs = elapsed, 0, 0
    share = run.waited / max(1e-9, elapsed)
    if run.log is not None:
        numbers = {k: round(v, 5) for k, v in (mean | speed | {"waiting_share": share}).items()}
        seconds = round(run.seconds + elapsed, 1)
        run.log.write({"step": run.step, "stage": run.stage, "seconds": seconds} | numbers)
    return [], speed_text(speed, share)
