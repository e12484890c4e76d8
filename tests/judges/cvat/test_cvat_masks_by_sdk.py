"""CVAT's ``points`` of masks: cvat-sdk reads ours and writes the same."""

from __future__ import annotations

import numpy as np
import pytest
from cvat_sdk import masks as sdk

from latentcut.integrations.cvat.masks import decode_mask, encode_mask

NUM_MASKS = 10_000


def random_masks(rng, count):
    for _ in range(count):
        size_hw = rng.integers(1, 24, size=2)
        yield rng.random(size_hw) < rng.choice([0.0, 0.05, 0.5, 0.95, 1.0])


def test_cvat_sdk_decodes_10000_random_masks_of_ours_to_what_they_were():
    rng = np.random.default_rng(0)

    for mask in random_masks(rng, NUM_MASKS):
        height, width = mask.shape
        decoded = sdk.decode_mask(encode_mask(mask), image_width=width, image_height=height)
        assert (decoded == mask).all()


def test_cvat_sdk_encodes_masks_as_we_do_and_we_decode_what_it_encodes():
    rng = np.random.default_rng(1)

    for mask in random_masks(rng, NUM_MASKS // 10):
        theirs = sdk.encode_mask(mask)
        assert encode_mask(mask) == theirs
        assert (decode_mask([float(value) for value in theirs], mask.shape) == mask).all()


@pytest.mark.parametrize("size_hw", [(1, 1), (3000, 4000)])
def test_full_masks_of_any_size_survive(size_hw):
    mask = np.ones(size_hw, dtype=bool)

    points = encode_mask(mask)

    assert sdk.encode_mask(mask) == points
