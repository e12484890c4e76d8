"""Images, labels, settings and masks of a project."""

from __future__ import annotations

import json
import time

import apsw
import pytest
from store_things import CAT, DOG, commit, mask_of, record_of

from latentcut.annotation.records import Label
from latentcut.errors import (
    BadAction,
    BadMask,
    FileMissing,
    LabelInUse,
    NotInProject,
    RevisionConflict,
)
from latentcut.store.project import ProjectStore
from latentcut.store.rows import ImageRow, LabelSet


def raw(store, sql):
    sqlite = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return sqlite.execute(sql).fetchall()
    finally:
        sqlite.close()


# ---------------------------------------------------------------- opening


def test_a_project_lies_in_a_hidden_folder_beside_the_images(folder):
    with ProjectStore.open(folder) as store:
        assert store.path == folder / ".latentcut" / "project.db"
    assert [p.name for p in (folder / ".latentcut").iterdir()] == ["project.db"]


def test_the_database_itself_can_be_named(folder):
    with ProjectStore.open(folder) as store:
        store.sync_images(["a.jpg"])

    with ProjectStore.open(folder / ".latentcut" / "project.db", create=False) as again:
        assert [image.path for image in again.images()] == ["a.jpg"]


def test_a_project_is_begun_only_when_that_is_wanted(folder):
    with pytest.raises(FileMissing) as caught:
        ProjectStore.open(folder, create=False)

    file = folder / ".latentcut" / "project.db"
    assert str(caught.value) == (
        f"{file} does not exist or is not a project file (latentcut annotate makes one)"
    )
    assert list(folder.iterdir()) == []


def test_a_folder_that_does_not_exist_is_not_made(tmp_path):
    with pytest.raises(FileMissing) as caught:
        ProjectStore.open(tmp_path / "typo")

    assert str(caught.value) == f"{tmp_path / 'typo'} does not exist or is not a folder"
    assert list(tmp_path.iterdir()) == []


def test_the_settings_of_the_connection_are_those_that_survive_a_power_cut(store):
    with store._connection.reading() as sqlite:
        found = {
            name: sqlite.execute(f"PRAGMA {name}").fetchall()[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


# ---------------------------------------------------------------- images


def test_a_new_image_is_untouched_and_of_unknown_size(store):
    expected = ImageRow(
        id=3,
        path="sub/c.jpg",
        missing=False,
        width=None,
        height=None,
        done=False,
        num_objects=0,
        revision=0,
        touched=False,
    )

    assert store.image(3) == expected
    assert store.images()[2] == expected


def test_an_image_counts_its_objects_and_is_touched_while_an_action_is_in_force(store):
    commit(store, 2, store.new_object_id(2), number=1)
    commit(store, 2, store.new_object_id(2), number=2)
    image = store.image(2)
    assert (image.num_objects, image.revision, image.touched) == (2, 2, True)

    store.undo(2, 2)
    store.undo(2, 3)
    image = store.image(2)
    assert (image.num_objects, image.revision, image.touched) == (0, 4, False)


def test_an_image_that_does_not_exist_is_named_in_the_error(store):
    for image_id in (4, 0, -1, 2**63):
        with pytest.raises(NotInProject) as caught:
            store.image(image_id)
        assert str(caught.value) == f"there is no image {image_id} in this project"
        assert (caught.value.kind, caught.value.key) == ("image", image_id)


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.document(9),
        lambda store: store.new_object_id(9),
        lambda store: store.undo(9, 0),
        lambda store: store.redo(9, 0),
        lambda store: store.set_image_size(9, 4, 3),
        lambda store: store.commit(9, 0, "click", {}, {}),
    ],
    ids=["document", "new_object_id", "undo", "redo", "set_image_size", "commit"],
)
def test_every_method_refuses_an_image_that_does_not_exist(store, use):
    with pytest.raises(NotInProject) as caught:
        use(store)

    assert str(caught.value) == "there is no image 9 in this project"


