from __future__ import annotations

import numpy as np
import pytest

from latentcut.core.clicks import Click
from latentcut.datasets.folder import FolderDataset
from latentcut.errors import BadConfig, DatasetBroken
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.protocol import (
    RITM,
    ObjectResult,
    Protocol,
    clicks_of,
    evaluate_object,
    evaluate_sample,
    find_protocol,
)


def only_sample(folder):
    dataset = FolderDataset(folder)
    (ref,) = dataset.objects()
    return dataset.sample(ref)


@pytest.fixture
def square(make_dataset):
    """An object of 4 x 4 px in the middle of 10 x 10; too large by one pixel it has 6 x 6."""
    labels = np.zeros((10, 10), dtype=np.uint8)
    labels[3:7, 3:7] = 1
    picture = np.repeat(labels[:, :, None] * 200, 3, axis=2)
    return only_sample(make_dataset({"square.png": picture}, {"square.png": labels}))


def test_ious_are_those_of_the_masks_after_each_click(converging, square):
    result = evaluate_object(converging(solved_after=3), square)

    # 16 of 36 px; then one negative click takes a pixel away: 16 of 35; then all is right
    assert result.selected_ious == [16 / 36, 16 / 35] + [1.0] * 18
    assert result.first_ious == result.selected_ious
    assert result.oracle_ious == [1.0] * 20
    assert result.name == "square:1"


def test_the_robot_sees_the_selected_mask_and_clicks_on_its_largest_error(converging, square):
    predictor = converging(solved_after=3)

    evaluate_object(predictor, square)

    (first, no_mask), (second, mask_before), (third, _) = predictor.asked
    # 4 x 4 px: rows and columns 4 and 5 are deepest, the first of them is clicked
    assert first == (Click(4, 4, positive=True),)
    assert second == (*first, Click(2, 2, positive=False))  # the ring starts in its corner
    assert third == (*second, Click(3, 2, positive=False))  # and goes on beside it
    assert no_mask is None
    assert mask_before.sum().tolist() == 36


def test_clicking_ends_when_nothing_is_wrong_and_the_last_iou_is_repeated(converging, square):
    predictor = converging(solved_after=2)

    result = evaluate_object(predictor, square, max_clicks=5)

    assert len(predictor.asked) == 2
    assert len(result.click_s) == 2
    assert result.selected_ious == [16 / 36, 1.0, 1.0, 1.0, 1.0]
    assert result.oracle_ious == [1.0] * 5
    assert result.expected_ious == [0.75] * 5


def test_an_object_is_clicked_on_until_the_last_click_when_it_is_never_right(converging, square):
    predictor = converging(solved_after=99)

    result = evaluate_object(predictor, square)

    assert len(predictor.asked) == 20
    assert len(result.selected_ious) == 20
    # each further negative click takes one of the 20 superfluous pixels away
    assert result.selected_ious == [16 / (36 - k) for k in range(20)]
    assert result.clicks_broken == 0


def test_ignored_pixels_neither_count_nor_are_clicked(converging, make_dataset):
    labels = np.zeros((10, 10), dtype=np.uint8)
    labels[2:8, 2:8] = 255
    labels[3:7, 3:7] = 1
    picture = np.repeat((labels == 1)[:, :, None] * np.uint8(200), 3, axis=2)
    folder = make_dataset({"a.png": picture}, {"a.png": labels}, meta={"ignore_value": 255})
    predictor = converging(solved_after=99)

    result = evaluate_object(predictor, only_sample(folder))

    assert len(predictor.asked) == 1  # the ring that is too much is ignored
    assert result.selected_ious == [1.0] * 20


def test_an_iou_just_below_a_threshold_is_not_rounded_up_to_it(converging, make_dataset):
    labels = np.zeros((11, 50_000), dtype=np.uint8)
    labels[:9] = 1
    labels[4, 7] = 0  # 9 rows less one pixel, of 10 rows marked
    picture = np.repeat(labels[:, :, None] * 200, 3, axis=2)
    sample = only_sample(make_dataset({"a.png": picture}, {"a.png": labels}))

    result = evaluate_object(converging(solved_after=99), sample, max_clicks=1)

    assert result.selected_ious == [449_999 / 500_000]  # 0.899998


def test_a_picture_of_another_size_than_its_mask_is_refused(converging, make_dataset):
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    folder = make_dataset({"a.png": picture}, {"a.png": np.ones((2, 2), dtype=np.uint8)})

    with pytest.raises(DatasetBroken) as caught:
        evaluate_object(converging(), only_sample(folder))

    assert str(caught.value) == (
        f"{folder / 'images' / 'a.png'} is 4 x 4 px, but its mask a:1 is 2 x 2 px"
    )


