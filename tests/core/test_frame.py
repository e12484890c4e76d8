from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

from latentcut.core.clicks import Click
from latentcut.core.frame import (
    Frame,
    click_frame,
    frame_size,
    reach_beyond,
    resize,
    whole_frame,
    zoom_frame,
)


@st.composite
def frames(draw):
    height, width = draw(st.integers(1, 3001)), draw(st.integers(1, 3001))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = (left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))
    size_hw = frame_size((box[3] - box[1], box[2] - box[0]), draw(st.sampled_from([64, 384, 448])))
    return Frame(box, (height, width), size_hw)


def ramp(size_hw):
    """Every pixel holds its column number: float32."""
    return np.tile(np.arange(size_hw[1], dtype=np.float32), (size_hw[0], 1))


def test_a_position_is_moved_by_the_box_and_scaled_about_pixel_edges():
    frame = Frame((10, 20, 30, 60), (100, 100), (80, 40))  # both axes are doubled

    positions = frame.to_network(np.array([[10, 20], [29, 59]]))

    # the first pixel covers network pixels 0 and 1, the last columns 38, 39 and rows 78, 79
    assert positions.tolist() == [[0.5, 0.5], [38.5, 78.5]]


@given(frames())
def test_the_edges_of_the_box_are_the_edges_of_the_network_frame(frame):
    left, top, right, bottom = frame.box_xyxy
    corners = np.array([[left, top], [right, bottom]]) - 0.5

    positions = frame.to_network(corners)

    height, width = frame.size_hw
    assert positions == pytest.approx(
        np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]]), abs=1e-9
    )


@given(frames(), st.floats(0, 3000), st.floats(0, 3000))
def test_to_image_takes_back_what_to_network_did(frame, x, y):
    position = np.array([[x, y]])

    there_and_back = frame.to_image(frame.to_network(position))

    assert there_and_back == pytest.approx(position, abs=1e-6)


@pytest.mark.parametrize(
    ("image_hw", "size_hw"),
    [
        pytest.param((31, 53), (64, 96), id="enlarged"),
        pytest.param((96, 256), (32, 64), id="reduced-by-whole-numbers"),
        pytest.param((37, 451), (32, 448), id="reduced-a-little"),
        pytest.param((20, 2000), (32, 448), id="one-axis-enlarged-and-one-reduced"),
    ],
)
def test_opencv_resizes_by_the_same_rule(image_hw, size_hw):
    frame = Frame((0, 0, image_hw[1], image_hw[0]), image_hw, size_hw)

    resized = resize(ramp(image_hw), size_hw)

    columns = np.stack([np.arange(size_hw[1]), np.zeros(size_hw[1])], axis=1)
    expected = frame.to_image(columns)[:, 0]
    inside = slice(2, -2)  # at the border the ramp ends and is held
    # the mean of steps differs from the ramp by less than a twelfth of a pixel
    assert resized.shape == size_hw
    assert resized[0, inside] == pytest.approx(expected[inside], abs=1 / 12)


def test_reducing_takes_means_even_where_the_other_axis_grows():
    stripes = np.tile(np.array([[0, 8]], dtype=np.float32), (3, 200))  # (3, 400)

    resized = resize(stripes, (32, 50))

    assert np.unique(resized).tolist() == [4]  # every cell covers 4 stripes of each kind


def test_resizing_to_the_same_size_changes_nothing():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)

    resized = resize(image, (4, 6))

    assert resized.tolist() == image.tolist()


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([64, 384, 448]))
def test_frames_have_about_the_shape_of_the_box_in_multiples_of_16(height, width, long_side):
    size_hw = frame_size((height, width), long_side)

    assert max(size_hw) == long_side
    for side, frame_side in zip((height, width), size_hw, strict=True):
        exact = side * long_side / max(height, width)
        assert frame_side % 16 == 0
        assert frame_side >= 32
        assert abs(frame_side - max(exact, 32)) <= 8  # half a multiple


