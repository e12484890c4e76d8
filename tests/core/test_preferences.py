"""Selection that learns: from what, how much, and what it leaves alone."""

import copy
import json

import numpy as np
import pytest
from pydantic import ValidationError

from latentcut.core.preferences import (
    FEATURES,
    MAX_LESSONS,
    Lesson,
    Look,
    Preferences,
    features_of,
    features_of_masks,
    learn,
)
from latentcut.errors import BadMask

NEUTRAL = Preferences()


@pytest.fixture(scope="module")
def prediction(predictor, encoded):
    return predictor.open(encoded.image).click(60, 40)


def squares(*sides):
    """Squares around the middle of a picture of 64 x 64 px, bool (M, 64, 64)."""
    masks = np.zeros((len(sides), 64, 64), dtype=bool)
    for mask, side in zip(masks, sides, strict=True):
        low = 32 - side // 2
        mask[low : low + side, low : low + side] = True
    return masks


def lesson(meant, scores=(0.6, 0.3, 0.1), sides=(16, 8, 32)):
    """An object whose candidates are squares, and which became one of them."""
    masks = squares(*sides)
    areas = masks.sum(axis=(1, 2))
    nested = np.minimum(areas, areas[meant]) / np.maximum(areas, areas[meant])
    return Lesson(features_of_masks(masks), np.log(np.asarray(scores)), nested)


def first_of(preferences, one):
    """The candidate of a lesson that preferences put first."""
    return int(np.argmax(one.log_scores + one.features @ np.asarray(preferences.weights)))


def test_without_lessons_nothing_is_preferred():
    assert learn([]) == NEUTRAL
    assert NEUTRAL.is_neutral


def test_neutral_preferences_give_the_prediction_itself(prediction):
    assert NEUTRAL.applied(prediction) is prediction


@pytest.mark.parametrize("meant", [1, 2], ids=["parts", "wholes"])
def test_somebody_who_means_parts_or_wholes_gets_them_first_after_some_objects(meant):
    lessons = [lesson(meant) for _ in range(8)]

    learned = learn(lessons)

    other = lesson(meant, scores=(0.3, 0.5, 0.2), sides=(20, 40, 10))
    areas = [20, 40, 10]
    wanted = areas.index(min(areas) if meant == 1 else max(areas))
    assert first_of(learned, lesson(meant)) == meant
    assert first_of(learned, other) == wanted
    assert learned.num_learned == 8


def test_somebody_who_takes_what_g_put_first_keeps_g():
    learned = learn([lesson(0) for _ in range(20)])

    assert learned.is_neutral
    assert learned.num_learned == 20


def test_somebody_without_habits_keeps_g():
    rng = np.random.default_rng(3)

    # as often as g says
    learned = learn([lesson(int(rng.choice(3, p=(0.6, 0.3, 0.1)))) for _ in range(40)])

    assert [first_of(learned, lesson(m)) for m in range(3)] == [0, 0, 0]


def test_lessons_that_say_nothing_leave_g_alone():
    silent = lesson(0)._replace(agreement=np.full(3, 0.4))

    assert learn([silent] * 20).is_neutral


def test_a_lesson_taken_away_is_unlearned_without_a_trace():
    parts = [lesson(1) for _ in range(6)]

    with_one_more = learn([*parts, lesson(2)])

    assert with_one_more != learn(parts)
    assert learn(parts) == learn(list(parts))


def test_the_newest_hundred_lessons_count():
    newest = [lesson(1) for _ in range(MAX_LESSONS)]

    assert learn([lesson(2)] * 50 + newest) == learn(newest)


def test_only_scores_and_the_selected_mask_change(prediction):
    weights = (0.0, 0.0, 1e4, 0.0, 0.0)

    applied = Preferences(weights=weights).applied(prediction)

    areas = prediction.candidates.sum(axis=(1, 2))
    np.testing.assert_array_equal(applied.candidates, prediction.candidates)
    np.testing.assert_array_equal(applied.expected_iou, prediction.expected_iou)
    assert applied.clicks == prediction.clicks
    assert areas[applied.selected] == areas.max()
    assert applied.selected == int(np.argmax(applied.scores))
    assert float(applied.scores.sum()) == pytest.approx(1)
    assert not applied.scores.flags.writeable


def test_a_prediction_that_was_reranked_is_another_object(prediction):
    before = prediction.scores.copy()

    Preferences(weights=(3.0, 0.0, 0.0, 0.0, 0.0)).applied(prediction)

    np.testing.assert_array_equal(prediction.scores, before)
    assert prediction.selected == int(np.argmax(before))


def test_features_say_how_candidates_lie_in_each_other():
    features = features_of_masks(squares(16, 8, 64))

    expected = [
        # size, its square, rank, holds, held
        [0.0, 0.0, 0.5, (1 + 1 / 16) / 2, (1 / 4 + 1) / 2],
        [-0.5, 0.25, 0.0, (1 / 4 + 1 / 64) / 2, 1.0],
        [1.0, 1.0, 1.0, 1.0, (1 / 16 + 1 / 64) / 2],
    ]
    np.testing.assert_allclose(features, expected)
    assert features.shape == (3, len(FEATURES))


def test_features_of_empty_candidates_and_of_one_alone_are_finite():
    empty = features_of_masks(np.zeros((2, 8, 8), dtype=bool))
    alone = features_of_masks(np.ones((1, 8, 8), dtype=bool))

    assert np.isfinite(empty).all()
    assert alone.tolist() == [[1.0, 1.0, 0.0, 0.0, 0.0]]


def test_a_look_gives_the_lesson_that_the_prediction_gives(prediction):
    look = Look.of(prediction)

    again = Look.model_validate_json(look.model_dump_json())
    taught = again.lesson([0.0] * prediction.num_masks)

    assert again == look
    np.testing.assert_array_equal(taught.features, features_of(prediction))
    np.testing.assert_allclose(taught.log_scores, np.log(prediction.scores), rtol=1e-6)


def test_agreement_is_the_iou_with_each_candidate(prediction):
    look = Look.of(prediction)
    taken = prediction.candidates[2]

    agreement = look.agreement(taken)

    ious = [
        (taken & mask).sum() / (taken | mask).sum()  # the picture is small: nothing is reduced
        for mask in prediction.candidates
    ]
    assert agreement == tuple(round(float(value), 4) for value in ious)
    assert look.agreement(np.zeros_like(taken)) == (0.0,) * prediction.num_masks


def test_preferences_go_to_json_and_back():
    learned = learn([lesson(1) for _ in range(8)])

    assert Preferences.model_validate_json(learned.model_dump_json()) == learned
    assert copy.deepcopy(learned) == learned
    assert set(json.loads(learned.model_dump_json())) == {"format", "weights", "num_learned"}


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 2}',
        '{"weights": [1, 2, 3]}',
        '{"weights": [1, 2, 3, 4, NaN]}',
        '{"num_learned": -1}',
        '{"evil": 1}',
    ],
)
def test_preferences_of_another_kind_are_refused(text):
    with pytest.raises(ValidationError):
        Preferences.model_validate_json(text)


def test_a_look_that_promises_too_large_a_mask_is_refused(prediction):
    huge = {"size": [100_000, 100_000], "counts": ":1213"}
    look = Look.model_validate({"scores": [1.0], "masks": [huge]})

    with pytest.raises(BadMask):
        look.stack()
