"""Our regions, judged by Label Studio's own SDK."""

from __future__ import annotations

import numpy as np
import pytest
from label_studio_sdk.converter import brush
from label_studio_sdk.label_interface import LabelInterface

import latentcut
from latentcut.integrations.label_studio.brush_rle import decode_brush, encode_brush
from latentcut.integrations.label_studio.regions import result_of
from latentcut.integrations.label_studio.tags import output_tag

SIZES = [(1, 1), (1, 7), (4, 5), (33, 65), (128, 128), (128, 129), (300, 400)]
TAGS = ("BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels")


def config(tag: str) -> str:
    labels = f'<{tag} name="tag" toName="image"><Label value="Cat"/><Label value="Dog"/></{tag}>'
    return f'<View><Image name="image" value="$image"/>{labels}</View>'


def masks(size_hw: tuple[int, int]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.random(size_hw) < share for share in (0, 0.01, 0.5, 0.99, 1)]


@pytest.fixture(scope="module")
def prediction():
    rows, columns = np.mgrid[:96, :128]
    image = np.full((96, 128, 3), 40, np.uint8)
    image[(columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2] = (230, 220, 60)
    predictor = latentcut.load(threads=1)
    return predictor.predict(predictor.encode(image), [latentcut.Click(60, 40)])


@pytest.mark.parametrize("size_hw", SIZES)
def test_brushes_are_written_byte_for_byte_as_the_sdk_writes_them(size_hw):
    for mask in masks(size_hw):
        expected = brush.mask2rle(mask.astype(np.uint8) * 255)

        assert encode_brush(mask) == expected


@pytest.mark.parametrize("size_hw", SIZES)
def test_the_sdk_reads_our_brushes_and_we_read_its_own(size_hw):
    for mask in masks(size_hw):
        theirs = brush.decode_rle(encode_brush(mask)).reshape(*size_hw, 4)[:, :, 3] > 0
        ours = decode_brush(brush.mask2rle(mask.astype(np.uint8) * 255), size_hw)

        assert np.array_equal(theirs, mask)
        assert np.array_equal(ours, mask)


@pytest.mark.parametrize("tag", TAGS)
def test_the_sdk_accepts_our_answers_to_every_tag(prediction, tag):
    answer = result_of(prediction, output_tag(config(tag)), "Cat", "latentcut-test", 1.0)

    assert LabelInterface(config(tag)).validate_prediction(answer) is True


@pytest.mark.parametrize("tag", TAGS)
def test_the_sdk_would_refuse_a_label_that_the_tag_does_not_have(prediction, tag):
    found = output_tag(config(tag))
    answer = result_of(prediction, found, "Cat", "latentcut-test", 1.0)
    for region in answer["result"]:
        region["value"][found.kind] = ["Cow"]

    assert LabelInterface(config(tag)).validate_prediction(answer) is False
