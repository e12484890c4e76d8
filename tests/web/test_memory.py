"""What is kept in memory, and what is forgotten for it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from web_servers import counting

from latentcut.core.clicks import Click
from latentcut.web.memory import ByteLru, NotRemembered, OpenedImage, RememberingPredictor

INSIDE = (Click(60, 40),)


def test_the_oldest_goes_when_there_is_no_room():
    lru = ByteLru(10, len)
    for key, value in (("a", "xxxx"), ("b", "xxxx")):
        lru.put(key, value)

    lru.get("a")  # now b is the oldest
    lru.put("c", "xxx")

    assert lru.keys() == ("a", "c")
    assert lru.num_bytes == 7


def test_a_value_put_again_counts_once():
    lru = ByteLru(10, len)

    for _ in range(5):
        lru.put("a", "xxxx")

    assert (lru.keys(), lru.num_bytes) == (("a",), 4)


def test_the_newest_stays_however_large_it_is():
    lru = ByteLru(10, len)
    lru.put("a", "x")

    lru.put("b", "x" * 1000)

    assert lru.keys() == ("b",)


def test_what_was_never_kept_is_none():
    assert ByteLru(10, len).get("a") is None


def test_an_encoded_image_counts_with_its_features_and_room_for_crops(encoded):
    plain = OpenedImage((1,), encoded.image)
    ready = OpenedImage((1,), encoded.image, encoded)

    features = sum(array.nbytes for array in encoded.features)
    assert plain.num_bytes == 96 * 128 * 3
    assert ready.num_bytes == 96 * 128 * 3 + 5 * features


def test_the_same_question_is_answered_without_the_model(predictor, encoded):
    counted = counting(predictor)
    remembering = RememberingPredictor(counted, 10**8)

    first = remembering.predict(encoded, INSIDE)
    runs = counted.backend.num_runs
    second = remembering.predict(encoded, INSIDE)

    assert second is first
    assert counted.backend.num_runs == runs > 0


def test_an_answer_from_memory_is_the_models_own(predictor, encoded):
    remembering = RememberingPredictor(predictor, 10**8)

    answers = [remembering.predict(encoded, INSIDE) for _ in range(2)]

    assert np.array_equal(answers[1].candidates, predictor.predict(encoded, INSIDE).candidates)


def test_another_click_box_mask_or_image_is_another_question(predictor, encoded, photo):
    counted = counting(predictor)
    remembering = RememberingPredictor(counted, 10**8)
    mask = np.zeros((96, 128), dtype=bool)
    mask[20:60, 40:80] = True
    other = predictor.encode(photo)
    questions = [
        {"encoded": encoded, "clicks": INSIDE},
        {"encoded": encoded, "clicks": (Click(60, 40, positive=False), Click(10, 10))},
        {"encoded": encoded, "clicks": INSIDE, "previous_mask": mask},
        {"encoded": encoded, "clicks": INSIDE, "previous_mask": ~mask},
        {"encoded": encoded, "clicks": INSIDE, "box": (30.0, 10.0, 90.0, 70.0)},
        {"encoded": other, "clicks": INSIDE},
    ]

    runs = []
    for asked in questions:
        before = counted.backend.num_runs
        remembering.predict(**asked)
        runs.append(counted.backend.num_runs - before)

    assert all(num > 0 for num in runs)


def test_recalling_raises_where_the_model_would_be_run(predictor, encoded):
    remembering = RememberingPredictor(predictor, 10**8)
    known = remembering.predict(encoded, INSIDE)

    recalled = remembering.recall_only().predict(encoded, INSIDE)
    with pytest.raises(NotRemembered):
        remembering.recall_only().predict(encoded, (Click(1, 1),))

    assert recalled is known


def test_memory_is_bounded_and_does_not_keep_images_alive(predictor, photo):
    remembering = RememberingPredictor(predictor, 3 * 6 * 96 * 128)  # of three predictions
    encoded = predictor.encode(photo)
    for x in range(10):
        remembering.predict(encoded, (Click(x, 5),))
    alive = weakref.ref(encoded)

    del encoded
    gc.collect()

    assert len(remembering._answers.keys()) <= 3
    assert alive() is None
