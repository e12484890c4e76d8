"""The client inside X-AnyLabeling, without its window, talks to our server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import anylabeling.config
import cv2
import numpy as np
import pytest
from anylabeling.services.auto_labeling.remote_server import RemoteServer
from anylabeling.views.labeling.widgets.auto_labeling.auto_labeling import AutoLabelingWidget
from PyQt6 import QtGui, QtWidgets

import latentcut
from latentcut import Click
from latentcut.core.metrics import iou
from latentcut.core.replay import replayed
from latentcut.integrations.xanylabeling import MODEL_INFO

SAMPLES = Path(__file__).resolve().parents[3] / "src" / "latentcut" / "samples"
PHOTO = SAMPLES / "chelsea.jpg"
POSITIVE = {"type": "point", "data": [235, 160], "label": 1}
NEGATIVE = {"type": "point", "data": [410, 140], "label": 0}
CONFIG = {"type": "remote_server", "name": "remote_server", "display_name": "Remote-Server"}


@pytest.fixture(scope="module")
def url():
    command = [sys.executable, "-m", "latentcut", "xanylabeling", "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def messages():
    return []


@pytest.fixture(scope="module")
def client(url, messages, tmp_path_factory):
    """X-AnyLabeling's own, told of the server as its settings tell it."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    settings = tmp_path_factory.mktemp("home") / "xanylabelingrc.yaml"
    settings.write_text(f'remote_server_settings: {{server_url: "{url}", api_key: ""}}\n')
    anylabeling.config.current_config_file = str(settings)
    client = RemoteServer(dict(CONFIG), messages.append)
    client.get_available_models()
    client.set_model_id("latentcut")
    client.set_mask_fineness(0.0001)  # where our slider stands
    client.set_auto_labeling_preserve_existing_annotations_state(True)  # and our switch
    yield client
    del application


def predicted(client, marks):
    client.set_auto_labeling_marks(marks)
    return client.predict_shapes(QtGui.QImage(str(PHOTO)), str(PHOTO))


def drawn(shapes):
    picture = np.zeros((300, 451), dtype=np.uint8)
    for shape in shapes:
        points = np.array([[point.x(), point.y()] for point in shape.points])
        cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], 1)
    return picture.astype(bool)


def test_the_client_lists_the_model_and_knows_all_of_its_buttons(client):
    assert list(client.models_info) == ["latentcut"]
    names = {widget["name"] for widget in MODEL_INFO["widgets"]}
    assert names <= set(AutoLabelingWidget.supported_remote_widgets)
    assert client.get_batch_processing_mode() is None


def test_points_become_polygons_of_the_mask(client, messages):
    predictor = latentcut.load(threads=1)
    clicks = Click(235, 160), Click(410, 140, positive=False)
    mask = replayed(predictor, predictor.encode(PHOTO), clicks).mask

    result = predicted(client, [POSITIVE, NEGATIVE])

    assert {(shape.label, shape.shape_type) for shape in result.shapes} == {
        ("AUTOLABEL_OBJECT", "polygon")
    }
    assert (result.replace, messages) == (False, [])
    assert (
        iou(drawn(result.shapes), mask) > 0.98
    )  # its slider simplifies a little, holes are filled


def test_a_box_becomes_polygons(client):
    box = {"type": "rectangle", "data": [60, 20, 440, 290], "label": 1}

    result = predicted(client, [box])

    assert drawn(result.shapes)[160, 235]


def test_cleared_marks_become_no_shapes_and_keep_the_finished_ones(client):
    result = predicted(client, [])

    assert (result.shapes, result.replace) == ([], False)


def test_a_failed_request_is_shown_and_keeps_the_finished_shapes(client, messages):
    result = predicted(client, [{**POSITIVE, "data": [9999, 3]}])

    assert (result.shapes, result.replace) == ([], False)
    assert messages.pop().startswith("Remote server error: 422 Client Error")
