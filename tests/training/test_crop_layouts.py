"""Training on sets that are not in the folder format."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcut.training.config import load_config
from latentcut.training.crops import CropSource
from latentcut.training.validation import held_out_samples

NAMES = [f"2007_{number:06d}" for number in range(12)]
LEFT, RIGHT = (20, 20, 60, 50), (20, 70, 60, 110)  # boxes (top, left, bottom, right)


@pytest.fixture(scope="module")
def voc_root(tmp_path_factory) -> Path:
    """A folder that holds VOC2012: two boxes with a void border; the first picture is of val."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "VOC2012"
    for inner in ("JPEGImages", "SegmentationObject", "ImageSets/Segmentation"):
        (folder / inner).mkdir(parents=True)
    labels = np.zeros((96, 128), dtype=np.uint8)
    for value, (top, left, bottom, right) in ((1, LEFT), (2, RIGHT)):
        labels[top - 2 : bottom + 2, left - 2 : right + 2] = 255
        labels[top:bottom, left:right] = value
    for number, name in enumerate(NAMES):
        picture = np.full((96, 128, 3), 20 * number, dtype=np.uint8)
        Image.fromarray(picture).save(folder / "JPEGImages" / f"{name}.jpg")
        Image.fromarray(labels).save(folder / "SegmentationObject" / f"{name}.png")
    lists = folder / "ImageSets" / "Segmentation"
    (lists / "val.txt").write_text(f"{NAMES[0]}\n")
    (lists / "train.txt").write_text("\n".join(NAMES[1:]))
    return root


@pytest.fixture
def config(config_path):
    return load_config(config_path, ["data.sets={VOC2012=1.0}"])


def test_crops_come_from_the_official_training_list(voc_root, config):
    source = CropSource(voc_root, config.data, config.clicks)

    drawn = {entry.image_id for entry in source.pictures.sets[0].images}
    crop = source(64, np.random.default_rng(0))

    assert drawn == set(NAMES[1:])
    assert crop.targets.any()


def test_what_does_not_count_in_the_layout_is_no_target_of_a_crop(voc_root, config):
    source = CropSource(voc_root, config.data, config.clicks)

    for seed in range(20):
        crop = source(96, np.random.default_rng(seed))

        assert crop.ignore.any()
        # objects are enlarged softly: a pixel on the border may be both
        assert (crop.targets & crop.ignore).mean() < 0.02


def test_crops_do_not_depend_on_what_is_kept_in_memory(voc_root, config):
    kept = CropSource(voc_root, config.data, config.clicks)
    read = CropSource(voc_root, dataclasses.replace(config.data, cache_gib=0.0), config.clicks)
    for seed in (0, 1, 0, 1):
        first, second = (s(64, np.random.default_rng(seed)) for s in (kept, read))

        assert np.array_equal(first.image, second.image)
        assert np.array_equal(first.targets, second.targets)
        assert np.array_equal(first.ignore, second.ignore)
    assert kept.maps
    assert kept.images
    assert not read.maps
    assert not read.images


def test_held_out_samples_know_what_does_not_count(voc_root, config):
    samples = held_out_samples(voc_root, config.data, count=3)

    assert samples
    for sample in samples:
        assert sample.name.startswith("VOC2012/2007_")
        assert not (sample.gt_mask & sample.ignore_mask).any()
        assert sample.ignore_mask.sum() == 44 * 34 - 40 * 30 + 44 * 44 - 40 * 40
