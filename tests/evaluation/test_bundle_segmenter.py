"""Our predictor behind the seam, and masks cut at another probability."""

from __future__ import annotations

import numpy as np

from latentcut.core.clicks import Click
from latentcut.evaluation.bundle_segmenter import BundleSegmenter, ShiftedBackend

CLICKS = (Click(60, 40), Click(10, 80, positive=False))


def test_answers_are_those_of_the_predictor_with_the_mask_shown_before(predictor, photo, encoded):
    talk = BundleSegmenter(predictor).start(photo)

    first, second = talk.answer(CLICKS[:1]), talk.answer(CLICKS)

    alone = predictor.predict(encoded, CLICKS[:1])
    after = predictor.predict(encoded, CLICKS, alone.mask)
    for answer, prediction in ((first, alone), (second, after)):
        np.testing.assert_array_equal(answer.candidates, prediction.candidates)
        np.testing.assert_array_equal(answer.expected_iou, prediction.expected_iou)
        np.testing.assert_array_equal(answer.scores, prediction.scores)
        assert answer.selected == prediction.selected
        assert answer.seconds > 0


def test_conversations_do_not_hear_each_other(predictor, photo):
    segmenter = BundleSegmenter(predictor)
    one, other = segmenter.start(photo), segmenter.start(photo)
    one.answer(CLICKS[:1])

    actual = one.answer(CLICKS).mask

    other.answer(CLICKS[:1])
    np.testing.assert_array_equal(actual, other.answer(CLICKS).mask)


def test_a_lower_threshold_never_takes_a_pixel_away(predictor, photo):
    plain = BundleSegmenter(predictor).start(photo)
    lower = BundleSegmenter(predictor, mask_threshold=0.2).start(photo)

    # glance at the network's own masks: no second look, whose crop depends on the first mask
    few = plain._predictor.glance(plain._encoded, CLICKS[0]).candidates
    many = lower._predictor.glance(lower._encoded, CLICKS[0]).candidates

    assert not (few & ~many).any()
    assert many.sum() > few.sum()


def test_a_threshold_of_a_half_leaves_the_predictor_as_it_is(predictor):
    segmenter = BundleSegmenter(predictor, mask_threshold=0.5)

    assert segmenter.predictor is predictor
    assert segmenter.fingerprint == predictor.fingerprint


def test_logits_are_moved_by_the_threshold(predictor, encoded):
    class Fixed:
        num_masks = 1

        def decode(self, *_):
            return np.zeros((1, 2, 2), dtype=np.float32), np.zeros(1, dtype=np.float32)

    logits, scores = ShiftedBackend(Fixed(), 0.49).decode((), None, None, None)

    np.testing.assert_allclose(logits, np.full((1, 2, 2), np.log(0.51 / 0.49)), rtol=1e-6)
    assert logits.dtype == np.float32
    assert scores.tolist() == [0.0]
