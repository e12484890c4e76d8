"""Shared arrangements: the model that comes with the package, a drawn picture, small data sets."""

from __future__ import annotations

import json
import signal

import hypothesis
import numpy as np
import pytest
from PIL import Image

import latentcut

# A shell that starts the tests in the background has them ignore Ctrl+C, and what they start
# inherits that. Some tests interrupt the programs they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Time limits per example would fail on a busy machine, and a failure must be seen again in the
# next run.
hypothesis.settings.register_profile("latentcut", deadline=None, derandomize=True)
hypothesis.settings.load_profile("latentcut")


@pytest.fixture(scope="session")
def predictor():
    """The packaged model. Its weights change between releases: nothing here may rely on them."""
    return latentcut.load(threads=1)


@pytest.fixture(scope="session")
def photo():
    """A bright disc of radius 24 at (60, 40) on a colour ramp: uint8 (96, 128, 3), read-only."""
    rows, columns = np.mgrid[:96, :128]
    image = np.stack([columns, rows, np.full((96, 128), 40)], axis=2).astype(np.uint8)
    image[(columns - 60) ** 2 + (rows - 40) ** 2 <= 24**2] = (230, 220, 60)
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def encoded(predictor, photo):
    return predictor.encode(photo)


@pytest.fixture
def make_dataset(tmp_path):
    """Write a folder of images and label maps; arrays are given by file name."""

    def make(images, masks, meta=None, name="things"):
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        for file_name, pixels in images.items():
            Image.fromarray(pixels).save(folder / "images" / file_name)
        for file_name, labels in masks.items():
            Image.fromarray(np.asarray(labels)).save(folder / "masks" / file_name)
        if meta is not None:
            (folder / "META.json").write_text(json.dumps(meta), encoding="utf-8")
        return folder

    return make