def test_the_packaged_model_is_measured(predictor, photo, make_dataset):
    rows, columns = np.mgrid[:96, :128]
    labels = ((columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2).astype(np.uint8)
    sample = only_sample(make_dataset({"disc.png": photo}, {"disc.png": labels}))

    result = evaluate_object(predictor, sample, max_clicks=3)

    assert (len(result.selected_ious), len(result.first_ious)) == (3, 3)
    for best, selected in zip(result.oracle_ious, result.selected_ious, strict=True):
        assert best >= selected
    assert result.clicks_broken == 0
    assert result.encode_s > 0


def test_a_result_is_the_same_after_a_way_through_plain_values(converging, square):
    result = evaluate_object(converging(), square)

    again = ObjectResult(**result.to_dict())

    assert again == result


def test_the_clicks_and_the_choices_of_every_step_are_kept(converging, square):
    result = evaluate_object(converging(solved_after=3), square)

    assert result.clicks == [[4, 4, True], [2, 2, False], [3, 2, False]]
    assert result.selected == [0, 0, 0]
    assert clicks_of(result.to_dict()) == [
        Click(4, 4, positive=True),
        Click(2, 2, positive=False),
        Click(3, 2, positive=False),
    ]
    assert (result.image, result.size_hw, result.area_share) == ("square.png", [10, 10], 0.16)


def test_candidates_that_resemble_each_other_are_measured_after_every_click(converging, square):
    result = evaluate_object(converging(solved_after=3), square)

    assert result.diversity == [0.44444, 0.45714, 1.0]  # 16 of 36 px, 16 of 35, the same


def test_the_outline_is_judged_after_one_three_and_five_clicks(converging, square):
    result = evaluate_object(converging(solved_after=2), square)

    # within 1 px, as 0.008 of the diagonal is less: 20 of 24 px of the outline that is too large
    # are that near, all but its corners, and all of the true one; 2 * 20 / 24 / (20 / 24 + 1)
    assert result.boundary_f == {"1": 0.90909, "3": 1.0, "5": 1.0}


def test_the_outline_after_clicking_ended_is_that_of_the_last_mask(one_answer, make_dataset):
    labels = np.zeros((300, 300), dtype=np.uint8)
    labels[100:200, 100:200] = 1
    picture = np.repeat(labels[:, :, None] * 200, 3, axis=2)
    sample = only_sample(make_dataset({"a.png": picture}, {"a.png": labels}))
    segmenter = one_answer(solved_after=2)
    far = segmenter.start

    def start(image):
        talk = far(image)
        exact = talk.answer

        def answer(clicks):
            if len(clicks) < 2:
                return type(exact(clicks))(np.ones((1, 300, 300), dtype=bool))
            return exact(clicks)

        talk.answer = answer
        return talk

    segmenter.start = start

    result = evaluate_sample(segmenter, sample)

    assert len(result.clicks) == 2
    assert result.boundary_f == {"1": 0.0, "3": 1.0, "5": 1.0}


def test_fewer_clicks_than_five_leave_out_what_they_do_not_reach(converging, square):
    result = evaluate_object(converging(solved_after=99), square, max_clicks=3)

    assert sorted(result.boundary_f) == ["1", "3"]


def test_a_segmenter_with_one_answer_has_no_expectations_and_no_diversity(one_answer, square):
    result = evaluate_sample(one_answer(solved_after=2), square)

    assert (result.expected_ious, result.diversity) == (None, None)
    assert result.selected_ious == [16 / 36] + [1.0] * 19
    assert result.oracle_ious == result.first_ious == result.selected_ious
    assert result.clicks_broken == 0


def test_steps_whose_mask_breaks_a_click_are_counted(one_answer, square):
    result = evaluate_sample(one_answer(solved_after=4), square)

    # the negative clicks of steps 2 and 3 lie in the ring, which stays
    assert result.clicks_broken == 2


def test_the_time_that_a_segmenter_counts_itself_goes_before_the_clock(one_answer, square):
    segmenter = one_answer(solved_after=1)
    start = segmenter.start

    def timed(image):
        talk = start(image)
        answer = talk.answer
        talk.answer = lambda clicks: type(answer(clicks))(answer(clicks).candidates, seconds=9.5)
        return talk

    segmenter.start = timed

    result = evaluate_sample(segmenter, square)

    assert result.click_s == [9.5]


def test_ritm_stops_at_the_target_and_repeats_the_last_iou(converging, square):
    predictor = converging(solved_after=3)

    result = evaluate_sample(BundleSegmenter(predictor), square, RITM)

    assert len(predictor.asked) == 3
    assert result.selected_ious == [16 / 36, 16 / 35] + [1.0] * 18


def test_an_iou_equal_to_the_target_stops(one_answer, square):
    protocol = Protocol("mine", stop_at=16 / 36)

    result = evaluate_sample(one_answer(solved_after=99), square, protocol)

    assert len(result.clicks) == 1


def test_ritm_clicks_the_deepest_error_and_no_pixel_twice(one_answer, square):
    result = evaluate_sample(one_answer(solved_after=99), square, RITM)

    # the ring is 1 px deep everywhere: its pixels one after the other, in row-major order
    assert result.clicks[:4] == [[4, 4, True], [2, 2, False], [3, 2, False], [4, 2, False]]
    assert len({(x, y) for x, y, _ in result.clicks}) == 20


def test_a_user_that_takes_chances_clicks_the_same_for_the_same_seed(one_answer, square):
    def clicks(seed):
        return evaluate_sample(one_answer(99), square, user="off-centre", seed=seed).clicks

    assert clicks(0) == clicks(0)
    assert clicks(0) != clicks(1)


def test_protocols_are_found_by_name_with_another_number_of_clicks():
    found = find_protocol("ritm", max_clicks=5)

    assert (found.name, found.max_clicks, found.stop_at, found.user) == ("ritm", 5, 0.9, "deepest")
    assert (found.failure, found.mask_threshold) == ("noc-is-max", 0.49)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(BadConfig) as caught:
        find_protocol("ritn")

    assert str(caught.value) == (
        "there is no protocol 'ritn': did you mean 'ritm'? known: ritm, standard"
    )
