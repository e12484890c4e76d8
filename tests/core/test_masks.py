"""pycocotools, OpenCV and Pillow judge: each turns our code back into pixels in its own way."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from pycocotools import mask as judge

from latentcut.core.masks import (
    box_xywh_coco,
    coco_rle,
    compress_rle_counts,
    decode_rle,
    decompress_rle_counts,
    encode_rle,
    has_holes,
    mask_area,
    mask_box_xyxy,
    mask_from_coco_rle,
    mask_to_polygons_centres,
    mask_to_polygons_edges,
)
from latentcut.errors import BadMask

A = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
B = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
Z = np.zeros((4, 5), dtype=bool)
FULL = np.ones((2, 3), dtype=bool)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
ROW = np.array([[0, 1, 1, 1]], dtype=bool)
DOT = np.array([[0, 0], [0, 1]], dtype=bool)
DIAMOND = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)  # four parts around a pixel
HOOK = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)  # its inside leaks at a corner

# pycocotools 2.0 hands NumPy 2 an array in the old way
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

masks = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda size_hw: arrays(np.bool_, size_hw)
)


def judged_counts(mask):
    return judge.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode("ascii")


def drawn_by_coco(polygons, size_hw):
    if not polygons:
        return np.zeros(size_hw, dtype=bool)
    rings = [polygon.ravel().tolist() for polygon in polygons]
    return judge.decode(judge.merge(judge.frPyObjects(rings, *size_hw))).astype(bool)


def drawn_by_opencv(polygons, size_hw):
    canvas = np.zeros(size_hw, dtype=np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [polygon.astype(np.int32)], 1)
    return canvas.astype(bool)


def drawn_by_pillow(polygons, size_hw):
    canvas = Image.new("L", (size_hw[1], size_hw[0]))
    for polygon in polygons:
        ImageDraw.Draw(canvas).polygon([tuple(p) for p in polygon.tolist()], fill=1, outline=1)
    return np.asarray(canvas).astype(bool)


@pytest.mark.parametrize(
    ("mask", "area", "box_xyxy", "box_xywh"),
    [
        pytest.param(A, 3, (2, 1, 4, 3), (2, 1, 2, 2), id="A"),
        pytest.param(B, 4, (2, 1, 4, 3), (2, 1, 2, 2), id="B"),
        pytest.param(Z, 0, None, (0, 0, 0, 0), id="empty"),
        pytest.param(FULL, 6, (0, 0, 3, 2), (0, 0, 3, 2), id="full"),
        pytest.param(ROW, 3, (1, 0, 4, 1), (1, 0, 3, 1), id="row"),
    ],
)
def test_area_and_boxes_are_those_of_the_pixels(mask, area, box_xyxy, box_xywh):
    actual = mask_area(mask), mask_box_xyxy(mask), box_xywh_coco(mask)

    assert actual == (area, box_xyxy, box_xywh)


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        pytest.param(A, [10, 1, 2, 2, 5], id="A"),
        pytest.param(B, [9, 2, 2, 2, 5], id="B"),
        pytest.param(Z, [20], id="empty"),
        pytest.param(FULL, [0, 6], id="full"),
        pytest.param(DOT, [3, 1], id="ends-with-a-set-pixel"),
        pytest.param(RING, [0, 4, 1, 4], id="hole"),
    ],
)
def test_run_lengths_go_down_the_columns_and_start_with_the_unset_pixels(mask, counts):
    actual = encode_rle(mask)

    assert actual == counts


def test_compressed_code_of_the_golden_mask():
    actual = json.dumps(coco_rle(A))

    assert actual == '{"size": [4, 5], "counts": ":1213"}'


@pytest.mark.parametrize(
    "mask", [A, B, Z, FULL, RING, ROW, DOT], ids=["A", "B", "Z", "full", "ring", "row", "dot"]
)
def test_compressed_code_is_that_of_pycocotools(mask):
    actual = coco_rle(mask)

    assert actual == {"size": list(mask.shape), "counts": judged_counts(mask)}


@settings(deadline=None)
@given(masks)
def test_any_mask_has_the_code_box_and_area_of_pycocotools(mask):
    rle = coco_rle(mask)

    actual = (rle["counts"], list(box_xywh_coco(mask)), mask_area(mask))

    assert actual == (judged_counts(mask), judge.toBbox(rle).tolist(), int(judge.area(rle)))


@settings(deadline=None)
@given(masks)
def test_any_mask_survives_both_codes(mask):
    plain = {"size": list(mask.shape), "counts": encode_rle(mask)}

    actual = [mask_from_coco_rle(coco_rle(mask)), mask_from_coco_rle(plain)]

    np.testing.assert_array_equal(actual, [mask, mask])


@given(st.lists(st.integers(0, 2**32 - 1), max_size=30))
def test_any_counts_survive_compression(counts):
    actual = decompress_rle_counts(compress_rle_counts(counts))

    assert actual == counts


def test_counts_as_bytes_and_runs_of_no_pixel_are_read():
    from_bytes = mask_from_coco_rle({"size": [4, 5], "counts": b":1213", "more": 1})
    from_runs = decode_rle([10, 1, 0, 0, 2, 2, 5, 0], (4, 5))

    actual = [from_bytes, from_runs]

    np.testing.assert_array_equal(actual, [A, A])


def test_a_decoded_mask_is_bool_and_c_contiguous():
    mask = decode_rle([10, 1, 2, 2, 5], (4, 5))

    actual = mask.dtype.name, mask.flags.c_contiguous

    assert actual == ("bool", True)


NO_KEYS = "the run-length code has no size and counts: both keys must be there"
SIZE_RULE = "size must be [height, width], two whole numbers of at least 1"
NOT_TWO = f"the size has not two numbers: {SIZE_RULE}"
NO_SIDE = f"a side of the size is no whole number or below 1: {SIZE_RULE}"
PIXEL_LIMIT = "at most 50,000,000 pixels are allowed (max_pixels)"
COUNTS_RULE = "counts must be whole numbers of at least 0 that add up to height x width"
NO_NUMBER = f"a count is no whole number: {COUNTS_RULE}"
OUT_OF_RANGE = f"a count is negative or larger than the mask: {COUNTS_RULE}"
CODE_RULE = "counts must be a COCO count string, made of the characters '0' to 'o'"
BAD_CHARACTER = f"the count string has a character that is not allowed: {CODE_RULE}"


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        pytest.param([], NO_KEYS, id="list"),
        pytest.param({"size": [4, 5]}, NO_KEYS, id="no-counts"),
        pytest.param({"size": "45", "counts": [20]}, NOT_TWO, id="size-text"),
        pytest.param({"size": [4, 5, 1], "counts": [20]}, NOT_TWO, id="three-sides"),
        pytest.param({"size": [-4, -5], "counts": [20]}, NO_SIDE, id="negative-size"),
        pytest.param({"size": [0, 5], "counts": []}, NO_SIDE, id="no-rows"),
        pytest.param({"size": [4.0, 5], "counts": [20]}, NO_SIDE, id="float-size"),
        pytest.param({"size": [True, 5], "counts": [5]}, NO_SIDE, id="bool-size"),
        pytest.param(
            {"size": [10**9, 10**9], "counts": [10**18]},
            f"the mask is 1000000000 px wide and 1000000000 px high: {PIXEL_LIMIT}",
            id="huge",
        ),
        pytest.param(
            {"size": [10**9000, 1], "counts": []},
            f"the mask is huge: {PIXEL_LIMIT}",
            id="beyond-printing",
        ),
        pytest.param(
            {"size": [4, 5], "counts": None},
            "counts is of type NoneType: give a list or a string",
            id="null-counts",
        ),
        pytest.param({"size": [4, 5], "counts": [20.0]}, NO_NUMBER, id="float-count"),
        pytest.param({"size": [4, 5], "counts": ["20"]}, NO_NUMBER, id="text-count"),
        pytest.param({"size": [4, 5], "counts": [25, -5]}, OUT_OF_RANGE, id="negative-count"),
        pytest.param({"size": [4, 5], "counts": [10**9000]}, OUT_OF_RANGE, id="huge-count"),
        pytest.param(
            {"size": [4, 5], "counts": [10, 9]},
            f"the counts add up to 19, not to 4 x 5 = 20: {COUNTS_RULE}",
            id="too-few",
        ),
        pytest.param(
            {"size": [4, 5], "counts": []},
            f"the counts add up to 0, not to 4 x 5 = 20: {COUNTS_RULE}",
            id="none",
        ),
        pytest.param(
            {"size": [4, 5], "counts": ""},
            f"the counts add up to 0, not to 4 x 5 = 20: {COUNTS_RULE}",
            id="empty-string",
        ),
        pytest.param(
            {"size": [1, 1], "counts": "0" * 15},
            f"there are more counts than pixels: {COUNTS_RULE}",
            id="long-string",
        ),
        pytest.param(
            {"size": [4, 5], "counts": "d"},
            f"the count string is cut off: {CODE_RULE}",
            id="cut-off",
        ),
        pytest.param({"size": [4, 5], "counts": ":12 3"}, BAD_CHARACTER, id="space"),
        pytest.param({"size": [4, 5], "counts": "p"}, BAD_CHARACTER, id="above-o"),
        pytest.param(
            {"size": [4, 5], "counts": ":é"},
            f"the count string has a character outside ASCII: {CODE_RULE}",
            id="accent",
        ),
        pytest.param(
            {"size": [4, 5], "counts": "ooooooo0"},
            f"the count string has a number of more than 35 bits: {CODE_RULE}",
            id="long-number",
        ),
        pytest.param({"size": [4, 5], "counts": "O"}, OUT_OF_RANGE, id="negative-in-string"),
    ],
)
def test_a_hostile_code_is_refused_with_one_sentence(rle, message):
    with pytest.raises(BadMask) as caught:
        mask_from_coco_rle(rle)

    assert str(caught.value) == message


@given(
    st.fixed_dictionaries(
        {
            "size": st.lists(st.integers(-1, 6), min_size=2, max_size=2),
            "counts": st.text(max_size=8) | st.lists(st.integers(-3, 9), max_size=6),
        }
    )
)
def test_any_code_is_either_read_or_refused(rle):
    try:
        outcome = mask_from_coco_rle(rle).shape
    except BadMask:
        outcome = "refused"

    assert outcome in ("refused", tuple(rle["size"]))


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        pytest.param([[True]], "the mask is of type list", id="list"),
        pytest.param(A.astype(np.uint8), "the mask is uint8 of shape (4, 5)", id="uint8"),
        pytest.param(A[0], "the mask is bool of shape (5,)", id="one-axis"),
        pytest.param(A[:0], "the mask is bool of shape (0, 5)", id="no-rows"),
    ],
)
@pytest.mark.parametrize("function", [mask_area, mask_box_xyxy, coco_rle, mask_to_polygons_edges])
def test_what_is_no_mask_is_refused(function, mask, found):
    with pytest.raises(BadMask) as caught:
        function(mask)

    assert str(caught.value) == (
        f"{found}: a mask must be a bool array of shape (H, W), with H and W at least 1"
    )


def test_edge_polygon_of_the_golden_block_fills_it_in_coco():
    polygons = mask_to_polygons_edges(B)

    drawn = drawn_by_coco(polygons, B.shape)

    assert [polygon.tolist() for polygon in polygons] == [[[2, 1], [4, 1], [4, 3], [2, 3]]]
    assert drawn.tolist() == B.tolist()


def test_centre_polygon_of_the_golden_block_fills_it_in_opencv_and_pillow_but_not_in_coco():
    polygons = mask_to_polygons_centres(B)

    drawn = [draw(polygons, B.shape) for draw in (drawn_by_opencv, drawn_by_pillow, drawn_by_coco)]

    assert [polygon.tolist() for polygon in polygons] == [[[2, 1], [3, 1], [3, 2], [2, 2]]]
    assert [int(mask.sum()) for mask in drawn] == [4, 4, 1]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param(Z, [], id="empty"),
        pytest.param(DOT, [[[1, 1], [1, 1], [1, 1]]], id="one-pixel"),
        pytest.param(ROW, [[[1, 0], [3, 0], [3, 0]]], id="line"),
        # round the notch of A the way goes from (2, 2) straight to (3, 1)
        pytest.param(A, [[[3, 1], [3, 2], [2, 2]]], id="notch"),
    ],
)
def test_centre_polygons_have_at_least_three_vertices(mask, expected):
    actual = [polygon.tolist() for polygon in mask_to_polygons_centres(mask)]

    assert actual == expected


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param(RING, (True, 1), id="ring"),
        pytest.param(DIAMOND, (False, 4), id="parts-that-touch-at-corners"),
        pytest.param(HOOK, (False, 1), id="inside-that-leaks-at-a-corner"),
        pytest.param(Z, (False, 0), id="empty"),
        pytest.param(FULL, (False, 1), id="full"),
    ],
)
def test_holes_and_parts_are_told_by_pixel_sides_not_corners(mask, expected):
    actual = has_holes(mask), len(mask_to_polygons_edges(mask))

    assert actual == expected


@settings(deadline=None, max_examples=300)
@given(masks)
def test_polygons_of_any_mask_without_holes_are_exact_in_their_rasterisers(mask):
    is_outside = cv2.connectedComponents(np.pad(~mask, 1, constant_values=True).astype(np.uint8))[1]
    filled = (is_outside != is_outside[0, 0])[1:-1, 1:-1]  # the mask with its holes closed
    edges, centres = mask_to_polygons_edges(filled), mask_to_polygons_centres(filled)

    drawn = [
        drawn_by_coco(edges, mask.shape),
        drawn_by_opencv(centres, mask.shape),
        drawn_by_pillow(centres, mask.shape),
    ]

    np.testing.assert_array_equal(drawn, [filled, filled, filled])
    assert has_holes(mask) == bool((filled != mask).any())


def test_a_large_disc_is_exact_and_has_few_vertices():
    ys, xs = np.mgrid[:200, :200]
    disc = (xs - 100) ** 2 + (ys - 90) ** 2 <= 60**2

    (edges,), (centres,) = mask_to_polygons_edges(disc), mask_to_polygons_centres(disc)

    np.testing.assert_array_equal(drawn_by_coco([edges], disc.shape), disc)
    np.testing.assert_array_equal(drawn_by_opencv([centres], disc.shape), disc)
    assert len(centres) < len(edges) < 400
