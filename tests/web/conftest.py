"""What the tests of the server share: photos, drawn pictures, servers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from web_servers import Running, in_process, in_thread

from latentcut.cli.samples import SAMPLES


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder with the four sample photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in sorted(SAMPLES.glob("*.jpg")):
        shutil.copy(path, folder)
    return folder


def draw_pictures(folder: Path) -> Path:
    """A folder with two drawn pictures of 64 x 48 px: a red box, and a blue one."""
    folder.mkdir()
    for name, colour in (("1.png", (200, 30, 30)), ("2.png", (30, 30, 200))):
        image = np.full((48, 64, 3), 230, np.uint8)
        image[8:36, 10:30] = colour
        Image.fromarray(image).save(folder / name)
    return folder


@pytest.fixture
def pictures(tmp_path) -> Path:
    return draw_pictures(tmp_path / "pictures")


@pytest.fixture(scope="module")
def server(tmp_path_factory, predictor) -> Iterator[Running]:
    """A server on drawn pictures for the whole module: for tests that change nothing."""
    with in_thread(draw_pictures(tmp_path_factory.mktemp("module") / "pictures"), predictor) as it:
        yield it


@pytest.fixture
def start(predictor) -> Iterator[Callable[..., Running]]:
    """Start servers in threads; they end with the test."""
    with ExitStack() as stack:

        def start(folder: Path, model=predictor, **options) -> Running:
            return stack.enter_context(in_thread(folder, model, **options))

        yield start


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[..., Running]]:
    """Start servers in processes of their own; they end with the test."""
    launched: list[Running] = []

    def launch(folder: Path, **options) -> Running:
        running = in_process(folder, tmp_path / f"server{len(launched)}.log", **options)
        launched.append(running)
        return running

    yield launch
    for running in launched:
        if running.process.is_alive():
            running.kill()
