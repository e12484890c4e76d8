"""The network asked about an image and its mirror image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut.cli.samples import SAMPLES
from latentcut.core.bundle import default_bundle_path, read_bundle, with_frame
from latentcut.core.clicks import Click
from latentcut.core.guidance import embedding_clicks, guidance_maps
from latentcut.core.mirrored import MirroredBackend, mirrored_cells
from latentcut.core.onnx_backend import OnnxBackend
from latentcut.core.predictor import predictor_of

SIZE_HW = (96, 128)
POSITIVE = np.array([[40.0, 30.0], [70.0, 60.0]])
NEGATIVE = np.array([[100.0, 10.0]])


@pytest.fixture(scope="module")
def backend():
    bundle = read_bundle(default_bundle_path())
    return OnnxBackend(bundle.encoder, bundle.decoder, bundle.info.num_masks, threads=1)


@pytest.fixture(scope="module")
def image():
    photo = Image.open(SAMPLES / "chelsea.jpg").convert("RGB")
    return np.asarray(photo.resize(SIZE_HW[::-1]))


def answer(backend, image, positive, negative):
    """Logits and scores for clicks of a network frame."""
    guidance = guidance_maps(positive, negative, SIZE_HW)
    cells = embedding_clicks(positive, negative, SIZE_HW)
    return backend.decode(backend.encode(image), guidance, *cells)


def opposite(points):
    return np.column_stack([SIZE_HW[1] - 1 - points[:, 0], points[:, 1]])


def test_cells_are_mirrored_within_their_row():
    index = np.array([0, 3, 4, 11], dtype=np.int64)

    assert mirrored_cells(index, width=4).tolist() == [3, 0, 7, 8]


def test_the_answer_to_a_mirror_image_is_the_mirrored_answer_to_the_last_bit(backend, image):
    both = MirroredBackend(backend)

    logits, scores = answer(both, image, POSITIVE, NEGATIVE)
    other, other_scores = answer(both, image[:, ::-1], opposite(POSITIVE), opposite(NEGATIVE))

    np.testing.assert_array_equal(other[:, :, ::-1], logits)
    np.testing.assert_array_equal(other_scores, scores)


def test_a_single_look_does_not_answer_mirror_images_alike(backend, image):
    logits, _ = answer(backend, image, POSITIVE, NEGATIVE)
    other, _ = answer(backend, image[:, ::-1], opposite(POSITIVE), opposite(NEGATIVE))

    assert np.abs(other[:, :, ::-1] - logits).max() > 0.01


def test_the_answer_is_the_mean_of_both_looks(backend, image):
    logits, scores = answer(MirroredBackend(backend), image, POSITIVE, NEGATIVE)

    own, own_scores = answer(backend, image, POSITIVE, NEGATIVE)
    other, other_scores = answer(backend, image[:, ::-1], opposite(POSITIVE), opposite(NEGATIVE))
    np.testing.assert_array_equal(logits, (own + other[:, :, ::-1]) / 2)
    np.testing.assert_array_equal(scores, (own_scores + other_scores) / 2)


def test_looks_on_two_threads_answer_as_those_on_one(backend, image):
    at_once = MirroredBackend(backend, at_once=True)
    questions = [(POSITIVE + number, NEGATIVE) for number in range(16)]
    expected = [answer(MirroredBackend(backend), image, *question) for question in questions]

    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda question: answer(at_once, image, *question), questions))

    for (logits, scores), (own, own_scores) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(logits, own)
        np.testing.assert_array_equal(scores, own_scores)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_bundle_says_whether_its_predictor_looks_twice(threads):
    bundle = read_bundle(default_bundle_path())
    clicks = [Click(225, 120)]

    masks = {}
    for mirror in (False, True):
        predictor = predictor_of(with_frame(bundle, [f"mirror={mirror}"]), threads)
        encoded = predictor.encode(SAMPLES / "chelsea.jpg")
        masks[mirror] = predictor.predict(encoded, clicks)
        assert len(encoded.features) == (8 if mirror else 4)

    assert masks[True].scores.tolist() != masks[False].scores.tolist()


def test_the_number_of_threads_changes_nothing():
    bundle = with_frame(read_bundle(default_bundle_path()), ["mirror=true"])
    clicks = [Click(225, 120), Click(20, 20, positive=False)]

    scores = []
    for threads in (1, 2):
        predictor = predictor_of(bundle, threads)
        encoded = predictor.encode(SAMPLES / "chelsea.jpg")
        first = predictor.predict(encoded, clicks[:1])
        scores.append(predictor.predict(encoded, clicks, first.mask).scores)

    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)


def test_the_package_loads_what_its_bundle_asks_for():
    predictor = latentcut.load(threads=1)

    assert isinstance(predictor.backend, MirroredBackend) == predictor.frame_info.mirror
