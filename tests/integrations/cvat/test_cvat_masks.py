from __future__ import annotations

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from latentcut.errors import BadMask
from latentcut.integrations.cvat.masks import RULE, decode_mask, encode_mask

# A, B and the empty mask Z, 4 rows and 5 columns, as cvat-sdk 2.80.0 writes them
A = np.zeros((4, 5), dtype=bool)
A[1, 3] = A[2, 2] = A[2, 3] = True
B = np.zeros((4, 5), dtype=bool)
B[1:3, 2:4] = True
Z = np.zeros((4, 5), dtype=bool)
GOLDEN = [(A, [1, 3, 2, 1, 3, 2]), (B, [0, 4, 2, 1, 3, 2]), (Z, [1, 0, 0, 0, 0])]


@pytest.mark.parametrize(("mask", "points"), GOLDEN)
def test_masks_are_written_as_cvat_writes_them(mask, points):
    assert encode_mask(mask) == points


@pytest.mark.parametrize(("mask", "points"), GOLDEN)
def test_points_of_cvat_are_read_also_where_they_are_floats(mask, points):
    assert (decode_mask([float(value) for value in points], (4, 5)) == mask).all()


@given(
    npst.arrays(
        bool, npst.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.booleans()
    )
)
def test_every_mask_survives_writing_and_reading(mask):
    assert (decode_mask(encode_mask(mask), mask.shape) == mask).all()


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([], "the points of the mask are 0 numbers"),
        ([1, 3, 2, 1, 3, 4], "the box of the mask is not inside the image of 5 x 4 px"),
        ([1, 3, 3, 1, 2, 2], "the box of the mask is not inside the image of 5 x 4 px"),
        ([1, 4, 2, 1, 3, 2], "the run lengths of the mask do not fill its box"),
        ([5, -1, 2, 1, 3, 2], "the run lengths of the mask do not fill its box"),
        ([1.5, 2.5, 2, 1, 3, 2], "a number of the mask's points is not whole"),
        ([True, 3, 2, 1, 3, 2], "a number of the mask's points is not whole"),
        ([float("nan"), 3, 2, 1, 3, 2], "a number of the mask's points is not whole"),
        (["1", 3, 2, 1, 3, 2], "a number of the mask's points is not whole"),
    ],
)
def test_broken_points_are_refused(points, found):
    with pytest.raises(BadMask) as caught:
        decode_mask(points, (4, 5))

    assert str(caught.value) == str(BadMask(found, RULE))
