"""Objects of one picture in a crop of another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentcut.training.config import load_config
from latentcut.training.crops import CropSource
from latentcut.training.pasted_objects import MIN_SHARE_LEFT, CutOut, cut_out, paste_object

RED, GREY = (255, 0, 0), (90, 90, 90)


def red_disc(side: int = 40) -> CutOut:
    rows, columns = np.mgrid[:side, :side]
    mask = (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (0.4 * side) ** 2
    return CutOut(np.full((side, side, 3), RED, dtype=np.uint8), mask)


def grey_crop(size: int = 96) -> tuple[np.ndarray, list[np.ndarray]]:
    regions = [np.zeros((size, size), dtype=bool) for _ in range(2)]
    regions[0][10:80, 10:60] = True
    regions[1][5:90, 65:90] = True
    return np.full((size, size, 3), GREY, dtype=np.uint8), regions


@pytest.mark.parametrize("seed", range(20))
def test_the_pasted_object_is_where_its_colour_is_and_belongs_to_nothing_else(seed):
    crop, before = grey_crop()

    pixels, regions = paste_object(crop, before, red_disc(), np.random.default_rng(seed))

    if regions is before:
        assert np.array_equal(pixels, crop)
        return
    is_red = pixels[:, :, 0] > 200
    kept, pasted = sorted(regions[:2], key=lambda region: float(is_red[region].mean()))
    assert is_red[pasted].mean() > 0.7  # its soft edge is mixed with the crop
    assert is_red[~pasted].mean() < 0.02
    assert np.stack(regions).sum(0).max() == 1
    assert kept.sum() >= MIN_SHARE_LEFT * before[0].sum()
    assert np.array_equal(kept, before[0] & ~pasted)


def test_over_many_draws_objects_are_pasted_and_both_may_be_the_chosen_one():
    crop, before = grey_crop()

    drawn = [
        paste_object(crop, before, red_disc(), np.random.default_rng(seed))[1] for seed in range(60)
    ]

    pasted = [regions for regions in drawn if regions is not before]
    assert len(pasted) > 30
    chosen_is_new = [not np.array_equal(r[0], before[0] & ~r[1]) for r in pasted]
    assert 0.25 < np.mean(chosen_is_new) < 0.75


def test_the_crop_that_was_given_is_not_changed():
    crop, before = grey_crop()

    paste_object(crop, before, red_disc(), np.random.default_rng(3))

    assert (crop == GREY).all()


@pytest.mark.parametrize(
    ("box", "is_whole"), [((5, 5, 20, 20), True), ((0, 5, 20, 20), False), ((5, 5, 64, 20), False)]
)
def test_only_objects_that_are_not_cut_by_the_picture_are_cut_out(box, is_whole):
    mask = np.zeros((64, 64), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True

    thing = cut_out(np.zeros((64, 64, 3), dtype=np.uint8), mask)

    assert (thing is not None) == is_whole
    if thing is not None:
        assert thing.mask.shape == (19, 19)  # 15 px and a margin of 2 on each side
        assert thing.mask.sum() == 225


def test_crops_with_pasted_objects_hold_more_objects(shapes_root: Path, config_path: Path):
    def targets(share: float) -> float:
        config = load_config(config_path, [f"data.paste_share={share}", "data.pairs_per_image=6"])
        source = CropSource(shapes_root, config.data, config.clicks)
        crops = [source(64, np.random.default_rng(seed)) for seed in range(40)]
        return float(np.mean([len(np.unique(c.targets.reshape(6, -1), axis=0)) for c in crops]))

    assert targets(1.0) > targets(0.0) + 0.3
