"""
A4: disks that fill up, folders that vanish or cannot be written.

Each time the same: what cannot be saved is said in a sentence, nothing is half saved, and the
same store saves it when the trouble is over.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time

import apsw
import pytest
from faulty_disk import FaultyDisk
from sentences import FINE, FULL, LOCKED, READ_ONLY, SLOW, TROUBLE, refused
from store_processes import answer_of, hold_the_lock, start, write_into_a_limit
from store_things import commit, faults_of

from latentcut.errors import StoreUnavailable
from latentcut.store import connection
from latentcut.store.project import ProjectStore
from latentcut.store.rows import StoreStatus
from latentcut.store.sqlite import check_release

# ---------------------------------------------------------------- full


@pytest.mark.parametrize("pages", [1_000, 10], ids=["in a commit", "in a checkpoint first"])
def test_a_full_disk_is_said_and_saving_goes_on_once_there_is_room(small_disk, monkeypatch, pages):
    monkeypatch.setattr(connection, "AUTOCHECKPOINT_PAGES", pages)
    with ProjectStore.open(small_disk) as store:
        store.sync_images(["a.jpg"])
        for number in range(20):
            commit(store, 1, 1, number=number)
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

        assert store.status() == StoreStatus(writable=False, reason=FULL)
        reason = None
        for number in range(100, 1_000):  # there is room in the journal for the first few
            before = store.document(1)
            try:
                commit(store, 1, number, number=number)
            except StoreUnavailable as error:
                reason = error.reason
                break
        assert reason == FULL
        assert store.document(1) == before
        assert store.status() == StoreStatus(writable=False, reason=FULL)

        ballast.unlink()
        assert store.status() == FINE
        assert commit(store, 1, number, number=number).revision == before.revision + 1
        saved = store.document(1)

    with ProjectStore.open(small_disk) as store:
        assert store.document(1) == saved
        assert faults_of(store.path) == []


def test_a_project_cannot_be_begun_on_a_full_disk(small_disk):
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))

    with pytest.raises(StoreUnavailable) as caught:
        ProjectStore.open(small_disk)
    assert str(caught.value) == FULL

    ballast.unlink()
    with ProjectStore.open(small_disk) as store:
        assert store.status() == FINE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_limit_on_the_size_of_files_is_a_full_disk(store, folder):
    store.close()

    saved, reason, status, again, revision = answer_of(write_into_a_limit, folder, 500_000)

    assert saved > 0
    assert reason == FULL
    assert (status, again) == (StoreStatus(writable=False, reason=FULL), FINE)
    assert revision == saved + 1


# ---------------------------------------------------------------- disks that report errors


@pytest.fixture
def disk():
    disk = FaultyDisk()
    yield disk
    disk.unregister()


@pytest.mark.parametrize("where", ["write", "flush"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(apsw.FullError, FULL), (apsw.IOError, TROUBLE), (apsw.ReadOnlyError, READ_ONLY)],
    ids=["full", "broken", "read-only"],
)
def test_what_a_disk_refuses_is_not_half_saved_and_can_be_saved_later(
    folder, disk, fault, where, reason
):
    with ProjectStore.open(folder, vfs=disk.name) as store:
        store.sync_images(["a.jpg"])
        commit(store, 1, 1, number=1)
        disk.fail(fault, where)

        for _ in range(3):
            assert refused(store) == reason
            assert store.status() == StoreStatus(writable=False, reason=reason)
        with pytest.raises(StoreUnavailable):
            store.new_object_id(1)

        disk.heal()
        assert store.status() == FINE
        assert commit(store, 1, 50, number=50).revision == 2
        saved = store.document(1)

    with ProjectStore.open(folder) as store:
        assert store.document(1) == saved
        assert faults_of(store.path) == []


# ---------------------------------------------------------------- read-only and in use


def test_a_read_only_folder_is_said_at_the_start(store, folder, small_disk):
    store.close()
    shutil.copytree(folder, small_disk / "pictures")
    (small_disk / "new").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    for name in ("pictures", "new"):
        with pytest.raises(StoreUnavailable) as caught:
            ProjectStore.open(small_disk / name)
        assert str(caught.value) == READ_ONLY

    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with ProjectStore.open(small_disk / "pictures") as again:
        assert again.status() == FINE


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="rights do not bind root, nor Windows"
)
def test_a_folder_without_the_right_to_write_is_said(store, folder):
    os.chmod(folder / ".latentcut", 0o500)  # noqa: PTH101
    try:
        assert store.status() == StoreStatus(writable=False, reason=READ_ONLY)
    finally:
        os.chmod(folder / ".latentcut", 0o700)  # noqa: PTH101
    assert store.status() == FINE


def test_a_project_that_another_program_holds_is_said_in_time(store, monkeypatch):
    monkeypatch.setattr(connection, "PROBE_BUSY_TIMEOUT_MS", 50)
    process, pipe = start(hold_the_lock, store.path)
    assert pipe.recv() == "locked"
    begin = time.monotonic()

    assert store.status() == StoreStatus(writable=False, reason=LOCKED)

    assert time.monotonic() - begin < 2
    assert len(store.images()) == 3  # reading goes on
    pipe.close()
    process.join()
    assert store.status() == FINE


def test_a_write_that_hangs_is_said_in_time(store, monkeypatch):
    monkeypatch.setattr(connection, "PROBE_LOCK_TIMEOUT_S", 0.05)
    is_writing, may_end = threading.Event(), threading.Event()

    def hang():
        with store._connection.writing():
            is_writing.set()
            may_end.wait(10)

    thread = threading.Thread(target=hang)
    thread.start()
    is_writing.wait(10)

    status = store.status()

    may_end.set()
    thread.join()
    assert status == StoreStatus(writable=False, reason=SLOW)
    assert store.status() == FINE


def test_a_closed_store_says_so(store):
    store.close()
    store.close()

    with pytest.raises(StoreUnavailable) as caught:
        store.images()

    assert str(caught.value) == "the project was closed: start latentcut again to open it"


def test_looking_for_trouble_leaves_the_project_as_it_is(store, folder):
    commit(store, 1, 1)
    file, journal = store.path, folder / ".latentcut" / "project.db-wal"
    before = file.read_bytes(), journal.read_bytes()

    for _ in range(20):
        store.check_writable()

    assert (file.read_bytes(), journal.read_bytes()) == before
    assert sorted(p.name for p in file.parent.iterdir()) == [
        "project.db",
        "project.db-shm",
        "project.db-wal",
    ]


# ---------------------------------------------------------------- SQLite itself


def test_without_shared_memory_the_older_journal_is_used_with_more_flushes(folder):
    with ProjectStore.open(folder, vfs="unix-dotfile") as store:
        store.sync_images(["a.jpg"])
        commit(store, 1, 1)
        with store._connection.reading() as sqlite:
            mode = sqlite.execute("PRAGMA journal_mode").fetchall()
            synchronous = sqlite.execute("PRAGMA synchronous").fetchall()

    assert (mode, synchronous) == ([("delete",)], [(3,)])  # EXTRA
    with ProjectStore.open(folder) as again:
        assert again.document(1).revision == 1


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.44.5", "3.50.6", "3.51.2"])
def test_a_release_of_sqlite_that_damages_projects_is_refused(version):
    with pytest.raises(StoreUnavailable) as caught:
        check_release(version)

    assert str(caught.value) == (
        f"SQLite {version} can damage projects (its write-ahead log has a fault that 3.51.3 "
        "repairs): run pip install --upgrade apsw"
    )


@pytest.mark.parametrize("version", ["3.44.6", "3.50.7", "3.51.3", "3.54.1"])
def test_repaired_releases_of_sqlite_are_used(version):
    check_release(version)
