from __future__ import annotations

import numpy as np
import pytest

from latentcut.training import crops, thin_structures
from latentcut.training.config import load_config
from latentcut.training.crops import CropSource
from latentcut.training.thin_structures import KEPT_SHARE, add_thin_structure

SIZE = 96
SEEDS = range(80)


@pytest.fixture
def image() -> np.ndarray:
    # every place has a colour of its own, so a texture borrowed from elsewhere can be seen
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    return np.stack([rows * 2, columns * 2, 255 - rows - columns], axis=2).astype(np.uint8)


@pytest.fixture
def regions() -> list[np.ndarray]:
    chosen, other = np.zeros((2, SIZE, SIZE), dtype=bool)
    chosen[30:66, 20:60] = True
    other[10:26, 60:90] = True
    return [chosen, other]


def painted_crops(image, regions):
    for seed in SEEDS:
        painted, found = add_thin_structure(image, regions, np.random.default_rng(seed))
        if painted is not image:
            yield painted, found


def test_most_crops_get_a_structure_and_it_changes_the_chosen_object(image, regions):
    changed = [
        not np.array_equal(found[0], regions[0]) for _, found in painted_crops(image, regions)
    ]

    assert len(changed) > 0.7 * len(SEEDS)
    assert np.mean(changed) > 0.9


def test_what_an_object_gains_or_loses_was_painted_there(image, regions):
    for painted, found in painted_crops(image, regions):
        differs = found[0] != regions[0]
        changed = (painted != image).any(2)

        # a texture may meet the old colour in single pixels
        assert changed[differs].sum() >= 0.9 * differs.sum()


def test_most_of_the_picture_keeps_its_colours(image, regions):
    shares = [(painted != image).any(2).mean() for painted, _ in painted_crops(image, regions)]

    assert np.percentile(shares, 90) < 0.7
    assert np.median(shares) < 0.15


def test_the_chosen_object_comes_first_and_enough_of_it_is_left(image, regions):
    for _, found in painted_crops(image, regions):
        kept = (found[0] & regions[0]).sum() / regions[0].sum()

        assert kept >= KEPT_SHARE
        assert all(region.any() and region.dtype == bool for region in found)


def test_a_pixel_belongs_to_one_object_or_to_the_whole_that_it_is_attached_to(image, regions):
    num_whole = 0
    for _, found in painted_crops(image, regions):
        assert np.sum(found[1:], axis=0).max(initial=0) <= 1
        if (found[0] & np.any(found[1:], axis=0)).any():
            assert np.array_equal(found[0], found[1] | found[2])
            num_whole += 1

    assert num_whole > 0.3 * len(SEEDS)


def test_the_same_generator_state_paints_the_same(image, regions):
    first, second = (add_thin_structure(image, regions, np.random.default_rng(3)) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert all(np.array_equal(a, b) for a, b in zip(first[1], second[1], strict=True))


def test_the_inputs_are_not_changed(image, regions):
    before = image.copy(), [region.copy() for region in regions]

    for seed in SEEDS:
        add_thin_structure(image, regions, np.random.default_rng(seed))

    assert np.array_equal(image, before[0])
    assert all(np.array_equal(a, b) for a, b in zip(regions, before[1], strict=True))


@pytest.mark.parametrize(
    "draw",
    [
        thin_structures.draw_ropes,
        thin_structures.draw_wheels,
        thin_structures.draw_masts,
        thin_structures.draw_branches,
        thin_structures.draw_blades,
        thin_structures.draw_poles,
        thin_structures.draw_fence,
        thin_structures.draw_openings,
    ],
)
def test_every_structure_draws_something_that_leaves_room(draw, regions):
    for seed in range(20):
        canvas = np.zeros((3 * SIZE, 3 * SIZE), dtype=np.uint8)

        draw(canvas, regions[0], np.random.default_rng(seed))

        assert 0 < (canvas > 0).mean() < 0.75


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.5, 20), (1.0, 40)])
def test_a_crop_source_paints_as_often_as_it_is_told(
    share, expected, shapes_root, config_path, monkeypatch
):
    config = load_config(config_path, [f"data.thin_share={share}"])
    source = CropSource(shapes_root, config.data, config.clicks)
    calls = []

    def paint(pixels, regions, rng):
        calls.append(len(regions))
        return pixels, regions

    monkeypatch.setattr(crops, "add_thin_structure", paint)
    for seed in range(40):
        source(64, np.random.default_rng(seed))

    assert abs(len(calls) - expected) <= (8 if 0 < share < 1 else 0)
