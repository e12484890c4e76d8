"""From parts and strokes to one mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentcut.annotation.compose import MaskBook, draw_strokes, finish, fold, pieces
from latentcut.annotation.records import ObjectRecord, Part, Stroke, mask_id_of
from latentcut.core.masks import coco_rle
from latentcut.errors import BadAction


def book_of(size_hw: tuple[int, int]) -> MaskBook:
    return MaskBook(size_hw, read={}.__getitem__)


def columns(*chosen: int) -> np.ndarray:
    """A mask of 2 rows and 4 columns with whole columns on."""
    mask = np.zeros((2, 4), dtype=bool)
    mask[:, list(chosen)] = True
    return mask


def stroke(tool: str, radius_px: float, *points: tuple[float, float]) -> Stroke:
    return Stroke(tool=tool, radius_px=radius_px, points=points)


def test_a_mask_is_named_by_its_size_and_content():
    wide, high = np.zeros((1, 4), dtype=bool), np.zeros((4, 1), dtype=bool)

    names = {mask_id_of(coco_rle(mask)) for mask in (wide, high, ~wide)}

    assert len(names) == 3
    assert mask_id_of(coco_rle(wide)) == mask_id_of({"size": [1, 4], "counts": "4"})


def test_a_book_gives_back_stored_and_new_masks_and_lists_only_the_new_ones():
    stored = columns(1)
    rle = coco_rle(stored)
    book = MaskBook((2, 4), read={mask_id_of(rle): rle}.__getitem__)

    name = book.add(columns(2))

    np.testing.assert_array_equal(book.mask(mask_id_of(rle)), stored)
    np.testing.assert_array_equal(book.mask(name), columns(2))
    assert list(book.new) == [name]


def test_a_mask_of_a_book_cannot_be_changed():
    book = book_of((2, 4))
    mask = columns(1)
    name = book.add(mask)

    mask[:] = True  # the caller's own array stays the caller's

    np.testing.assert_array_equal(book.mask(name), columns(1))
    assert not book.mask(name).flags.writeable


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        pytest.param("new", columns(2, 3), id="new starts over"),
        pytest.param("add", columns(0, 1, 2, 3), id="add is the union"),
        pytest.param("subtract", columns(0, 1), id="subtract takes away"),
        pytest.param("intersect", columns(2), id="intersect keeps what both have"),
    ],
)
def test_parts_are_joined_as_in_a_photo_editor(op: str, expected: np.ndarray):
    book = book_of((2, 4))
    first = Part(mask=book.add(columns(0, 1, 2)))
    second = Part(op=op, mask=book.add(columns(2, 3)))

    folded = fold((first, second), book)

    # 'subtract' takes column 2 from 0, 1, 2; column 3 was not there
    np.testing.assert_array_equal(folded, expected)


def test_strokes_stay_on_top_when_the_parts_below_change():
    book = book_of((2, 4))
    erase = stroke("eraser", 0.5, (1.0, 0.0), (1.0, 1.0))
    record = ObjectRecord(id=1, mask="0" * 32, area=0, strokes=(erase,))
    small = finish(record.model_copy(update={"parts": (Part(mask=book.add(columns(1))),)}), book)
    large = finish(
        record.model_copy(update={"parts": (Part(mask=book.add(columns(0, 1, 2, 3))),)}), book
    )

    assert (small.area, small.box_xyxy) == (0, None)
    np.testing.assert_array_equal(book.mask(large.mask), columns(0, 2, 3))
    assert (large.area, large.box_xyxy) == (6, (0, 0, 4, 2))


def test_a_single_point_draws_a_disc():
    mask = draw_strokes(np.zeros((7, 7), dtype=bool), [stroke("brush", 2.0, (3.0, 3.0))])

    distance = np.hypot(*(np.indices((7, 7)) - 3))
    np.testing.assert_array_equal(mask[distance <= 1.4], True)
    np.testing.assert_array_equal(mask[distance > 2.6], False)


@given(
    points=st.lists(
        st.tuples(st.floats(-20, 60, width=16), st.floats(-20, 50, width=16)),
        min_size=1,
        max_size=6,
    ),
    radius=st.floats(0.5, 12, width=16),
)
def test_a_stroke_covers_what_lies_within_its_radius_and_little_more(points, radius):
    mask = draw_strokes(np.zeros((30, 40), dtype=bool), [stroke("brush", radius, *points)])

    distance = distance_to_path(points, (30, 40))
    np.testing.assert_array_equal(mask[distance <= radius - 0.6], True)
    np.testing.assert_array_equal(mask[distance > radius + 0.6], False)


def distance_to_path(points: list[tuple[float, float]], size_hw: tuple[int, int]) -> np.ndarray:
    """Exact distance of every pixel's centre to a polyline."""
    pixels = np.stack(np.indices(size_hw)[::-1], axis=-1).astype(float)  # (H, W, xy)
    best = np.full(size_hw, np.inf)
    for start, end in zip(np.array(points), np.array([*points[1:], points[-1]]), strict=True):
        along = end - start
        length = float(along @ along)
        share = np.clip((pixels - start) @ along / length, 0, 1) if length > 0 else 0.0
        nearest = start + np.multiply.outer(share, along) if length > 0 else start
        best = np.minimum(best, np.linalg.norm(pixels - nearest, axis=-1))
    return best


def test_a_stroke_far_outside_the_image_changes_nothing():
    far = stroke("brush", 3.0, (1e9, 1e9), (-1e9, 1e9))

    mask = draw_strokes(np.zeros((5, 5), dtype=bool), [far])

    assert not mask.any()


def test_pieces_come_largest_first_and_corners_do_not_connect():
    mask = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=bool)

    found = pieces(mask)

    assert [int(piece.sum()) for piece in found] == [3, 2, 1]


def test_noise_is_not_split():
    mask = np.zeros((40, 40), dtype=bool)
    mask[::2, ::2] = True  # 400 single pixels

    with pytest.raises(BadAction) as caught:
        pieces(mask)

    assert str(caught.value) == (
        "the mask is in 400 pieces, and at most 200 can be split off: erase the small ones first"
    )
