"""
A4: folders and files that are moved away, come back, or are replaced while a project is open.

What is acknowledged must be in the file that lies at the path, not in one that was deleted.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from sentences import FINE, GONE, LOCKED, OTHER, refused
from store_things import commit, faults_of, mask_of, record_of

from latentcut.errors import StoreUnavailable
from latentcut.store.project import ProjectStore
from latentcut.store.rows import StoreStatus


def test_a_folder_that_was_moved_away_is_missed_until_it_comes_back(store, folder):
    saved = commit(store, 1, 1)
    folder.rename(folder.with_name("elsewhere"))

    assert refused(store) == GONE
    assert store.status() == StoreStatus(writable=False, reason=GONE)
    assert store.document(1) == saved  # what there is can be looked at all the time
    assert not folder.exists()

    folder.with_name("elsewhere").rename(folder)
    assert store.status() == FINE
    assert commit(store, 1, 2).revision == 2
    store.close()
    with ProjectStore.open(folder) as again:
        assert again.document(1).revision == 2


def test_a_disk_that_was_unmounted_is_missed_until_it_comes_back(small_disk, tmp_path):
    project = small_disk / "pictures"
    project.mkdir()
    with ProjectStore.open(project) as store:
        store.sync_images(["a.jpg"])
        commit(store, 1, 1)
        # a lazy unmount is what happens to open files when a disk is pulled out
        keep = tmp_path / "keep"
        keep.mkdir()
        subprocess.run(["mount", "--bind", str(small_disk), str(keep)], check=True)
        subprocess.run(["umount", "-l", str(small_disk)], check=True)

        assert refused(store) == GONE

        subprocess.run(["mount", "--bind", str(keep), str(small_disk)], check=True)
        subprocess.run(["umount", "-l", str(keep)], check=True)
        assert store.status() == FINE
        assert commit(store, 1, 2).revision == 2


def test_a_project_that_was_deleted_is_not_begun_anew_behind_the_users_back(store, folder):
    commit(store, 1, 1)
    shutil.rmtree(folder / ".latentcut")

    assert refused(store) == GONE
    assert store.status() == StoreStatus(writable=False, reason=GONE)
    store.close()
    assert list(folder.iterdir()) == []


def test_a_copy_that_takes_the_place_of_the_project_is_what_is_written(store, folder):
    commit(store, 1, 1)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    commit(store, 1, 2)  # not in the copy
    shutil.rmtree(folder)
    copy.rename(folder)

    assert store.document(1).revision == 1
    assert commit(store, 1, 3).revision == 2
    store.close()
    with ProjectStore.open(folder) as again:
        assert [record.id for record in again.document(1).objects] == [1, 3]
        assert faults_of(again.path) == []


def test_another_project_in_the_same_place_is_not_written_to(store, folder):
    commit(store, 1, 1)
    with ProjectStore.open(folder.parent) as other:
        other.sync_images(["x.jpg"])
        commit(other, 1, 1)
        theirs = other.document(1)
    ours = (folder / ".latentcut").rename(folder / "ours")
    (folder.parent / ".latentcut").rename(folder / ".latentcut")

    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            store.commit(1, 1, "click", {2: record_of(2)}, dict([mask_of(0)]))
        assert str(caught.value) == OTHER
        assert store.status() == StoreStatus(writable=False, reason=OTHER)
    with ProjectStore.open(folder) as other:
        assert other.document(1) == theirs

    shutil.rmtree(folder / ".latentcut")
    ours.rename(folder / ".latentcut")
    assert commit(store, 1, 2).revision == 2


def test_closing_leaves_the_journal_of_a_copy_alone_that_took_the_place(store, folder):
    commit(store, 1, 1)
    copy = shutil.copytree(folder, folder.with_name("copy"))  # with a journal that is in use
    shutil.rmtree(folder)
    copy.rename(folder)
    journal = folder / ".latentcut" / "project.db-wal"
    before = journal.read_bytes()

    store.close()

    assert len(before) > 0
    assert journal.read_bytes() == before
    with ProjectStore.open(folder) as again:
        assert again.document(1).revision == 1


def test_a_journal_deleted_while_it_is_in_use_costs_nothing(store, folder):
    commit(store, 1, 1)
    (folder / ".latentcut" / "project.db-wal").unlink()

    assert commit(store, 1, 2).revision == 2
    store.close()
    with ProjectStore.open(folder) as again:
        assert [record.id for record in again.document(1).objects] == [1, 2]
        assert faults_of(again.path) == []


def test_a_journal_deleted_before_closing_costs_nothing(store, folder):
    commit(store, 1, 1)
    (folder / ".latentcut" / "project.db-wal").unlink()

    store.close()

    with ProjectStore.open(folder) as again:
        assert [record.id for record in again.document(1).objects] == [1]
        assert faults_of(again.path) == []


def test_a_deleted_journal_is_not_mended_while_another_program_uses_it(store, folder):
    commit(store, 1, 1)
    other = ProjectStore.open(folder)
    (folder / ".latentcut" / "project.db-wal").unlink()

    for program in (store, other):
        with pytest.raises(StoreUnavailable) as caught:
            commit(program, 1, 2)
        assert str(caught.value) == LOCKED

    other.close()
    assert commit(store, 1, 2).revision == 2
    store.close()
    assert faults_of(store.path) == []


def test_a_folder_that_vanishes_during_a_write_leaves_the_write_unacknowledged(store, folder):
    with pytest.raises(StoreUnavailable) as caught, store._connection.writing() as sqlite:  # noqa: PT012
        sqlite.execute("UPDATE images SET width = 7")
        folder.rename(folder.with_name("elsewhere"))

    assert str(caught.value) == GONE
