from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from latentcut.errors import BadConfig, FileMissing
from latentcut.training.config import config_to_dict
from latentcut.training.paper.config import (
    PaperConfig,
    load_paper_config,
    paper_config_from_dict,
    rank_weights,
)
from latentcut.training.paper.family import is_paper_config

FOLDER = Path(__file__).resolve().parents[3] / "configs"
SHIPPED = [FOLDER / name for name in ("paper_sbd.toml", "paper_small.toml")]

WHOLE = """
[data]
images_per_step = [1]
crop_shares = [1.0]
crop_sizes = [512]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


# ---------------------------------------------------------------- what it means


def test_what_a_file_does_not_say_is_as_the_paper_has_it(tmp_path: Path):
    config = load_paper_config(written(tmp_path, WHOLE))

    model = dataclasses.asdict(config.model)
    assert model == {
        "num_masks": 6,
        "width": 64,
        "dilations": (1, 2, 4, 8, 16, 32, 64, 128, 1),
        "stride": 1,
        "click_maps": "distance",
        "output": "sigmoid",
        "selection": "context",
    }
    assert dataclasses.asdict(config.features) == {"kind": "vgg19", "pooling": "average"}
    assert (config.data.source, config.data.longest_side) == ("whole", 0)
    assert (config.train.learning_rate, config.train.final_rate) == (1e-4, 1.0)
    assert (config.train.f_steps, config.train.g_steps) == (100 * 8498, 100 * 8498)
    assert (config.train.clip_norm, config.train.bf16) == (0.0, False)
    assert (config.loss.click, config.loss.selection) == (1.0, "cross_entropy")


def test_the_weights_of_ranked_diversity_are_those_of_the_paper(tmp_path: Path):
    weights = rank_weights(load_paper_config(written(tmp_path, WHOLE)))

    assert weights == pytest.approx([0.0025 * factor for factor in (32, 16, 8, 4, 2, 1)])


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        pytest.param("model.num_masks=1", (0.08,), id="one mask"),
        pytest.param("model.num_masks=3", (0.08, 0.04, 0.02), id="three masks"),
        pytest.param("loss.largest_rank_weight=1", (1.0, 0.5, 0.25), id="another first weight"),
        pytest.param("loss.ranked_diversity=false", (0.0, 0.0, 0.0), id="switched off"),
    ],
)
def test_each_mask_has_half_the_weight_of_the_one_before(
    paper_config: Callable[..., PaperConfig], override: str, expected: tuple[float, ...]
):
    assert rank_weights(paper_config(override)) == expected


def test_overrides_win_over_the_file(paper_config: Callable[..., PaperConfig]):
    config = paper_config("train.g_steps=9", "model.click_maps=gaussians", "loss.click=0")

    assert (config.train.f_steps, config.train.g_steps) == (4, 9)
    assert (config.model.click_maps, config.loss.click) == ("gaussians", 0.0)


def test_a_config_survives_the_way_through_plain_tables(
    paper_config: Callable[..., PaperConfig],
):
    config = paper_config()

    assert paper_config_from_dict(config_to_dict(config)) == config


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_shipped_paper_config_loads(path: Path):
    config = load_paper_config(path)

    assert is_paper_config(path)
    assert config.data.sets


def test_the_config_of_the_paper_differs_from_the_defaults_in_its_data_only():
    config = load_paper_config(FOLDER / "paper_sbd.toml")

    plain = PaperConfig()
    assert dataclasses.replace(config, data=plain.data) == plain
    assert config.data.sets == {"SBD": 1.0}
    assert config.data.images_per_step == (1,)


# ---------------------------------------------------------------- family


def test_a_section_tells_the_paper_family_from_the_practical_one(
    paper_config_path: Path, config_path: Path
):
    assert is_paper_config(paper_config_path) is True
    assert is_paper_config(config_path) is False


def test_a_missing_config_names_the_path(tmp_path: Path):
    with pytest.raises(FileMissing) as caught:
        is_paper_config(tmp_path / "none.toml")

    expected = f"{tmp_path / 'none.toml'} does not exist or is not a config file (.toml)"
    assert str(caught.value) == expected


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[family]\nname = 'other'",
            "family.name must be one of paper; given 'other'",
            id="another family",
        ),
        pytest.param(
            "[features]\nkind = 'vgg'",
            "features.kind must be one of vgg19, vgg16, mobilenetv2, none; given 'vgg'",
            id="features",
        ),
        pytest.param(
            "[features]\npooling = 'mean'",
            "features.pooling must be one of average, max; given 'mean'",
            id="pooling",
        ),
        pytest.param(
            "[model]\nclick_maps = 'disks'",
            "model.click_maps must be one of distance, discs, gaussians; given 'disks'",
            id="click maps",
        ),
        pytest.param(
            "[model]\noutput = 'relu'",
            "model.output must be one of sigmoid, tanh; given 'relu'",
            id="output",
        ),
        pytest.param(
            "[model]\nselection = 'pool'",
            "model.selection must be one of context, pooled; given 'pool'",
            id="kind of g",
        ),
        pytest.param(
            "[loss]\nselection = 'iou'",
            "loss.selection must be one of cross_entropy, expected_iou; given 'iou'",
            id="objective of g",
        ),
        pytest.param(
            "[data]\nsource = 'tiles'",
            "data.source must be one of whole, crops; given 'tiles'",
            id="source",
        ),
        pytest.param(
            WHOLE + "[model]\nnum_masks = 0",
            "model.num_masks must be at least 1, given 0",
            id="no masks",
        ),
        pytest.param(
            WHOLE + "[model]\nwidth = 0", "model.width must be at least 1, given 0", id="no width"
        ),
        pytest.param(
            WHOLE + "[train]\nf_steps = 0",
            "train.f_steps must be at least 1, given 0",
            id="no steps of f",
        ),
        pytest.param(
            WHOLE + "[train]\ng_steps = -1",
            "train.g_steps must be at least 1, given -1",
            id="no steps of g",
        ),
        pytest.param(
            WHOLE + "[train]\naccumulate = 0",
            "train.accumulate must be at least 1, given 0",
            id="no accumulation",
        ),
        pytest.param(
            WHOLE + "[train]\nlog_every = 0",
            "train.log_every must be at least 1, given 0",
            id="no log",
        ),
        pytest.param(
            WHOLE + "[model]\nstride = 3",
            "model.stride must be 1, 2, 4 or 8, given 3",
            id="stride",
        ),
        pytest.param(
            "[data]\nimages_per_step = [1, 1]\ncrop_shares = [1.0, 1.0]\ncrop_sizes = [64, 96]",
            "data.source = 'whole' takes images as they are: data.crop_sizes, data.crop_shares and "
            "data.images_per_step must have one value, given (1, 1)",
            id="whole images of several sizes",
        ),
        pytest.param(
            WHOLE + "[clicks]\ncorrective_shares = [0.0, 0.0]",
            "clicks.corrective_shares must be weights with a positive sum, given (0.0, 0.0)",
            id="shares of nothing",
        ),
        pytest.param(
            WHOLE + "[loss]\nfocal = 1.0",
            "unknown key loss.focal; known: click, largest_rank_weight, ranked_diversity, "
            "selection",
            id="a key of the other family",
        ),
        pytest.param(
            "[feature]\nkind = 'none'",
            "unknown section [feature]; did you mean 'features'? known: clicks, data, "
            "evaluation, family, features, loss, model, train",
            id="unknown section",
        ),
        pytest.param(
            WHOLE + "[model]\ndilations = 3",
            "model.dilations must be tuple[int, ...], given 3",
            id="wrong type",
        ),
    ],
)
def test_what_is_wrong_in_a_paper_config_is_named(tmp_path: Path, text: str, message: str):
    path = written(tmp_path, text)

    with pytest.raises(BadConfig) as caught:
        load_paper_config(path)

    assert str(caught.value) == message
