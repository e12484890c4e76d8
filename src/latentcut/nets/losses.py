"""
The losses of f and g.

Probabilities and targets are (B, M, H, W) and (B, 1, H, W) or (B, H, W); every loss is per
pair (and per mask), so that the minimum over masks is taken for each pair by itself.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def relaxed_jaccard(probs: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """
    Relaxed Jaccard distance of soft masks to a ground truth.

    Args:
        probs: (B, M, H, W), in [0, 1].
        target: (B, H, W), in [0, 1]; binary in the paper, a covered share when reduced.
        valid: (B, H, W), weight of each pixel; 0 where the ground truth does not count.

    Returns:
        (B, M), in [0, 1]: 1 - sum min(A, B) / sum max(A, B). Both empty: 0.

    Source:
        Li, Chen & Koltun 2018, section 3, l(A, B).
    """
    a, b = target[:, None].expand_as(probs), probs
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    if valid is not None:
        low, high = low * valid[:, None], high * valid[:, None]
    union = high.flatten(2).sum(2)
    overlap = low.flatten(2).sum(2)
    return torch.where(union > 0, 1 - overlap / union.clamp_min(1e-6), torch.zeros_like(union))


def click_constraint(probs: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """
    How far the masks are from obeying the clicks.

    Args:
        probs: (B, M, H, W), in [0, 1].
        positive: (B, H, W), S_p: 1 where a positive click lies, else 0.
        negative: (B, H, W), S_n, likewise.

    Returns:
        (B, M), at least 0: ||S_p (S_p - B)||_1 + ||S_n (S_n - (1 - B))||_1, a sum over clicks.

    Source:
        Li, Chen & Koltun 2018, section 3, l_c. The authors' release sums it over all masks;
        here it stays per mask, as printed.
    """
    missed = positive[:, None] * (positive[:, None] - probs).abs()
    included = negative[:, None] * (negative[:, None] - (1 - probs)).abs()
    return (missed + included).flatten(2).sum(2)


def hindsight_choice(per_mask: Tensor) -> Tensor:
    """
    The mask of each pair that is pulled towards the ground truth: the one with the smallest loss.

    Chosen for each pair, never for the batch (the authors' release takes one minimum of
    batch means, which equals this for batch size 1 only).

    Args:
        per_mask: (B, M), loss of each mask.

    Returns:
        int64 (B,).

    Source:
        Li, Chen & Koltun 2018, section 3, the minimum in L_f.
    """
    return per_mask.argmin(1)


def ranked_diversity(per_mask: Tensor, weights: tuple[float, ...]) -> Tensor:
    """
    Mean over pairs of sum_m lambda_m * l_m: (B, M) -> scalar.

    Source:
        Li, Chen & Koltun 2018, section 3; lambda in training.config.LossConfig.
    """
    return (per_mask * per_mask.new_tensor(weights)).sum(1).mean()


def normalised_focal(
    logits: Tensor, target: Tensor, valid: Tensor | None = None, gamma: float = 2.0
) -> Tensor:
    """
    Focal loss divided by the sum of its own weights, so that easy masks keep a gradient.

    Args:
        logits: (B, H, W).
        target: (B, H, W), in [0, 1].
        valid: (B, H, W), weight of each pixel.
        gamma: Focus on pixels that are wrong.

    Returns:
        (B,), at least 0.

    Source:
        Sofiiuk et al., "Reviving Iterative Training with Mask Guidance", 2021, section 3.2
        (normalised focal loss).
    """
    wrong = (target - logits.sigmoid()).abs()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    weight = wrong.detach() ** gamma
    if valid is not None:
        weight = weight * valid
    return (weight * cross_entropy).flatten(1).sum(1) / (weight.flatten(1).sum(1) + 1e-6)


def selection_cross_entropy(scores: Tensor, distances: Tensor) -> Tensor:
    """
    The paper's objective of g: cross-entropy on the index of the mask with smallest distance.

    Args:
        scores: (B, M), g's logits.
        distances: (B, M), Jaccard distances to the ground truth.

    Source:
        Li, Chen & Koltun 2018, section 3, L_g.
    """
    return F.cross_entropy(scores, distances.argmin(1))


def selection_expected_iou(scores: Tensor, ious: Tensor) -> Tensor:
    """
    Squared error between sigmoid(score) and the IoU each candidate reached, (B, M) -> scalar.

    Nearly equal candidates cost nearly nothing here, while the index of the best of them
    is noise for a cross-entropy; and the metric rewards the largest expected IoU.
    """
    return ((scores.sigmoid() - ious) ** 2).mean()


def selection_regret(scores: Tensor, ious: Tensor, temperature: float = 0.25) -> Tensor:
    """
    IoU that is lost, on average, when candidates are drawn by softmax(score / temperature).

    Squared errors are dominated by pairs where all candidates are equally hard to judge; this
    counts only what a choice costs, so nearly equal candidates cost nearly nothing.

    Args:
        scores: (B, M), logits of the expected IoU.
        ious: (B, M), in [0, 1].
        temperature: In units of the scores; the smaller, the closer to the choice itself.
    """
    chosen = ((scores / temperature).softmax(1) * ious).sum(1)
    return (ious.amax(1) - chosen).mean()


@torch.no_grad()
def hard_ious(logits: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """
    IoU of the thresholded candidates with the thresholded ground truth.

    Args:
        logits: (B, M, H, W); a pixel is in where positive.
        target: (B, H, W), in [0, 1]; in where above 0.5.
        valid: (B, H, W), weight of each pixel.

    Returns:
        (B, M), in [0, 1]; 1 where both are empty.
    """
    masks, gt = logits > 0, (target > 0.5)[:, None]
    weight = torch.ones_like(target) if valid is None else valid
    union = ((masks | gt) * weight[:, None]).flatten(2).sum(2)
    overlap = ((masks & gt) * weight[:, None]).flatten(2).sum(2)
    return torch.where(union > 0, overlap / union.clamp_min(1e-6), torch.ones_like(union))
