"""A checkpoint becomes a bundle: exported, compared with torch, calibrated, described."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentcut.core.backend import Backend
from latentcut.core.bundle import (
    DECODER_NAME,
    ENCODER_NAME,
    INFO_NAME,
    BundleInfo,
    FrameInfo,
    SelectionInfo,
    file_info,
)
from latentcut.core.clicks import Click
from latentcut.core.files import write_atomically
from latentcut.core.metrics import iou
from latentcut.core.mirrored import MirroredBackend
from latentcut.core.onnx_backend import OnnxBackend
from latentcut.core.predictor import Predictor
from latentcut.datasets.dataset import Sample, read_sample_image
from latentcut.errors import CheckpointBroken, OutputExists
from latentcut.nets.export import export_graphs, largest_difference
from latentcut.simulation.robot import first_click, next_click
from latentcut.training.checkpoint import Mix, load_weights, mix_weights, read_facts
from latentcut.training.config import config_from_dict
from latentcut.training.loop import build_model
from latentcut.training.validation import held_out_samples

PARITY = 1e-4
CALIBRATION_OBJECTS = 200
CALIBRATION_CLICKS = 5
CALIBRATION_SEED = 1  # not validation's objects


def make_bundle(
    checkpoint: Path,
    output: Path,
    name: str,
    data_root: Path | None = None,
    frame: FrameInfo | None = None,
    note: dict[str, Any] | None = None,
    calibration_objects: int = CALIBRATION_OBJECTS,
    mixes: Sequence[Mix] = (),
) -> BundleInfo:
    """
    Export the averaged weights of a checkpoint as a bundle folder.

    Args:
        checkpoint: Made by ``training.loop.train``.
        output: Folder to write; it must not exist, unless it holds a bundle to replace.
        name: What the bundle calls itself.
        data_root: Folder of the training sets, to calibrate g on held-out images. None keeps the
            uncalibrated scores.
        frame: How images are shown to the network; None: the defaults.
        calibration_objects: How many held-out objects g is calibrated on.
        note: JSON values added to the provenance, such as licences.
        mixes: Checkpoints whose averaged weights are mixed in, one after the other; see
            ``mix_weights``.

    Raises:
        FileMissing, CheckpointBroken: The checkpoint cannot be used, or torch and ONNX
            Runtime disagree by more than 1e-4.
        OutputExists: The output folder holds something else.
    """
    facts = read_facts(checkpoint)
    if facts.get("family") is not None:
        raise CheckpointBroken(
            f"{checkpoint} is a checkpoint of the paper's family, which has no bundles; measure it "
            f"with latentcut evaluate --predictor checkpoint:{checkpoint}"
        )
    if output.exists() and not (output / INFO_NAME).is_file():
        raise OutputExists(f"{output} exists and is no bundle; give another --output")
    config = config_from_dict(facts["config"])
    model = build_model(config.model).eval()
    load_weights(checkpoint, model, average=True)
    mixed = [mix.described(mix_weights(mix, model)) for mix in mixes]
    encoder, decoder = export_graphs(model)
    difference = largest_difference(model, encoder, decoder)
    if difference > PARITY:
        raise CheckpointBroken(
            f"torch and ONNX Runtime differ by {difference:.2g} on {checkpoint}, "
            f"more than {PARITY:g}"
        )
    frame = frame or FrameInfo()
    selection = SelectionInfo(objective=config.loss.selection)  # type: ignore[arg-type]  # checked
    calibration: dict[str, Any] = {"objects": 0}
    if data_root is not None:
        backend: Backend = OnnxBackend(encoder, decoder, config.model.num_masks)
        if frame.mirror:
            backend = MirroredBackend(backend)
        predictor = Predictor(backend, frame, SelectionInfo(objective="expected_iou"))
        samples = held_out_samples(data_root, config.data, calibration_objects, CALIBRATION_SEED)
        raw, ious = candidate_scores(predictor, samples)
        selection = fit_selection(raw, ious, selection)
        calibration = {
            "objects": len(samples),
            "clicks": CALIBRATION_CLICKS,
            "seed": CALIBRATION_SEED,
        }
    info = BundleInfo(
        name=name,
        num_masks=config.model.num_masks,
        frame=frame,
        selection=selection,
        files={ENCODER_NAME: file_info(encoder), DECODER_NAME: file_info(decoder)},
        provenance={
            "config": facts["config"],
            "step": facts["step"],
            "training_seconds": round(float(facts["seconds"])),
            "training_versions": facts["versions"],
            "parameters": sum(p.numel() for p in model.parameters()),
            "torch_onnx_difference": difference,
            "calibration": calibration,
            **({"mixed": mixed} if mixed else {}),
            **(note or {}),
        },
    )
    write_bundle(output, info, encoder, decoder)
    return info


def write_bundle(output: Path, info: BundleInfo, encoder: bytes, decoder: bytes) -> None:
    """Write a bundle folder as a whole; an older bundle there keeps its other files."""
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if output.exists():
        shutil.copytree(output, partial)
    else:
        partial.mkdir(parents=True)
    write_atomically(partial / ENCODER_NAME, encoder)
    write_atomically(partial / DECODER_NAME, decoder)
    text = json.dumps(info.model_dump(), indent=2) + "\n"
    write_atomically(partial / INFO_NAME, text.encode())
    old = output.with_name(f".{output.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if output.exists():
        output.rename(old)
    partial.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def candidate_scores(
    predictor: Predictor, samples: list[Sample]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Raw scores of g and the IoU of every candidate over the first clicks on some objects.

    Args:
        predictor: Reads scores as sigmoid(raw), unscaled.
        samples: Objects.

    Returns:
        Raw scores (N, M) and IoUs (N, M), one row per click.
    """
    raw, ious = [], []
    for sample in samples:
        encoded = predictor.encode(read_sample_image(sample))
        clicks: list[Click] = []
        mask = None
        click = first_click(sample.gt_mask, sample.ignore_mask)
        while click is not None and len(clicks) < CALIBRATION_CLICKS:
            clicks.append(click)
            prediction = predictor.predict(encoded, clicks, mask)
            mask = prediction.mask
            p = np.clip(prediction.expected_iou.astype(np.float64), 1e-6, 1 - 1e-6)
            raw.append(np.log(p / (1 - p)))
            ious.append([iou(c, sample.gt_mask, sample.ignore_mask) for c in prediction.candidates])
            click = next_click(mask, sample.gt_mask, sample.ignore_mask)
    return np.array(raw), np.array(ious)


