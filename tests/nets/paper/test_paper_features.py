from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from latentcut.errors import BadConfig, CheckpointBroken, FileMissing
from latentcut.nets.paper import features as features_module
from latentcut.nets.paper.features import (
    MobileNetFeatures,
    VggFeatures,
    build_features,
    copy_torchvision,
    load_features,
)
from latentcut.nets.paper.weights import VGG19_FILE, VGG19_SHA256, VGG19_URL, feature_weights

TINY = ((2, 2), (3, 3, 3))  # two blocks, three convolutions in the second
# of torchvision's vgg19().features, up to conv5_2; ReLUs and poolings are counted in between
TORCHVISION_VGG19 = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30)


def convolutions(module: VggFeatures) -> list[torch.nn.Conv2d]:
    return [conv for convs in module.blocks for conv in convs]


def tiny_state(numbers: tuple[object, ...], pattern: str) -> dict[str, Tensor]:
    """Weights of TINY by name, all different."""
    state: dict[str, Tensor] = {}
    sides = ((2, 3), (2, 2), (3, 2), (3, 3), (3, 3))
    for place, (number, (num_out, num_in)) in enumerate(zip(numbers, sides, strict=True)):
        name = pattern.format(number)
        state[f"{name}.weight"] = torch.rand(num_out, num_in, 3, 3) + place
        state[f"{name}.bias"] = torch.rand(num_out) + place
    return state


# ---------------------------------------------------------------- VGG


@pytest.fixture(scope="module")
def vgg19() -> VggFeatures:
    module = build_features("vgg19")
    assert isinstance(module, VggFeatures)
    return module


def test_vgg19_gives_1472_channels_from_five_layers_at_halving_sizes(vgg19: VggFeatures):
    taps = vgg19(torch.rand(1, 3, 32, 48) * 255)

    assert sum(vgg19.tap_channels) == 1472
    assert [tuple(tap.shape) for tap in taps] == [
        (1, 64, 32, 48),
        (1, 128, 16, 24),
        (1, 256, 8, 12),
        (1, 512, 4, 6),
        (1, 512, 2, 3),
    ]
    assert vgg19.tap_channels == tuple(tap.shape[1] for tap in taps)
    assert min(float(tap.min()) for tap in taps) >= 0  # after ReLU


def test_vgg16_gives_its_first_three_blocks():
    module = build_features("vgg16")

    taps = module(torch.rand(1, 3, 8, 8) * 255)

    assert [tuple(tap.shape[1:]) for tap in taps] == [(64, 8, 8), (128, 4, 4), (256, 2, 2)]


def single_channel(pooling: str, preprocessing: str) -> VggFeatures:
    """Two blocks whose every convolution hands its first input channel on."""
    module = VggFeatures(((1, 1), (1, 1)), pooling, preprocessing)
    for conv in convolutions(module):
        conv.weight.data.zero_()
        conv.weight.data[:, 0, 1, 1] = 1.0
        conv.bias.data.zero_()
    return module.eval().requires_grad_(False)


@pytest.mark.parametrize(("pooling", "pooled"), [("average", 3.0), ("max", 6.0)])
def test_both_poolings_take_two_by_two_pixels(pooling: str, pooled: float):
    wanted = torch.tensor([[1.0, 2.0], [3.0, 6.0]])  # red, once normalised
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = 255 * (0.485 + 0.229 * wanted)

    fine, coarse = single_channel(pooling, "torchvision")(image)

    # 255 * 0.225 brings torchvision's scale to that of the authors' weights, then 1 / 255
    assert fine.flatten().tolist() == pytest.approx([0.225 * v for v in (1, 2, 3, 6)], rel=1e-5)
    assert coarse.flatten().tolist() == pytest.approx([0.225 * pooled], rel=1e-5)


def test_a_tap_is_the_second_convolution_of_its_block_and_all_of_them_lead_to_the_next():
    module = VggFeatures(((1, 1, 1), (1, 1, 1)), "average", "torchvision")
    for conv, factor in zip(convolutions(module), (2.0, 3.0, 5.0, 7.0, 11.0, 13.0), strict=True):
        conv.weight.data.zero_()
        conv.weight.data[:, 0, 1, 1] = factor
        conv.bias.data.zero_()
    image = torch.full((1, 3, 2, 2), 255 * (0.485 + 0.229))  # 1 once normalised

    fine, coarse = module(image)

    assert fine.flatten().tolist() == pytest.approx([0.225 * 2 * 3] * 4, rel=1e-4)
    assert coarse.item() == pytest.approx(0.225 * 2 * 3 * 5 * 7 * 11, rel=1e-4)


