"""A project in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from store_things import quick_folder

from latentcut.store.project import ProjectStore


@pytest.fixture
def folder():
    """Empty, and in memory where the system has such: hundreds of flushes cost a minute else."""
    with quick_folder() as path:
        pictures = Path(path) / "pictures"
        pictures.mkdir()
        yield pictures


@pytest.fixture
def store(folder):
    """A project of three images, with the ids 1, 2 and 3."""
    with ProjectStore.open(folder) as project:
        project.sync_images(["a.jpg", "b.jpg", "sub/c.jpg"])
        yield project


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own of 2 MB; tests fill it, take it away, or make it read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)