def test_images_come_in_the_order_of_the_folder_with_missing_ones_last(store):
    store.sync_images(["sub/c.jpg", "new.jpg", "b.jpg"])

    listed = [(image.id, image.path, image.missing) for image in store.images()]
    assert listed == [
        (3, "sub/c.jpg", False),
        (4, "new.jpg", False),
        (2, "b.jpg", False),
        (1, "a.jpg", True),
    ]


def test_an_image_that_comes_back_has_its_work(store):
    commit(store, 1, store.new_object_id(1))
    store.sync_images(["b.jpg", "sub/c.jpg"])
    assert (store.image(1).missing, store.image(1).num_objects) == (True, 1)

    store.sync_images(["a.jpg", "b.jpg", "sub/c.jpg"])
    assert (store.image(1).missing, store.image(1).num_objects) == (False, 1)


def test_a_folder_without_changes_is_not_written_down_again(store):
    before = raw(store, "PRAGMA data_version"), store.path.stat().st_mtime_ns

    store.sync_images(["a.jpg", "b.jpg", "b.jpg", "sub/c.jpg"])

    assert (raw(store, "PRAGMA data_version"), store.path.stat().st_mtime_ns) == before


def test_a_file_name_that_is_no_unicode_text_is_refused(store):
    with pytest.raises(BadAction) as caught:
        store.sync_images(["a.jpg", "bad\udcff.jpg"])

    assert str(caught.value) == (
        "the file name 'bad\\udcff.jpg' is not Unicode text: rename the file, or leave it out"
    )
    assert len(store.images()) == 3


def test_the_size_of_an_image_is_remembered_and_is_no_new_revision(store):
    store.set_image_size(1, 640, 480)
    store.set_image_size(1, 640, 480)

    image = store.image(1)
    assert (image.width, image.height, image.revision, image.touched) == (640, 480, 0, False)


def test_ten_thousand_images_are_read_and_listed_at_once(folder):
    paths = [f"day{i % 7}/IMG_{i:05}.jpg" for i in range(10_000)]
    with ProjectStore.open(folder) as store:
        store.sync_images(paths)
        commit(store, 5_000, store.new_object_id(5_000))
    start = time.process_time()  # of this process: other programs must not fail the test

    with ProjectStore.open(folder) as store:
        store.sync_images(paths)
        images = store.images()

    took_s = time.process_time() - start
    assert [image.path for image in images] == paths
    assert took_s < 1.0


def test_a_document_of_forty_objects_takes_less_than_two_milliseconds(store):
    for number in range(40):
        commit(store, 1, store.new_object_id(1), number)
    store.document(1)
    start = time.process_time()

    for _ in range(50):
        store.document(1)

    assert (time.process_time() - start) / 50 < 0.002


# ---------------------------------------------------------------- labels and settings


def test_labels_keep_their_order_and_every_change_is_a_revision(store):
    assert store.labels() == LabelSet(0, ())

    assert store.set_labels([CAT, DOG], 0) == LabelSet(1, (CAT, DOG))
    assert store.set_labels([DOG, CAT], 1) == LabelSet(2, (DOG, CAT))
    assert store.labels() == LabelSet(2, (DOG, CAT))


def test_labels_changed_elsewhere_are_not_overwritten(store):
    store.set_labels([CAT], 0)

    with pytest.raises(RevisionConflict) as caught:
        store.set_labels([DOG], 0)

    assert str(caught.value) == (
        "the list of labels is at revision 1, not 0: it was changed elsewhere; "
        "load it again and repeat the change"
    )
    assert store.labels() == LabelSet(1, (CAT,))


def test_a_label_that_objects_have_cannot_vanish(store):
    store.set_labels([CAT, DOG], 0)
    commit(store, 1, store.new_object_id(1), label=CAT.id)
    commit(store, 2, store.new_object_id(2), label=CAT.id)

    with pytest.raises(LabelInUse) as caught:
        store.set_labels([DOG], 1)

    assert str(caught.value) == ("label 'cat' is used by 2 objects: give them another label first")
    assert store.labels() == LabelSet(1, (CAT, DOG))


