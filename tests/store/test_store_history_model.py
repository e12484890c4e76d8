"""
A5: commit, undo, redo and restart in any order, against a model that is a list of states.

The model knows nothing of tables, revisions in SQL or JSON: undo goes one back in the list.
"""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from store_things import CAT, DOG, IS_SOAK, mask_of, quick_folder, record_of, report, stroke

from latentcut.errors import NothingToUndo, RevisionConflict
from latentcut.store.project import ProjectStore

NUM_SEQUENCES = 10_000 if IS_SOAK else 200
NUM_STEPS = 20
IMAGES = (1, 2)
ACTS = (
    ProjectStore.undo,
    ProjectStore.redo,
    lambda store, image_id, revision: store.commit(image_id, revision, "done", {}, {}, True),
)
MASKS = dict(mask_of(number) for number in range(4))


class ImageModel:
    """What an image shall be: states, and the place of the one in force."""

    def __init__(self):
        self.states = [({}, False, None)]  # objects, done, kind of the action that led here
        self.now = 0
        self.revision = 0

    @property
    def objects(self):
        return self.states[self.now][0]

    def commit(self, objects, done, kind):
        self.states[self.now + 1 :] = [(objects, done, kind)]
        self.step(1)

    def can_step(self, by):
        return 0 <= self.now + by < len(self.states)

    def step(self, by):
        self.now += by
        self.revision += 1

    def expected(self):
        objects, done, kind = self.states[self.now]
        later = self.states[self.now + 1][2] if self.can_step(1) else None
        in_order = sorted(objects.values(), key=lambda record: (record.position, record.id))
        return tuple(in_order), done, kind, later, self.revision


class Histories(RuleBasedStateMachine):
    ids = Bundle("ids")
    num_steps = 0

    @initialize()
    def begin(self):
        self.place = quick_folder()
        self.store = ProjectStore.open(self.place.name)
        self.store.sync_images(["a.jpg", "b.jpg"])
        self.store.set_labels([CAT, DOG], 0)
        self.models = {image_id: ImageModel() for image_id in IMAGES}
        self.homes = {}  # image of every id that was given

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            self.place.cleanup()

    @rule(target=ids, image_id=st.sampled_from(IMAGES))
    def new_object_id(self, image_id):
        object_id = self.store.new_object_id(image_id)
        assert object_id not in self.homes
        self.homes[object_id] = image_id
        return multiple(object_id)

    @rule(
        object_ids=st.lists(ids, min_size=1, max_size=3, unique=True),
        number=st.integers(0, 3),
        position=st.integers(0, 2),
        label=st.sampled_from([None, CAT.id, DOG.id]),
        num_strokes=st.integers(0, 2),
        is_delete=st.booleans(),
        done=st.sampled_from([None, None, True, False]),
        kind=st.sampled_from(["click", "stroke", "import"]),
    )
    def commit(self, object_ids, number, position, label, num_strokes, is_delete, done, kind):
        image_id = self.homes[object_ids[0]]
        model = self.models[image_id]
        changes = {}
        for object_id in object_ids:
            if self.homes[object_id] != image_id:
                continue
            if is_delete and object_id in model.objects:
                changes[object_id] = None
            else:
                changes[object_id] = record_of(
                    object_id,
                    number,
                    position=position,
                    label=label,
                    strokes=(stroke(),) * num_strokes,
                )
        found = self.store.commit(image_id, model.revision, kind, changes, MASKS, done)
        objects = {**model.objects, **changes}
        left = {i: record for i, record in objects.items() if record is not None}
        model.commit(left, model.states[model.now][1] if done is None else done, kind)
        assert self.seen(found) == model.expected()

    @rule(image_id=st.sampled_from(IMAGES), done=st.booleans())
    def declare_done(self, image_id, done):
        model = self.models[image_id]
        found = self.store.commit(image_id, model.revision, "done", {}, {}, done)
        model.commit(model.objects, done, "done")
        assert self.seen(found) == model.expected()

    @rule(image_id=st.sampled_from(IMAGES), is_undo=st.booleans())
    def step(self, image_id, is_undo):
        model, by = self.models[image_id], -1 if is_undo else 1
        act = self.store.undo if is_undo else self.store.redo
        if model.can_step(by):
            model.step(by)
            assert self.seen(act(image_id, model.revision - 1)) == model.expected()
        else:
            with pytest.raises(NothingToUndo):
                act(image_id, model.revision)

    @rule(
        image_id=st.sampled_from(IMAGES), off_by=st.sampled_from([-1, 1]), act=st.sampled_from(ACTS)
    )
    def expect_a_wrong_revision(self, image_id, off_by, act):
        revision = self.models[image_id].revision + off_by
        with pytest.raises(RevisionConflict):
            act(self.store, image_id, revision)

    @rule()
    def restart(self):
        self.store.close()
        self.store = ProjectStore.open(self.place.name, create=False)

    @invariant()
    def everything_is_as_the_model_says(self):
        Histories.num_steps += 1
        for image_id, model in getattr(self, "models", {}).items():
            assert self.seen(self.store.document(image_id)) == model.expected()

    @staticmethod
    def seen(document):
        image = document.image
        assert image.num_objects == len(document.objects)
        return (
            document.objects,
            image.done,
            document.can_undo,
            document.can_redo,
            document.revision,
        )


def test_histories_are_as_a_list_of_states_says():
    settings = hypothesis.settings(
        max_examples=NUM_SEQUENCES,
        stateful_step_count=NUM_STEPS,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    run_state_machine_as_test(Histories, settings=settings)

    report(f"A5: {NUM_SEQUENCES:,} sequences, {Histories.num_steps:,} steps, all as the model says")
