"""What the tests of the command line share: a way to run it, photos, a tiny data set."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut.cli.app import app
from latentcut.cli.samples import SAMPLES
from latentcut.core.bundle import default_bundle_path

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def usage_error(self) -> str:
        """The sentence inside the box that Typer draws, in one line."""
        inside = [line.strip("│ ") for line in self.err.splitlines() if line.startswith("│")]
        return " ".join(inside)


@pytest.fixture
def run(capsys, monkeypatch) -> Callable[..., Ran]:
    monkeypatch.setenv("COLUMNS", "200")  # so that no line is broken

    def run(*args: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            app([str(arg) for arg in args], prog_name="latentcut")
        printed = capsys.readouterr()
        out, err = (COLOUR.sub("", text) for text in printed)  # some hosts force colours on
        return Ran(caught.value.code or 0, out, err)

    return run


@pytest.fixture
def coffee() -> Path:
    return SAMPLES / "coffee.jpg"


@pytest.fixture(scope="session")
def predictor():
    return latentcut.load(threads=1)


@pytest.fixture
def altered_bundle(tmp_path) -> Path:
    """A copy of the shipped bundle with one bit of the decoder turned."""
    folder = tmp_path / "altered"
    shutil.copytree(default_bundle_path(), folder)
    content = bytearray((folder / "decoder.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "decoder.onnx").write_bytes(content)
    return folder


@pytest.fixture
def shapes(tmp_path) -> Path:
    """A data set of two pictures of 64 x 48 px: a red box, and a blue box with a green one."""
    folder = tmp_path / "shapes"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    boxes = {"one": [((200, 30, 30), 10, 8, 30, 36)]}
    boxes["two"] = [((30, 30, 200), 4, 4, 24, 40), ((30, 160, 30), 34, 10, 60, 30)]
    for name, objects in boxes.items():
        image, labels = np.full((48, 64, 3), 230, np.uint8), np.zeros((48, 64), np.uint8)
        for number, (colour, left, top, right, bottom) in enumerate(objects, start=1):
            image[top:bottom, left:right], labels[top:bottom, left:right] = colour, number
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{name}.png")
    return folder
