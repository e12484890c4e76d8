"""Files that are no projects, are damaged, or were made by somebody who means harm."""

from __future__ import annotations

import random
import zlib

import pytest
from power_cut import Disk, Recorder
from store_things import CAT, commit, run_sql, traces

from latentcut.errors import ProjectBroken
from latentcut.store import history
from latentcut.store.project import ProjectStore


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "no project file: it is not an SQLite database"),
        (b"\x89PNG\r\n" + bytes(5_000), "no project file: it is not an SQLite database"),
        (b"SQLite format 3\x00" + bytes(10), "no project file: it is not an SQLite database"),
    ],
    ids=["text", "picture", "cut off header"],
)
def test_a_file_that_is_no_database_is_refused_and_not_touched(folder, content, message):
    file = folder / "project.db"
    file.write_bytes(content)

    with pytest.raises(ProjectBroken) as caught:
        ProjectStore.open(file)

    assert str(caught.value) == f"{folder.name}/project.db is {message}"
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE songs (title)"],
        ["CREATE TABLE songs (title)", "PRAGMA user_version = 1"],
        ["CREATE TABLE songs (title)", "PRAGMA application_id = 77"],
    ],
    ids=["unmarked", "with a version", "with another mark"],
)
def test_a_database_of_another_program_is_refused_and_not_touched(folder, statements):
    file = folder / "project.db"
    run_sql(file, *statements)
    before = traces(folder)

    with pytest.raises(ProjectBroken) as caught:
        ProjectStore.open(file)

    assert str(caught.value) == (
        f"{folder.name}/project.db is no project file: it is a database of another program"
    )
    assert traces(folder) == before


def test_a_file_that_was_only_just_created_becomes_a_project(folder):
    (folder / "project.db").touch()

    with ProjectStore.open(folder / "project.db") as store:
        assert store.images() == ()


def test_a_file_whose_first_page_was_never_finished_becomes_a_project(folder):
    recorder = Recorder("recorder-first-page")
    with ProjectStore.open(folder, vfs=recorder.name):
        pass
    recorder.unregister()
    first_page = next(
        i for i, event in enumerate(recorder.events) if event[:2] == ("write", "project.db")
    )
    disk = Disk()
    for event in recorder.events[:first_page]:
        disk.take(event)
    journal = disk.safe["project.db-journal"]

    for content in (bytes(3_072), recorder.events[first_page][3][:512]):
        (folder / "project.db").write_bytes(content)
        (folder / "project.db-journal").write_bytes(journal)
        with ProjectStore.open(folder / "project.db") as store:
            assert store.images() == ()


def test_a_damaged_project_is_named_as_such(store, folder):
    for number in range(30):
        commit(store, 1, 1 + number, number)
    store.close()
    content = bytearray(store.path.read_bytes())
    content[4096:] = random.Random(0).randbytes(len(content) - 4096)
    store.path.write_bytes(content)

    with pytest.raises(ProjectBroken) as caught:
        ProjectStore.open(folder)

    assert str(caught.value) == (
        ".latentcut/project.db is damaged: put a backup copy of it in its place "
        "(database disk image is malformed)"
    )


@pytest.mark.parametrize(
    ("statement", "use", "what"),
    [
        (
            """UPDATE objects SET record = '{"id": 1, "evil": "<script>"}'""",
            lambda store: store.document(1),
            "an object of image 1",
        ),
        (
            "UPDATE changes SET other = x'00' WHERE other IS NOT NULL",
            lambda store: store.undo(1, 2),
            "the history of image 1",
        ),
        (
            f"UPDATE changes SET other = x'{zlib.compress(bytes(2**20)).hex()}'",
            lambda store: store.undo(1, 2),
            "the history of image 1",
        ),
        ("UPDATE labels SET colour = 99", lambda store: store.labels(), "a label"),
        (
            "UPDATE project SET settings = '[1'",
            lambda store: store.settings(),
            "the list of settings",
        ),
    ],
    ids=["object", "history", "history that fills the memory", "label", "settings"],
)
def test_content_that_breaks_the_rules_is_named_and_not_used(
    store, monkeypatch, statement, use, what
):
    monkeypatch.setattr(history, "MAX_RECORD_BYTES", 2**16)
    store.set_labels([CAT], 0)
    commit(store, 1, 1)
    commit(store, 1, 1)
    run_sql(store.path, statement)

    with pytest.raises(ProjectBroken) as caught:
        use(store)

    assert str(caught.value) == (
        f"{what} is damaged: put a backup copy of the project in its place"
    )
    assert store.image(1).revision == 2


def test_a_project_without_its_tables_is_named_as_such(store):
    run_sql(store.path, "DROP TABLE masks")

    with pytest.raises(ProjectBroken) as caught:
        store.mask("0" * 32)

    assert str(caught.value) == (
        ".latentcut/project.db cannot be read as a project: no such table: masks"
    )


def test_a_trigger_in_a_strangers_project_does_not_run(store, folder):
    store.close()
    run_sql(
        store.path,
        "CREATE TRIGGER evil AFTER UPDATE ON project BEGIN DELETE FROM images; END",
    )

    with ProjectStore.open(folder) as again:
        again.new_object_id(1)
        assert len(again.images()) == 3
