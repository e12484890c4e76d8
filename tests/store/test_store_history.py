"""Commit, undo and redo, one at a time. test_store_history_model.py tries them in every order."""

from __future__ import annotations

import pytest
from store_things import CAT, DOG, commit, mask_of, record_of, stroke

from latentcut.errors import BadAction, NothingToUndo, NotInProject, RevisionConflict
from latentcut.store import history
from latentcut.store.project import ProjectStore
from latentcut.store.rows import Document


def test_a_commit_is_there_after_a_restart(folder):
    record = record_of(1, number=3, name="Kätzchen", position=4, strokes=(stroke(),))
    with ProjectStore.open(folder) as store:
        store.sync_images(["a.jpg"])
        answered = store.commit(1, 0, "stroke", {1: record}, dict([mask_of(3)]))

    with ProjectStore.open(folder) as store:
        found = store.document(1)
        assert found == answered
        assert found == Document(store.image(1), (record,), can_undo="stroke", can_redo=None)
        assert (found.revision, store.mask(record.mask)) == (1, mask_of(3)[1])


def test_objects_come_from_back_to_front(store):
    for object_id, position in ((1, 2), (2, 0), (3, 1)):
        commit(store, 1, object_id, position=position)

    assert [record.id for record in store.document(1).objects] == [2, 3, 1]


def test_undo_and_redo_go_through_the_states_and_name_the_actions(store):
    commit(store, 1, 1, number=1, kind="click")
    commit(store, 1, 1, number=2, kind="box")
    store.commit(1, 2, "delete", {1: None}, {})

    def seen(document):
        masks = [record.mask for record in document.objects]
        return masks, document.can_undo, document.can_redo, document.revision

    first, second = [mask_of(1)[0]], [mask_of(2)[0]]
    assert seen(store.document(1)) == ([], "delete", None, 3)
    assert seen(store.undo(1, 3)) == (second, "box", "delete", 4)
    assert seen(store.undo(1, 4)) == (first, "click", "box", 5)
    assert seen(store.undo(1, 5)) == ([], None, "click", 6)
    assert seen(store.redo(1, 6)) == (first, "click", "box", 7)
    assert seen(store.redo(1, 7)) == (second, "box", "delete", 8)
    assert seen(store.redo(1, 8)) == ([], "delete", None, 9)


def test_one_action_may_change_many_objects(store):
    masks = dict([mask_of(1), mask_of(2)])
    store.commit(1, 0, "import", {1: record_of(1, 1), 2: record_of(2, 2)}, masks)

    store.commit(1, 1, "split", {1: None, 2: record_of(2, 1), 3: record_of(3, 2)}, {})
    assert [record.id for record in store.document(1).objects] == [2, 3]

    assert store.undo(1, 2).objects == (record_of(1, 1), record_of(2, 2))


def test_done_is_undone_like_everything_else(store):
    assert store.commit(1, 0, "done", {}, {}, done=True).image.done is True
    commit(store, 1, 1)
    assert store.undo(1, 2).image.done is True
    assert store.undo(1, 3).image.done is False
    assert store.redo(1, 4).image.done is True


def test_an_action_after_undo_drops_what_was_undone(store):
    commit(store, 1, 1, number=1, kind="click")
    commit(store, 1, 1, number=2, kind="box")
    store.undo(1, 2)

    document = commit(store, 1, 2, number=3, kind="stroke")

    assert (document.can_undo, document.can_redo) == ("stroke", None)
    with pytest.raises(NothingToUndo) as caught:
        store.redo(1, 4)
    assert str(caught.value) == "there is nothing to redo in image 1"
    assert [record.mask for record in store.undo(1, 4).objects] == [mask_of(1)[0]]


def test_there_is_nothing_to_undo_on_a_new_image(store):
    with pytest.raises(NothingToUndo) as caught:
        store.undo(2, 0)

    assert str(caught.value) == "there is nothing to undo in image 2"
    assert store.image(2).revision == 0


def test_images_have_histories_of_their_own(store):
    commit(store, 1, 1, kind="click")
    commit(store, 2, 2, kind="box")

    assert store.undo(1, 1).objects == ()
    assert [record.id for record in store.document(2).objects] == [2]


