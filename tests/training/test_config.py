from __future__ import annotations

from pathlib import Path

import pytest

from latentcut.errors import BadConfig, FileMissing
from latentcut.training.config import Config, config_from_dict, config_to_dict, load_config

FOLDER = Path(__file__).resolve().parents[2] / "configs"
CONFIGS = sorted(FOLDER.glob("practical*.toml"))


def test_a_file_holds_only_what_differs_from_the_defaults(config_path: Path):
    config = load_config(config_path)

    assert (config.model.num_masks, config.data.crop_sizes) == (3, (64,))
    assert config.train.learning_rate == Config().train.learning_rate


def test_overrides_win_over_the_file(config_path: Path):
    config = load_config(
        config_path, ["train.steps=3", "train.clip_norm=1", "loss.selection=cross_entropy"]
    )

    assert (config.train.steps, config.train.clip_norm) == (3, 1.0)
    assert config.loss.selection == "cross_entropy"


def test_a_config_survives_the_way_through_plain_tables(config_path: Path):
    config = load_config(config_path)

    assert config_from_dict(config_to_dict(config)) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[train]\nstep = 5",
            "unknown key train.step; did you mean 'steps'? known: accumulate, "
            "backbone_learning_rate, bf16, checkpoint_minutes, clip_norm, ema, final_rate, "
            "learning_rate, learns, log_every, seed, steps, validate_every, validation_objects, "
            "warmup_steps, weight_decay",
            id="unknown key",
        ),
        pytest.param(
            "[optimiser]\nx = 1",
            "unknown section [optimiser]; known: clicks, data, loss, model, train",
            id="unknown section",
        ),
        pytest.param(
            "[train]\nsteps = 'many'", "train.steps must be int, given 'many'", id="wrong type"
        ),
        pytest.param(
            "[train]\nbf16 = 1", "train.bf16 must be bool, given 1", id="number for a boolean"
        ),
        pytest.param(
            "[loss]\nselection = 'best'",
            "loss.selection must be 'expected_iou' or 'cross_entropy', given 'best'",
            id="unknown choice",
        ),
        pytest.param(
            "[model]\nnum_masks = 2",
            "loss.rank_weights must have model.num_masks = 2 values, given 6",
            id="weights do not fit",
        ),
        pytest.param(
            "[data]\ncrop_sizes = [100]\ncrop_shares = [1.0]\nimages_per_step = [1]",
            "data.crop_sizes must be one or more multiples of 32 px, given (100,)",
            id="crop size",
        ),
        pytest.param(
            "[data]\npairs_per_image = 0",
            "data.pairs_per_image must be at least 1, given 0",
            id="no pairs",
        ),
        pytest.param(
            "[clicks]\ncorrective_shares = [0.0]",
            "clicks.corrective_shares must be weights with a positive sum, given (0.0,)",
            id="shares of nothing",
        ),
    ],
)
def test_what_is_wrong_in_a_config_is_named(tmp_path: Path, text: str, message: str):
    path = tmp_path / "config.toml"
    path.write_text(text)

    with pytest.raises(BadConfig) as caught:
        load_config(path)

    assert str(caught.value) == message


def test_an_override_without_a_section_is_refused(config_path: Path):
    with pytest.raises(BadConfig) as caught:
        load_config(config_path, ["steps=3"])

    assert str(caught.value) == "override 'steps=3' must look like section.key=value"


def test_a_missing_config_names_the_path(tmp_path: Path):
    with pytest.raises(FileMissing) as caught:
        load_config(tmp_path / "none.toml")

    expected = f"{tmp_path / 'none.toml'} does not exist or is not a config file (.toml)"
    assert str(caught.value) == expected


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_every_shipped_config_loads(path: Path):
    config = load_config(path)

    assert config.data.sets
