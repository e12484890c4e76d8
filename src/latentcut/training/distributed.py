"""
One job in several processes: ``torchrun`` sets the environment, gloo or NCCL carries the data.

Gradients are averaged by hand after the backward pass instead of wrapping the model:
encoder and decoder are called separately, and with a few million weights one
flat all-reduce per step costs less than hooks would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from latentcut.errors import BadConfig


@dataclass(frozen=True)
class Job:
    """This process's place in the job."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0


def join_job() -> Job:
    """
    Join the processes that torchrun started, or be the only one.

    The device is this process's GPU where there is one (NCCL), else the CPU (gloo).
    """
    has_gpu = torch.cuda.is_available()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local_rank) if has_gpu else torch.device("cpu")
    if has_gpu:
        torch.cuda.set_device(device)
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if has_gpu else "gloo")
    return Job(int(os.environ.get("RANK", "0")), world_size, device)


def leave_job() -> None:
    """Close the connections, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over all processes; nothing to do for one process."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return
    grads: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for grad in grads:
        grad.copy_(flat[start : start + grad.numel()].view(grad.shape))
        start += grad.numel()


def share_of(total: int, job: Job) -> range:
    """
    The indices 0 .. total-1 that belong to this process, contiguous.

    Raises:
        BadConfig: total is no multiple of the number of processes (batch normalisation
            over processes needs equal shares).
    """
    if total % job.world_size:
        raise BadConfig(
            f"{total} images per step cannot be shared equally by {job.world_size} processes: "
            "make every value of data.images_per_step a multiple of their number"
        )
    each = total // job.world_size
    return range(job.rank * each, (job.rank + 1) * each)
