from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut import Click
from latentcut.core.bundle import FrameInfo, SelectionInfo
from latentcut.core.encoded import MAX_KEPT_CROPS
from latentcut.core.metrics import iou
from latentcut.core.predictor import Predictor, read_scores
from latentcut.errors import (
    BadBox,
    ClickOutsideImage,
    MaskSizeMismatch,
    NoClicks,
    UnsupportedImage,
)

CENTRE = Click(60, 40)
CORNER = Click(3, 90, positive=False)


class CountingBackend:
    """The real backend, the sizes of the images it was given, and how often it answered."""

    def __init__(self, backend):
        self.backend, self.num_masks, self.encoded_hw = backend, backend.num_masks, []
        self.num_decoded = 0

    def encode(self, image):
        self.encoded_hw.append(image.shape[:2])
        return self.backend.encode(image)

    def decode(self, *inputs):
        self.num_decoded += 1
        return self.backend.decode(*inputs)


def box_mask(left, top, right, bottom, size_hw=(96, 128)):
    mask = np.zeros(size_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def bits(prediction):
    """Everything a prediction says, to the last bit."""
    return (
        prediction.selected,
        prediction.scores.tobytes(),
        prediction.expected_iou.tobytes(),
        prediction.candidates.tobytes(),
    )


SMALL_OBJECT = box_mask(50, 30, 60, 40)


# ---------------------------------------------------------------- what a prediction holds


def test_a_prediction_has_masks_of_the_image_and_scores_that_add_up_to_one(predictor, encoded):
    prediction = predictor.predict(encoded, [CENTRE])

    num_masks = predictor.num_masks
    assert (prediction.mask.dtype, prediction.mask.shape) == (bool, (96, 128))
    assert prediction.candidates.shape == (num_masks, 96, 128)
    assert (prediction.scores.dtype, prediction.scores.shape) == (np.float32, (num_masks,))
    assert float(prediction.scores.sum()) == pytest.approx(1)
    assert (prediction.expected_iou.dtype, prediction.expected_iou.shape) == (
        np.float32,
        (num_masks,),
    )
    assert (prediction.expected_iou.min() >= 0, prediction.expected_iou.max() <= 1) == (True, True)
    assert prediction.selected == int(np.argmax(prediction.scores))
    assert prediction.clicks == (CENTRE,)


def test_clicks_are_obeyed_with_and_without_a_previous_mask(predictor, encoded):
    clicks = [CENTRE, CORNER, Click(70.5, 50.25, positive=False), Click(127, 95)]

    satisfied = [
        predictor.predict(encoded, clicks, mask).clicks_satisfied for mask in (None, SMALL_OBJECT)
    ]

    assert satisfied == [True, True]


def test_twenty_clicks_are_answered(predictor, encoded):
    clicks = [Click(6.5 * k, 4.5 * k, positive=k % 2 == 0) for k in range(20)]

    prediction = predictor.predict(encoded, clicks)

    assert len(prediction.clicks) == 20
    assert prediction.clicks_satisfied is True


def test_a_previous_mask_is_enough_to_predict(predictor, encoded):
    prediction = predictor.predict(encoded, [], box_mask(20, 20, 100, 80))

    assert prediction.clicks == ()
    assert prediction.mask.shape == (96, 128)


@pytest.mark.parametrize(
    "size_hw",
    [
        pytest.param((1, 1), id="one-pixel"),
        pytest.param((1, 37), id="one-row"),
        pytest.param((333, 517), id="odd"),
        pytest.param((2, 700), id="very-wide"),
    ],
)
def test_images_of_any_size_are_answered(predictor, size_hw):
    image = np.arange(size_hw[0] * size_hw[1] * 3, dtype=np.uint8).reshape(*size_hw, 3)
    encoded = predictor.encode(image)
    last_pixel = Click(size_hw[1] - 1, size_hw[0] - 1)

    first = predictor.predict(encoded, [last_pixel])
    second = predictor.predict(encoded, [last_pixel, last_pixel], first.mask)

    assert encoded.size_hw == size_hw
    assert (first.mask.shape, second.mask.shape) == (size_hw, size_hw)
    assert (first.clicks_satisfied, second.clicks_satisfied) == (True, True)


def test_a_grey_array_is_answered_as_its_rgb_copy(predictor):
    grey = np.arange(40 * 50, dtype=np.uint8).reshape(40, 50)
    rgb = np.repeat(grey[:, :, None], 3, axis=2)

    from_grey = predictor.predict(predictor.encode(grey), [Click(10, 10)])
    from_rgb = predictor.predict(predictor.encode(rgb), [Click(10, 10)])

    assert bits(from_grey) == bits(from_rgb)


def test_path_bytes_pillow_image_and_array_are_the_same_picture(predictor, photo, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)

    with Image.open(path) as opened:
        sources = [path, str(path), path.read_bytes(), opened, photo]
        answers = {bits(predictor.open(source).click(60, 40)) for source in sources}

    assert len(answers) == 1


# ---------------------------------------------------------------- what is refused


def test_neither_click_nor_mask_is_refused(predictor, encoded):
    with pytest.raises(NoClicks) as caught:
        predictor.predict(encoded, [])

    assert str(caught.value) == (
        "there is no click, box or previous mask: give at least one of them"
    )


@pytest.mark.parametrize("shape", [(128, 96), (96, 128, 1), (0,)])
def test_a_previous_mask_of_another_shape_is_refused(predictor, encoded, shape):
    with pytest.raises(MaskSizeMismatch) as caught:
        predictor.predict(encoded, [CENTRE], np.zeros(shape, dtype=bool))

    assert str(caught.value) == (
        f"the mask has shape {shape}, but the image is 96 px high and 128 px wide: "
        "the mask must have shape (96, 128)"
    )


def test_a_click_outside_the_image_is_refused(predictor, encoded):
    with pytest.raises(ClickOutsideImage) as caught:
        predictor.predict(encoded, [CENTRE, Click(128, 5)])

    assert str(caught.value) == (
        "click (x=128, y=5) is outside the image, which is 128 px wide and 96 px high: "
        "x must be 0 to 127 and y 0 to 95"
    )


def test_an_array_of_floats_is_refused(predictor):
    with pytest.raises(UnsupportedImage) as caught:
        predictor.encode(np.zeros((4, 4, 3)))

    assert str(caught.value) == (
        "the given array is float64 of shape (4, 4, 3): "
        "give a uint8 array of shape (H, W, 3) in RGB order or (H, W) in grey"
    )


# ---------------------------------------------------------------- nothing but the arguments decides


def test_the_same_question_has_the_same_answer_to_the_last_bit(predictor, encoded):
    clicks = [CENTRE, CORNER]

    answers = {bits(predictor.predict(encoded, clicks, SMALL_OBJECT)) for _ in range(3)}

    assert len(answers) == 1


def test_a_model_loaded_again_gives_the_same_bits(predictor, encoded, photo):
    again = latentcut.load(threads=1)

    answer = again.predict(again.encode(photo), [CENTRE], SMALL_OBJECT)

    assert bits(answer) == bits(predictor.predict(encoded, [CENTRE], SMALL_OBJECT))
    assert again.fingerprint == predictor.fingerprint


def test_crops_seen_before_do_not_change_an_answer(predictor, photo):
    masks = [box_mask(x, 30, x + 8, 38) for x in range(0, 120, 20)]  # more than are kept
    warm = predictor.encode(photo)
    for mask in (*masks, *masks):
        predictor.predict(warm, [CORNER], mask)

    from_warm = [bits(predictor.predict(warm, [CORNER], mask)) for mask in masks]
    from_fresh = [
        bits(predictor.predict(predictor.encode(photo), [CORNER], mask)) for mask in masks
    ]

    assert len(masks) > MAX_KEPT_CROPS
    assert from_warm == from_fresh


def test_a_mask_of_any_number_type_counts_where_it_is_above_zero(predictor, encoded):
    as_bool = predictor.predict(encoded, [CENTRE], SMALL_OBJECT)
    as_bytes = predictor.predict(encoded, [CENTRE], SMALL_OBJECT.astype(np.uint8) * 255)

    assert bits(as_bytes) == bits(as_bool)


def test_changing_the_array_after_encoding_changes_no_answer(predictor, photo):
    array = photo.copy()
    encoded = predictor.encode(array)

    array[:] = 0
    answer = predictor.predict(encoded, [CENTRE], SMALL_OBJECT)  # zooms: reads the image again

    assert bits(answer) == bits(predictor.predict(predictor.encode(photo), [CENTRE], SMALL_OBJECT))


def test_an_encoded_image_cannot_be_written(encoded):
    arrays = [encoded.image, *encoded.features]

    assert [array.flags.writeable for array in arrays] == [False] * len(arrays)


def test_eight_threads_get_the_bits_of_one(predictor, photo):
    images = [photo, photo[::-1], photo[:, ::-1][:60]]
    shared = [predictor.encode(image) for image in images]
    questions = [
        (encoded, [Click(x, 40), Click(9, 5, positive=False)], mask)
        for encoded in shared
        for x in (30, 60)
        for mask in (None, box_mask(x, 30, x + 9, 41, encoded.size_hw))
    ] * 2
    one_by_one = [
        bits(predictor.predict(predictor.encode(encoded.image), clicks, mask))
        for encoded, clicks, mask in questions[: len(questions) // 2]
    ]

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda question: bits(predictor.predict(*question)), questions))

    assert at_once == one_by_one * 2


