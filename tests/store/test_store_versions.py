"""A7: every older project opens; a newer one is refused and not touched."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import apsw
import pytest
from power_cut import Disk, Recorder
from store_processes import migrate, received, start
from store_things import (
    CAT,
    DOG,
    IS_SOAK,
    commit,
    faults_of,
    mask_of,
    quick_folder,
    record_of,
    report,
    run_sql,
    stroke,
    traces,
)

from latentcut.errors import ProjectTooNew
from latentcut.store import schema
from latentcut.store.lessons import Evidence, LessonRow
from latentcut.store.project import ProjectStore
from latentcut.store.rows import LabelSet

FIXTURES = Path(__file__).parent / "fixtures"
NEWEST = schema.newest_version()
LATER = NEWEST + 1  # of `later_program`
NUM_KILLS = 60 if IS_SOAK else 8


@pytest.fixture
def later_program(monkeypatch):
    """This program, as it may look one version later."""

    def add_notes(sqlite):
        sqlite.execute("ALTER TABLE objects ADD COLUMN note TEXT")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_notes))


def check_content_of_version_1(store):
    """What make_project_v1.py has put there."""
    listed = [(image.path, image.missing, image.done, image.revision) for image in store.images()]
    assert listed == [
        ("a.jpg", False, False, 5),
        ("sub/Größe.png", False, True, 1),
        ("b.jpg", True, False, 0),
    ]
    assert (store.image(1).width, store.image(1).height) == (100, 100)
    assert store.labels() == LabelSet(1, (CAT, DOG))
    assert store.settings() == {"opacity": 0.5, "keys": {"undo": "z"}}
    painted = record_of(1, 3, label=CAT.id, name="Miez", strokes=(stroke(),))
    second = record_of(2, 2, label=DOG.id, position=1)
    document = store.document(1)
    assert document.objects == (painted, second)
    assert (document.can_undo, document.can_redo) == ("stroke", "delete")
    assert store.mask(painted.mask) == mask_of(3)[1]


def test_a_project_of_version_1_opens_with_all_its_work_and_history(folder):
    file = shutil.copy(FIXTURES / "project-v1.db", folder / "project.db")

    with ProjectStore.open(file) as store:
        check_content_of_version_1(store)
        assert store.redo(1, 5).objects == store.document(1).objects[:1]
        before_painting = store.undo(1, store.undo(1, 6).revision)
        assert before_painting.objects[0] == record_of(1, 1, label=CAT.id, name="Miez")
        assert store.new_object_id(1) == 3


def test_a_project_of_version_1_learns_as_a_new_one_does(folder):
    file = shutil.copy(FIXTURES / "project-v1.db", folder / "project.db")

    with ProjectStore.open(file) as store:
        assert (store.uses_preferences(), store.evidence(9)) == (True, ())
        record = record_of(store.new_object_id(1), 1)
        taught = Evidence({record.id: "{}"}, {(record.id, record.mask): (0.25, 1.0)})
        store.commit(1, 5, "click", {record.id: record}, {}, evidence=taught)

        assert store.evidence(9) == (LessonRow(record.id, record.mask, None, (0.25, 1.0)),)


def test_a_project_of_version_2_opens_with_what_it_has_learned(folder):
    file = shutil.copy(FIXTURES / "project-v2.db", folder / "project.db")

    with ProjectStore.open(file) as store:
        first, _ = store.document(1).objects
        assert first.parts[0].preference == (0.5, -0.25, 0.0, 1.0, 0.0)
        assert store.evidence(9) == (LessonRow(first.id, first.mask, None, (0.25, 1.0)),)
        assert store.undo(1, 3).objects == (first,)
        assert store.evidence(9) == (LessonRow(first.id, first.mask, None, (0.25, 1.0)),)
        assert store.undo(1, 4).objects[0].mask != first.mask
        assert store.evidence(9)[0].agreement == (1.0, 0.25)
        assert store.looks([first.id]) == {first.id: '{"look": 1}'}
        assert not store.uses_preferences()


def test_an_older_project_is_copied_before_it_is_migrated(folder, later_program):
    file = Path(shutil.copy(FIXTURES / "project-v1.db", folder / "project.db"))

    with ProjectStore.open(file) as store:
        check_content_of_version_1(store)

    assert run_sql(file, "PRAGMA user_version") == [[(LATER,)]]
    copy = folder / "project-format1.db"
    assert sorted(p.name for p in folder.iterdir()) == ["project-format1.db", "project.db"]
    assert run_sql(copy, "PRAGMA user_version", "PRAGMA application_id") == [
        [(1,)],
        [(schema.APPLICATION_ID,)],
    ]
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    for (table,) in run_sql(copy, tables)[0]:
        content = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert run_sql(copy, content) == run_sql(FIXTURES / "project-v1.db", content)


def test_a_new_project_is_not_copied(folder, later_program):
    ProjectStore.open(folder).close()

    assert [p.name for p in (folder / ".latentcut").iterdir()] == ["project.db"]


@pytest.mark.parametrize("where", ["in the database", "still in the journal"])
def test_a_newer_project_is_refused_and_not_touched(folder, where):
    file = Path(shutil.copy(FIXTURES / "project-v1.db", folder / "project.db"))
    sqlite = apsw.Connection(str(file))
    sqlite.execute("PRAGMA user_version = 9")
    if where == "still in the journal":
        sqlite.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    sqlite.close()
    before = traces(folder)
    assert (len(before) == 2) == (where == "still in the journal")

    with pytest.raises(ProjectTooNew) as caught:
        ProjectStore.open(file)

    assert str(caught.value) == (
        f"{folder.name}/project.db was written by a newer latentcut (format 9; this one reads up "
        "to 2), and was left as it is: run pip install --upgrade latentcut"
    )
    assert traces(folder) == before


def test_the_page_is_told_that_a_newer_program_has_the_project(store):
    run_sql(store.path, "PRAGMA user_version = 9")

    assert store.status().reason.startswith(".latentcut/project.db was written by a newer")


def test_a_program_notices_when_a_newer_one_migrates_its_project_meanwhile(store):
    run_sql(store.path, "PRAGMA user_version = 9")

    for use in (lambda: store.new_object_id(1), store.images, store.check_writable):
        with pytest.raises(ProjectTooNew) as caught:
            use()
        assert str(caught.value) == (
            ".latentcut/project.db was written by a newer latentcut (format 9; this one reads up "
            "to 2), and was left as it is: run pip install --upgrade latentcut"
        )


def test_a_migration_that_fails_leaves_the_version_before_it(store, folder, monkeypatch):
    def fail_late(sqlite):
        sqlite.execute("ALTER TABLE objects ADD COLUMN note TEXT")
        raise KeyboardInterrupt

    commit(store, 1, 1)
    before = store.document(1)
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, fail_late))
        with pytest.raises(KeyboardInterrupt):
            ProjectStore.open(folder)

    with ProjectStore.open(folder) as again:
        assert again.document(1) == before
        assert commit(again, 1, 1, number=1).revision == 2


def test_a_kill_during_a_migration_leaves_a_project_that_opens(folder):
    with ProjectStore.open(folder) as store:
        store.sync_images(["a.jpg"])
        changes = {i: record_of(i) for i in range(1, 301)}
        store.commit(1, 0, "import", changes, dict([mask_of(0)]))
        before = store.document(1)
    whole = shutil.copytree(folder, folder.with_name("whole"))
    rng = random.Random(0)
    num_migrated = 0

    for _ in range(NUM_KILLS):
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        process, pipe = start(migrate, folder)
        assert pipe.recv() == "start"
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.join()
        received(pipe)

        file = folder / ".latentcut" / "project.db"
        assert faults_of(file) == []
        version = run_sql(file, "PRAGMA user_version")[0][0][0]
        num_migrated += version == LATER
        if version == NEWEST:
            with ProjectStore.open(folder) as store:
                assert store.document(1) == before
        process, pipe = start(migrate, folder)
        process.join()
        assert received(pipe) == ["start", "migrated"]
        without_note = "SELECT count(*) FROM objects WHERE note IS NULL"
        assert run_sql(file, "PRAGMA user_version", without_note) == [[(LATER,)], [(0,)]]
        copy = folder / f".latentcut/project-format{NEWEST}.db"
        assert run_sql(copy, "PRAGMA user_version") == [[(NEWEST,)]]

    report(
        f"A7: {NUM_KILLS} kills during a migration, {num_migrated} after it was done, "
        "every project opens in one version or the other"
    )


def test_a_power_cut_at_any_moment_of_a_migration_leaves_a_project_that_opens(
    folder, later_program
):
    recorder = Recorder("recorder-migration")
    file = shutil.copy(FIXTURES / "project-v1.db", folder / "project.db")
    with ProjectStore.open(file, vfs=recorder.name):
        pass
    recorder.unregister()
    rng, disk = random.Random(0), Disk()
    disk.safe["project.db"] = bytearray((FIXTURES / "project-v1.db").read_bytes())

    for event in recorder.events:
        disk.take(event)
        with quick_folder() as place:
            disk.cut(rng, Path(place))
            with ProjectStore.open(Path(place) / "project.db") as store:
                check_content_of_version_1(store)
            assert run_sql(store.path, "PRAGMA user_version") == [[(LATER,)]]


def test_two_programs_that_begin_a_project_at_once_share_it(folder):
    clients = [start(migrate, folder) for _ in range(4)]
    answers = [received(pipe) for _, pipe in clients]
    for process, _ in clients:
        process.join()

    assert answers == [["start", "migrated"]] * 4
    assert run_sql(folder / ".latentcut" / "project.db", "PRAGMA user_version") == [[(LATER,)]]
