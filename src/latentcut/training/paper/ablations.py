"""
Ablations of the paper: train every variant of a plan, and let the robot user meet each.

Everything resumes: trainings from their checkpoints, evaluations from their rows. A plan is
a TOML file as configs/paper_ablations.toml, which says what each key means.
"""

from __future__ import annotations

import multiprocessing
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from latentcut.datasets.dataset import open_dataset
from latentcut.errors import BadConfig, FileMissing
from latentcut.evaluation.protocol import find_protocol
from latentcut.evaluation.run import Plan as EvaluationPlan
from latentcut.evaluation.run import evaluate_dataset
from latentcut.nets.paper.weights import feature_weights
from latentcut.training.checkpoint import read_facts
from latentcut.training.paper.config import PaperConfig, load_paper_config
from latentcut.training.paper.loop import train_paper
from latentcut.training.paper.segmenter import SELECTIONS, load_segmenter

Say = Callable[[str], None]


class Variant(BaseModel):
    """
    One model of the plan.

    Attributes:
        title: What tables call it.
        set: What differs from the base config, as ``section.key=value``.
        seeds: One training each.
        f_from: Variant whose f it takes, where only g differs; that one comes before it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    set: tuple[str, ...] = ()
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    f_from: str | None = None


class Plan(BaseModel):
    """
    A whole ablation.

    Attributes:
        base: Config that all variants start from; beside the plan.
        max_clicks: Clicks per object.
        sample: Objects of each data set, drawn with seed 0; None: all.
        selections: Which masks the first variant shows, besides g's choice.
        variants: By name; the others are compared with the first one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    base: str
    max_clicks: int = Field(default=20, ge=1)
    sample: int | None = Field(default=None, ge=1)
    selections: tuple[str, ...] = SELECTIONS[1:]
    variants: dict[str, Variant] = Field(min_length=1)


@dataclass(frozen=True)
class Trial:
    """One training of a plan, with what shows of it."""

    variant: str
    title: str
    seed: int
    selections: tuple[str, ...]  # g first
    config: PaperConfig
    f_from: str | None = None  # trial whose f it takes

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.variant}-seed{self.seed}"


@dataclass(frozen=True)
class Places:
    """Where a plan finds and puts things; paths are never part of a plan."""

    data: Path
    backbones: Path
    benchmarks: tuple[str, ...]  # data set specs, as of open_dataset
    output: Path


def load_plan(path: Path) -> tuple[Plan, tuple[Trial, ...]]:
    """
    Read a plan and the config of each of its trials.

    Raises:
        FileMissing: The plan or its base config does not exist.
        BadConfig: Something in one of them is not allowed.
    """
    if not path.is_file():
        raise FileMissing(path, "a plan of ablations (.toml)")
    try:
        plan = Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadConfig(f"{path}: {where}: {first['msg']}") from error
    for selection in plan.selections:
        if selection not in SELECTIONS:
            raise BadConfig(f"{path}: selections must be of {SELECTIONS}, given {selection!r}")
    return plan, tuple(_trials(plan, path.parent / plan.base))


def _trials(plan: Plan, base: Path) -> Iterator[Trial]:
    """The first seed of every variant comes before any second one: tables are soon complete."""
    main = next(iter(plan.variants))
    longest = max(len(variant.seeds) for variant in plan.variants.values())
    for place in range(longest):
        for name, variant in plan.variants.items():
            if place < len(variant.seeds):
                seed = variant.seeds[place]
                config = load_paper_config(base, [*variant.set, f"train.seed={seed}"])
                shown = ("g", *(plan.selections if name == main and place == 0 else ()))
                f_from = variant.f_from and f"{variant.f_from}-seed{seed}"
                yield Trial(name, variant.title, seed, shown, config, f_from)


def result_path(output: Path, trial: Trial, selection: str, dataset: str) -> Path:
    """Where the rows of one evaluation lie: JSON lines."""
    return output / trial.name / f"{selection}-{dataset}.jsonl"


def run_trial(trial: Trial, plan: Plan, places: Places, threads: int) -> bool:
    """
    Train one trial and evaluate it; what is there already is not done again.

    Returns:
        Whether it is complete; False if it was interrupted.
    """
    torch.set_num_threads(threads)
    folder = places.output / trial.name
    folder.mkdir(parents=True, exist_ok=True)
    kind, train = trial.config.features.kind, trial.config.train
    weights = None if kind == "none" else feature_weights(kind, places.backbones)
    checkpoint = folder / "checkpoint.safetensors"
    total = train.f_steps + train.g_steps
    if not checkpoint.is_file() or int(read_facts(checkpoint)["step"]) < total:
        f_from = None
        if trial.f_from is not None:
            f_from = places.output / trial.f_from / "checkpoint.safetensors"
            if not f_from.is_file():
                raise FileMissing(
                    f_from, f"the checkpoint whose f {trial.name} takes; run it first"
                )
        train_paper(trial.config, places.data, weights, folder, f_from)
        if int(read_facts(checkpoint)["step"]) < total:
            return False
    rules = EvaluationPlan(find_protocol("standard", plan.max_clicks), sample=plan.sample)
    for selection in trial.selections:
        segmenter = load_segmenter(checkpoint, trial.name, selection)
        for spec in places.benchmarks:
            dataset = open_dataset(spec)
            path = result_path(places.output, trial, selection, dataset.name)
            evaluate_dataset(segmenter, dataset, rules, rows_path=path)
    return True


def run_ablations(
    plan: Plan, trials: Sequence[Trial], places: Places, jobs: int = 1, say: Say = print
) -> bool:
    """
    Run all trials, several at once if asked to.

    Args:
        plan: As of ``load_plan``.
        trials: Likewise, or some of them.
        places: Data, weights, benchmarks, output.
        jobs: Processes; each gets an equal share of the cores.
        say: Told when a trial is done.

    Returns:
        Whether all are complete; False if the run was interrupted.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    if jobs == 1:
        for trial in trials:
            if not run_trial(trial, plan, places, threads):
                return False
            say(f"{trial.name} is done")
        return True
    complete = True
    # not forked: torch's threads do not survive it
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run_trial, t, plan, places, threads): t for t in trials}
        for future in as_completed(running):
            done = future.result()
            complete &= done
            say(f"{running[future].name} {'is done' if done else 'was interrupted'}")
    return complete