@pytest.mark.parametrize(
    "act",
    [
        lambda store, revision: store.commit(1, revision, "delete", {1: None}, {}),
        lambda store, revision: store.undo(1, revision),
        lambda store, revision: store.redo(1, revision),
    ],
    ids=["commit", "undo", "redo"],
)
def test_what_was_worked_out_on_an_older_state_is_refused_and_changes_nothing(store, act):
    commit(store, 1, 1, number=1)
    commit(store, 1, 1, number=2)
    store.undo(1, 2)
    before = store.document(1)

    with pytest.raises(RevisionConflict) as caught:
        act(store, 2)

    assert str(caught.value) == (
        "image 1 is at revision 3, not 2: it was changed elsewhere; "
        "load it again and repeat the change"
    )
    assert (caught.value.what, caught.value.expected, caught.value.found) == ("image 1", 2, 3)
    assert store.document(1) == before


def test_an_object_id_is_never_given_twice(folder):
    given = []
    with ProjectStore.open(folder) as store:
        store.sync_images(["a.jpg", "b.jpg"])
        given.append(store.new_object_id(1))
        commit(store, 1, given[0])
        given.append(store.new_object_id(2))
        store.undo(1, 1)
        commit(store, 1, 17)  # of an import that kept its numbers, say
        store.commit(1, 3, "delete", {17: None}, {})

    with ProjectStore.open(folder) as store:
        given.append(store.new_object_id(1))

    assert given == [1, 2, 18]


def test_many_object_ids_are_handed_out_at_once(store):
    assert store.new_object_id(1) == 1
    assert list(store.new_object_ids(2, 3)) == [2, 3, 4]
    assert list(store.new_object_ids(2, 0)) == []
    assert store.new_object_id(1) == 5


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({7: None}, NotInProject, "there is no object 7 in this project"),
        (
            {7: record_of(8)},
            BadAction,
            "the record of object 7 has the id 8: use one id",
        ),
        (
            {0: record_of(0)},
            BadAction,
            "0 is no object id: new_object_id gives one",
        ),
        (
            {2**53 + 1: record_of(2**53 + 1)},
            BadAction,
            "9007199254740993 is no object id: new_object_id gives one",
        ),
        (
            {1: record_of(1)},
            BadAction,
            "object 1 belongs to image 2, not to image 1",
        ),
        ({1: None}, BadAction, "object 1 belongs to image 2, not to image 1"),
        ({7: record_of(7, label=5)}, NotInProject, "there is no label 5 in this project"),
        (
            {7: record_of(7, label=2**63)},
            NotInProject,
            "there is no label 9223372036854775808 in this project",
        ),
    ],
    ids=[
        "removing what is not there",
        "two ids",
        "zero",
        "too large",
        "of another image",
        "removing from another image",
        "unknown label",
        "huge label",
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_changes_nothing(store, changes, kind, message):
    commit(store, 2, 1)
    good = {9: record_of(9)}

    with pytest.raises(kind) as caught:
        store.commit(1, 0, "click", {**good, **changes}, dict([mask_of(0)]))

    assert str(caught.value) == message
    assert store.document(1) == Document(store.image(1), (), None, None)
    assert store.image(1).revision == 0


def test_a_label_that_was_removed_does_not_come_back_with_undo(store):
    store.set_labels([CAT, DOG], 0)
    commit(store, 1, 1, label=DOG.id)
    commit(store, 1, 1, label=CAT.id)
    store.set_labels([CAT], 1)

    assert [record.label for record in store.undo(1, 2).objects] == [None]
    assert [record.label for record in store.redo(1, 3).objects] == [CAT.id]


def test_an_object_may_not_grow_beyond_what_is_read_again(store, monkeypatch):
    largest = record_of(1, strokes=(stroke(),) * 9)
    num_bytes = len(largest.model_dump_json())
    monkeypatch.setattr(history, "MAX_RECORD_BYTES", num_bytes)
    store.commit(1, 0, "stroke", {1: largest}, dict([mask_of(0)]))
    assert store.redo(1, store.undo(1, 1).revision).objects == (largest,)

    with pytest.raises(BadAction) as caught:
        store.commit(1, 3, "rename", {1: largest.model_copy(update={"name": "x"})}, {})

    assert str(caught.value) == (
        f"object 1 would take {num_bytes + 1:,} bytes, but at most {num_bytes:,} are allowed: "
        "go on with another object"
    )
