"""What a training step minimises: the losses of f and of g over a batch of pairs."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latentcut.core.clicks import Click, click_points_xy
from latentcut.core.guidance import click_map, embedding_clicks, guidance_maps
from latentcut.nets.encoder import Features
from latentcut.nets.losses import (
    click_constraint,
    hard_ious,
    hindsight_choice,
    normalised_focal,
    ranked_diversity,
    relaxed_jaccard,
    selection_cross_entropy,
    selection_expected_iou,
    selection_regret,
)
from latentcut.nets.model import Answer, ClickModel, repeat_features
from latentcut.simulation.training_clicks import corrective_click, happens
from latentcut.training.batches import CORRECTION_STREAM, Batch, stream
from latentcut.training.config import Config, LossConfig


def draw_clicks(
    clicks: list[tuple[Click, ...]], size: int, previous: Tensor | None, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """
    Clicks of several pairs as the decoder's inputs.

    Args:
        clicks: Per pair, in pixels of the crop.
        size: Side of the crop, in pixels.
        previous: (N, size / 4, size / 4) masks to feed back, or None.
        device: Where the tensors go.

    Returns:
        guidance (N, 7, size / 4, size / 4), index (N, K), sign (N, K).
    """
    longest = max(1, *(len(c) for c in clicks))
    guidance, index, sign = [], [], []
    for pair in clicks:
        positive = click_points_xy(pair, positive=True)
        negative = click_points_xy(pair, positive=False)
        guidance.append(guidance_maps(positive, negative, (size, size)))
        i, s = embedding_clicks(positive, negative, (size, size), longest)
        index.append(i)
        sign.append(s)
    maps = torch.from_numpy(np.stack(guidance)).to(device)
    if previous is not None:
        maps[:, 6] = previous
    to = (torch.from_numpy(np.stack(index)).to(device), torch.from_numpy(np.stack(sign)).to(device))
    return maps, *to


def select(features: Features, rows: Tensor) -> Features:
    """The features of some pairs."""
    return Features(*[x[rows] for x in features])


@torch.no_grad()
def add_corrective_clicks(
    model: ClickModel, features: Features, batch: Batch, config: Config
) -> tuple[list[tuple[Click, ...]], Tensor]:
    """
    Let the model answer and click on its errors, 0 to 3 times per pair.

    Errors are found at half resolution: a click cannot be more exact than that to the
    network, and it is four times quicker.

    Args:
        model: In evaluation mode.
        features: One row per pair.
        batch: The pairs with their first clicks.
        config: Shares of everything.

    Returns:
        Clicks per pair, and the masks to feed back, float32 (N, S/4, S/4), zero where
        there is none.
    """
    how, size, device = config.clicks, batch.targets.shape[-1], features.trunk.device
    clicks = list(batch.clicks)
    previous = torch.zeros(len(clicks), size // 4, size // 4, device=device)
    rngs = [stream(config.train.seed, CORRECTION_STREAM, batch.index, p) for p in batch.pair_ids]
    shares = np.array(how.corrective_shares)
    rounds = [int(rng.choice(len(shares), p=shares / shares.sum())) for rng in rngs]
    half_targets = F.avg_pool2d(batch.targets[:, None].float(), 2)[:, 0] > 0.5
    half_ignore = F.max_pool2d(batch.ignore[:, None].float(), 2)[:, 0] > 0
    pairs_per_image = len(clicks) // len(batch.images)
    for done in range(max(rounds)):
        rows = [n for n, wanted in enumerate(rounds) if wanted > done]
        where = torch.tensor(rows, device=device)
        inputs = draw_clicks([clicks[n] for n in rows], size, previous[where], device)
        answer = model.decode(select(features, where), *inputs)
        logits = answer.decoded.logits
        best = hard_ious(logits, half_targets[rows].float().to(device)).argmax(1)
        take_selected = torch.tensor(
            [rngs[n].random() < how.selected_share for n in rows], device=device
        )
        pick = torch.where(take_selected, answer.scores.argmax(1), best)
        for row, n in enumerate(
            rows
        ):  # a mask of another thing: later clicks must get away from it
            if happens(how.any_candidate_share, rngs[n]):
                pick[row] = int(rngs[n].integers(logits.shape[1]))
        masks = logits[torch.arange(len(rows), device=device), pick] > 0  # (n, S/2, S/2)
        previous[where] = F.avg_pool2d(masks[:, None].float(), 2)[:, 0]
        for n, mask in zip(rows, masks.cpu().numpy(), strict=True):
            click = corrective_click(
                mask,
                half_targets[n].numpy(),
                rngs[n],
                half_ignore[n // pairs_per_image].numpy(),
                how.corrective_centre_share,
                how.anywhere_share,
            )
            if click is not None:  # centre of a 2 x 2 cell in pixels of the crop
                clicks[n] += (Click(2 * click.x + 0.5, 2 * click.y + 0.5, click.positive),)
    for n, rng in enumerate(rngs):
        if rng.random() < how.drop_previous_share:
            previous[n] = 0
    return clicks, previous


def click_targets(clicks: list[tuple[Click, ...]], size: int, stride: int) -> Tensor:
    """S_p and S_n on a strided grid: float32 (2, N, size / stride, size / stride)."""
    maps = [
        [
            click_map(click_points_xy(pair, positive=positive), (size, size), stride)
            for pair in clicks
        ]
        for positive in (True, False)
    ]
    marks = torch.from_numpy(np.array(maps, dtype=np.float32))
    # a cell that holds clicks of both signs asks for nothing
    return marks * (1 - marks.flip(0))


def pair_losses(
    answer: Answer,
    targets: Tensor,
    valid: Tensor,
    clicks: list[tuple[Click, ...]],
    loss: LossConfig,
) -> tuple[Tensor, dict[str, float]]:
    """
    Losses of f and g for N pairs.

    The best mask of each pair is found, and ranked diversity applied, at stride 4; the loss of the
    best mask alone is computed at stride 2. That keeps losses a small part of a step.

    Args:
        answer: Of N pairs.
        targets: float32 (N, S, S), in [0, 1].
        valid: float32 (N, S, S), 0 where the ground truth does not count.
        clicks: Of each pair, in pixels of the crop.
        loss: Weights.

    Returns:
        The scalar to minimise, and the mean figures of the batch for the log.
    """
    size, device = targets.shape[-1], targets.device
    target4, valid4 = F.avg_pool2d(targets[:, None], 4)[:, 0], F.avg_pool2d(valid[:, None], 4)[:, 0]
    target2, valid2 = F.avg_pool2d(targets[:, None], 2)[:, 0], F.avg_pool2d(valid[:, None], 2)[:, 0]
    num_clicks = torch.tensor([float(max(1, len(c))) for c in clicks], device=device)
    positive4, negative4 = click_targets(clicks, size, 4).to(device)
    positive2, negative2 = click_targets(clicks, size, 2).to(device)

    coarse = answer.decoded.coarse.sigmoid()
    distance4 = relaxed_jaccard(coarse, target4, valid4)  # (N, M)
    clicks4 = click_constraint(coarse, positive4, negative4) / num_clicks[:, None]
    best = hindsight_choice(distance4 + loss.click * clicks4)

    rows = torch.arange(len(best), device=device)
    logits = answer.decoded.logits[rows, best]  # (N, S/2, S/2)
    probs = logits.sigmoid()[:, None]
    jaccard = relaxed_jaccard(probs, target2, valid2)[:, 0]
    constraint = click_constraint(probs, positive2, negative2)[:, 0] / num_clicks
    focal = normalised_focal(logits, target2, valid2)
    loss_f = (jaccard + loss.focal * focal + loss.click * constraint).mean()
    diversity = ranked_diversity(distance4, loss.rank_weights)

    ious = hard_ious(answer.decoded.logits, target2, valid2)
    if loss.selection == "expected_iou":
        loss_g = selection_expected_iou(answer.scores, ious)
    else:
        loss_g = selection_cross_entropy(answer.scores, 1 - ious)
    if loss.selection_regret:
        loss_g = loss_g + loss.selection_regret * selection_regret(answer.scores, ious)

    total = loss_f + diversity + loss.selection_weight * loss_g
    selected = ious[rows, answer.scores.argmax(1)].mean()
    figures = {
        "loss": float(total.detach()),
        "jaccard": float(jaccard.detach().mean()),
        "focal": float(focal.detach().mean()),
        "click": float(constraint.detach().mean()),
        "selection": float(loss_g.detach()),
        "iou_selected": float(selected),
        "iou_best": float(ious.amax(1).mean()),
        "iou_first": float(ious[:, 0].mean()),
    }
    return total, figures


def step_loss(model: ClickModel, batch: Batch, config: Config) -> tuple[Tensor, dict[str, float]]:
    """
    Forward pass of one micro-step: encode, corrective clicks, answer, losses.

    Args:
        model: In training mode; it is back in training mode afterwards.
        batch: This process's share.
        config: The whole config.
    """
    device = next(model.parameters()).device
    num_pairs = len(batch.clicks) // len(batch.images)
    images = batch.images.to(device).float().contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.train.bf16):
        features = repeat_features(model.encode(images), num_pairs)
        model.eval()  # corrective clicks answer the model as users will meet it
        detached = Features(*[x.detach() for x in features])
        clicks, previous = add_corrective_clicks(model, detached, batch, config)
        model.train()
        inputs = draw_clicks(clicks, batch.targets.shape[-1], previous, device)
        answer = model.decode(features, *inputs)
    targets = batch.targets.to(device).float()
    valid = (~batch.ignore).to(device).float().repeat_interleave(num_pairs, dim=0)
    return pair_losses(answer, targets, valid, clicks, config.loss)
