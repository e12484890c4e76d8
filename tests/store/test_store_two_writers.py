"""A6: processes and threads that work on one project at once."""

from __future__ import annotations

import threading

from store_processes import answer_of, hand_out_ids, received, rename_often, start
from store_things import IS_SOAK, commit, faults_of, mask_of, record_of, report

NUM_EDITS = 500 if IS_SOAK else 30


def history_of(store, image_id):
    """State after each action, oldest first, found by undoing them all."""
    document = store.document(image_id)
    states = [document]
    while document.can_undo is not None:
        document = store.undo(image_id, document.revision)
        states.append(document)
    return [{record.id: record.name for record in state.objects} for state in reversed(states)]


def test_two_processes_never_overwrite_each_other(store, folder):
    changes = {i: record_of(i) for i in (1, 2, 3)}
    store.commit(1, 0, "import", changes, dict([mask_of(0)]))

    clients = [start(rename_often, folder, name, NUM_EDITS) for name in ("left", "right")]
    for _, pipe in clients:
        assert pipe.recv() == "ready"
    for _, pipe in clients:
        pipe.send("go")
    answers = [received(pipe) for _, pipe in clients]  # before join: a pipe holds only so much
    for process, _ in clients:
        process.join()

    acknowledged = sorted(edit for edits in answers for edit in edits[:-1])
    num_conflicts = sum(edits[-1] for edits in answers)
    revisions = [revision for revision, _, _ in acknowledged]
    assert revisions == list(range(2, 2 + 2 * NUM_EDITS))
    states = history_of(store, 1)
    for revision, object_id, name in acknowledged:
        assert states[revision][object_id] == name
    assert faults_of(store.path) == []
    report(
        f"A6: 2 processes x {NUM_EDITS} edits of the same objects, {num_conflicts} refused and "
        "repeated, every acknowledged one is in the history"
    )


def test_two_processes_never_get_the_same_object_id(store, folder):
    clients = [start(hand_out_ids, folder, 20) for _ in range(2)]
    given = [pipe.recv() for _, pipe in clients]
    for process, pipe in clients:
        process.join()
        pipe.close()

    assert sorted(given[0] + given[1]) == list(range(1, 41))


def test_another_process_sees_a_commit_at_once(store, folder):
    assert answer_of(hand_out_ids, folder, 1) == [1]
    assert store.new_object_id(1) == 2


def test_sixteen_threads_share_one_store(store):
    num_threads, num_commits = 16, 10
    store.sync_images([f"{i}.jpg" for i in range(num_threads)])
    image_ids = [image.id for image in store.images() if not image.missing]
    failures = []

    def work(image_id):
        try:
            object_id = store.new_object_id(image_id)
            for number in range(num_commits):
                commit(store, image_id, object_id, 100 * image_id + number)
                store.mask(mask_of(100 * image_id + number)[0])
                store.images()
                store.check_writable()
            store.undo(image_id, num_commits)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(image_id,)) for image_id in image_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [image.revision for image in store.images() if not image.missing] == [11] * 16
    found = [store.document(i).objects[0] for i in image_ids]
    assert [record.mask for record in found] == [mask_of(100 * i + 8)[0] for i in image_ids]
    assert sorted(record.id for record in found) == list(range(1, 17))
