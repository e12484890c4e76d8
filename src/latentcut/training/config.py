"""
Training configuration: frozen dataclasses hold the defaults, a TOML file what differs.

An unknown key or a value of the wrong type is an error that names the nearest known
key. ``--set train.steps=100`` overrides single values. Machine paths are not configuration:
they come from the command line.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from latentcut.errors import BadConfig, FileMissing, nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Sections = TypeVar("Sections", bound="DataclassInstance")


@dataclass(frozen=True)
class ModelConfig:
    """Size of the practical family; channel counts as in nets.model.ClickModel."""

    num_masks: int = 6
    trunk: int = 80
    head: int = 48
    detail: int = 16
    embedding: int = 32
    dilations: tuple[int, ...] = (1, 2, 4, 8, 2, 1)
    semantics: int = 0  # channels of the encoder that are for g alone
    context_blocks: int = 0  # self-attention blocks of the encoder
    changes: bool = False  # g looks at what a candidate changes of the previous mask
    # blocks of f that start as the identity (nets.decoder.MoreBlocks)
    more_context: int = 0  # self-attention after the trunk, stride 16
    more_trunk: tuple[int, ...] = ()  # dilations, stride 8
    more_head: int = 0  # stride 4
    more_detail: int = 0  # stride 2
    backbone: str = "mobilenetv2_deeplab_voc.safetensors"  # file name; its folder is given at start


@dataclass(frozen=True)
class DataConfig:
    """Which images, and how crops are cut from them."""

    sets: Mapping[str, float] = field(default_factory=dict)  # folder name -> sampling weight
    held_out_every: int = 50  # one image in this many is never trained on, for validation
    crop_sizes: tuple[int, ...] = (256, 320, 384)  # px, side of the square crop
    crop_shares: tuple[float, ...] = (0.4, 0.3, 0.3)  # how often each size is used
    images_per_step: tuple[int, ...] = (8, 6, 4)  # of the whole job, for each size
    pairs_per_image: int = 6  # (object, click set) pairs that share one encoding
    whole_image_share: float = 0.25
    smallest_crop: float = 1.05  # crop side as a multiple of the object's longer side
    largest_crop: float = 4.0
    union_share: float = 0.2  # pairs whose target is two objects joined
    paste_share: float = 0.0  # crops with a pasted object (training.pasted_objects)
    thin_share: float = 0.0  # crops with a painted thin structure (training.thin_structures)
    cache_gib: float = 8.0  # decoded images kept in the loader's memory
    workers: int = 1


@dataclass(frozen=True)
class ClickConfig:
    """First clicks (see simulation.training_clicks.FirstClicks) and corrective ones."""

    single_share: float = 0.6
    centre_share: float = 0.6
    max_positive: int = 5
    max_negative: int = 5
    corrective_shares: tuple[float, ...] = (0.45, 0.25, 0.18, 0.12)  # of 0, 1, 2, 3 clicks
    corrective_centre_share: float = 0.7
    selected_share: float = 0.5  # corrected mask is g's choice, else the best one
    any_candidate_share: float = 0.0  # corrected mask is any candidate instead
    drop_previous_share: float = 0.1
    anywhere_share: float = 0.0  # clicks off the centre that may lie at a boundary, too


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses; see training.objective."""

    click: float = 0.3
    focal: float = 0.5
    rank_weights: tuple[float, ...] = (0.08, 0.04, 0.02, 0.01, 0.005, 0.0025)
    selection: str = "expected_iou"  # or "cross_entropy", the paper's
    selection_weight: float = 3.0
    selection_regret: float = 0.0  # weight of the IoU lost by g's choice, added to its loss


@dataclass(frozen=True)
class TrainConfig:
    """The loop."""

    learns: str = "f and g"  # or "g": f stays as it is
    seed: int = 0
    steps: int = 4000
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    warmup_steps: int = 100
    final_rate: float = 0.02  # share of the learning rate left at the end of the cosine
    clip_norm: float = 2.0
    ema: float = 0.999
    bf16: bool = True
    accumulate: int = 1  # gradient accumulation: steps of data per update
    checkpoint_minutes: float = 4.0
    validate_every: int = 1000  # steps; 0: never
    validation_objects: int = 60
    log_every: int = 20


@dataclass(frozen=True)
class Config:
    """Everything that decides what a training run computes."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    clicks: ClickConfig = field(default_factory=ClickConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """
    Read a TOML config and apply ``section.key=value`` overrides (values in TOML syntax).

    Raises:
        FileMissing: No such file.
        BadConfig: Not TOML, unknown key, wrong type or a value that is not allowed.
    """
    return config_from_dict(read_table(path, overrides))


def read_table(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The nested tables of a TOML config with its overrides; raises as ``load_config``."""
    if not path.is_file():
        raise FileMissing(path, "a config file (.toml)")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path} is not TOML: {error}") from error
    for override in overrides:
        key, equals, text = override.partition("=")
        section, dot, name = key.strip().partition(".")
        if not equals or not dot:
            raise BadConfig(f"override {override!r} must look like section.key=value")
        table.setdefault(section, {})[name] = _parse_value(text)
    return table


