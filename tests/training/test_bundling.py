from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import latentcut
from latentcut.core.bundle import FrameInfo, SelectionInfo, read_bundle
from latentcut.errors import OutputExists
from latentcut.training.bundling import fit_selection, make_bundle
from latentcut.training.checkpoint import Mix, load_weights, mix_weights
from latentcut.training.config import load_config
from latentcut.training.loop import build_model, train
from latentcut.training.validation import build_validation, held_out_samples


@pytest.fixture(scope="module")
def checkpoint(
    tmp_path_factory: pytest.TempPathFactory, shapes_root: Path, config_path: Path
) -> Path:
    config = load_config(config_path, ["train.steps=4"])
    return train(config, shapes_root, None, tmp_path_factory.mktemp("bundling"))


def test_a_checkpoint_becomes_a_bundle_that_answers_clicks(checkpoint, tmp_path: Path, shapes_root):
    make_bundle(checkpoint, tmp_path / "bundle", "tiny", shapes_root, calibration_objects=10)

    predictor = latentcut.load(tmp_path / "bundle", threads=1)
    prediction = predictor.open(shapes_root / "shapes" / "images" / "000.png").click(30, 30)
    assert prediction.candidates.shape == (3, 96, 128)
    assert prediction.clicks_satisfied


def test_a_bundle_tells_where_its_weights_come_from(checkpoint, tmp_path: Path):
    make_bundle(checkpoint, tmp_path / "bundle", "tiny", note={"licence": "drawn for this test"})

    info = read_bundle(tmp_path / "bundle").info
    assert info.provenance["step"] == 4
    assert info.provenance["config"]["data"]["sets"] == {"shapes": 1.0}
    assert info.provenance["licence"] == "drawn for this test"
    assert info.provenance["torch_onnx_difference"] <= 1e-4


def test_a_folder_that_is_no_bundle_is_not_replaced(checkpoint, tmp_path: Path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.txt").write_text("years of work")

    with pytest.raises(OutputExists) as caught:
        make_bundle(checkpoint, tmp_path / "thesis", "tiny")

    assert str(caught.value) == (
        f"{tmp_path / 'thesis'} exists and is no bundle; give another --output"
    )
    assert (tmp_path / "thesis" / "text.txt").read_text() == "years of work"


def test_calibration_finds_the_scale_and_offset_the_scores_were_made_with():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(300, 6))
    ious = 1 / (1 + np.exp(-(1.7 * raw - 0.4)))

    fitted = fit_selection(raw, ious, SelectionInfo())

    assert (fitted.iou_scale, fitted.iou_offset) == pytest.approx((1.7, -0.4), abs=1e-3)


def test_validation_reports_noc_of_held_out_objects(
    shapes_root: Path, config_path: Path, checkpoint: Path
):
    config = load_config(config_path, ["train.validation_objects=2"])
    model = build_model(config.model)
    load_weights(checkpoint, model, average=True)

    figures = build_validation(shapes_root, config)(model, 4)

    assert 1 <= figures["validation_noc_85"] <= figures["validation_noc_90"] <= 10
    assert figures["validation_oracle_iou_1"] >= figures["validation_iou_1"]


def test_held_out_samples_are_the_same_every_time(shapes_root, config_path: Path):
    data = load_config(config_path).data

    names = [[s.name for s in held_out_samples(shapes_root, data, 5)] for _ in range(2)]

    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0]) == 5


def test_mixed_weights_lie_between_those_of_two_checkpoints(
    checkpoint, shapes_root: Path, config_path: Path, tmp_path: Path
):
    config = load_config(config_path, ["train.steps=4", "train.seed=5"])
    other = train(config, shapes_root, None, tmp_path / "other")
    ours, theirs, mixed = (build_model(config.model).eval() for _ in range(3))
    load_weights(checkpoint, ours, average=True)
    load_weights(other, theirs, average=True)
    load_weights(checkpoint, mixed, average=True)

    mix_weights(Mix(other, 0.25), mixed)

    first, second = ours.state_dict(), theirs.state_dict()
    for name, value in mixed.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, 0.75 * first[name] + 0.25 * second[name], atol=1e-6)


def test_a_mixed_bundle_names_all_of_its_checkpoints(checkpoint, tmp_path: Path):
    mixes = [Mix(checkpoint, 0.4), Mix(checkpoint, 0.3)]
    make_bundle(checkpoint, tmp_path / "bundle", "tiny", mixes=mixes)
    make_bundle(checkpoint, tmp_path / "plain", "tiny")

    mixed, plain = read_bundle(tmp_path / "bundle"), read_bundle(tmp_path / "plain")
    assert [m["share"] for m in mixed.info.provenance["mixed"]] == [0.4, 0.3]
    assert [m["step"] for m in mixed.info.provenance["mixed"]] == [4, 4]
    assert "mixed" not in plain.info.provenance


def test_a_mirrored_bundle_is_calibrated_as_it_will_answer(
    checkpoint, shapes_root: Path, tmp_path: Path
):
    frame = FrameInfo(mirror=True)
    make_bundle(checkpoint, tmp_path / "twice", "tiny", shapes_root, frame, calibration_objects=10)
    make_bundle(checkpoint, tmp_path / "once", "tiny", shapes_root, calibration_objects=10)

    twice, once = read_bundle(tmp_path / "twice").info, read_bundle(tmp_path / "once").info
    assert (twice.frame.mirror, once.frame.mirror) == (True, False)
    assert twice.selection != once.selection


def test_a_run_starts_from_between_checkpoints(
    checkpoint, shapes_root: Path, config_path: Path, tmp_path: Path
):
    config = load_config(config_path, ["train.steps=4", "train.seed=5"])
    other = train(config, shapes_root, None, tmp_path / "other")
    still = ["train.steps=1", "train.learning_rate=0.0", "train.backbone_learning_rate=0.0"]
    mixes = [Mix(other, 0.25), Mix(checkpoint, 0.1)]

    started = train(
        load_config(config_path, still),
        shapes_root,
        None,
        tmp_path / "run",
        None,
        checkpoint,
        mixes,
    )

    wanted, found = (build_model(config.model) for _ in range(2))
    load_weights(checkpoint, wanted, average=True)
    for mix in mixes:
        mix_weights(mix, wanted)
    load_weights(started, found, average=False)
    for (name, one), other_one in zip(wanted.named_parameters(), found.parameters(), strict=True):
        assert torch.allclose(one, other_one, atol=1e-7), name
