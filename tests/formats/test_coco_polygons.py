"""pycocotools judges: our rasteriser fills the same pixels for every outline."""

from __future__ import annotations

import numpy as np
import pytest
from format_samples import any_mask
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as judge

from latentcut.core.masks import has_holes, mask_to_polygons_edges
from latentcut.formats import coco_polygons
from latentcut.formats.coco_polygons import runs_of_polygon, work_px
from latentcut.formats.runs import crop, runs_of_mask, union

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

coordinate = st.one_of(
    st.floats(-8, 24, width=32),
    st.integers(-8, 24).map(float),
    st.integers(-16, 48).map(lambda n: n / 2),
)
outline = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9)
sizes = st.tuples(st.integers(1, 16), st.integers(1, 16))


def drawn(points, size_hw):
    runs = runs_of_polygon(np.array(points, dtype=np.float64), size_hw)
    return crop(runs, size_hw, (0, 0, size_hw[1], size_hw[0]))


def judged(points, size_hw):
    numbers = [float(v) for point in points for v in point]
    return judge.decode(judge.frPyObjects([numbers], *size_hw))[:, :, 0].astype(bool)


def test_the_golden_block_is_filled_by_edge_vertices_and_not_by_centres():
    edges = drawn([(2, 1), (4, 1), (4, 3), (2, 3)], (4, 5))
    centres = drawn([(2, 1), (3, 1), (3, 2), (2, 2)], (4, 5))

    assert np.argwhere(edges).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]
    assert np.argwhere(centres).tolist() == [[1, 2]]


@settings(max_examples=200)
@given(outline, sizes)
def test_any_outline_fills_the_pixels_of_pycocotools(points, size_hw):
    np.testing.assert_array_equal(drawn(points, size_hw), judged(points, size_hw))


@given(outline, sizes)
def test_a_long_outline_is_worked_out_in_stretches(points, size_hw):
    whole = drawn(points, size_hw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_polygons, "PASSAGES_AT_ONCE", 7)
        stretched = drawn(points, size_hw)

    np.testing.assert_array_equal(stretched, whole)


@given(any_mask)
def test_edge_outlines_of_masks_without_holes_come_back_exactly(mask):
    rings = mask_to_polygons_edges(mask)

    back = union(runs_of_polygon(ring, mask.shape) for ring in rings)

    if not has_holes(mask):
        assert back.tolist() == runs_of_mask(mask).tolist()


def test_a_repeated_vertex_changes_nothing():
    triangle = [(1, 1), (9, 2), (4, 8)]

    actual = drawn([vertex for vertex in triangle for _ in range(3)], (10, 10))

    np.testing.assert_array_equal(actual, drawn(triangle, (10, 10)))


def test_work_is_counted_in_columns_inside_the_image():
    # 8 right, none down, 8 back; no more than the width of 6 each, and 3 vertices
    assert work_px(np.array([[0.0, 0.0], [8.0, 0.0], [8.0, 3.0]]), width=6) == 6 + 0 + 6 + 3


@pytest.mark.parametrize("reach", [40.0, 3_000.0, 100_000.0])
def test_an_outline_that_reaches_far_out_is_that_of_pycocotools(reach):
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = rng.uniform(-reach, reach, (5, 2))
        np.testing.assert_array_equal(drawn(points, (13, 11)), judged(points, (13, 11)))


def test_an_outline_outside_of_the_image_fills_nothing():
    assert not drawn([(20, 20), (30, 20), (30, 30)], (10, 10)).any()
    assert not drawn([(-9, -9), (-3, -9), (-3, -3)], (10, 10)).any()