def test_caffe_weights_meet_blue_first_less_its_mean_and_answers_are_divided_by_255():
    image = torch.zeros(1, 3, 2, 2)
    image[0, 2] = 103.939 + torch.tensor([[51.0, 102.0], [0.0, -51.0]])

    fine, _ = single_channel("average", "caffe")(image)

    assert fine.flatten().tolist() == pytest.approx([0.2, 0.4, 0.0, 0.0], abs=1e-6)


def test_all_three_colours_are_normalised_by_their_own_figures():
    image = torch.zeros(1, 3, 1, 1)
    image[0, :, 0, 0] = 255 * torch.tensor([0.485 + 0.229, 0.456 + 2 * 0.224, 0.406 + 4 * 0.225])
    module = VggFeatures(((3, 3),), "average", "torchvision")
    for conv in convolutions(module):
        torch.nn.init.dirac_(conv.weight)
        conv.bias.data.zero_()

    (tap,) = module(image)

    assert tap.flatten().tolist() == pytest.approx([0.225, 0.45, 0.9], rel=1e-4)


def test_another_pooling_or_kind_is_refused():
    with pytest.raises(BadConfig) as pooling:
        build_features("vgg19", "median")
    with pytest.raises(BadConfig) as kind:
        build_features("vgg", "max")

    assert str(pooling.value) == (
        "features.pooling must be one of ('average', 'max'), given 'median'"
    )
    assert str(kind.value) == (
        "features.kind is 'vgg'; did you mean 'vgg19'? known: mobilenetv2, none, vgg16, vgg19"
    )


# ---------------------------------------------------------------- torchvision's file


def test_torchvision_numbers_relus_and_poolings_too(vgg19: VggFeatures, tmp_path: Path):
    state: dict[str, Tensor] = {}
    for number, conv in zip(TORCHVISION_VGG19, convolutions(vgg19), strict=True):
        # expanded: a number takes no memory
        state[f"features.{number}.weight"] = torch.tensor(number + 0.5).expand(conv.weight.shape)
        state[f"features.{number}.bias"] = torch.tensor(-number - 0.5).expand(conv.bias.shape)

    copy_torchvision(vgg19, state, tmp_path / "weights.pth")

    found = [(float(c.weight.mean()), float(c.bias.mean())) for c in convolutions(vgg19)]
    assert found == [(n + 0.5, -n - 0.5) for n in TORCHVISION_VGG19]


