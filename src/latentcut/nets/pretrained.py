"""Pretrained backbones: safetensors files with folded batch normalisation."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from latentcut.errors import CheckpointBroken, FileMissing
from latentcut.nets.encoder import MobileNetV2, SameConv


def load_backbone(backbone: MobileNetV2, path: Path) -> None:
    """
    Copy the convolutions of a MobileNetV2 file into a backbone, in order of execution.

    Args:
        backbone: Gets the weights, as float32.
        path: safetensors file with ``features.00.weight``, ``features.00.bias``, ... (51
            convolutions: stem, then expand, depthwise and project of each block).

    Raises:
        FileMissing: No such file.
        CheckpointBroken: A convolution is missing or has another shape.
    """
    if not path.is_file():
        raise FileMissing(path, "a backbone file (.safetensors)")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointBroken(f"{path} is no readable backbone file: {error}") from error
    convs: list[nn.Conv2d] = [m for m in backbone.modules() if isinstance(m, SameConv)]
    for i, conv in enumerate(convs):
        for kind in ("weight", "bias"):
            name = f"features.{i:02d}.{kind}"
            parameter = getattr(conv, kind)
            if name not in tensors or tensors[name].shape != parameter.shape:
                found = tuple(tensors[name].shape) if name in tensors else "nothing"
                raise CheckpointBroken(
                    f"{path}: {name} should have shape {tuple(parameter.shape)}, found {found}; "
                    "the file must hold a MobileNetV2 1.0 with folded batch normalisation"
                )
            parameter.data.copy_(tensors[name].float())
