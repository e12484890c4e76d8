"""
Weights back from a bundle's graphs, so that training can go on from a bundle alone.

The exporter folds batch normalisation into the convolutions before it. What it folded is known
again as soon as the mean and the variance before the normalisation are, so they are measured on
some images: then a step of training sees the network that made the bundle.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from latentcut.errors import BundleBroken
from latentcut.nets.model import ClickModel
from latentcut.nets.normalisation import BatchNorm

REMEDY = (
    "use the [model] section that the bundle was made with: it is in provenance.config of its "
    "model.json"
)
UNUSED = "num_batches_tracked"  # counts steps; nothing depends on it
LEAST_VARIANCE = 1e-6  # of a channel that is always off; its normalisation is left as it is


def graph_weights(encoder: bytes, decoder: bytes) -> dict[str, Tensor]:
    """
    The weights in a bundle's graphs by the names that they have in ``ClickModel``.

    Args:
        encoder: encoder.onnx, as ``export.export_graphs`` makes it.
        decoder: decoder.onnx.

    Returns:
        float32; of a convolution with folded normalisation ``weight`` and ``bias``.
    """
    weights: dict[str, Tensor] = {}
    for data in (encoder, decoder):
        graph = onnx.load_from_string(data).graph
        values = {
            one.name: torch.from_numpy(np.array(numpy_helper.to_array(one), dtype=np.float32))
            for one in graph.initializer
        }
        weights |= {k: v for k, v in values.items() if not k.startswith("onnx::")}
        for node in graph.node:  # what the exporter changed bears the name of its node instead
            changed = [values[i] for i in node.input if i.startswith("onnx::") and i in values]
            module = module_name(node.name)
            if node.op_type == "MatMul" and changed:
                weights[f"{module}.weight"] = changed[0].T.contiguous()
            elif node.op_type == "Conv" and len(changed) == 2:
                weights[f"{module}.weight"], weights[f"{module}.bias"] = changed
    # the decoder's graph is that of a module around the model, which shows in some of its names
    return {name.removeprefix("model."): value for name, value in weights.items()}


def module_name(node_name: str) -> str:
    """``/decoder/trunk/trunk.0/step/step.0/Conv`` is a node of ``decoder.trunk.0.step.0``."""
    parts: list[str] = []
    for part in node_name.strip("/").split("/")[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts.pop()
        parts += [part]
    return ".".join(parts)


def recover_weights(
    encoder: bytes, decoder: bytes, model: ClickModel, may_lack: tuple[str, ...] = ()
) -> list[str]:
    """
    Put a bundle's weights into a model, which then answers as the bundle does.

    Folded normalisations become ones that change nothing but the mean; ``measure_norms`` makes
    true ones of them.

    Args:
        encoder: encoder.onnx.
        decoder: decoder.onnx.
        model: Of the same configuration, or with parts that the bundle lacks.
        may_lack: How the names of those parts begin; they stay as they are.

    Returns:
        Names of the normalisations that were folded.

    Raises:
        BundleBroken: The graphs hold a value that the model has not, or of another shape, or lack
            one.
    """
    found = graph_weights(encoder, decoder)
    folded = []
    for name, norm in norms_after_convolutions(model):
        conv = name.rpartition(".")[0] + ".0"
        if f"{conv}.bias" in found:
            folded.append(name)
            found[f"{name}.bias"] = found.pop(f"{conv}.bias")
            found[f"{name}.weight"] = torch.full((norm.num_features,), (1 + norm.eps) ** 0.5)
            found[f"{name}.running_mean"] = torch.zeros(norm.num_features)
            found[f"{name}.running_var"] = torch.ones(norm.num_features)
    own = model.state_dict()
    for name, value in found.items():
        if name not in own or own[name].shape != value.shape:
            wanted = f"has shape {tuple(own[name].shape)}" if name in own else "does not exist"
            raise BundleBroken(
                f"{name} of shape {tuple(value.shape)} is in the bundle and {wanted} in the "
                f"model; {REMEDY}"
            )
    for name in own:
        if name not in found and not name.startswith(may_lack) and not name.endswith(UNUSED):
            raise BundleBroken(f"the bundle has no {name}, which the model needs; {REMEDY}")
    model.load_state_dict(own | found)
    return folded


def norms_after_convolutions(model: nn.Module) -> list[tuple[str, BatchNorm]]:
    """The normalisations right after a convolution, which the exporter folds, by name."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, BatchNorm) and name.endswith(".1")
    ]


@torch.no_grad()
def measure_norms(model: ClickModel, folded: list[str], answer: Callable[[], None]) -> None:
    """
    Give folded normalisations the statistics of what goes through them.

    In evaluation the model's answers stay what they are. Each row of the convolutions before them
    is brought to length 1, as it does not matter to what follows a normalisation, so that a step of
    training changes all of them alike.

    Args:
        model: After ``recover_weights``; in evaluation mode afterwards.
        folded: What that returned.
        answer: Lets the model answer some typical pairs.
    """
    norms = [(name, norm) for name, norm in norms_after_convolutions(model) if name in folded]
    modules = dict(model.named_modules())
    sums = {name: torch.zeros(3, norm.num_features) for name, norm in norms}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def see(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            x = inputs[0].float()
            count = torch.full((x.shape[1],), float(x.numel() // x.shape[1]))
            sums[name] += torch.stack([count, x.sum((0, 2, 3)), (x * x).sum((0, 2, 3))]).cpu()

        return see

    hooks = [norm.register_forward_pre_hook(watch(name)) for name, norm in norms]
    model.eval()
    answer()
    for hook in hooks:
        hook.remove()
    for name, norm in norms:
        count, total, squares = sums[name]
        mean = total / count.clamp_min(1)
        variance = (squares / count.clamp_min(1) - mean**2).clamp_min(0)
        conv = modules[name.rpartition(".")[0] + ".0"]
        assert isinstance(conv, nn.Conv2d)
        restore_norm(conv, norm, mean, variance)


def restore_norm(conv: nn.Conv2d, norm: BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move scale and offset from a convolution into the normalisation after it; same function."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    used = variance > LEAST_VARIANCE
    length = conv.weight.flatten(1).norm(dim=1)
    scale = torch.where(used & (length > 0), 1 / length.clamp_min(1e-12), torch.ones(()))
    device = norm.weight.device
    variance = torch.where(used, variance * scale**2, torch.ones(())).to(device)
    mean = torch.where(used, mean, torch.zeros(())).to(device)
    # before: weight / sqrt(running_var + eps) = 1, that is y -> y + bias
    conv.weight.mul_(scale[:, None, None, None])
    norm.bias.add_(mean)
    norm.running_mean.copy_(mean * scale)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt() / scale)
