"""Batch normalisation whose statistics span all processes, on any backend."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class SumOverProcesses(torch.autograd.Function):
    """Sum a tensor over all processes; the gradient is summed likewise."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone()
        dist.all_reduce(total)
        return total


class BatchNorm(nn.BatchNorm2d):
    """
    Batch normalisation over the whole job's batch.

    torch's own SyncBatchNorm runs on GPUs only; this one uses a differentiable
    all-reduce of mean and mean square, so gloo on CPUs gives the gradients of one
    process with the joined batch. Every process must hold equally many values.

    Shape:
        (N, C, H, W) -> the same.
    """

    def forward(self, input: Tensor) -> Tensor:  # the base class's name
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(input)
        x = input.float()
        moments = torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])  # (2, C)
        total: Tensor = SumOverProcesses.apply(moments)  # type: ignore[no-untyped-call]
        moments = total / dist.get_world_size()
        mean, variance = moments[0], moments[1] - moments[0] ** 2
        with torch.no_grad():
            momentum = 0.1 if self.momentum is None else self.momentum
            count = x.numel() // x.shape[1] * dist.get_world_size()
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / max(1, count - 1), momentum)
        scale = self.weight * torch.rsqrt(variance.clamp_min(0) + self.eps)
        shift = self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(input.dtype)


def conv_norm_relu(
    num_in: int, num_out: int, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU; the size is kept up to the stride."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, kernel, stride, padding, dilation, bias=False),
        BatchNorm(num_out),
        nn.ReLU(inplace=True),
    )
