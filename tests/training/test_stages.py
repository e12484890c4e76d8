"""Stages: a training that starts from another one's weights, grown or with f frozen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from latentcut.core.bundle import read_bundle
from latentcut.errors import BadConfig, CheckpointBroken, FileMissing
from latentcut.nets.export import largest_difference
from latentcut.nets.model import G_PARTS
from latentcut.training.bundling import make_bundle
from latentcut.training.checkpoint import GROWN_PARTS, load_weights
from latentcut.training.config import load_config
from latentcut.training.loop import build_model, train
from latentcut.training.start import check_start

GROWN = ("model.semantics=8", "model.context_blocks=1")


@pytest.fixture(scope="module")
def first_stage(shapes_root: Path, config_path: Path, tmp_path_factory) -> Path:
    config = load_config(config_path, ["train.steps=2"])
    return train(config, shapes_root, None, tmp_path_factory.mktemp("first") / "run")


@pytest.fixture(scope="module")
def grown_stage(shapes_root: Path, config_path: Path, first_stage: Path, tmp_path_factory) -> Path:
    config = load_config(config_path, [*GROWN, "train.steps=2"])
    output = tmp_path_factory.mktemp("grown") / "run"
    return train(config, shapes_root, None, output, start_from=first_stage)


def weights(checkpoint: Path, config_path: Path, *overrides: str) -> dict[str, torch.Tensor]:
    model = build_model(load_config(config_path, overrides).model)
    load_weights(checkpoint, model, average=True)
    return model.state_dict()


def test_a_grown_model_starts_from_the_weights_of_a_small_one(first_stage, config_path):
    model = build_model(load_config(config_path, GROWN).model)
    own = {k: v.clone() for k, v in model.state_dict().items()}

    load_weights(first_stage, model, average=True, may_grow=True)

    known = weights(first_stage, config_path)
    for name, value in model.state_dict().items():
        expected = own[name] if name.startswith(GROWN_PARTS) else known[name]
        assert torch.equal(value, expected), name


def test_without_leave_to_grow_a_missing_part_is_refused(first_stage, config_path):
    model = build_model(load_config(config_path, GROWN).model)

    with pytest.raises(CheckpointBroken, match="does not fit the model"):
        load_weights(first_stage, model, average=True)


def test_growing_does_not_excuse_any_other_missing_weight(first_stage, config_path):
    model = build_model(load_config(config_path, [*GROWN, "model.dilations=[1, 2, 4]"]).model)

    with pytest.raises(CheckpointBroken, match="trunk"):
        load_weights(first_stage, model, average=True, may_grow=True)


def test_a_grown_stage_trains_what_is_new(first_stage, grown_stage, config_path):
    after = weights(grown_stage, config_path, *GROWN)

    for name in ("encoder.context.0.mlp_out.weight", "scorer.more.2.weight"):
        assert after[name].abs().sum() > 0, name  # it starts at zero


def test_a_stage_for_g_alone_leaves_f_as_it_was(
    shapes_root: Path, config_path: Path, grown_stage: Path, tmp_path: Path
):
    config = load_config(config_path, [*GROWN, "train.steps=3", "train.learns=g"])

    last = train(config, shapes_root, None, tmp_path / "run", start_from=grown_stage)

    before = weights(grown_stage, config_path, *GROWN)
    changed = {
        name
        for name, value in weights(last, config_path, *GROWN).items()
        if not torch.equal(value, before[name])
    }
    assert changed
    assert all(name.startswith(G_PARTS) for name in changed)


def test_a_stage_for_g_alone_resumes(
    shapes_root: Path, config_path: Path, grown_stage: Path, tmp_path: Path
):
    def stage(steps: int, output: Path) -> Path:
        config = load_config(config_path, [*GROWN, f"train.steps={steps}", "train.learns=g"])
        return train(config, shapes_root, None, output, start_from=grown_stage)

    stage(1, tmp_path / "stopped")
    resumed = weights(stage(3, tmp_path / "stopped"), config_path, *GROWN)

    assert all(value.isfinite().all() for value in resumed.values())
    assert (tmp_path / "stopped" / "log.jsonl").read_text().count('"step": 3') == 1


def test_a_stage_starts_from_a_bundle_and_may_grow(
    shapes_root: Path, config_path: Path, first_stage: Path, tmp_path: Path
):
    make_bundle(first_stage, tmp_path / "bundle", "tiny")
    more = [*GROWN, "model.changes=true", "model.more_head=1", "train.steps=1"]
    config = load_config(config_path, [*more, "train.learning_rate=1e-9"])

    last = train(config, shapes_root, None, tmp_path / "run", start_from=tmp_path / "bundle")

    bundle = read_bundle(tmp_path / "bundle")
    model = build_model(config.model).eval()
    load_weights(last, model, average=False)
    assert largest_difference(model, bundle.encoder, bundle.decoder) < 0.02  # moved statistics


def test_a_run_that_started_from_a_bundle_resumes_without_it(
    shapes_root: Path, config_path: Path, first_stage: Path, tmp_path: Path
):
    def run(steps: int, start: Path | None) -> dict[str, torch.Tensor]:
        config = load_config(config_path, [f"train.steps={steps}"])
        return weights(
            train(config, shapes_root, None, tmp_path / "run", start_from=start), config_path
        )

    make_bundle(first_stage, tmp_path / "bundle", "tiny")
    run(1, tmp_path / "bundle")
    resumed = run(2, None)
    shutil.rmtree(tmp_path / "run")

    whole = run(2, tmp_path / "bundle")

    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_loaders_run_after_a_start_from_a_bundle(
    shapes_root: Path, config_path: Path, first_stage: Path, tmp_path: Path
):
    # a loader is a fork: it must not wait for threads that only its parent has
    make_bundle(first_stage, tmp_path / "bundle", "tiny")
    command = [sys.executable, "-m", "latentcut", "train", config_path, "--data", shapes_root]
    command += ["--start-from", tmp_path / "bundle", "--output", tmp_path / "run"]

    ran = subprocess.run(
        [*command, "--set", "data.workers=1", "--set", "train.steps=1"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "(step 1 of 1)" in ran.stdout


def test_a_start_that_is_neither_a_checkpoint_nor_a_bundle_is_refused(tmp_path: Path):
    with pytest.raises(FileMissing) as caught:
        check_start(tmp_path)

    assert "a checkpoint (.safetensors) or the folder of a bundle" in str(caught.value)


def test_who_learns_is_one_of_two_words(config_path):
    with pytest.raises(BadConfig) as caught:
        load_config(config_path, ["train.learns=f"])

    assert str(caught.value) == "train.learns must be 'f and g' or 'g', given 'f'"
