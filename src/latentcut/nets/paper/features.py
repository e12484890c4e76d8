"""
Frozen image features that f and g of the paper family read.

The paper takes five layers of VGG-19 (1472 channels). Where its weights are not at
hand, a smaller frozen backbone or none at all takes their place, by configuration.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from latentcut.errors import BadConfig, CheckpointBroken, FileMissing, nearest
from latentcut.nets.encoder import MobileNetV2
from latentcut.nets.paper.weights import VGG19_SHA256, check_sha256
from latentcut.nets.pretrained import load_backbone

# output channels of the 3x3 convolutions of each block
VGG19_BLOCKS = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 2)
VGG16_BLOCKS = ((64, 64), (128, 128), (256,) * 3)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
TORCHVISION_MEAN_RGB = (0.485, 0.456, 0.406)
TORCHVISION_STD_RGB = (0.229, 0.224, 0.225)

FEATURES = ("vgg19", "vgg16", "mobilenetv2", "none")
POOLINGS = ("average", "max")


class VggFeatures(nn.Module):
    """
    Layers of a VGG network after ReLU, one per block.

    The paper: conv1_2, conv2_2, conv3_2, conv4_2, conv5_2 of VGG-19 (64 + 128 + 256 + 512 +
    512 channels), everything divided by 255. Its authors' weights expect BGR in 0..255
    minus a mean ("caffe"); torchvision's expect RGB in 0..1, normalised, and answer on a
    scale smaller by 255 * 0.225, so their division is by 1 / 0.225 instead.

    Args:
        blocks: Channels of the convolutions of each block.
        pooling: "average" (the authors' release) or "max" (VGG as trained).
        preprocessing: "caffe" or "torchvision".

    Shape:
        RGB (B, 3, H, W) in [0, 255] -> one (B, C, H / 2^k, W / 2^k) per block k = 0, 1, ...
    """

    def __init__(
        self, blocks: tuple[tuple[int, ...], ...], pooling: str, preprocessing: str
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise BadConfig(f"features.pooling must be one of {POOLINGS}, given {pooling!r}")
        self.pool = F.avg_pool2d if pooling == "average" else F.max_pool2d
        self.preprocessing = preprocessing
        self.blocks = nn.ModuleList()
        num_in = 3
        for channels in blocks:
            convs = nn.ModuleList()
            # what lies behind a block's second convolution is needed for the next block only
            for num_out in channels:
                convs.append(nn.Conv2d(num_in, num_out, 3, padding=1))
                num_in = num_out
            self.blocks.append(convs)
        self.tap_channels = tuple(channels[1] for channels in blocks)

    def forward(self, image: Tensor) -> list[Tensor]:
        if self.preprocessing == "caffe":
            x, scale = image.flip(1) - image.new_tensor(CAFFE_MEAN_BGR)[:, None, None], 1 / 255
        else:
            mean, std = (image.new_tensor(v) for v in (TORCHVISION_MEAN_RGB, TORCHVISION_STD_RGB))
            x, scale = (image / 255 - mean[:, None, None]) / std[:, None, None], 0.225
        taps = []
        for number, convs in enumerate(self.blocks):
            if number:
                x = self.pool(x, 2)
            for place, conv in enumerate(convs.children()):
                x = F.relu(conv(x))
                if place == 1:
                    taps.append(x * scale)
                    if number == len(self.blocks) - 1:
                        return taps
        return taps


class MobileNetFeatures(nn.Module):
    """
    The five taps of MobileNetV2 (16 @ stride 2, 24 @ 4, 32 @ 8, 96 and 320 @ 16): 488 channels.

    Shape:
        RGB (B, 3, H, W) in [0, 255], H and W multiples of 16 -> five maps.
    """

    SCALE = 0.1  # brings the taps to the spread of an image in 0..1
    tap_channels = (16, 24, 32, 96, 320)

    def __init__(self) -> None:
        super().__init__()
        self.backbone = MobileNetV2()

    def forward(self, image: Tensor) -> list[Tensor]:
        taps: list[Tensor] = list(self.backbone(image / 127.5 - 1))
        return [tap * self.SCALE for tap in taps]


class NoFeatures(nn.Module):
    """No features: an ablation of the paper."""

    tap_channels = ()

    def forward(self, image: Tensor) -> list[Tensor]:
        return []


def build_features(kind: str, pooling: str = "average") -> nn.Module:
    """
    Features with random weights, in evaluation mode and frozen.

    Args:
        kind: "vgg19" (the paper), "vgg16" (its first three blocks only), "mobilenetv2" or "none".
        pooling: For VGG; see VggFeatures.

    Raises:
        BadConfig: Another kind or pooling.
    """
    if kind not in FEATURES:
        raise BadConfig(f"features.kind is {kind!r}; {nearest(kind, FEATURES)}")
    module: nn.Module
    if kind == "vgg19":
        module = VggFeatures(VGG19_BLOCKS, pooling, "torchvision")
    elif kind == "vgg16":
        module = VggFeatures(VGG16_BLOCKS, pooling, "caffe")
    else:
        module = MobileNetFeatures() if kind == "mobilenetv2" else NoFeatures()
    return module.eval().requires_grad_(False)


def load_features(module: nn.Module, path: Path) -> None:
    """
    Read pretrained weights into features.

    Args:
        module: As of ``build_features``.
        path: For VGG-19 torchvision's ``vgg19-dcbb9e9d.pth``, whose sha256 is checked before
            anything is read from it; for the others safetensors.

    Raises:
        FileMissing: No such file.
        CheckpointBroken: Another checksum, or weights are missing or of other shapes.
    """
    if isinstance(module, MobileNetFeatures):
        load_backbone(module.backbone, path)
    elif isinstance(module, VggFeatures):
        if not path.is_file():
            raise FileMissing(path, "a file of VGG weights")
        if module.preprocessing == "torchvision":
            check_sha256(path, VGG19_SHA256)
            # weights_only: tensors and nothing that could run
            copy_torchvision(module, torch.load(path, map_location="cpu", weights_only=True), path)
        else:
            copy_keras(module, path)


def copy_torchvision(module: VggFeatures, state: dict[str, Tensor], path: Path) -> None:
    """
    Copy ``features.N.weight`` and ``.bias`` as torchvision numbers them.

    N counts convolutions, ReLUs and poolings of the whole network: 0, 2, 5, 7, 10, ...
    """
    number = 0
    for convs in module.blocks:
        for conv in convs.children():
            copy_tensors(conv, state, f"features.{number}", path)
            number += 2
        number += 1


def copy_keras(module: VggFeatures, path: Path) -> None:
    """Copy ``blockB_convC.weight`` and ``.bias`` of a safetensors file."""
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointBroken(f"{path} is no readable weights file: {error}") from error
    for block, convs in enumerate(module.blocks, start=1):
        for place, conv in enumerate(convs.children(), start=1):
            copy_tensors(conv, state, f"block{block}_conv{place}", path)


def copy_tensors(conv: nn.Module, state: dict[str, Tensor], name: str, path: Path) -> None:
    """Copy one convolution. Raises CheckpointBroken if it is missing or of another shape."""
    for kind in ("weight", "bias"):
        parameter = getattr(conv, kind)
        found = state.get(f"{name}.{kind}")
        if found is None or found.shape != parameter.shape:
            shape = "nothing" if found is None else tuple(found.shape)
            raise CheckpointBroken(
                f"{path}: {name}.{kind} should have shape {tuple(parameter.shape)}, found {shape}"
            )
        parameter.data.copy_(found.float())
