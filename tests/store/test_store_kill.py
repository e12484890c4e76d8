"""A1: what was acknowledged survives kill -9. The same with a whole server is in tests/web."""

from __future__ import annotations

import random
import time

import apsw
from store_processes import received, start, write_until_killed
from store_things import IS_SOAK, faults_of, mask_of, report

from latentcut.store.project import ProjectStore

NUM_KILLS = 60 if IS_SOAK else 10
NUM_COMMITS_PER_KILL = (10, 40) if IS_SOAK else (2, 12)


def kill_a_writer(folder, rng):
    """Numbers of the commits that a writer was told are saved, before it was killed."""
    process, pipe = start(write_until_killed, folder)
    acknowledged = [pipe.recv() for _ in range(rng.randint(*NUM_COMMITS_PER_KILL))]
    time.sleep(rng.uniform(0, 0.003))  # any moment of a commit, not only the one after it
    process.kill()
    process.join()
    return acknowledged + received(pipe)


def commits_in(path):
    sqlite = apsw.Connection(str(path))
    try:
        rows = sqlite.execute("SELECT seq FROM actions WHERE image_id = 1 ORDER BY seq").fetchall()
        return [seq for (seq,) in rows]
    finally:
        sqlite.close()


def test_a_killed_writer_loses_nothing_that_was_acknowledged(store, folder):
    rng = random.Random(0)
    num_acknowledged = num_unanswered = 0

    for _ in range(NUM_KILLS):
        before = store.image(1).revision
        store.close()
        acknowledged = kill_a_writer(folder, rng)
        store = ProjectStore.open(folder)  # the journal of the dead one is taken over
        document = store.document(1)
        newest_name = {record.id: record.name for record in document.objects}

        # all of them are there, and at most one whose answer the kill has cut off
        assert acknowledged == list(range(before + 1, before + 1 + len(acknowledged)))
        assert document.revision in (acknowledged[-1], acknowledged[-1] + 1)
        assert newest_name[1 + document.revision % 7] == str(document.revision)
        for number in acknowledged:
            assert store.mask(mask_of(number)[0]) == mask_of(number)[1]
        num_acknowledged += len(acknowledged)
        num_unanswered += document.revision - acknowledged[-1]

    store.close()
    assert commits_in(store.path) == list(range(1, num_acknowledged + num_unanswered + 1))
    assert faults_of(store.path) == []
    report(
        f"A1: {NUM_KILLS} kills, {num_acknowledged} acknowledged commits, 0 lost "
        f"({num_unanswered} more were saved but not yet answered), 0 corrupt"
    )
