"""Configuration of the paper family; read by the same rules as the practical one's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentcut.errors import BadConfig
from latentcut.nets.paper.context import PAPER_DILATIONS
from latentcut.nets.paper.features import FEATURES, POOLINGS
from latentcut.nets.paper.inputs import CLICK_MAPS
from latentcut.nets.paper.model import OUTPUTS, SELECTION_NETS
from latentcut.training.config import (
    ClickConfig,
    DataConfig,
    build_config,
    check_data,
    read_table,
)
from latentcut.training.paper.family import FAMILY

SOURCES = ("whole", "crops")


@dataclass(frozen=True)
class FamilyConfig:
    """Says that a config is of this family: ``[family] name = "paper"``."""

    name: str = FAMILY


@dataclass(frozen=True)
class FeaturesConfig:
    """Frozen features; see nets.paper.features."""

    kind: str = "vgg19"  # the paper's; or vgg16 (three blocks), mobilenetv2, none
    pooling: str = "average"  # or max


@dataclass(frozen=True)
class PaperModelConfig:
    """f and g; see nets.paper.model."""

    num_masks: int = 6
    width: int = 64
    dilations: tuple[int, ...] = PAPER_DILATIONS
    stride: int = 1
    click_maps: str = "distance"  # or discs, gaussians
    output: str = "sigmoid"  # or tanh, as in the authors' release
    selection: str = "context"  # g; or pooled, for small budgets


@dataclass(frozen=True)
class PaperDataConfig(DataConfig):
    """As DataConfig; ``source = "whole"`` takes whole images one by one, as the paper does."""

    source: str = "whole"  # or crops
    longest_side: int = 0  # px, whole images are reduced to it; 0: never


@dataclass(frozen=True)
class PaperClickConfig(ClickConfig):
    """As ClickConfig; whole images always get the click sets of Xu et al."""

    corrective_shares: tuple[float, ...] = (0.5, 0.25, 0.25)


@dataclass(frozen=True)
class PaperLossConfig:
    """L_f and L_g; the paper's g learns by cross-entropy."""

    click: float = 1.0  # weight of the click constraint
    ranked_diversity: bool = True
    selection: str = "cross_entropy"  # or expected_iou
    largest_rank_weight: float = 0.08  # lambda of the first mask; half of it for each that follows


@dataclass(frozen=True)
class PaperTrainConfig:
    """f for ``f_steps``, then g for ``g_steps`` with f frozen."""

    seed: int = 0
    f_steps: int = 849_800  # 100 epochs of SBD's 8,498 images
    g_steps: int = 849_800
    learning_rate: float = 1e-4
    final_rate: float = 1.0  # share left at the end of a cosine; 1: constant, as in the paper
    warmup_steps: int = 0
    clip_norm: float = 0.0  # 0: none, as in the paper
    bf16: bool = False
    accumulate: int = 1
    checkpoint_minutes: float = 4.0
    log_every: int = 20


@dataclass(frozen=True)
class EvaluationConfig:
    """How a trained model meets a user's image."""

    longest_side: int = 0  # px, images are reduced to it; 0: never


@dataclass(frozen=True)
class PaperConfig:
    """Everything that decides what a training run of the paper family computes."""

    family: FamilyConfig = field(default_factory=FamilyConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    model: PaperModelConfig = field(default_factory=PaperModelConfig)
    data: PaperDataConfig = field(default_factory=PaperDataConfig)
    clicks: PaperClickConfig = field(default_factory=PaperClickConfig)
    loss: PaperLossConfig = field(default_factory=PaperLossConfig)
    train: PaperTrainConfig = field(default_factory=PaperTrainConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


def load_paper_config(path: Path, overrides: Sequence[str] = ()) -> PaperConfig:
    """Read a TOML config with ``section.key=value`` overrides. Raises FileMissing or BadConfig."""
    return paper_config_from_dict(read_table(path, overrides))


def paper_config_from_dict(table: dict[str, Any]) -> PaperConfig:
    """Build a config from nested tables. Raises BadConfig."""
    config = build_config(table, PaperConfig)
    for name, value, allowed in (
        ("family.name", config.family.name, (FAMILY,)),
        ("features.kind", config.features.kind, FEATURES),
        ("features.pooling", config.features.pooling, POOLINGS),
        ("model.click_maps", config.model.click_maps, CLICK_MAPS),
        ("model.output", config.model.output, OUTPUTS),
        ("model.selection", config.model.selection, SELECTION_NETS),
        ("loss.selection", config.loss.selection, ("cross_entropy", "expected_iou")),
        ("data.source", config.data.source, SOURCES),
    ):
        if value not in allowed:
            raise BadConfig(f"{name} must be one of {', '.join(allowed)}; given {value!r}")
    check_data(config.data, config.clicks)
    for name, count in (
        ("model.num_masks", config.model.num_masks),
        ("model.width", config.model.width),
        ("train.f_steps", config.train.f_steps),
        ("train.g_steps", config.train.g_steps),
        ("train.accumulate", config.train.accumulate),
        ("train.log_every", config.train.log_every),
    ):
        if count < 1:
            raise BadConfig(f"{name} must be at least 1, given {count}")
    if config.model.stride not in (1, 2, 4, 8):
        raise BadConfig(f"model.stride must be 1, 2, 4 or 8, given {config.model.stride}")
    if config.data.source == "whole" and len(config.data.images_per_step) != 1:
        raise BadConfig(
            "data.source = 'whole' takes images as they are: data.crop_sizes, data.crop_shares and "
            f"data.images_per_step must have one value, given {config.data.images_per_step}"
        )
    return config


def rank_weights(config: PaperConfig) -> tuple[float, ...]:
    """
    The lambdas of ranked diversity, largest first; zeros where it is switched off.

    For M = 6 the paper's 0.0025 * (32, 16, 8, 4, 2, 1); other M keep the first mask's.
    """
    largest = config.loss.largest_rank_weight if config.loss.ranked_diversity else 0.0
    return tuple(largest / 2.0**place for place in range(config.model.num_masks))
