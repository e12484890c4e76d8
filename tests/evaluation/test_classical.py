"""GrabCut and the random walker on pictures in which colours say everything."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from latentcut.core.clicks import Click
from latentcut.core.metrics import iou
from latentcut.errors import BadConfig, MissingExtra
from latentcut.evaluation.classical import GrabCut, RandomWalker, Reduced, reached

needs_skimage = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None, reason="the extra evaluation is not installed"
)
METHODS = [
    pytest.param(GrabCut, id="grabcut"),
    pytest.param(RandomWalker, id="random-walker", marks=needs_skimage),
]


@pytest.fixture
def discs():
    """Two red discs on green, noisy: image (120, 200, 3) and their masks."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:120, :200]
    left = (columns - 60) ** 2 + (rows - 60) ** 2 <= 30**2
    right = (columns - 150) ** 2 + (rows - 60) ** 2 <= 25**2
    image = np.where((left | right)[:, :, None], (200, 40, 40), (40, 160, 60))
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    return image, left, right


@pytest.mark.parametrize("method", METHODS)
def test_one_click_finds_a_disc_of_its_own_colour(method, discs):
    image, left, _ = discs

    answer = method().start(image).answer([Click(60, 60)])

    assert (answer.candidates.shape, answer.candidates.dtype) == ((1, 120, 200), bool)
    assert (answer.selected, answer.expected_iou, answer.scores) == (0, None, None)
    assert iou(answer.mask, left) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_second_positive_click_adds_what_it_lies_on(method, discs):
    image, left, right = discs
    talk = method().start(image)
    talk.answer([Click(60, 60)])

    answer = talk.answer([Click(60, 60), Click(150, 60)])

    assert iou(answer.mask, left | right) > 0.85


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_click_takes_away_where_it_lies(method, discs):
    image, _, _ = discs
    talk = method().start(image)
    before = talk.answer([Click(60, 60)]).mask

    after = talk.answer([Click(60, 60), Click(60, 45, positive=False)]).mask

    assert before[45, 60]
    assert not after[45, 60]
    assert after[60, 60]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_clicks_give_the_same_masks_again(method, discs):
    image, _, _ = discs
    clicks = [Click(60, 60), Click(100, 60, positive=False)]

    def masks():
        talk = method().start(image)
        return [talk.answer(clicks[:k]).mask for k in (1, 2)]

    for first, second in zip(masks(), masks(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (3, 3), (40, 2)])
def test_pictures_as_small_as_a_click_are_answered(method, size_hw):
    image = np.zeros((*size_hw, 3), dtype=np.uint8)

    answer = method().start(image).answer([Click(0, 0)])

    assert answer.candidates.shape == (1, *size_hw)
    assert answer.mask[0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_a_large_picture_is_answered_at_its_own_size(method, discs):
    image = np.repeat(np.repeat(discs[0], 5, axis=0), 5, axis=1)
    left = np.repeat(np.repeat(discs[1], 5, axis=0), 5, axis=1)

    answer = method(working_px=160).start(image).answer([Click(302, 302)])

    assert answer.mask.shape == (600, 1000)
    assert iou(answer.mask, left) > 0.85


@pytest.mark.parametrize("method", METHODS)
def test_settings_are_facts_and_change_the_fingerprint(method):
    small, large = method(working_px=100), method(working_px=200)

    assert small.facts["working_px"] == 100
    assert small.fingerprint != large.fingerprint
    assert small.fingerprint == method(working_px=100).fingerprint


def test_discs_give_pixels_to_the_nearer_click():
    picture = Reduced(np.zeros((1, 9, 3), dtype=np.uint8), 100)

    discs = picture.discs([Click(2, 0), Click(6, 0, positive=False)], radius_px=3)

    assert discs.tolist() == [[1, 1, 1, 1, -1, -1, -1, -1, -1]]


def test_the_last_click_of_a_pixel_rules_it():
    picture = Reduced(np.zeros((1, 3, 3), dtype=np.uint8), 100)

    discs = picture.discs([Click(1, 0), Click(1, 0, positive=False)], radius_px=0)

    assert discs.tolist() == [[0, -1, 0]]


def test_clicks_keep_their_place_in_a_reduced_picture():
    picture = Reduced(np.zeros((100, 200, 3), dtype=np.uint8), 50)

    places = [picture.place(Click(x, y)) for x, y in ((0, 0), (199, 99), (3.4, 3.5))]

    assert picture.size_hw == (25, 50)
    assert places == [(0, 0), (49, 24), (0, 1)]


def test_a_small_picture_is_not_enlarged():
    picture = Reduced(np.zeros((10, 20, 3), dtype=np.uint8), 100)

    assert picture.size_hw == (10, 20)


def test_parts_without_a_positive_click_are_dropped():
    mask = np.array([[1, 1, 0, 1, 1, 0, 1]], dtype=bool)
    discs = np.array([[1, 0, 0, -1, 0, 0, 0]], dtype=np.int8)

    assert reached(mask, discs).astype(int).tolist() == [[1, 1, 0, 0, 0, 0, 0]]


@needs_skimage
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"mode": "fast"}, "mode=fast is unknown: give bf, cg, cg_j"),
        ({"border": "never"}, "border=never is unknown: give always, first"),
    ],
)
def test_unknown_settings_of_the_walker_are_refused(option, message):
    with pytest.raises(BadConfig) as caught:
        RandomWalker(**option)

    assert str(caught.value) == message


@needs_skimage
def test_the_border_is_background_always_or_until_a_negative_click():
    image = np.full((60, 60, 3), 90, dtype=np.uint8)
    clicks = [Click(20, 30), Click(50, 30, positive=False)]

    always, first = (
        RandomWalker(border=border).start(image).answer(clicks).mask
        for border in ("always", "first")
    )

    assert not always[:, 0].any()
    assert first[:, 0].all()  # nearer to the positive click, and nothing is in the way


def test_without_the_extra_the_walker_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)

    with pytest.raises(MissingExtra) as caught:
        RandomWalker()

    assert str(caught.value) == (
        "the random walker needs packages that are not installed: run pip install "
        "'latentcut[evaluation]'"
    )