def config_from_dict(table: Mapping[str, Any]) -> Config:
    """Build a config from nested tables, as TOML and JSON give them. Raises BadConfig."""
    config = build_config(table, Config)
    _check(config)
    return config


def build_config(table: Mapping[str, Any], kind: type[Sections]) -> Sections:
    """
    Any dataclass of sections from nested tables.

    Raises:
        BadConfig: Unknown section or key, or a value of the wrong type.
    """
    sections = {f.name: f.default_factory for f in dataclasses.fields(kind)}
    values = {}
    for section, entries in table.items():
        if section not in sections:
            raise BadConfig(f"unknown section [{section}]; {nearest(section, sections)}")
        if not isinstance(entries, Mapping):
            raise BadConfig(f"[{section}] must be a table, found {entries!r}")
        values[section] = _build(type(sections[section]()), section, entries)  # type: ignore[operator]
    return kind(**values)


def config_to_dict(config: DataclassInstance) -> dict[str, Any]:
    """Nested plain tables that ``config_from_dict`` turns back into an equal config."""
    table: dict[str, Any] = dataclasses.asdict(config)
    return table


def _parse_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()  # a bare word is a string


def _build(kind: type, section: str, entries: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for key, value in entries.items():
        if key not in hints:
            raise BadConfig(f"unknown key {section}.{key}; {nearest(key, hints)}")
        values[key] = _convert(f"{section}.{key}", hints[key], value)
    return kind(**values)


def _convert(name: str, hint: Any, value: Any) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if get_origin(hint) is tuple and isinstance(value, (list, tuple)):
        return tuple(_convert(name, get_args(hint)[0], item) for item in value)
    if get_origin(hint) is not None and not isinstance(hint, type) and isinstance(value, Mapping):
        return {str(k): _convert(f"{name}.{k}", float, v) for k, v in value.items()}
    if isinstance(hint, type) and type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint)) if get_origin(hint) is None else str(hint)
    raise BadConfig(f"{name} must be {wanted}, given {value!r}")


def _check(config: Config) -> None:
    loss, model, train = config.loss, config.model, config.train
    check_data(config.data, config.clicks)
    for name, count in (
        ("train.log_every", train.log_every),
        ("train.steps", train.steps),
        ("train.accumulate", train.accumulate),
    ):
        if count < 1:
            raise BadConfig(f"{name} must be at least 1, given {count}")
    if len(loss.rank_weights) != model.num_masks:
        raise BadConfig(
            f"loss.rank_weights must have model.num_masks = {model.num_masks} values, "
            f"given {len(loss.rank_weights)}"
        )
    if train.learns not in ("f and g", "g"):
        raise BadConfig(f"train.learns must be 'f and g' or 'g', given {train.learns!r}")
    if loss.selection not in ("expected_iou", "cross_entropy"):
        raise BadConfig(
            f"loss.selection must be 'expected_iou' or 'cross_entropy', given {loss.selection!r}"
        )


def check_data(data: DataConfig, clicks: ClickConfig) -> None:
    """Raises BadConfig where [data] or [clicks] contradicts itself."""
    if not len(data.crop_sizes) == len(data.crop_shares) == len(data.images_per_step):
        raise BadConfig(
            "data.crop_sizes, data.crop_shares and data.images_per_step must be equally long, "
            f"given {len(data.crop_sizes)}, {len(data.crop_shares)}, {len(data.images_per_step)}"
        )
    if not data.crop_sizes or any(size < 32 or size % 32 for size in data.crop_sizes):
        raise BadConfig(
            f"data.crop_sizes must be one or more multiples of 32 px, given {data.crop_sizes}"
        )
    for name, shares in (
        ("data.crop_shares", data.crop_shares),
        ("clicks.corrective_shares", clicks.corrective_shares),
        ("data.sets", tuple(data.sets.values()) or (1.0,)),
    ):
        if not shares or min(shares) < 0 or sum(shares) <= 0:
            raise BadConfig(f"{name} must be weights with a positive sum, given {shares}")
    for name, count in (
        *(("data.images_per_step", count) for count in data.images_per_step),
        ("data.pairs_per_image", data.pairs_per_image),
    ):
        if count < 1:
            raise BadConfig(f"{name} must be at least 1, given {count}")
