"""Validation: the robot user on training images that are held out of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from latentcut.core.predictor import Predictor
from latentcut.datasets.dataset import Sample, open_dataset, sample_of
from latentcut.evaluation.protocol import evaluate_object
from latentcut.evaluation.table import summarise
from latentcut.nets.export import TorchBackend
from latentcut.nets.model import ClickModel
from latentcut.training.config import Config, DataConfig
from latentcut.training.weighted_sets import MIN_OBJECT_PX, is_held_out

MAX_CLICKS = 10  # half the protocol's: what matters during training shows by then


def held_out_samples(root: Path, data: DataConfig, count: int, seed: int = 0) -> list[Sample]:
    """
    Objects of held-out images, drawn as training draws its crops, always the same ones.

    Args:
        root: Folder of the data sets.
        data: Sets, weights and which images are held out.
        count: Number of distinct objects; fewer where the slice has not so many.
        seed: Other seeds give other objects.
    """
    sets = [open_dataset(root / name, split="train") for name in data.sets]
    entries = [[e for e in s.images if is_held_out(e.image_id, data.held_out_every)] for s in sets]
    weights = np.array([w if e else 0.0 for w, e in zip(data.sets.values(), entries, strict=True)])
    if weights.sum() == 0:
        return []
    rng = np.random.default_rng([seed, len(sets)])
    samples: dict[str, Sample] = {}
    for _ in range(20 * count):  # a small slice may hold fewer objects than asked for
        if len(samples) == count:
            break
        which = int(rng.choice(len(sets), p=weights / weights.sum()))
        entry = entries[which][int(rng.integers(len(entries[which])))]
        maps = sets[which].label_maps(entry)
        one = maps[int(rng.integers(len(maps)))]
        values = [v for v in one.values if (one.labels == v).sum() >= MIN_OBJECT_PX]
        if values:
            value = values[int(rng.integers(len(values)))]
            name = f"{sets[which].name}/{one.name_of(value)}"
            samples[name] = sample_of(one, value, name, entry.image_path)
    return list(samples.values())


def build_validation(root: Path, config: Config) -> Callable[[ClickModel, int], dict[str, float]]:
    """A function that scores a model on the held-out objects of a config."""
    samples = held_out_samples(root, config.data, config.train.validation_objects)

    def validate(model: ClickModel, step: int) -> dict[str, float]:
        predictor = Predictor(TorchBackend(model))
        rows = [evaluate_object(predictor, sample, MAX_CLICKS) for sample in samples]
        table = summarise(rows, MAX_CLICKS)
        return {
            "validation_noc_85": table["selected"]["noc_85"],
            "validation_noc_90": table["selected"]["noc_90"],
            "validation_iou_1": table["selected"]["mean_iou"][0],
            "validation_oracle_iou_1": table["oracle"]["mean_iou"][0],
            "validation_iou_5": table["selected"]["mean_iou"][4],
        }

    return validate
