"""
A2: what was acknowledged survives a power cut, and what is left is a whole project.

The same work is cut off at many points. Whether such a test can find anything is part of it: with
SQLite's faster setting, it must find losses.
"""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest
from power_cut import Disk, Recorder
from store_things import CAT, DOG, IS_SOAK, commit, faults_of, quick_folder, report

from latentcut.errors import LatentcutError
from latentcut.store import connection
from latentcut.store.project import ProjectStore

NUM_CUTS = 2_000 if IS_SOAK else 150
NUM_ACTIONS = 240 if IS_SOAK else 60


def state_of(store):
    """Everything a project promises to keep, as one comparable value."""
    images = store.images()
    return images, store.labels(), tuple(store.document(image.id) for image in images)


def begin_work(store):
    yield store.sync_images(["a.jpg", "b.jpg"])
    yield store.set_labels([CAT, DOG], 0)


def go_on_working(store, first, last):
    """Clicks on two images, with an undo after every fourth and a redo after every eighth."""
    for number in range(first, last):
        image_id = 1 + number % 2
        yield commit(store, image_id, 10 * image_id + number % 6, number, label=image_id)
        if number % 4 == 3:
            yield store.undo(image_id, store.image(image_id).revision)
        if number % 8 == 7:
            yield store.redo(image_id, store.image(image_id).revision)


def record_work(folder, synchronous, monkeypatch):
    """
    Work in three sessions, so that journals are also deleted and made again.

    Returns:
        What was written, and the states that were acknowledged, in order.
    """
    monkeypatch.setattr(connection, "SYNCHRONOUS", synchronous)
    monkeypatch.setattr(connection, "AUTOCHECKPOINT_PAGES", 20)
    recorder = Recorder(f"recorder-{synchronous}")
    states = []
    third = NUM_ACTIONS // 3
    for session in range(3):
        with ProjectStore.open(folder / "project.db", vfs=recorder.name) as store:
            if session == 0:
                states.append(state_of(store))
                recorder.note("acknowledged")
                for _ in begin_work(store):
                    states.append(state_of(store))
                    recorder.note("acknowledged")
            for _ in go_on_working(store, session * third, (session + 1) * third):
                states.append(state_of(store))
                recorder.note("acknowledged")
    recorder.unregister()
    return recorder.events, states


class Findings:
    lost = corrupt = half_done = in_checkpoint = 0

    def look_at(self, folder, states, num_acknowledged):
        """Judge what a cut has left: a state that was acknowledged last, or the one after it."""
        try:
            with ProjectStore.open(folder / "project.db") as store:
                found = state_of(store)
            sound = not faults_of(folder / "project.db")
        except (LatentcutError, apsw.Error):
            sound, found = False, None
        if not sound:
            self.corrupt += 1
        elif found in states[max(0, num_acknowledged - 1) : num_acknowledged + 1]:
            return
        elif found in states:
            self.lost += 1
        else:
            self.half_done += 1


def cut_often(events, states, seed):
    rng = random.Random(seed)
    begun = next(i for i, event in enumerate(events) if event[0] == "acknowledged")
    # one in ten before the project is acknowledged at all
    cuts = sorted(
        rng.randrange(begun) if rng.random() < 0.1 else rng.randrange(begun, len(events))
        for _ in range(NUM_CUTS)
    )
    findings, disk, position, num_acknowledged = Findings(), Disk(), 0, 0
    for cut in cuts:
        for event in events[position:cut]:
            disk.take(event)
            num_acknowledged += event[0] == "acknowledged"
        position = cut
        findings.in_checkpoint += bool(disk.on_the_way.get("project.db"))
        with quick_folder() as folder:
            disk.cut(rng, Path(folder))
            findings.look_at(Path(folder), states, num_acknowledged)
    return findings


@pytest.fixture(scope="module")
def findings():
    """What is found with the setting of the product, and with the control's."""
    found = {}
    for synchronous in ("FULL", "NORMAL"):
        with pytest.MonkeyPatch.context() as monkeypatch, quick_folder() as folder:
            events, states = record_work(Path(folder), synchronous, monkeypatch)
        found[synchronous] = cut_often(events, states, seed=0)
    full, control = found["FULL"], found["NORMAL"]
    report(
        f"A2: {NUM_CUTS} cuts, {full.lost} lost, {full.corrupt} corrupt, {full.half_done} half "
        f"done, {full.in_checkpoint} of them inside checkpoints "
        f"(control with synchronous=NORMAL: {control.lost} lost, {control.corrupt} corrupt)"
    )
    return found


def test_a_power_cut_loses_nothing_that_was_acknowledged(findings):
    full = findings["FULL"]

    assert (full.lost, full.corrupt, full.half_done) == (0, 0, 0)


def test_some_of_the_cuts_are_inside_checkpoints(findings):
    assert findings["FULL"].in_checkpoint >= NUM_CUTS // 50


def test_the_same_cuts_find_losses_where_commits_are_not_flushed(findings):
    control = findings["NORMAL"]

    assert control.lost >= NUM_CUTS // 10
    assert (control.corrupt, control.half_done) == (0, 0)