# ---------------------------------------------------------------- zooming in


def test_a_small_object_is_encoded_again_from_close_by_and_only_once(predictor, photo):
    backend = CountingBackend(predictor.backend)
    counting = Predictor(backend, predictor.frame_info, predictor.selection)
    encoded = counting.encode(photo)

    counting.predict(encoded, [Click(55, 35)], SMALL_OBJECT)
    counting.predict(encoded, [Click(55, 35), Click(52, 33)], SMALL_OBJECT)

    info = predictor.frame_info
    assert [max(size_hw) for size_hw in backend.encoded_hw] == [info.first_px, info.zoom_px]


def scripted_scores(whole: float, close_by: float):
    """
    A backend that is surer of crops or of whole images.

    Its first candidate is a small box, its second one everything.
    """

    class Scripted:
        num_masks = 2

        def encode(self, image):
            return (np.float32(image.shape[1]).reshape(1),)

        def decode(self, features, guidance, index, sign):
            height, width = 2 * guidance.shape[1], 2 * guidance.shape[2]
            logits = np.full((2, height, width), -1, dtype=np.float32)
            logits[0, height // 2 - 8 : height // 2, width // 2 - 8 : width // 2] = 1
            logits[1] = 1
            score = whole if features[0] == 64 else close_by
            return logits, np.array([score, score - 1], dtype=np.float32)

    return Scripted()


@pytest.mark.parametrize(
    ("whole", "close_by", "kept"),
    [
        pytest.param(0.0, 1.0, 1.0, id="surer close by"),
        pytest.param(1.0, 0.0, 1.0, id="surer of the whole"),
    ],
)
def test_a_small_first_answer_is_looked_at_again_and_the_surer_answer_is_kept(
    whole, close_by, kept
):
    info = FrameInfo(first_px=64, zoom_px=96)
    predictor = Predictor(scripted_scores(whole, close_by), info)

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert prediction.expected_iou[0] == np.float32(1 / (1 + np.exp(-kept)))


def test_a_candidate_that_the_crop_cuts_off_stays_as_the_first_look_saw_it():
    predictor = Predictor(scripted_scores(0.0, 1.0), FrameInfo(first_px=64, zoom_px=96))

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert prediction.candidate(1).all()  # everything, not only the crop
    assert prediction.expected_iou[1] == np.float32(1 / (1 + np.exp(1)))  # 0 - 1, of the first


def test_no_second_look_is_taken_when_it_is_switched_off():
    info = FrameInfo(first_px=64, zoom_px=96, second_look_gain=None)
    predictor = Predictor(scripted_scores(0.0, 1.0), info)

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert prediction.expected_iou[0] == 0.5


CLICK_LOOK = FrameInfo(first_px=64, click_look_share=0.5, click_look_px=96, second_look_gain=None)


def test_a_first_click_is_answered_in_a_crop_around_it_too():
    predictor = Predictor(scripted_scores(0.0, 1.0), CLICK_LOOK)

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert prediction.placed[0].frame.box_xyxy == (40, 40, 160, 160)
    assert prediction.expected_iou[0] == np.float32(1 / (1 + np.exp(-1)))


def test_a_candidate_that_the_crop_around_the_click_cuts_off_is_that_of_the_whole_image():
    predictor = Predictor(scripted_scores(0.0, 1.0), CLICK_LOOK)

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert prediction.placed[1].frame.box_xyxy == (0, 0, 240, 240)
    assert prediction.candidate(1).all()


def test_the_crop_around_the_click_is_left_out_where_the_whole_image_is_surer():
    predictor = Predictor(scripted_scores(1.0, 0.0), CLICK_LOOK)

    prediction = predictor.open(np.zeros((240, 240, 3), dtype=np.uint8)).click(100, 100)

    assert {logits.frame.box_xyxy for logits in prediction.placed} == {(0, 0, 240, 240)}


def test_a_later_click_is_answered_once(predictor, photo):
    backend = CountingBackend(predictor.backend)
    info = predictor.frame_info.model_copy(update={"click_look_share": 0.5})
    counting = Predictor(backend, info, predictor.selection)
    session = counting.open(photo)
    session.click(55, 35)
    before = backend.num_decoded

    session.click(CORNER.x, CORNER.y)

    assert before > 1
    assert backend.num_decoded == before + 1


def test_only_the_crops_used_last_are_kept(predictor, photo):
    backend = CountingBackend(predictor.backend)
    counting = Predictor(backend, predictor.frame_info, predictor.selection)
    encoded = counting.encode(photo)
    masks = [box_mask(20 * k, 30, 20 * k + 8, 38) for k in range(MAX_KEPT_CROPS + 1)]
    for mask in masks:
        counting.predict(encoded, [CORNER], mask)
    backend.encoded_hw.clear()

    counting.predict(encoded, [CORNER], masks[-1])  # kept
    num_encoded_for_the_newest = len(backend.encoded_hw)
    counting.predict(encoded, [CORNER], masks[0])  # given up for the newest

    assert num_encoded_for_the_newest == 0
    assert len(backend.encoded_hw) == 1


def test_an_object_as_large_as_the_image_is_not_encoded_again_if_a_crop_must_gain(predictor, photo):
    backend = CountingBackend(predictor.backend)
    counting = Predictor(backend, FrameInfo(zoom_min_gain=1.2), predictor.selection)
    encoded = counting.encode(photo)

    counting.predict(encoded, [CENTRE], box_mask(2, 2, 126, 94))

    assert len(backend.encoded_hw) == 1


def test_a_negative_click_outside_the_crop_is_obeyed_all_the_same(predictor, encoded):
    far_away = Click(127, 95, positive=False)

    prediction = predictor.predict(encoded, [Click(55, 35), far_away], SMALL_OBJECT)

    assert prediction.clicks == (Click(55, 35), far_away)
    assert prediction.clicks_satisfied is True


# ---------------------------------------------------------------- boxes

DISC = (36.0, 16.0, 84.0, 64.0)  # the corners of the disc in the photo
DISC_MASK = np.hypot(*np.ogrid[-40:56, -60:68]) <= 24


def test_a_box_alone_finds_what_is_in_it(predictor, encoded):
    prediction = predictor.predict(encoded, (), box=DISC)

    assert prediction.clicks == ()
    assert iou(prediction.mask, DISC_MASK) > 0.8
    assert prediction.selected == int(np.argmax(prediction.scores))
    assert prediction.selected == int(np.argmax(prediction.expected_iou))
    assert float(prediction.scores.sum()) == pytest.approx(1)


def test_no_candidate_goes_far_beyond_the_box(predictor, encoded):
    candidates = predictor.predict(encoded, (), box=DISC).candidates

    # a tenth of 48 px, one pixel and the width of the network's cells
    near = box_mask(36 - 8, 16 - 8, 85 + 8, 65 + 8)
    assert not (candidates & ~near).any()


def test_clicks_on_a_box_are_obeyed_inside_and_outside_of_it(predictor, encoded):
    clicks = [Click(60, 40, positive=False), Click(120, 90), CORNER]

    new = predictor.predict(encoded, clicks, box=DISC)
    refined = predictor.predict(encoded, clicks, new.mask, box=DISC)

    assert (new.clicks_satisfied, refined.clicks_satisfied) == (True, True)
    assert (new.clicks, refined.clicks) == (tuple(clicks), tuple(clicks))


def test_a_box_costs_two_decoder_runs_and_one_crop_and_a_click_on_it_one_run(predictor, photo):
    backend = CountingBackend(predictor.backend)
    counting = Predictor(backend, predictor.frame_info, predictor.selection)
    encoded = counting.encode(photo)

    boxed = counting.predict(encoded, (), box=DISC)
    after_box = len(backend.encoded_hw), backend.num_decoded
    counting.predict(encoded, [CORNER], boxed.mask, box=DISC)
    after_click = len(backend.encoded_hw), backend.num_decoded

    assert (after_box, after_click) == ((2, 2), (2, 3))


@pytest.mark.parametrize(
    ("clicks", "previous_mask"),
    [
        pytest.param([], DISC_MASK, id="no click was made since the box"),
        pytest.param([CENTRE], box_mask(58, 38, 62, 42), id="the mask is much smaller"),
        pytest.param([CENTRE], np.zeros((96, 128), dtype=bool), id="the mask is empty"),
    ],
)
def test_a_mask_that_does_not_come_of_the_box_is_left_out_of_account(
    predictor, encoded, clicks, previous_mask
):
    with_mask = predictor.predict(encoded, clicks, previous_mask, box=DISC)

    assert bits(with_mask) == bits(predictor.predict(encoded, clicks, box=DISC))


def test_a_box_is_cut_to_the_image(predictor, encoded):
    beyond = predictor.predict(encoded, (), box=(-50.0, 16.0, 84.0, float("inf")))

    assert bits(beyond) == bits(predictor.predict(encoded, (), box=(-0.5, 16.0, 84.0, 95.5)))


@pytest.mark.parametrize(
    ("size_hw", "box"),
    [
        pytest.param((96, 128), (-1, -1, 128, 96), id="the-whole-image"),
        pytest.param((96, 128), (60, 40, 60.25, 40.25), id="a-quarter-pixel"),
        pytest.param((96, 128), (126.9, 94.9, 400, 400), id="a-corner"),
        pytest.param((1, 1), (-0.5, -0.5, 0.5, 0.5), id="one-pixel-image"),
        pytest.param((2, 700), (100, 0, 650, 1), id="very-wide"),
    ],
)
def test_boxes_of_any_size_are_answered(predictor, size_hw, box):
    image = np.arange(size_hw[0] * size_hw[1] * 3, dtype=np.uint8).reshape(*size_hw, 3)

    prediction = predictor.predict(predictor.encode(image), (), box=box)

    assert prediction.candidates.shape == (predictor.num_masks, *size_hw)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((60, 40, 60, 50), id="no-width"),
        pytest.param((60, 50, 70, 40), id="upside-down"),
        pytest.param((float("nan"), 1, 2, 3), id="nan"),
        pytest.param((128, 1, 140, 9), id="beside-the-image"),
    ],
)
def test_a_box_that_holds_nothing_is_refused(predictor, encoded, box):
    with pytest.raises(BadBox) as caught:
        predictor.predict(encoded, (), box=box)

    x0, y0, x1, y1 = box
    assert str(caught.value) == (
        f"box (x0={x0}, y0={y0}, x1={x1}, y1={y1}) holds nothing of the image, which is 128 px "
        "wide and 96 px high: x0 must be less than x1 and y0 less than y1, and some of "
        "x 0 to 127 and y 0 to 95 must lie between them"
    )


