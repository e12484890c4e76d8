"""What g is told of depths: of clicks in candidates, and in what candidates change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from latentcut.core.guidance import guidance_maps
from latentcut.nets.depths import (
    DEPTH_CELLS,
    NUM_CHANGES,
    PEAK,
    POSITIVE_NEARNESS,
    click_depths,
    depth_maps,
    erode,
    measure_depths,
)

AT_CLICK, CLAIM, REST, OVER_CLAIM, OVER_ALL, CLAIM_AREA, REST_AREA, AREA, SHARE, POSITIVE = range(
    NUM_CHANGES
)


def peaks(*points_xy: tuple[float, float], size: int = 256) -> torch.Tensor:
    maps = guidance_maps(np.array(points_xy).reshape(-1, 2), np.zeros((0, 2)), (size, size))
    return torch.from_numpy(maps)[None, POSITIVE_NEARNESS] ** PEAK


def test_eroding_takes_the_least_of_nine_and_nothing_beyond_the_edges():
    maps = torch.rand(2, 3, 11, 17)

    ours = erode(maps)

    theirs = ndimage.minimum_filter(maps.numpy(), size=(1, 1, 3, 3), mode="constant", cval=0.0)
    np.testing.assert_array_equal(ours.numpy(), theirs)


def test_depth_is_the_chessboard_distance_to_the_outside():
    rng = np.random.default_rng(0)
    mask = ndimage.binary_opening(rng.random((64, 64)) > 0.25, iterations=2)
    mask[20:45, 15:60] = True
    padded = np.pad(mask, 1)
    expected = ndimage.distance_transform_cdt(padded, "chessboard")[1:-1, 1:-1]
    assert expected.max() < DEPTH_CELLS

    probs = torch.from_numpy(mask.astype(np.float32))[None, None]
    depths = click_depths(probs, depth_maps(probs), probs.new_zeros(1, 64, 64))

    assert depths[0, 0, 2].exp().item() == pytest.approx(expected.max() + 0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("x", "in_the_square", "in_the_bar"), [(78, 1.0, 1.0), (42, 0.1, 0.1), (118, 0.1, 1.0)]
)
def test_a_click_is_as_deep_as_it_lies_from_the_nearest_edge(x, in_the_square, in_the_bar):
    # cells are 4 px: a square of 20 x 20 cells whose middle is at 78 px, and a bar twice as long
    candidates = torch.zeros(1, 2, 64, 64)
    candidates[0, 0, 10:30, 10:30] = 1
    candidates[0, 1, 10:30, 10:50] = 1

    depths = click_depths(candidates, depth_maps(candidates), peaks((float(x), 78.0)))

    largest = depths[0, :, 1]
    assert largest.tolist() == pytest.approx([in_the_square, in_the_bar], abs=0.12)


def test_without_clicks_every_candidate_is_at_no_depth():
    whole = torch.ones(1, 2, 64, 64)

    depths = click_depths(whole, depth_maps(whole), peaks())

    assert depths[0, :, :2].abs().max().item() == 0.0


def test_the_mean_depth_counts_every_click_and_the_largest_the_deepest_one():
    candidate = torch.zeros(1, 1, 64, 64)
    candidate[0, 0, 10:30, 10:30] = 1

    depths = click_depths(candidate, depth_maps(candidate), peaks((78.0, 78.0), (42.0, 78.0)))[0, 0]

    assert depths[1].item() == pytest.approx(1.0, abs=0.05)
    assert depths[0].item() == pytest.approx(0.55, abs=0.1)


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """A candidate of whole cells, (64, 64)."""
    cells = np.zeros((64, 64), dtype=np.float32)
    cells[top:bottom, left:right] = 1
    return cells


def changes(
    candidates: list[np.ndarray],
    previous: np.ndarray | None,
    positive: list[tuple[float, float]],
    negative: list[tuple[float, float]] = (),
) -> torch.Tensor:
    """Change numbers of candidates, (M, 10)."""
    points = [np.array(p, dtype=float).reshape(-1, 2) for p in (positive, negative)]
    guidance = torch.from_numpy(guidance_maps(*points, (256, 256), previous))[None]
    coarse = torch.from_numpy(np.stack(candidates) * 20 - 10)[None]
    return measure_depths(coarse, guidance, changes=True).changes[0]


def test_a_claim_is_what_is_gained_after_a_positive_click():
    # a second square of 12 cells, clicked in its middle at cell 45, and one that was not clicked
    previous = box(10, 30, 10, 30)
    clicked, missed = box(40, 52, 40, 52), box(4, 8, 50, 62)

    right, wrong, nothing = changes(
        [previous + clicked, previous + missed, previous], previous, [(79, 79), (182, 182)]
    )

    assert right[AT_CLICK].exp().item() == pytest.approx(6.0, abs=0.7)
    assert right[CLAIM].exp().item() == pytest.approx(6.5, abs=0.1)
    assert right[REST].exp().item() == pytest.approx(0.5, abs=0.1)
    assert right[OVER_CLAIM].item() == pytest.approx(0.9, abs=0.15)
    assert right[CLAIM_AREA].exp().item() == pytest.approx(144 + 8, rel=0.02)
    assert right[SHARE].item() == pytest.approx(144 / (544 + 8), rel=0.02)
    assert wrong[OVER_ALL].item() < 0.05
    assert wrong[CLAIM].exp().item() == pytest.approx(2.5, abs=0.1)
    assert nothing[CLAIM].exp().item() == pytest.approx(0.5, abs=0.1)
    assert all(row[POSITIVE].item() > 0.95 for row in (right, wrong, nothing))


def test_a_claim_is_what_is_lost_after_a_negative_click():
    whole, cut = box(10, 50, 10, 50), box(10, 50, 10, 30)

    obeys, grows = changes([cut, whole + box(10, 50, 54, 62)], whole, [(79, 79)], [(158, 118)])

    assert obeys[POSITIVE].item() < 0.05
    assert obeys[CLAIM].exp().item() == pytest.approx(10.5, abs=0.2)
    assert obeys[AT_CLICK].exp().item() == pytest.approx(10, abs=1.5)
    assert obeys[AREA].exp().item() == pytest.approx(800 + 8, rel=0.02)
    assert grows[CLAIM].exp().item() == pytest.approx(0.5, abs=0.1)
    assert grows[REST].exp().item() == pytest.approx(4.5, abs=0.2)
    assert grows[REST_AREA].exp().item() == pytest.approx(320 + 8, rel=0.02)


def test_a_change_elsewhere_that_is_deeper_than_the_click_speaks_against_a_candidate():
    previous, clicked, elsewhere = box(10, 20, 10, 20), box(40, 46, 40, 46), box(20, 60, 10, 34)

    alone, with_more = changes(
        [previous + clicked, previous + clicked + elsewhere], previous, [(59, 59), (170, 170)]
    )

    assert alone[OVER_ALL] > 2.5 * with_more[OVER_ALL]


def test_without_a_previous_mask_all_of_a_candidate_is_claimed():
    candidate = box(10, 30, 10, 30)

    (row,) = changes([candidate], None, [(78, 78)])

    assert row[CLAIM].exp().item() == pytest.approx(10.5, abs=0.1)
    assert row[SHARE].item() == pytest.approx(400 / 408, rel=0.02)
    assert row[REST].exp().item() == pytest.approx(0.5, abs=0.1)


def test_the_soft_edge_of_a_reduced_mask_is_no_change():
    previous = box(10, 30, 10, 30)
    soft = previous.copy()
    soft[9, 10:30] = 0.4  # cells that the mask covers by less than half

    (row,) = changes([previous], soft, [(78, 78)])

    assert row[REST].exp().item() == pytest.approx(0.5, abs=0.35)
