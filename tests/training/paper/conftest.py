"""A config of the paper family small enough for a second of training on the drawn shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from latentcut.training.loop import StopRequest
from latentcut.training.paper import loop
from latentcut.training.paper.config import PaperConfig, load_paper_config

TINY_PAPER_CONFIG = """
[family]
name = "paper"

[features]
kind = "none"

[model]
num_masks = 3
width = 4
dilations = [1, 2]
stride = 4

[data]
source = "crops"
crop_sizes = [64]
crop_shares = [1.0]
images_per_step = [2]
pairs_per_image = 2
held_out_every = 4
workers = 0

[data.sets]
shapes = 1.0

[train]
f_steps = 4
g_steps = 4
learning_rate = 1e-2
checkpoint_minutes = 60.0
log_every = 1
"""


@pytest.fixture(scope="session")
def paper_config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("paper_config") / "tiny_paper.toml"
    path.write_text(TINY_PAPER_CONFIG)
    return path


@pytest.fixture(scope="session")
def paper_config(paper_config_path: Path) -> Callable[..., PaperConfig]:
    """The tiny config with overrides, ``section.key=value`` each."""

    def load(*overrides: str) -> PaperConfig:
        return load_paper_config(paper_config_path, overrides)

    return load


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make the next runs stop after so many steps, as an interrupt does."""

    def stop(steps: int) -> None:
        class StopsAfter(StopRequest):
            asked = 0

            def agreed(self, device: torch.device) -> bool:
                self.asked += 1
                return self.asked > steps

        monkeypatch.setattr(loop, "StopRequest", StopsAfter)

    return stop


@pytest.fixture(scope="session")
def whole_run(
    paper_config: Callable[..., PaperConfig],
    shapes_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run of 4 steps of f and 4 of g that nobody stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    loop.train_paper(paper_config(), shapes_root, None, run)
    return run