def test_eight_threads_get_the_bits_of_one_for_boxes_too(predictor, photo):
    shared = predictor.encode(photo)
    boxes = [(x, y, x + 40.0, y + 35.0) for x in (3.0, 20.0, 50.0) for y in (5.0, 40.0)]
    one_by_one = [
        bits(predictor.predict(predictor.encode(photo), [CORNER], box=box)) for box in boxes
    ]

    with ThreadPoolExecutor(8) as pool:
        at_once = list(
            pool.map(lambda box: bits(predictor.predict(shared, [CORNER], box=box)), boxes * 2)
        )

    assert at_once == one_by_one * 2


# ---------------------------------------------------------------- glancing


def test_a_glance_is_the_first_look_alone(predictor, photo):
    backend = CountingBackend(predictor.backend)
    counting = Predictor(backend, predictor.frame_info, predictor.selection)
    no_second_look = predictor.frame_info.model_copy(update={"second_look_gain": None})
    encoded = counting.encode(photo)

    glanced = counting.glance(encoded, CENTRE)

    looked_once = Predictor(predictor.backend, no_second_look, predictor.selection)
    assert bits(glanced) == bits(looked_once.predict(encoded, [CENTRE]))
    assert (len(backend.encoded_hw), backend.num_decoded) == (1, 1)