@pytest.mark.parametrize(
    ("image_hw", "size_hw"),
    [
        pytest.param((1, 1), (448, 448), id="one-pixel"),
        pytest.param((1, 20_000), (32, 448), id="one-row"),
        pytest.param((20_000, 1), (448, 32), id="one-column"),
        pytest.param((480, 640), (336, 448), id="camera"),
    ],
)
def test_images_of_any_shape_get_a_frame(image_hw, size_hw):
    image = np.full((*image_hw, 3), 7, dtype=np.uint8)

    frame = whole_frame(image_hw, 448)
    cut = frame.cut_image(image)

    assert frame.size_hw == size_hw
    assert frame.box_xyxy == (0, 0, image_hw[1], image_hw[0])
    assert cut.shape == (*size_hw, 3)
    assert np.unique(cut).tolist() == [7]


def test_cut_image_shows_the_box_only():
    image = np.zeros((40, 40, 3), dtype=np.uint8)
    image[10:26, 4:36] = 200
    frame = Frame((4, 10, 36, 26), (40, 40), (32, 64))

    cut = frame.cut_image(image)

    assert cut.shape == (32, 64, 3)
    assert np.unique(cut).tolist() == [200]


def test_pixels_per_network_pixel_is_that_of_the_more_reduced_axis():
    frame = Frame((0, 0, 96, 64), (64, 96), (32, 32))

    assert frame.pixels_per_network_pixel == 3  # 96 / 32; the other axis has 64 / 32


def test_logits_are_pasted_into_the_box_and_leave_the_rest_empty():
    frame = Frame((2, 1, 5, 3), (4, 6), (32, 48))

    mask = frame.paste_logits(np.ones((8, 12), dtype=np.float32))

    assert mask.astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_pasted_logits_turn_into_mask_where_the_interpolated_value_is_above_zero():
    frame = Frame((0, 0, 8, 1), (1, 8), (32, 48))

    mask = frame.paste_logits(np.array([[-1, 3]], dtype=np.float32))

    # logits lie at x = 1.5 and 5.5, so zero is crossed at 2.5: pixels 0, 1, 2 | 3, ...
    assert mask.astype(int).tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]]


def test_a_logit_of_zero_is_background():
    frame = Frame((0, 0, 2, 2), (2, 2), (32, 32))

    mask = frame.paste_logits(np.zeros((2, 2), dtype=np.float32))

    assert mask.tolist() == [[False, False], [False, False]]


def test_a_cut_mask_holds_the_covered_share_of_each_cell():
    mask = np.zeros((16, 20), dtype=bool)
    mask[0:2, 2:6] = True  # 8 of the 16 pixels of the first cell
    mask[4:8, 6:10] = True  # the cell in row 1, column 1
    mask[15, 17] = True  # one pixel of the last cell
    frame = Frame((2, 0, 18, 16), (16, 20), (16, 16))

    shares = frame.cut_mask(mask, stride=4)

    assert shares.tolist() == [[0.5, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1 / 16]]
    assert shares.dtype == np.float32


