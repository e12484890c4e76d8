"""Where a run's weights come from: a backbone, a checkpoint, or a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from latentcut.core.bundle import INFO_NAME, read_bundle
from latentcut.errors import FileMissing
from latentcut.nets.model import ClickModel, repeat_features
from latentcut.nets.pretrained import load_backbone
from latentcut.nets.recovered import measure_norms, recover_weights
from latentcut.training.batches import CROP_STREAM, Source, collate, stream
from latentcut.training.checkpoint import GROWN_PARTS, Mix, load_weights, mix_weights
from latentcut.training.config import Config
from latentcut.training.objective import draw_clicks

MEASURED_CROPS = 48  # of one size; their pairs give thousands of cells for every channel
MEASURED_TOGETHER = 4


def set_start(
    model: ClickModel,
    config: Config,
    source: Source,
    backbone: Path | None,
    start_from: Path | None,
    mixes: Sequence[Mix],
) -> None:
    """
    Give a model the weights that a new run starts with.

    Args:
        model: With random weights.
        config: The run's.
        source: Draws crops, on which a bundle's normalisations are measured.
        backbone: Pretrained encoder file; None keeps the random weights.
        start_from: A checkpoint, whose averaged weights are taken, or a bundle's folder.
        mixes: Checkpoints whose averaged weights are mixed in, one after the other.

    Raises:
        FileMissing: ``start_from`` is neither.
        BundleBroken, CheckpointBroken: It is of another model.
    """
    if backbone is not None:
        load_backbone(model.encoder.backbone, backbone)
    if start_from is None:
        return
    if is_bundle(start_from):
        start_from_bundle(model, config, source, start_from)
    else:
        load_weights(start_from, model, average=True, may_grow=True)
    for mix in mixes:
        mix_weights(mix, model)


def is_bundle(path: Path) -> bool:
    """Whether a path is a bundle's folder."""
    return (path / INFO_NAME).is_file()


def check_start(path: Path) -> None:
    """
    Whether there is something to start from, asked before the work begins.

    Raises:
        FileMissing: There is neither a checkpoint nor a bundle.
    """
    if not path.is_file() and not is_bundle(path):
        raise FileMissing(path, "a checkpoint (.safetensors) or the folder of a bundle")


def start_from_bundle(model: ClickModel, config: Config, source: Source, folder: Path) -> None:
    """
    Put a bundle's weights into a model, its normalisations measured on the run's own crops.

    Raises:
        BundleBroken: It is damaged, or of another model.
    """
    bundle = read_bundle(folder)
    folded = recover_weights(bundle.encoder, bundle.decoder, model, GROWN_PARTS)
    size = config.data.crop_sizes[0]
    device = next(model.parameters()).device

    def answer() -> None:
        for first in range(0, MEASURED_CROPS, MEASURED_TOGETHER):
            numbers = range(first, first + MEASURED_TOGETHER)
            # one process and many see the same crops; the run itself counts from 0 upwards
            streams = [stream(config.train.seed, CROP_STREAM, 2**31, number) for number in numbers]
            batch = collate(0, [source(size, rng) for rng in streams], [])
            features = model.encode(batch.images.to(device).float())
            pairs = len(batch.clicks) // len(batch.images)
            inputs = draw_clicks(batch.clicks, size, None, device)
            model.decode(repeat_features(features, pairs), *inputs)

    # threads that OpenCV starts here are missing in the loaders, which are forks of this process
    # and would wait for them for ever
    cv2.setNumThreads(1)
    with torch.no_grad():
        measure_norms(model, folded, answer)