def test_a_glance_outside_the_image_is_refused(predictor, encoded):
    with pytest.raises(ClickOutsideImage) as caught:
        predictor.glance(encoded, Click(60, 96))

    assert str(caught.value) == (
        "click (x=60, y=96) is outside the image, which is 128 px wide and 96 px high: "
        "x must be 0 to 127 and y 0 to 95"
    )


# ---------------------------------------------------------------- scores


def scores_of(raw, **selection):
    return read_scores(np.array(raw, dtype=np.float32), SelectionInfo(**selection))


def test_expected_ious_are_turned_into_probabilities():
    # sigmoid(0) = 1/2 and sigmoid(ln 3) = 3/4; divided by 1/4 they differ by 1: e^-1 to 1
    scores, expected_iou = scores_of([0, np.log(3)], temperature=0.25)

    assert expected_iou == pytest.approx(np.array([0.5, 0.75]))
    assert scores == pytest.approx(np.array([np.exp(-1), 1]) / (1 + np.exp(-1)))
    assert (scores.dtype, expected_iou.dtype) == (np.float32, np.float32)


def test_scores_trained_by_cross_entropy_are_a_softmax_of_the_raw_ones():
    scores, expected_iou = scores_of(
        [0, np.log(3)], objective="cross_entropy", temperature=1, iou_scale=2, iou_offset=1
    )

    # e^0 to e^(ln 3) is 1 to 3; sigmoid(2 * 0 + 1) and sigmoid(2 * ln 3 + 1)
    assert scores == pytest.approx(np.array([0.25, 0.75]))
    assert expected_iou == pytest.approx(1 / (1 + np.exp(-np.array([1, 2 * np.log(3) + 1]))))


