"""What a step of the paper family minimises: L_f, then L_g with f frozen."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latentcut.core.clicks import Click
from latentcut.nets.losses import (
    click_constraint,
    hindsight_choice,
    ranked_diversity,
    relaxed_jaccard,
    selection_cross_entropy,
    selection_expected_iou,
)
from latentcut.nets.paper.inputs import click_discs, paper_maps
from latentcut.nets.paper.model import Encoded, LatentDiversity
from latentcut.simulation.training_clicks import corrective_click
from latentcut.training.batches import CORRECTION_STREAM, Batch, stream
from latentcut.training.paper.config import PaperConfig, rank_weights

SHUFFLE_STREAM = 4  # follows the streams of training.batches
MAX_CLICKS = 20


def draw_maps(
    clicks: list[tuple[Click, ...]], size_hw: tuple[int, int], config: PaperConfig
) -> Tensor:
    """The click channels of several pairs, float32 (N, 4, h, w)."""
    model = config.model
    drawn = [paper_maps(pair, size_hw, model.click_maps, model.stride) for pair in clicks]
    return torch.from_numpy(np.stack(drawn))


def draw_discs(
    clicks: list[tuple[Click, ...]], size_hw: tuple[int, int], config: PaperConfig
) -> Tensor:
    """Discs around the clicks of several pairs, float32 (N, 2, h, w)."""
    drawn = [click_discs(pair, size_hw, config.model.stride) for pair in clicks]
    return torch.from_numpy(np.stack(drawn))


def at_stride(masks: Tensor, stride: int) -> Tensor:
    """Masks as the covered share of each cell: (N, H, W) -> float32 (N, h, w)."""
    masks = masks.float()
    return F.avg_pool2d(masks[:, None], stride)[:, 0] if stride > 1 else masks


def repeat(encoded: Encoded, times: int) -> Encoded:
    """One encoding for several pairs of an image."""
    return Encoded(*[x.repeat_interleave(times, dim=0) for x in encoded])


@torch.no_grad()
def add_corrective_clicks(
    model: LatentDiversity, encoded: Encoded, batch: Batch, config: PaperConfig, *, with_g: bool
) -> list[tuple[Click, ...]]:
    """
    Click on the model's own errors, as often as ``clicks.corrective_shares`` says.

    The paper adds clicks simulated on the errors of an earlier model; here it is the model
    as it stands. The corrected mask is the one the user would see: g's choice once there is a
    g, else the first or the best (half each).

    Args:
        model: In evaluation mode.
        encoded: One row per pair.
        batch: The pairs with their first clicks.
        config: The whole config.
        with_g: Whether g is being trained.
    """
    stride, size_hw = config.model.stride, (batch.targets.shape[1], batch.targets.shape[2])
    clicks = list(batch.clicks)
    rngs = [stream(config.train.seed, CORRECTION_STREAM, batch.index, p) for p in batch.pair_ids]
    shares = np.array(config.clicks.corrective_shares)
    rounds = [int(rng.choice(len(shares), p=shares / shares.sum())) for rng in rngs]
    targets = at_stride(batch.targets, stride)
    ignore = at_stride(batch.ignore, stride) > 0
    pairs_per_image = len(clicks) // len(batch.images)
    for done in range(max(rounds)):
        rows = [n for n, wanted in enumerate(rounds) if wanted > done]
        where = torch.tensor(rows, device=encoded.for_f.device)
        maps = draw_maps([clicks[n] for n in rows], size_hw, config).to(where.device)
        rows_of = Encoded(*[x[where] for x in encoded])
        if with_g:
            discs = draw_discs([clicks[n] for n in rows], size_hw, config).to(where.device)
            logits, scores = model.answer(rows_of, maps, discs)
            soft, pick = model.masks(logits), scores.argmax(1)
        else:
            soft = model.masks(model.f(rows_of.for_f, maps))
            best = relaxed_jaccard(soft, targets[rows].to(where.device)).argmin(1)
            first = torch.tensor([rngs[n].random() < 0.5 for n in rows], device=where.device)
            pick = torch.where(first, 0, best)
        shown = soft[torch.arange(len(rows), device=where.device), pick] > 0.5
        for n, mask in zip(rows, shown.cpu().numpy(), strict=True):
            click = corrective_click(
                mask,
                targets[n].numpy() > 0.5,
                rngs[n],
                ignore[n // pairs_per_image].numpy(),
                config.clicks.corrective_centre_share,
                config.clicks.anywhere_share,
            )
            if click is not None and len(clicks[n]) < MAX_CLICKS:
                middle = (stride - 1) / 2  # of the cell, in pixels
                clicks[n] += (
                    Click(click.x * stride + middle, click.y * stride + middle, click.positive),
                )
    return clicks


def step_loss(
    model: LatentDiversity, batch: Batch, config: PaperConfig, *, train_g: bool
) -> tuple[Tensor, dict[str, float]]:
    """
    Forward pass of one micro-step.

    Args:
        model: In training mode (only f or only g); it is left in that mode.
        batch: This process's share.
        config: The whole config.
        train_g: L_g with f frozen, else L_f.

    Returns:
        The scalar to minimise, and the mean figures of the batch for the log.
    """
    device = model.f.last.weight.device
    times = len(batch.clicks) // len(batch.images)
    images = batch.images.to(device).float()
    stride = config.model.stride
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.train.bf16):
        encoded = repeat(model.encode(images), times)
        training = model.g if train_g else model.f
        training.eval()  # corrective clicks answer the model as users will meet it
        clicks = add_corrective_clicks(model, encoded, batch, config, with_g=train_g)
        training.train()
        size_hw = (batch.targets.shape[1], batch.targets.shape[2])
        maps = draw_maps(clicks, size_hw, config).to(device)
        with torch.set_grad_enabled(not train_g):
            trunk = model.f.trunk(encoded.for_f, maps)
            logits = model.f.last(trunk).float()
        if train_g:
            # g must look at the masks and not at their positions
            order = shuffled(batch, model.num_masks, config.train.seed).to(device)
            logits = torch.gather(logits, 1, order[:, :, None, None].expand_as(logits))
            discs = draw_discs(clicks, size_hw, config).to(device)
            scores = model.score(encoded, maps, logits, trunk, discs).float()
        soft = model.masks(logits)
    targets = at_stride(batch.targets, stride).to(device)
    valid = at_stride(~batch.ignore, stride).to(device).repeat_interleave(times, dim=0)
    distances = relaxed_jaccard(soft, targets, valid)  # (N, M)
    rows = torch.arange(len(distances), device=device)
    figures = {"iou_best": float(1 - distances.detach().amin(1).mean())}
    if train_g:
        if config.loss.selection == "cross_entropy":
            loss = selection_cross_entropy(scores, distances)
        else:
            loss = selection_expected_iou(scores, 1 - distances)
        figures["iou_selected"] = float(1 - distances[rows, scores.argmax(1)].mean())
    else:
        # a cell that holds clicks of both signs asks for nothing
        positive, negative = (maps[:, c] * (1 - maps[:, 1 - c]) for c in (0, 1))
        constraint = click_constraint(soft, positive, negative)
        per_mask = distances + config.loss.click * constraint
        best = hindsight_choice(per_mask)
        loss = per_mask[rows, best].mean()
        figures["iou_first"] = float(1 - distances[:, 0].detach().mean())
        figures["click"] = float(constraint[rows, best].detach().mean())
        if config.loss.ranked_diversity:
            loss = loss + ranked_diversity(distances, rank_weights(config))
    return loss, figures | {"loss": float(loss.detach())}


def shuffled(batch: Batch, num_masks: int, seed: int) -> Tensor:
    """For each pair the order in which g meets the masks, int64 (N, M)."""
    orders = [
        stream(seed, SHUFFLE_STREAM, batch.index, pair).permutation(num_masks)
        for pair in batch.pair_ids
    ]
    return torch.from_numpy(np.stack(orders))
