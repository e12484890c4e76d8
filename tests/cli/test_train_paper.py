"""``latentcut train`` with a config of the paper's family."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra train")

from latentcut.cli.train import config_as_toml
from latentcut.training.checkpoint import read_facts
from latentcut.training.paper.config import load_paper_config, paper_config_from_dict

TINY = """
[family]
name = "paper"

[features]
kind = "none"

[model]
num_masks = 2
width = 3
dilations = [1]
stride = 4

[data]
source = "crops"
crop_sizes = [64]
crop_shares = [1.0]
images_per_step = [1]
pairs_per_image = 2
held_out_every = 0
workers = 0

[data.sets]
shapes = 1.0

[train]
f_steps = 2
g_steps = 1
log_every = 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny_paper.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def train(run, config, shapes, tmp_path):
    """Run the command on the data set ``shapes`` with more options."""

    def train(*options):
        given = ("--data", shapes.parent, "--output", tmp_path / "run")
        return run("train", config, *given, *options)

    return train


def test_the_command_line_trains_f_and_g_and_names_the_next_command(train, config, tmp_path):
    ran = train()

    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(config_as_toml(load_paper_config(config)))
    assert lines[-2:] == [
        f"checkpoint: {checkpoint} (step 3 of 3)",
        f"next: latentcut evaluate --predictor checkpoint:{checkpoint} --data DATASET",
    ]
    assert (read_facts(checkpoint)["family"], read_facts(checkpoint)["stage"]) == ("paper", "g")
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["stage"] for line in log] == ["f", "f", "g"]


def test_the_printed_config_is_toml_that_gives_the_same_config(config):
    resolved = load_paper_config(config, ["train.bf16=true", "model.click_maps=discs"])

    text = config_as_toml(resolved)

    assert paper_config_from_dict(tomllib.loads(text)) == resolved


def test_settings_win_over_the_file_and_the_same_command_goes_on(train, tmp_path):
    first = train("--set", "train.g_steps=2")
    second = train("--set", "train.g_steps=3")

    assert (first.code, second.code) == (0, 0)
    assert "(step 4 of 4)" in first.out
    assert "(step 5 of 5)" in second.out
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [1, 2, 3, 4, 5]


def test_another_model_is_not_trained_on_in_the_same_folder(train, tmp_path):
    assert train().code == 0

    ran = train("--set", "model.width=5")

    assert ran.code == 1
    assert ran.err.strip() == (
        f"Error: {tmp_path / 'run' / 'checkpoint.safetensors'} was made with another model.width: "
        "3 there, 5 now; use another --output folder or the run's own config"
    )


# ---------------------------------------------------------------- frozen features


@pytest.mark.parametrize("kind", ["vgg19", "vgg16", "mobilenetv2"])
def test_features_need_a_folder_of_weights(train, tmp_path, kind):
    ran = train("--set", f"features.kind={kind}")

    assert (ran.code, ran.out) == (2, "")
    assert ran.usage_error == (
        f"Invalid value for --backbones: features.kind = '{kind}' needs pretrained weights: give "
        "--backbones with the folder that holds them, or another --set features.kind=... (vgg16, "
        "mobilenetv2, none); torchvision's VGG-19 comes with latentcut download vgg19"
    )
    assert not (tmp_path / "run").exists()


def test_a_folder_without_vgg19_names_the_file_and_how_to_get_it(train, tmp_path):
    ran = train("--set", "features.kind=vgg19", "--backbones", tmp_path)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"Error: {tmp_path / 'vgg19-dcbb9e9d.pth'} does not exist or is not the weights of "
        "features.kind = 'vgg19' (latentcut download vgg19 gets it)\n"
    )
    assert not (tmp_path / "run").exists()


# ---------------------------------------------------------------- what has no meaning


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--from-scratch",), "--from-scratch"),
        (("--start-from", "checkpoint.safetensors"), "--start-from"),
        (("--mix", "checkpoint.safetensors"), "--mix"),
        (("--mix-share", 0.5), "--mix-share"),
    ],
)
def test_options_of_the_practical_family_are_refused(train, tmp_path, options, named):
    ran = train(*options)

    assert (ran.code, ran.out) == (2, "")
    assert ran.usage_error == (
        f"Invalid value for {named}: the paper's family trains f and g from random weights on "
        f"frozen features: {named} has no meaning for it"
    )
    assert not (tmp_path / "run").exists()


def test_an_unknown_key_is_named_by_the_rules_of_this_family(train):
    ran = train("--set", "train.steps=5")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: unknown key train.steps; did you mean 'g_steps'? known: accumulate, bf16, "
        "checkpoint_minutes, clip_norm, f_steps, final_rate, g_steps, learning_rate, log_every, "
        "seed, warmup_steps\n"
    )