@pytest.mark.parametrize("objective", ["expected_iou", "cross_entropy"])
def test_probability_and_expected_iou_agree_on_the_best_candidate(objective):
    rng = np.random.default_rng(0)
    for raw in rng.normal(0, 2, (100, 6)):
        scores, expected_iou = scores_of(raw, objective=objective, iou_scale=0.7, iou_offset=-0.3)

        assert float(scores.sum()) == pytest.approx(1)
        assert int(np.argmax(scores)) == int(np.argmax(raw))
        assert int(np.argmax(expected_iou)) == int(np.argmax(raw))


@pytest.mark.parametrize("objective", ["expected_iou", "cross_entropy"])
def test_extreme_raw_scores_do_not_overflow(objective):
    scores, expected_iou = scores_of([-1e6, 0, 1e6], objective=objective)

    assert expected_iou.tolist() == [0, 0.5, 1]
    assert scores[2] == pytest.approx(1, abs=1e-4)


def test_equal_raw_scores_are_equally_likely():
    scores, _ = scores_of([1.5, 1.5, 1.5, 1.5])

    assert scores.tolist() == [0.25, 0.25, 0.25, 0.25]


# ---------------------------------------------------------------- large pictures

LARGE_PICTURE = """
import re
from pathlib import Path
import numpy as np
import latentcut
predictor = latentcut.load(threads=1)
image = np.zeros((3000, 4000, 3), dtype=np.uint8)
image[1000:1500, 1500:2200] = 200
session = predictor.open(image)
session.click(1800, 1200)
prediction = session.click(100.5, 2900.25, positive=False)
assert prediction.candidates.shape == (predictor.num_masks, 3000, 4000)
assert prediction.clicks_satisfied
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc"
)
def test_twelve_megapixels_are_answered_within_one_and_a_half_gigabytes():
    # ru_maxrss would count what pytest itself held when it started the process
    done = subprocess.run(
        [sys.executable, "-c", LARGE_PICTURE], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 1.5e6  # kB