@given(frames())
def test_shares_of_a_full_mask_are_1_up_to_rounding(frame):
    mask = np.ones(frame.image_hw, dtype=bool)

    shares = frame.cut_mask(mask, stride=4)

    assert shares.shape == (frame.size_hw[0] // 4, frame.size_hw[1] // 4)
    assert shares == pytest.approx(np.ones_like(shares), abs=1e-4)


def test_a_frame_shows_the_clicks_whose_pixels_lie_in_its_box():
    frame = Frame((10, 20, 30, 40), (100, 100), (32, 32))
    clicks = [Click(9.5, 20), Click(9.4, 20), Click(29.4, 39.4), Click(29.5, 39), Click(20, 19)]

    shown = [frame.shows(click) for click in clicks]

    assert shown == [True, False, True, False, False]  # pixels 10, 9, 29, 30, and row 19


def test_a_frame_of_a_reduced_image_has_its_box_on_whole_pixels():
    frame = Frame((100, 50, 300, 149), (200, 400), (384, 384))

    reduced = frame.reduced(100)

    # a quarter: 25, 12.5, 75, 37.25; halves round up
    assert reduced == Frame((25, 13, 75, 37), (50, 100), (384, 384))


def test_a_frame_of_a_small_image_is_not_reduced():
    frame = Frame((1, 2, 30, 40), (60, 50), (384, 384))

    reduced = frame.reduced(60)

    assert reduced is frame


@given(frames(), st.integers(1, 100))
def test_a_reduced_box_is_in_its_image_and_never_empty(frame, max_side_px):
    reduced = frame.reduced(max_side_px)

    left, top, right, bottom = reduced.box_xyxy
    assert max(reduced.image_hw) == min(max_side_px, max(frame.image_hw))
    assert 0 <= left < right <= reduced.image_hw[1]
    assert 0 <= top < bottom <= reduced.image_hw[0]


def zoom(mask, clicks=(), factor=1.3, min_gain=1.2):
    image_hw = (1000, 1000) if mask is None else mask.shape
    return zoom_frame(mask, clicks, image_hw, 384, factor, min_gain)


def box_mask(left, top, right, bottom, size_hw=(1000, 1000)):
    mask = np.zeros(size_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize(
    "mask",
    [pytest.param(None, id="none"), pytest.param(np.zeros((100, 100), bool), id="empty")],
)
def test_there_is_no_zoom_without_a_mask(mask):
    frame = zoom(mask, [Click(5, 5)])

    assert frame is None


def test_a_zoom_frame_is_the_enlarged_box_on_a_grid():
    mask = box_mask(300, 400, 400, 500)

    frame = zoom(mask)

    # 100 px times 1.3 are 130, so the box is 285..415 by 385..515; 130 / 8 = 16.25 gives a
    # grid of 16 px: 17.8 -> 17, 25.9 -> 26, 24.06 -> 24, 32.2 -> 33
    assert frame.box_xyxy == (272, 384, 416, 528)
    assert frame.size_hw == (384, 384)
    assert frame.image_hw == (1000, 1000)


def test_a_zoom_frame_reaches_as_far_as_the_positive_clicks():
    mask = box_mask(300, 400, 400, 500)

    frame = zoom(mask, [Click(600, 450)])

    left, top, right, bottom = frame.box_xyxy
    assert left <= 300 - 45  # 15 % of 301 px on each side
    assert right >= 601 + 45
    assert (top <= 400, bottom >= 500) == (True, True)


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        pytest.param(Click(350, 450), (300, 400, 400, 500), id="inside"),
        pytest.param(Click(600, 450, positive=False), (300, 400, 400, 500), id="negative"),
        # 201 px away from the box's last column, 399: as far again on the other side of it
        pytest.param(Click(600, 450), (300, 249, 802, 652), id="beside"),
        pytest.param(Click(900, 450), (300, 0, 1000, 952), id="cut to the image"),
    ],
)
def test_a_positive_click_outside_reaches_as_far_beyond_as_it_is_away(click, expected):
    assert reach_beyond((300, 400, 400, 500), click, (1000, 1000)) == expected


def test_a_zoom_frame_reaches_beyond_the_newest_click_alone():
    mask = box_mask(300, 400, 400, 500)

    newest, earlier = zoom(mask, [Click(600, 450)]), zoom(mask, [Click(600, 450), Click(350, 450)])

    assert newest.box_xyxy[2] >= 802
    assert earlier.box_xyxy[2] < 802


def test_negative_clicks_do_not_widen_a_zoom_frame():
    mask = box_mask(300, 400, 400, 500)

    frame = zoom(mask, [Click(900, 900, positive=False)])

    assert frame == zoom(mask)


def test_an_object_that_fills_the_image_is_not_zoomed():
    mask = box_mask(50, 50, 950, 950)

    frame = zoom(mask)

    assert frame is None


def test_the_zoom_must_gain_as_much_as_asked_for():
    mask = box_mask(300, 400, 400, 500)  # 1000 px / 144 px = 6.9 times as large

    frames = zoom(mask, min_gain=6.9), zoom(mask, min_gain=7.0)

    assert [frame is None for frame in frames] == [False, True]


def test_a_tiny_object_gets_a_crop_of_48_px_at_least():
    mask = box_mask(500, 500, 501, 501)

    frame = zoom(mask)

    # 500.5 - 24 = 476.5 and 500.5 + 24 = 524.5 on a grid of 4 px
    assert frame.box_xyxy == (476, 476, 528, 528)


def test_a_thin_object_gets_surroundings_of_a_third_of_its_length():
    mask = box_mask(300, 500, 600, 501)

    frame = zoom(mask)

    height, width = frame.box_hw
    assert width >= 390  # 300 * 1.3
    assert height >= 130  # 390 / 3


def test_a_mask_that_grows_pixel_by_pixel_keeps_its_frame_most_of_the_time():
    zooms = [zoom(box_mask(300, 400, 400 + growth, 500)) for growth in range(32)]

    # the right edge moves 1.15 px and the left one 0.15 px per step, on a grid of 16 px
    assert len(set(zooms)) <= 6