def test_a_label_in_use_can_be_renamed(store):
    store.set_labels([CAT], 0)
    commit(store, 1, store.new_object_id(1), label=CAT.id)
    lion = Label(id=CAT.id, name="lion", colour=3)

    assert store.set_labels([lion], 1) == LabelSet(2, (lion,))


def test_new_labels_get_ids_that_no_label_ever_had(store):
    store.set_labels([CAT, DOG], 0)
    store.set_labels([CAT], 1)

    # 2 was the dog's, and a dog that undo brings back must not become a bird
    new = [Label(id=2, name="bird"), Label(id=0, name="fish"), Label(id=0, name="frog")]
    found = store.set_labels([CAT, *new], 2)

    named = [(label.id, label.name) for label in found.labels]
    assert named == [(1, "cat"), (3, "bird"), (4, "fish"), (5, "frog")]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            [CAT, Label(id=1, name="dog")],
            "two labels of the list have the same id: give the new one the id 0",
        ),
        (
            [CAT, Label(id=0, name="cat")],
            "two labels are called 'cat': give one of them another name",
        ),
    ],
    ids=["same id", "same name"],
)
def test_labels_that_cannot_be_told_apart_are_refused(store, labels, message):
    with pytest.raises(BadAction) as caught:
        store.set_labels(labels, 0)

    assert str(caught.value) == message
    assert store.labels() == LabelSet(0, ())


def test_settings_are_kept_as_they_were_given(folder):
    given = {"opacity": 0.4, "keys": {"undo": "ctrl+z"}, "last": None, "name": "Größe"}
    with ProjectStore.open(folder) as store:
        assert store.settings() == {}
        store.set_settings({"old": True})
        store.set_settings(given)

    with ProjectStore.open(folder) as store:
        assert store.settings() == given


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"notes": "x" * 65_524},  # 13 characters around it
            "the settings take 65,537 bytes, but at most 65,536 are allowed: leave some out",
        ),
        (
            {"opacity": float("nan")},
            "the settings cannot be written as JSON: "
            "use objects, lists, text, finite numbers, true, false and null",
        ),
    ],
    ids=["too large", "no number"],
)
def test_settings_that_cannot_be_kept_are_refused(store, settings, message):
    store.set_settings({"notes": "x" * 65_523})

    with pytest.raises(BadAction) as caught:
        store.set_settings(settings)

    assert str(caught.value) == message
    assert len(json.dumps(store.settings())) == 65_536


# ---------------------------------------------------------------- masks


def test_a_mask_comes_back_as_it_was_given_and_is_stored_once(store):
    mask_id, rle = mask_of(1)
    commit(store, 1, store.new_object_id(1), number=1)
    commit(store, 2, store.new_object_id(2), number=1)

    assert store.mask(mask_id) == rle
    assert raw(store, "SELECT count(*) FROM masks") == [(1,)]


def test_several_masks_are_read_at_once(store):
    commit(store, 1, store.new_object_id(1), number=1)
    commit(store, 1, store.new_object_id(1), number=2)

    expected = dict([mask_of(2), mask_of(1)])
    assert store.masks([mask_of(2)[0], mask_of(1)[0]]) == expected


def test_a_mask_that_nobody_stored_is_not_there(store):
    with pytest.raises(NotInProject) as caught:
        store.mask("0" * 32)

    assert str(caught.value) == f"there is no mask {'0' * 32} in this project"


def test_a_record_may_not_name_a_mask_that_nobody_has(store):
    with pytest.raises(NotInProject) as caught:
        store.commit(1, 0, "click", {1: record_of(1, number=5)}, {})

    assert str(caught.value) == f"there is no mask {mask_of(5)[0]} in this project"
    assert store.document(1).objects == ()


def test_a_mask_under_a_wrong_name_is_refused(store):
    name, rle = mask_of(1)[0], mask_of(2)[1]

    with pytest.raises(BadMask) as caught:
        store.commit(1, 0, "click", {1: record_of(1, number=1)}, {name: rle})

    assert str(caught.value) == (
        f"a mask is called {name}: its content gives it the name {mask_of(2)[0]}"
    )
