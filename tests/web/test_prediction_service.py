"""The service behind the adapters: one model, one queue, images known by their bytes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import latentcut
from latentcut.core.clicks import Click
from latentcut.errors import UnsupportedImage
from latentcut.web.service import PredictionService

SAMPLES = Path(latentcut.__file__).parent / "samples"
PHOTO = (SAMPLES / "chelsea.jpg").read_bytes()
CLICK = Click(225, 120)


@pytest.fixture(scope="module")
def predictor():
    return latentcut.load(threads=1)


@pytest.fixture
def service(predictor):
    running = PredictionService(lambda: predictor)
    running.start()
    yield running
    running.stop(5)


def test_an_answer_is_the_predictors_own(service, predictor):
    answered = asyncio.run(service.predict(PHOTO, [CLICK]))

    own = predictor.predict(predictor.encode(PHOTO), [CLICK])
    np.testing.assert_array_equal(answered.candidates, own.candidates)
    np.testing.assert_array_equal(answered.scores, own.scores)


def test_the_same_bytes_are_encoded_once(service):
    async def twice():
        return [await service.ask(PHOTO, lambda _, encoded: encoded) for _ in range(2)]

    first, second = asyncio.run(twice())

    assert first is second


def test_what_is_no_image_raises_what_the_reader_raises(service):
    with pytest.raises(UnsupportedImage):
        asyncio.run(service.predict(b"no image", [CLICK]))


def test_a_service_is_ready_once_its_model_is_loaded(predictor):
    service = PredictionService(lambda: predictor)

    before = service.is_ready
    service.start()
    asyncio.run(service.predict(PHOTO, [CLICK]))

    assert (before, service.is_ready) == (False, True)
    service.stop(5)
