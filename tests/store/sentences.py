"""What users are told when something cannot be saved, and how a test provokes it."""

from __future__ import annotations

import pytest
from store_things import commit

from latentcut.errors import StoreUnavailable
from latentcut.store.rows import StoreStatus

FULL = "the disk is full: free some space, and saving goes on"
READ_ONLY = "the project folder is read-only: allow writing in it, and saving goes on"
GONE = "the project folder is gone: put it back or connect its disk, and saving goes on"
OTHER = "another project lies where this one was: start latentcut again to open it"
LOCKED = "another program is using the project: close it, or wait until it is done"
SLOW = "saving takes unusually long: the disk is slow, or another program is using the project"
TROUBLE = (
    "the disk reports trouble (Input/output error): check it and its connection, and saving goes on"
)

FINE = StoreStatus(writable=True, reason=None)


def refused(store, image_id=1):
    """Sentence that a commit is refused with; nothing has changed by it."""
    before = store.document(image_id)
    with pytest.raises(StoreUnavailable) as caught:
        commit(store, image_id, 50, number=50)
    assert store.document(image_id) == before
    return str(caught.value)
