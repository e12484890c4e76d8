"""What the tests of the formats share: a project of three small pictures."""

from __future__ import annotations

import pytest
from format_samples import CORNERS, FRAME, SQUARE, add_objects, set_labels, write_photos

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


@pytest.fixture
def filled(store):
    """Two images with objects, one of them done; labels dog and cat."""
    labels = set_labels(store, "dog", "cat")
    add_objects(store, 1, [SQUARE, FRAME], [labels["cat"], None], ["Tom", ""])
    add_objects(store, 2, [CORNERS], [labels["dog"]])
    store.commit(2, store.document(2).revision, "done", {}, {}, done=True)
    return store
