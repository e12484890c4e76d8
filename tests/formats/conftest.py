"""What the tests of the formats share: a project of three small pictures."""

from __future__ import annotations

import pytest
from format_samples import write_photos

from latentcut.store.project import ProjectStore


@pytest.fixture
def photos(tmp_path):
    """A folder of three pictures, 50 x 40 px."""
    folder = tmp_path / "photos"
    write_photos(folder)
    return folder


@pytest.fixture
def store(photos):
    """The project of the folder, with its three images and no objects."""
    with ProjectStore.open(photos) as store:
        store.sync_images(["a.jpg", "b.png", "sub/c.jpg"])
        yield store
