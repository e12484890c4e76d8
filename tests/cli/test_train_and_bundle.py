"""The commands that make models, as far as they come without training."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from latentcut.cli.train import config_as_toml
from latentcut.training.config import config_from_dict, load_config

SMALL = """
[data]
sets = { shapes = 1.0, "other set" = 0.5 }

[train]
steps = 3
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def train(config, tmp_path, *options):
    return ("train", config, "--data", tmp_path, "--output", tmp_path / "run", *options)


def test_the_printed_config_is_toml_that_gives_the_same_config(config):
    resolved = load_config(config, ["train.bf16=false", "clicks.single_share=0.25"])

    text = config_as_toml(resolved)

    assert config_from_dict(tomllib.loads(text)) == resolved
    assert 'sets = { shapes = 1.0, "other set" = 0.5 }' in text.splitlines()
    assert "bf16 = false" in text.splitlines()


def test_an_unknown_key_names_the_nearest_one(run, config, tmp_path):
    ran = run(*train(config, tmp_path, "--set", "train.step=5"))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: unknown key train.step; did you mean 'steps'? known: accumulate, "
        "backbone_learning_rate, bf16, checkpoint_minutes, clip_norm, ema, final_rate, "
        "learning_rate, learns, log_every, seed, steps, validate_every, validation_objects, "
        "warmup_steps, weight_decay\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_config_file_that_is_not_there_is_refused(run, tmp_path):
    ran = run(*train(tmp_path / "no.toml", tmp_path))

    expected = f"Error: {tmp_path / 'no.toml'} does not exist or is not a config file (.toml)\n"
    assert (ran.code, ran.err) == (1, expected)


def test_training_without_a_backbone_must_be_meant(run, config, tmp_path):
    ran = run(*train(config, tmp_path))

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --backbones: training starts from mobilenetv2_deeplab_voc.safetensors: "
        "give --backbones with the folder that holds it, or --from-scratch to start from random "
        "weights (much slower to learn)"
    )


def test_a_backbone_and_random_weights_exclude_each_other(run, config, tmp_path):
    ran = run(*train(config, tmp_path, "--backbones", tmp_path, "--from-scratch"))

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --backbones: give either --backbones or --from-scratch, not both"
    )


def test_a_folder_without_the_backbone_is_refused(run, config, tmp_path):
    ran = run(*train(config, tmp_path, "--backbones", tmp_path))

    file = tmp_path / "mobilenetv2_deeplab_voc.safetensors"
    assert ran.code == 1
    assert ran.err == (
        f"Error: {file} does not exist or is not a backbone file (.safetensors; its name is "
        "model.backbone)\n"
    )


@pytest.mark.parametrize("command", ["train", "bundle"])
def test_without_torch_the_extra_to_install_is_named(config, tmp_path, command):
    args = [str(a) for a in train(config, tmp_path, "--from-scratch")]
    if command == "bundle":
        args = ["bundle", str(tmp_path / "checkpoint"), "--output", str(tmp_path / "bundle")]
    code = f"import sys; sys.modules['torch'] = None; sys.argv[1:] = {args!r}; "
    code += "from latentcut.cli.app import main; main()"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"Error: latentcut {command} needs packages that are not installed: "
        "run pip install 'latentcut[train]'\n"
    )


def test_a_frame_that_is_no_multiple_of_sixteen_is_refused(run, tmp_path):
    ran = run("bundle", tmp_path / "checkpoint", "--output", tmp_path / "b", "--first-px", 250)

    expected = "Error: --first-px 250: input should be a multiple of 16\n"
    assert (ran.code, ran.err) == (1, expected)


def test_a_click_look_as_large_as_the_image_is_refused(run, tmp_path):
    options = ("--output", tmp_path / "b", "--click-look-share", 1.0)
    ran = run("bundle", tmp_path / "checkpoint", *options)

    assert (ran.code, ran.err) == (
        1,
        "Error: --click-look-share 1.0: input should be less than 1\n",
    )


def test_a_checkpoint_that_is_not_there_is_refused(run, tmp_path):
    pytest.importorskip("torch", reason="making bundles needs the extra train")
    missing = tmp_path / "checkpoint.safetensors"

    ran = run("bundle", missing, "--output", tmp_path / "b")

    expected = f"Error: {missing} does not exist or is not a checkpoint (.safetensors)\n"
    assert (ran.code, ran.err) == (1, expected)


def test_mixing_needs_something_to_mix_into(run, config, tmp_path):
    ran = run(*train(config, tmp_path, "--from-scratch", "--mix", tmp_path / "x.safetensors"))

    assert ran.code == 2
    assert ran.usage_error.endswith("there is nothing to mix it into: give --start-from, too")


def test_every_checkpoint_that_is_mixed_in_needs_a_share_or_none_does(run, config, tmp_path):
    other = tmp_path / "x.safetensors"

    mixes = ("--mix", other, "--mix", other, "--mix-share", 0.5)
    ran = run(*train(config, tmp_path, "--start-from", other, *mixes))

    assert ran.code == 2
    assert ran.usage_error.endswith("give one for each --mix: 2 of those, 1 shares")


def test_a_checkpoint_to_mix_in_that_is_not_there_is_refused_before_anything_is_done(run, tmp_path):
    (checkpoint := tmp_path / "checkpoint.safetensors").touch()
    missing = tmp_path / "other.safetensors"

    ran = run("bundle", checkpoint, "--output", tmp_path / "b", "--mix", missing)

    expected = f"Error: {missing} does not exist or is not a checkpoint (.safetensors)\n"
    assert (ran.code, ran.err) == (1, expected)
