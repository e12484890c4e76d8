"""A data set drawn on the spot and a config small enough for seconds of training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

TINY_CONFIG = """
[model]
num_masks = 3
trunk = 16
head = 8
detail = 8
embedding = 8
dilations = [1, 2]

[data]
crop_sizes = [64]
crop_shares = [1.0]
images_per_step = [2]
pairs_per_image = 2
held_out_every = 4
workers = 0

[data.sets]
shapes = 1.0

[loss]
rank_weights = [0.01, 0.005, 0.0025]

[train]
steps = 8
warmup_steps = 2
bf16 = false
checkpoint_minutes = 0.0
validate_every = 0
log_every = 1
"""


def draw_shapes(folder: Path, count: int = 12) -> Path:
    """Discs and boxes on noise, two objects per picture, in the folder format."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    (folder / "META.json").write_text(json.dumps({"ignore_value": 255}))
    rng = np.random.default_rng(0)
    for number in range(count):
        noise = rng.integers(0, 90, (96, 128, 3), dtype=np.uint8)
        picture, labels = Image.fromarray(noise), Image.new("L", (128, 96))
        for value, left in ((1, 8), (2, 70)):
            box = (left, 12 + 3 * number, left + 42, 48 + 3 * number)
            colour = tuple(int(c) for c in rng.integers(120, 256, 3))
            for canvas, fill in ((picture, colour), (labels, value)):
                draw = ImageDraw.Draw(canvas)
                (draw.ellipse if value == 1 else draw.rectangle)(box, fill=fill)
        picture.save(folder / "images" / f"{number:03d}.png")
        labels.save(folder / "masks" / f"{number:03d}.png")
    return folder


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the one data set ``shapes``."""
    root = tmp_path_factory.mktemp("data")
    draw_shapes(root / "shapes")
    return root


@pytest.fixture(scope="session")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(TINY_CONFIG)
    return path
