"""Run by test_distributed under torchrun: the gradients of one step, written by rank 0."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from latentcut.training.batches import StepBatches
from latentcut.training.config import load_config
from latentcut.training.crops import CropSource
from latentcut.training.distributed import average_gradients, join_job, leave_job
from latentcut.training.loop import build_model
from latentcut.training.objective import step_loss

config_path, data_root, output = (Path(argument) for argument in sys.argv[1:])
torch.set_num_threads(1)
job = join_job()
config = load_config(config_path)
torch.manual_seed(0)
model = build_model(config.model).train()
batch = StepBatches(CropSource(data_root, config.data, config.clicks), config, job)[1]
loss, _ = step_loss(model, batch, config)
loss.backward()
average_gradients(model.parameters())
if job.is_main:
    grads = {n: p.grad.contiguous() for n, p in model.named_parameters() if p.grad is not None}
    buffers = {f"buffer.{n}": b for n, b in model.named_buffers() if b.is_floating_point()}
    save_file(grads | buffers, output)
leave_job()
