"""The public names and the calls other code is written against."""

from __future__ import annotations

import inspect
from importlib.resources import files

import numpy as np
import pytest

import latentcut
from latentcut import Click, EncodedImage, Prediction, Predictor, Session
from latentcut.core.bundle import default_bundle_path, read_bundle

SAMPLE = files("latentcut") / "samples" / "chelsea.jpg"  # 451 x 300 px


def test_the_documented_calls_work_to_the_letter(predictor, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(SAMPLE.read_bytes())
    num_masks, size_hw = predictor.num_masks, (300, 451)

    session = predictor.open(path)
    prediction = session.click(x=235, y=160)

    assert isinstance(session, Session)
    assert isinstance(prediction, Prediction)
    assert (prediction.mask.dtype, prediction.mask.shape) == (bool, size_hw)
    assert (prediction.candidates.dtype, prediction.candidates.shape) == (
        bool,
        (num_masks, *size_hw),
    )
    assert (prediction.scores.dtype, prediction.scores.shape) == (np.float32, (num_masks,))
    assert float(prediction.scores.sum()) == pytest.approx(1)
    assert prediction.expected_iou.shape == (num_masks,)
    assert (type(prediction.selected), prediction.selected) == (
        int,
        int(prediction.scores.argmax()),
    )
    assert prediction.clicks_satisfied is True
    assert session.choose(2).selected == 2
    assert session.undo().selected == prediction.selected
    assert session.redo().selected == 2
    assert session.clicks == (Click(235.0, 160.0, positive=True),)
    assert session.prediction.selected == 2


def test_the_stateless_calls_work_to_the_letter(predictor, photo):
    encoded = predictor.encode(photo)
    first = predictor.predict(encoded, [Click(60, 40)])
    second = predictor.predict(encoded, first.clicks, previous_mask=first.mask)
    session = predictor.open(photo, previous_mask=first.mask)

    assert isinstance(encoded, EncodedImage)
    assert second.mask.shape == first.mask.shape
    assert session.mask.tolist() == first.mask.tolist()


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        pytest.param(latentcut.load, {"path": None, "threads": 0}, id="load"),
        pytest.param(Predictor.open, {"image": ..., "previous_mask": None}, id="open"),
        pytest.param(Predictor.encode, {"image": ...}, id="encode"),
        pytest.param(
            Predictor.predict,
            {"encoded": ..., "clicks": ..., "previous_mask": None, "box": None},
            id="predict",
        ),
        pytest.param(Predictor.glance, {"encoded": ..., "click": ...}, id="glance"),
        pytest.param(Session.click, {"x": ..., "y": ..., "positive": True}, id="click"),
        pytest.param(Session.box, {"x0": ..., "y0": ..., "x1": ..., "y1": ...}, id="box"),
        pytest.param(Session.choose, {"index": ...}, id="choose"),
        pytest.param(Prediction.candidate, {"index": ...}, id="candidate"),
        pytest.param(Prediction.broken_clicks, {"index": ...}, id="broken_clicks"),
        pytest.param(Prediction.reduced, {"index": ..., "max_side": ...}, id="reduced"),
        pytest.param(Click, {"x": ..., "y": ..., "positive": True}, id="Click"),
    ],
)
def test_arguments_keep_their_names_order_and_defaults(function, signature):
    parameters = inspect.signature(function).parameters.values()

    found = {
        p.name: ... if p.default is inspect.Parameter.empty else p.default
        for p in parameters
        if p.name != "self"
    }

    assert list(found.items()) == list(signature.items())


def test_load_without_a_path_takes_the_packaged_bundle(predictor):
    assert predictor.fingerprint == read_bundle(default_bundle_path()).fingerprint


def test_every_public_name_leads_to_something():
    found = [getattr(latentcut, name) is not None for name in latentcut.__all__]

    assert found == [True] * len(latentcut.__all__)


def test_the_public_names_are_listed_before_they_are_loaded():
    assert dir(latentcut) == sorted(
        [
            "Click",
            "EncodedImage",
            "ImageLimits",
            "LatentcutError",
            "Prediction",
            "Predictor",
            "Session",
            "__version__",
            "load",
        ]
    )


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError) as caught:
        latentcut.segment  # noqa: B018  reading the attribute is the point

    assert str(caught.value) == "module 'latentcut' has no attribute 'segment'"
