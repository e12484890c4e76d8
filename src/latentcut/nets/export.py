"""Export to ONNX: the encoder and the decoder as two graphs, checked against torch."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentcut.core.backend import Backend
from latentcut.core.guidance import NUM_GUIDANCE, embedding_clicks, guidance_maps
from latentcut.core.onnx_backend import (
    DECODER_INPUTS,
    DECODER_OUTPUTS,
    ENCODER_INPUTS,
    ENCODER_OUTPUTS,
    OnnxBackend,
)
from latentcut.nets.encoder import Features
from latentcut.nets.model import ClickModel

OPSET = 17
PARITY_SIZES_HW = ((48, 80), (112, 176), (208, 144))  # odd multiples of 16
PARITY_CLICKS = (0, 1, 20)


class EncoderGraph(nn.Module):
    """uint8 (1, H, W, 3) -> the four features."""

    def __init__(self, model: ClickModel) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.encoder(image.permute(0, 3, 1, 2).float()))


class DecoderGraph(nn.Module):
    """Features, guidance, click_index and click_sign -> logits and scores."""

    def __init__(self, model: ClickModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        trunk: Tensor,
        embedding: Tensor,
        head: Tensor,
        detail: Tensor,
        guidance: Tensor,
        click_index: Tensor,
        click_sign: Tensor,
    ) -> tuple[Tensor, Tensor]:
        features = Features(trunk, embedding, head, detail)
        answer = self.model.decode(features, guidance, click_index, click_sign)
        return answer.decoded.logits, answer.scores


class TorchBackend:
    """The same network in torch, for validation during training and for parity tests."""

    def __init__(self, model: ClickModel) -> None:
        self.model = model.eval()
        self.num_masks = model.num_masks

    @torch.inference_mode()
    def encode(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        """See core.backend.Backend.encode."""
        device = next(self.model.parameters()).device
        x = torch.from_numpy(image.copy()).to(device).permute(2, 0, 1)[None].float()
        x = x.contiguous(memory_format=torch.channels_last)
        return tuple(f.cpu().numpy() for f in self.model.encode(x))

    @torch.inference_mode()
    def decode(
        self,
        features: tuple[NDArray[np.float32], ...],
        guidance: NDArray[np.float32],
        index: NDArray[np.int64],
        sign: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See core.backend.Backend.decode."""
        device = next(self.model.parameters()).device
        answer = self.model.decode(
            Features(*[torch.from_numpy(f).to(device) for f in features]),
            *[torch.from_numpy(a).to(device)[None] for a in (guidance, index, sign)],
        )
        return answer.decoded.logits[0].cpu().numpy(), answer.scores[0].cpu().numpy()


def export_graphs(model: ClickModel) -> tuple[bytes, bytes]:
    """
    The encoder and decoder graphs as bytes; image size and number of clicks stay free.

    Args:
        model: On the CPU; put into evaluation mode.
    """
    model = model.cpu().eval()
    size = 64
    image = torch.zeros(1, size, size, 3, dtype=torch.uint8)
    encoder = _export(
        EncoderGraph(model),
        (image,),
        ENCODER_INPUTS,
        ENCODER_OUTPUTS,
        {
            "image": {1: "height", 2: "width"},
            **{name: {2: f"{name}_h", 3: f"{name}_w"} for name in ENCODER_OUTPUTS},
        },
    )
    with torch.inference_mode():
        features = model.encode(image.permute(0, 3, 1, 2).float())
    guidance = torch.zeros(1, NUM_GUIDANCE, size // 4, size // 4)
    clicks = (torch.zeros(1, 2, dtype=torch.int64), torch.tensor([[1.0, -1.0]]))
    decoder = _export(
        DecoderGraph(model),
        (*[f.clone() for f in features], guidance, *clicks),
        DECODER_INPUTS,
        DECODER_OUTPUTS,
        {
            **{name: {2: f"{name}_h", 3: f"{name}_w"} for name in (*ENCODER_OUTPUTS, "guidance")},
            "click_index": {1: "clicks"},
            "click_sign": {1: "clicks"},
            "logits": {2: "logits_h", 3: "logits_w"},
        },
    )
    return encoder, decoder


def _export(
    graph: nn.Module,
    inputs: tuple[Tensor, ...],
    input_names: Sequence[str],
    output_names: Sequence[str],
    dynamic_axes: dict[str, dict[int, str]],
) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # the TorchScript exporter announces its successor, which needs one more package and
        # gains nothing for these graphs
        warnings.simplefilter("ignore")
        path = Path(folder) / "graph.onnx"
        torch.onnx.export(
            graph.eval(),
            inputs,
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_axes=dynamic_axes,
        )
        return path.read_bytes()


def largest_difference(model: ClickModel, encoder: bytes, decoder: bytes, seed: int = 0) -> float:
    """
    Largest difference between torch and ONNX Runtime, over sizes and numbers of clicks.

    Compared are mask probabilities and g's sigmoid scores, on random images with 0, 1 and 20
    clicks, with and without a previous mask.
    """
    rng = np.random.default_rng(seed)
    backends: tuple[Backend, ...] = (
        TorchBackend(model),
        OnnxBackend(encoder, decoder, model.num_masks, threads=1),
    )
    worst = 0.0
    for size_hw in PARITY_SIZES_HW:
        image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
        encoded = [backend.encode(image) for backend in backends]
        for num_clicks in PARITY_CLICKS:
            points = rng.uniform((0, 0), (size_hw[1] - 1, size_hw[0] - 1), (num_clicks, 2))
            positive, negative = points[: (num_clicks + 1) // 2], points[(num_clicks + 1) // 2 :]
            previous = (rng.random((size_hw[0] // 4, size_hw[1] // 4)) > 0.5).astype(np.float32)
            guidance = guidance_maps(
                positive, negative, size_hw, None if num_clicks == 1 else previous
            )
            clicks = embedding_clicks(positive, negative, size_hw)
            answers = [
                backend.decode(features, guidance, *clicks)
                for backend, features in zip(backends, encoded, strict=True)
            ]
            for ours, theirs in zip(*answers, strict=True):
                worst = max(worst, float(np.abs(sigmoid(ours) - sigmoid(theirs)).max()))
    return worst


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), in float64."""
    return 1 / (1 + np.exp(-x.astype(np.float64)))