def test_a_file_with_the_right_checksum_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / VGG19_FILE
    state = tiny_state((0, 2, 5, 7, 9), "features.{}")
    torch.save(state | {"classifier.0.weight": torch.rand(2, 2)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(features_module, "VGG19_SHA256", digest)
    module = VggFeatures(TINY, "average", "torchvision")

    load_features(module, path)

    for number, conv in zip((0, 2, 5, 7, 9), convolutions(module), strict=True):
        assert torch.equal(conv.weight, state[f"features.{number}.weight"])
        assert torch.equal(conv.bias, state[f"features.{number}.bias"])


def test_another_checksum_is_refused_before_anything_is_read(tmp_path: Path):
    path = tmp_path / VGG19_FILE
    path.write_bytes(b"not even a pickle")
    found = hashlib.sha256(b"not even a pickle").hexdigest()

    with pytest.raises(CheckpointBroken) as caught:
        load_features(VggFeatures(TINY, "average", "torchvision"), path)

    assert str(caught.value) == (
        f"{path} has sha256 {found}, expected "
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44: "
        "it is another file or was cut off; get it again"
    )


def test_the_name_of_the_file_begins_its_checksum_and_ends_its_address():
    assert f"vgg19-{VGG19_SHA256[:8]}.pth" == VGG19_FILE
    assert f"https://download.pytorch.org/models/{VGG19_FILE}" == VGG19_URL


@pytest.mark.parametrize("missing", ["features.5.weight", "features.7.bias"])
def test_a_missing_weight_is_named(tmp_path: Path, missing: str):
    state = tiny_state((0, 2, 5, 7, 9), "features.{}")
    shape = tuple(state.pop(missing).shape)

    with pytest.raises(CheckpointBroken) as caught:
        copy_torchvision(VggFeatures(TINY, "max", "torchvision"), state, tmp_path / "w.pth")

    expected = f"{tmp_path / 'w.pth'}: {missing} should have shape {shape}, found nothing"
    assert str(caught.value) == expected


def test_a_weight_of_another_shape_is_named(tmp_path: Path):
    state = tiny_state((0, 2, 5, 7, 9), "features.{}")
    state["features.2.weight"] = torch.zeros(4, 2, 3, 3)

    with pytest.raises(CheckpointBroken) as caught:
        copy_torchvision(VggFeatures(TINY, "max", "torchvision"), state, tmp_path / "w.pth")

    assert str(caught.value) == (
        f"{tmp_path / 'w.pth'}: features.2.weight should have shape (2, 2, 3, 3), "
        "found (4, 2, 3, 3)"
    )


# ---------------------------------------------------------------- safetensors

KERAS = ("1_conv1", "1_conv2", "2_conv1", "2_conv2", "2_conv3")


def test_weights_in_the_layout_of_keras_are_read_from_safetensors(tmp_path: Path):
    path = tmp_path / "vgg.safetensors"
    state = tiny_state(KERAS, "block{}")
    save_file({name: value.half() for name, value in state.items()}, path)
    module = VggFeatures(TINY, "average", "caffe")

    load_features(module, path)

    for place, conv in zip(KERAS, convolutions(module), strict=True):
        assert torch.equal(conv.weight, state[f"block{place}.weight"].half().float())
        assert torch.equal(conv.bias, state[f"block{place}.bias"].half().float())


def test_a_weight_that_a_safetensors_file_lacks_is_named(tmp_path: Path):
    path = tmp_path / "vgg.safetensors"
    state = tiny_state(KERAS, "block{}")
    del state["block2_conv1.weight"]
    save_file(state, path)

    with pytest.raises(CheckpointBroken) as caught:
        load_features(VggFeatures(TINY, "average", "caffe"), path)

    assert str(caught.value) == (
        f"{path}: block2_conv1.weight should have shape (3, 2, 3, 3), found nothing"
    )


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path):
    path = tmp_path / "vgg.safetensors"
    path.write_bytes(b"nothing")

    with pytest.raises(CheckpointBroken) as caught:
        load_features(VggFeatures(TINY, "average", "caffe"), path)

    # what follows is the library's own sentence
    assert str(caught.value).startswith(f"{path} is no readable weights file: ")


@pytest.mark.parametrize("preprocessing", ["caffe", "torchvision"])
def test_a_missing_file_of_weights_is_named(tmp_path: Path, preprocessing: str):
    with pytest.raises(FileMissing) as caught:
        load_features(VggFeatures(TINY, "average", preprocessing), tmp_path / "no")

    assert str(caught.value) == f"{tmp_path / 'no'} does not exist or is not a file of VGG weights"


@pytest.mark.parametrize(
    ("kind", "name", "how"),
    [
        ("vgg19", "vgg19-dcbb9e9d.pth", " (latentcut download vgg19 gets it)"),
        ("vgg16", "vgg16_conv1_3.safetensors", ""),
        ("mobilenetv2", "mobilenetv2_deeplab_voc.safetensors", ""),
    ],
)
def test_the_file_of_each_kind_is_looked_for_by_name(
    tmp_path: Path, kind: str, name: str, how: str
):
    with pytest.raises(FileMissing) as caught:
        feature_weights(kind, tmp_path)
    (tmp_path / name).touch()

    found = feature_weights(kind, tmp_path)

    assert found == tmp_path / name
    assert str(caught.value) == (
        f"{tmp_path / name} does not exist or is not the weights of features.kind = {kind!r}{how}"
    )


# ---------------------------------------------------------------- the others


def test_mobilenet_gives_488_channels_at_strides_2_to_16_scaled_down():
    torch.manual_seed(0)
    module = build_features("mobilenetv2")
    assert isinstance(module, MobileNetFeatures)
    image = torch.rand(1, 3, 32, 64) * 255

    taps = module(image)

    assert [tuple(tap.shape[1:]) for tap in taps] == [
        (16, 16, 32),
        (24, 8, 16),
        (32, 4, 8),
        (96, 2, 4),
        (320, 2, 4),
    ]
    assert module.tap_channels == (16, 24, 32, 96, 320)
    for tap, raw in zip(taps, module.backbone(image / 127.5 - 1), strict=True):
        torch.testing.assert_close(tap, raw * 0.1)


def test_no_features_are_no_maps_and_need_no_file(tmp_path: Path):
    module = build_features("none")

    load_features(module, tmp_path / "never looked at")

    assert module(torch.rand(1, 3, 16, 16)) == []
    assert module.tap_channels == ()


@pytest.mark.parametrize("kind", ["vgg16", "mobilenetv2", "none"])
def test_features_come_frozen_and_in_evaluation_mode(kind: str):
    module = build_features(kind)

    assert [m for m in module.modules() if m.training] == []
    assert [p for p in module.parameters() if p.requires_grad] == []