def fit_selection(
    raw: NDArray[np.float64], ious: NDArray[np.float64], selection: SelectionInfo
) -> SelectionInfo:
    """
    Fit how scores are read.

    Scale and offset of the expected IoU by least squared error, then the softmax
    temperature by cross-entropy on the best candidate, on a grid.

    Args:
        raw: (N, M), g's raw scores.
        ious: (N, M), what the candidates reached.
        selection: Gives the objective.
    """
    x, y = torch.from_numpy(raw), torch.from_numpy(ious)
    parameters = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # log scale, offset
    solver = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def error() -> torch.Tensor:
        solver.zero_grad()
        value = ((torch.sigmoid(parameters[0].exp() * x + parameters[1]) - y) ** 2).mean()
        value.backward()
        return value

    solver.step(error)
    scale, offset = float(parameters[0].detach().exp()), float(parameters[1].detach())
    expected = torch.sigmoid(scale * x + offset)
    logits = expected if selection.objective == "expected_iou" else x
    best = y.argmax(1)
    grid = np.geomspace(0.005, 5.0, 60)
    losses = [float(torch.nn.functional.cross_entropy(logits / t, best)) for t in grid]
    return SelectionInfo(
        objective=selection.objective,
        temperature=round(float(grid[int(np.argmin(losses))]), 4),
        iou_scale=round(scale, 4),
        iou_offset=round(offset, 4),
    )
