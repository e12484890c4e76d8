"""Batches: the crops of one step, drawn in worker processes ahead of the loop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from latentcut.core.clicks import Click
from latentcut.training.config import Config
from latentcut.training.crops import Crop
from latentcut.training.distributed import Job, share_of

# streams of randomness; each generator is seeded by (seed, stream, micro-step, ...)
SIZE_STREAM, CROP_STREAM, CORRECTION_STREAM = 1, 2, 3


@dataclass(frozen=True)
class Batch:
    """
    This process's share of one micro-step.

    Attributes:
        index: Micro-step.
        images: uint8 (B, 3, S, S), RGB.
        targets: bool (B * P, S, S), the pairs of one image in succession.
        ignore: bool (B, S, S).
        clicks: First clicks of each pair.
        pair_ids: Number of each pair in the whole job's step; seeds its corrective clicks.
    """

    index: int
    images: Tensor
    targets: Tensor
    ignore: Tensor
    clicks: list[tuple[Click, ...]]
    pair_ids: list[int]


class Source(Protocol):
    """Draws one annotated image of a step: crops.CropSource, paper.whole_images.WholeImages."""

    def __call__(self, size: int, rng: np.random.Generator) -> Crop:
        """Image, targets and first clicks; ``size`` is the side of a crop in pixels."""


def stream(seed: int, *key: int) -> np.random.Generator:
    """A generator that depends on the key alone, equal in every process."""
    return np.random.default_rng([seed, *key])


class StepBatches(Dataset[Batch]):
    """Micro-step number -> Batch, the same whatever was asked for before."""

    def __init__(self, source: Source, config: Config, job: Job) -> None:
        self.source, self.config, self.job = source, config, job

    def __getitem__(self, index: int) -> Batch:
        cv2.setNumThreads(1)  # the cores belong to the training step
        data, seed = self.config.data, self.config.train.seed
        shares = np.array(data.crop_shares)
        rng = stream(seed, SIZE_STREAM, index)
        which = int(rng.choice(len(shares), p=shares / shares.sum()))
        size, total = data.crop_sizes[which], data.images_per_step[which]
        mine = share_of(total, self.job)
        crops = [self.source(size, stream(seed, CROP_STREAM, index, i)) for i in mine]
        first_pair = mine.start * data.pairs_per_image
        num_pairs = len(mine) * data.pairs_per_image
        return collate(index, crops, list(range(first_pair, first_pair + num_pairs)))


def collate(index: int, crops: list[Crop], pair_ids: list[int]) -> Batch:
    """Stack crops of one size."""
    return Batch(
        index,
        torch.from_numpy(np.stack([c.image for c in crops]).transpose(0, 3, 1, 2).copy()),
        torch.from_numpy(np.concatenate([c.targets for c in crops])),
        torch.from_numpy(np.stack([c.ignore for c in crops])),
        [clicks for c in crops for clicks in c.clicks],
        pair_ids,
    )


def leave_signals_to_the_loop(worker: int) -> None:
    """
    Let a loader process outlive an interrupt or termination signal.

    A terminal or a job scheduler signals the whole group. The loop then finishes its step, saves
    and ends its loaders; one that dies first makes torch end the loop in the middle of a step.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def load_batches(source: Source, config: Config, job: Job, start: int) -> Iterator[Batch]:
    """
    Batches from micro-step ``start`` to the end of training, prepared ahead by workers.

    Raises:
        BadConfig: The data sets hold no usable object. One crop is drawn here for that: an error
            in a worker would reach the user inside two tracebacks.
    """
    total = config.train.steps * config.train.accumulate
    workers = config.data.workers
    source(config.data.crop_sizes[0], stream(config.train.seed, CROP_STREAM, start))
    loader = DataLoader(
        StepBatches(source, config, job),
        batch_size=None,
        sampler=range(start, total),
        num_workers=workers,
        worker_init_fn=leave_signals_to_the_loop if workers else None,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)
