"""Files of pretrained features: their names, checksums and where they come from. No torch here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from latentcut.errors import CheckpointBroken, FileMissing

VGG19_FILE = "vgg19-dcbb9e9d.pth"  # torchvision's; the digits begin its sha256
VGG19_URL = f"https://download.pytorch.org/models/{VGG19_FILE}"
VGG19_SHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
WEIGHT_FILES = {  # by features.kind
    "vgg19": VGG19_FILE,
    "vgg16": "vgg16_conv1_3.safetensors",
    "mobilenetv2": "mobilenetv2_deeplab_voc.safetensors",
}


def feature_weights(kind: str, folder: Path) -> Path:
    """The file of frozen features in a folder. Raises FileMissing."""
    path = folder / WEIGHT_FILES[kind]
    if not path.is_file():
        how = " (latentcut download vgg19 gets it)" if kind == "vgg19" else ""
        raise FileMissing(path, f"the weights of features.kind = {kind!r}{how}")
    return path


def check_sha256(path: Path, expected: str) -> None:
    """Raises CheckpointBroken unless the file has this sha256."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise CheckpointBroken(
            f"{path} has sha256 {found}, expected {expected}: "
            "it is another file or was cut off; get it again"
        )
