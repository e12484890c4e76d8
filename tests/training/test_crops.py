from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentcut.errors import BadConfig
from latentcut.training.batches import StepBatches, stream
from latentcut.training.config import load_config
from latentcut.training.crops import CropSource, place
from latentcut.training.distributed import Job, share_of
from latentcut.training.weighted_sets import is_held_out


@pytest.fixture
def source(shapes_root: Path, config_path: Path) -> CropSource:
    config = load_config(config_path)
    return CropSource(shapes_root, config.data, config.clicks)


def test_every_target_of_a_crop_holds_its_positive_clicks_and_no_negative_one(source):
    for seed in range(30):
        crop = source(64, np.random.default_rng(seed))

        for target, clicks in zip(crop.targets, crop.clicks, strict=True):
            assert target.any()
            assert any(click.positive for click in clicks)
            for click in clicks:
                column, row = click.pixel_xy
                assert target[row, column] == click.positive


def test_the_same_generator_state_gives_the_same_crop(source):
    first, second = (source(64, np.random.default_rng(5)) for _ in range(2))

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.targets, second.targets)
    assert first.clicks == second.clicks


def test_picture_and_target_of_a_crop_show_the_same_object(source):
    # objects are bright (from 120), the background dark (below 90), before colours change
    for seed in range(10):
        crop = source(64, np.random.default_rng(seed))

        brightness = crop.image.mean(2)
        inside, outside = brightness[crop.targets[0]].mean(), brightness[~crop.targets.any(0)]
        assert inside > np.percentile(outside, 50)


def test_held_out_images_are_a_fixed_slice_and_never_drawn(source):
    held_out = {e.image_id for e in source.pictures.sets[0].images if is_held_out(e.image_id, 4)}

    drawn = {e.image_id for e in source.pictures.entries[0]}

    assert held_out
    assert drawn
    assert held_out.isdisjoint(drawn)


def test_an_unknown_set_is_named_with_the_known_ones(shapes_root: Path, config_path: Path):
    config = load_config(config_path, ["data.sets={shape=1.0}"])

    with pytest.raises(BadConfig) as caught:
        CropSource(shapes_root, config.data, config.clicks)

    assert str(caught.value) == (
        f"data.sets names 'shape', not in {shapes_root}; did you mean 'shapes'? known: shapes"
    )


def test_a_crop_holds_its_object_or_lies_inside_it():
    rng = np.random.default_rng(0)
    for _ in range(50):
        start = place(30, 50, 40, 100, rng)
        inside = place(10, 90, 40, 100, rng)

        assert 10 <= start <= 30
        assert 10 <= inside <= 50


def test_processes_share_a_step_without_gap_or_overlap(source, config_path: Path):
    config = load_config(config_path)
    whole = StepBatches(source, config, Job(0, 1, None))[3]
    halves = [StepBatches(source, config, Job(rank, 2, None))[3] for rank in range(2)]

    assert halves[0].pair_ids + halves[1].pair_ids == whole.pair_ids
    assert halves[0].clicks + halves[1].clicks == whole.clicks
    assert np.array_equal(halves[1].images[0], whole.images[1])


def test_images_that_cannot_be_shared_equally_are_refused():
    with pytest.raises(BadConfig) as caught:
        share_of(3, Job(0, 2, None))

    assert str(caught.value) == (
        "3 images per step cannot be shared equally by 2 processes: "
        "make every value of data.images_per_step a multiple of their number"
    )


def test_streams_of_randomness_depend_on_their_key_alone():
    draws = [stream(0, 2, 7, 1).random(), stream(0, 2, 7, 1).random(), stream(0, 2, 7, 2).random()]

    assert draws[0] == draws[1] != draws[2]
