from __future__ import annotations

import pytest

from latentcut import Click
from latentcut.core.replay import replayed
from latentcut.errors import NoClicks
from latentcut.web.memory import remembering_predictor

POSITIVE, SECOND, NEGATIVE = Click(60, 40), Click(70, 45), Click(5, 5, positive=False)


class Counting:
    """The real predictor, counted."""

    def __init__(self, inner):
        self.inner, self.num_runs = inner, 0

    def predict(self, *args, **named):
        self.num_runs += 1
        return self.inner.predict(*args, **named)


def test_one_click_is_answered_as_by_the_predictor(predictor, encoded):
    expected = predictor.predict(encoded, [POSITIVE])

    prediction = replayed(predictor, encoded, [POSITIVE])

    assert (prediction.mask == expected.mask).all()


def test_of_several_clicks_the_answer_counts_of_which_more_is_expected(predictor, encoded):
    at_once = predictor.predict(encoded, [POSITIVE, NEGATIVE])
    first = predictor.predict(encoded, [POSITIVE])
    in_turn = predictor.predict(encoded, [POSITIVE, NEGATIVE], first.mask)
    expected = max(in_turn, at_once, key=lambda answer: answer.expected_iou.max())

    prediction = replayed(predictor, encoded, [POSITIVE, NEGATIVE])

    assert (prediction.mask == expected.mask).all()


def test_a_negative_click_before_the_first_positive_one_comes_after_it(predictor, encoded):
    expected = replayed(predictor, encoded, [POSITIVE, NEGATIVE, SECOND])

    prediction = replayed(predictor, encoded, [NEGATIVE, POSITIVE, SECOND])

    assert (prediction.mask == expected.mask).all()


def test_a_box_alone_is_answered_once(predictor, encoded):
    counting = Counting(predictor)

    prediction = replayed(counting, encoded, [], box=(30, 10, 90, 70))

    assert counting.num_runs == 1
    assert prediction.mask[40, 60]


def test_clicks_after_a_box_are_obeyed(predictor, encoded):
    prediction = replayed(predictor, encoded, [Click(80, 60, positive=False)], (30, 10, 90, 70))

    assert not prediction.mask[60, 80]


def test_negative_clicks_alone_mean_nothing_yet(predictor, encoded):
    prediction = replayed(predictor, encoded, [NEGATIVE])

    assert prediction is None


def test_neither_clicks_nor_a_box_are_an_error(predictor, encoded):
    with pytest.raises(NoClicks) as caught:
        replayed(predictor, encoded, [])

    assert str(caught.value) == "there is no click, box or previous mask: give at least one of them"


def test_a_remembering_predictor_computes_only_what_is_new(photo):
    predictor = remembering_predictor(threads=1)
    encoded = predictor.encode(photo)
    backend = predictor.backend
    runs = []
    decode = backend.decode
    backend.decode = lambda *arguments: runs.append(1) or decode(*arguments)
    replayed(predictor, encoded, [POSITIVE, NEGATIVE])
    num_before = len(runs)

    replayed(predictor, encoded, [POSITIVE, NEGATIVE])

    assert (num_before > 0, len(runs)) == (True, num_before)
