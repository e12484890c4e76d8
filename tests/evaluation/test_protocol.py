from __future__ import annotations

import numpy as np
import pytest

from latentcut.core.clicks import Click
from latentcut.datasets.folder import FolderDataset
from latentcut.errors import DatasetBroken
from latentcut.evaluation.protocol import ObjectResult, evaluate_object


def only_sample(folder):
    dataset = FolderDataset(folder)
    (entry,) = dataset.objects()
    return dataset.sample(*entry)


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