@given(
    st.integers(1, 700),
    st.integers(1, 700),
    st.data(),
    st.floats(1, 4),
)
def test_a_zoom_frame_lies_in_the_image_and_holds_mask_and_positive_clicks(
    height, width, data, factor
):
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    mask = box_mask(left, top, right, bottom, (height, width))
    click = Click(data.draw(st.floats(0, width - 1)), data.draw(st.floats(0, height - 1)))

    frame = zoom(mask, [click], factor, min_gain=1.0)  # no crop is larger than the image

    assert 0 <= frame.box_xyxy[0] <= left
    assert 0 <= frame.box_xyxy[1] <= top
    assert right <= frame.box_xyxy[2] <= width
    assert bottom <= frame.box_xyxy[3] <= height
    assert frame.shows(click) is True
    assert max(frame.size_hw) == 384


@pytest.mark.parametrize(
    ("clicks", "box_xyxy"),
    [
        pytest.param([Click(400, 300)], (300, 200, 500, 400), id="around the click"),
        pytest.param([Click(390, 300), Click(410, 280)], (300, 190, 500, 390), id="two clicks"),
        pytest.param([Click(400, 300), Click(9, 9, False)], (300, 200, 500, 400), id="negative"),
        pytest.param([Click(20, 590)], (0, 400, 200, 600), id="moved into the image"),
        pytest.param([Click(400.4, 299.6)], (300, 200, 500, 400), id="rounded"),
    ],
)
def test_a_click_frame_is_a_square_around_the_positive_clicks(clicks, box_xyxy):
    frame = click_frame(clicks, (600, 800), 384, 0.25)

    assert frame == Frame(box_xyxy, (600, 800), (384, 384))


def test_a_click_frame_is_cut_where_the_image_is_narrower():
    frame = click_frame([Click(50, 700)], (1000, 100), 384, 0.5)

    assert frame == Frame((0, 450, 100, 950), (1000, 100), (384, 80))


@pytest.mark.parametrize(
    ("clicks", "image_hw", "share"),
    [
        pytest.param([], (600, 800), 0.5, id="no clicks"),
        pytest.param([Click(5, 5, False)], (600, 800), 0.5, id="negative ones alone"),
        pytest.param([Click(100, 100), Click(499, 100)], (600, 800), 0.5, id="too far apart"),
        pytest.param([Click(5, 5)], (40, 48), 0.5, id="the image is as small as the least crop"),
    ],
)
def test_there_is_no_click_frame_without_clicks_that_fit_into_it(clicks, image_hw, share):
    assert click_frame(clicks, image_hw, 384, share) is None


@given(st.integers(1, 700), st.integers(1, 700), st.floats(0.05, 0.95), st.data())
def test_a_click_frame_lies_in_the_image_and_shows_the_positive_clicks(height, width, share, data):
    places = st.tuples(st.floats(0, width - 1), st.floats(0, height - 1))
    clicks = [Click(x, y) for x, y in data.draw(st.lists(places, min_size=1, max_size=3))]

    frame = click_frame(clicks, (height, width), 384, share)

    assume(frame is not None)
    left, top, right, bottom = frame.box_xyxy
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert all(frame.shows(click) for click in clicks)
    assert max(frame.box_hw) < max(height, width)


@pytest.mark.parametrize(
    ("box_xyxy", "share"),
    [
        pytest.param((0, 0, 40, 40), 0.0, id="the whole image cuts nothing off"),
        pytest.param((10, 10, 30, 30), 0.25, id="one of four inner edges"),
        pytest.param((0, 10, 20, 30), 0.0, id="the edge lies on the image's own"),
        pytest.param((10, 10, 40, 40), 0.5, id="one of two inner edges"),
    ],
)
def test_the_cut_share_counts_edges_inside_the_image_only(box_xyxy, share):
    frame = Frame(box_xyxy, (40, 40), (32, 32))
    logits = -np.ones((8, 8), dtype=np.float32)
    logits[:, 0] = 1  # the whole left edge
    logits[0, 0] = logits[-1, 0] = -1

    cut = frame.cut_share(logits)

    assert cut == share * 6 / 8  # its two corners are outside
