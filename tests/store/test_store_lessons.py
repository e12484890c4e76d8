"""What can be learned from objects: of those that exist, as they are."""

from __future__ import annotations

import pytest
from store_things import CAT, commit, mask_of, record_of, run_sql

from latentcut.errors import ProjectBroken, RevisionConflict
from latentcut.store.lessons import Evidence, LessonRow
from latentcut.store.project import ProjectStore

FIRST, OTHER = mask_of(1)[0], mask_of(2)[0]


def teach(store, object_id, number, agreement, look=None):
    """Commit an object with `mask_of(number)` and what it teaches."""
    record = record_of(object_id, number)
    looks = {} if look is None else {object_id: look}
    evidence = Evidence(looks, {(object_id, record.mask): agreement})
    return store.commit(
        1,
        store.image(1).revision,
        "click" if look else "choose",
        {object_id: record},
        dict([mask_of(number)]),
        evidence=evidence,
    )


def test_an_object_teaches_what_it_is_now(store):
    teach(store, 1, 1, (1.0, 0.5), look="{}")

    teach(store, 1, 2, (0.5, 1.0))

    assert store.evidence(9) == (LessonRow(1, OTHER, None, (0.5, 1.0)),)


def test_undo_unlearns_and_redo_learns_again(store):
    teach(store, 1, 1, (1.0, 0.5), look="{}")
    revision = teach(store, 1, 2, (0.5, 1.0)).revision

    revision = store.undo(1, revision).revision
    after_undo = store.evidence(9)
    revision = store.undo(1, revision).revision
    before_anything = store.evidence(9)
    store.redo(1, store.redo(1, revision).revision)

    assert after_undo == (LessonRow(1, FIRST, None, (1.0, 0.5)),)
    assert before_anything == ()
    assert store.evidence(9) == (LessonRow(1, OTHER, None, (0.5, 1.0)),)


def test_an_object_teaches_under_the_label_it_has_now(store):
    store.set_labels([CAT], 0)
    revision = teach(store, 1, 1, (1.0, 0.5), look="{}").revision
    labelled = record_of(1, 1, label=CAT.id)

    revision = store.commit(1, revision, "label", {1: labelled}, {}).revision
    with_label = store.evidence(9)
    store.undo(1, revision)

    assert [row.label for row in (*with_label, *store.evidence(9))] == [CAT.id, None]


def test_an_object_whose_mask_came_from_elsewhere_teaches_nothing(store):
    teach(store, 1, 1, (1.0, 0.5), look="{}")

    commit(store, 1, 1, 3)

    assert store.evidence(9) == ()


def test_a_deleted_object_teaches_nothing(store):
    revision = teach(store, 1, 1, (1.0, 0.5), look="{}").revision

    store.commit(1, revision, "delete", {1: None}, {})

    assert store.evidence(9) == ()


def test_the_newest_objects_are_asked_the_oldest_of_them_first(store):
    for object_id in (1, 2, 3):
        teach(store, object_id, 1, (1.0,), look="{}")

    assert [row.object_id for row in store.evidence(2)] == [2, 3]


def test_how_an_object_began_is_written_once(store):
    teach(store, 1, 1, (1.0,), look='{"first": 1}')

    teach(store, 1, 2, (0.5,), look='{"second": 2}')

    assert store.looks([1, 2]) == {1: '{"first": 1}'}


def test_an_action_that_is_refused_teaches_nothing(store):
    record = record_of(1, 1)
    evidence = Evidence({1: "{}"}, {(1, record.mask): (1.0,)})

    with pytest.raises(RevisionConflict):
        store.commit(1, 7, "click", {1: record}, dict([mask_of(1)]), evidence=evidence)

    assert store.looks([1]) == {}


def test_forgetting_leaves_the_objects_and_lets_them_teach_nothing_any_more(store):
    teach(store, 1, 1, (1.0, 0.5), look="{}")
    before = store.document(1)

    store.forget_evidence()
    teach(store, 1, 2, (0.5, 1.0))
    store.undo(1, store.image(1).revision)

    assert store.evidence(9) == ()
    assert store.document(1).objects == before.objects


def test_whether_preferences_are_used_is_kept_in_the_project(store, folder):
    was_on = store.uses_preferences()

    store.use_preferences(False)
    store.close()

    with ProjectStore.open(folder) as again:
        assert (was_on, again.uses_preferences()) == (True, False)


def test_a_damaged_lesson_is_named(store):
    teach(store, 1, 1, (1.0, 0.5), look="{}")
    run_sql(store.path, "UPDATE outcomes SET agreement = '[1'")

    with pytest.raises(ProjectBroken) as caught:
        store.evidence(9)

    assert str(caught.value) == (
        "a lesson is damaged: put a backup copy of the project in its place"
    )
