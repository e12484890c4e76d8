"""Small objects, masks and places for the tests of the store."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import apsw

from latentcut.annotation.records import ClickRecord, Label, ObjectRecord, Part, Stroke, mask_id_of
from latentcut.core.masks import compress_rle_counts

# LATENTCUT_SOAK=1 pytest tests/store -s: the long form, whose figures go into the release notes
IS_SOAK = os.environ.get("LATENTCUT_SOAK") == "1"

CAT = Label(id=1, name="cat", colour=0, key="c")
DOG = Label(id=2, name="dog", colour=1)


def report(line):
    """A figure, shown with -s or when the test fails."""
    print(f"\n{line}", flush=True)


def quick_folder():
    """A new folder in memory where the system has such, for tests that flush very often."""
    in_memory = Path("/dev/shm")
    is_there = in_memory.is_dir() and os.access(in_memory, os.W_OK)
    return tempfile.TemporaryDirectory(dir=in_memory if is_there else None)


def mask_of(number):
    """
    A mask of 100 x 100 pixels that no other number has: its name and its code.

    The codes have 70 to 4,100 characters, so that some take one page of a database, others two.
    """
    num_runs = 40 + number % 5 * 1_000
    runs = [1 + (number >> bit & 1) for bit in range(32)] + [1] * num_runs
    rle = {"size": [100, 100], "counts": compress_rle_counts([*runs, 10_000 - sum(runs)])}
    return mask_id_of(rle), rle


def record_of(object_id, number=0, **fields):
    """An object with one part of two clicks, whose mask is `mask_of(number)`."""
    mask_id = mask_of(number)[0]
    clicks = (ClickRecord(x=number + 0.25, y=7), ClickRecord(x=3, y=4, positive=False))
    part = Part(clicks=clicks, mask=mask_id, selected=0, score=0.5, expected_iou=0.75)
    given = {"parts": (part,), "mask": mask_id, "area": 36, "box_xyxy": (0, 0, 6, 6), **fields}
    return ObjectRecord(id=object_id, **given)


def stroke():
    return Stroke(tool="brush", radius_px=2.5, points=((1.0, 2.0), (3.5, 4.5)))


def commit(store, image_id, object_id, number=0, kind="click", **fields):
    """Commit an object with a mask of its own, on whatever revision the image is at."""
    record = record_of(object_id, number, **fields)
    masks = dict([mask_of(number)])
    return store.commit(image_id, store.image(image_id).revision, kind, {object_id: record}, masks)


def faults_of(path):
    """What SQLite's own check finds in a project file; nothing in a sound one."""
    sqlite = apsw.Connection(str(path))
    try:
        found = [row[0] for row in sqlite.execute("PRAGMA integrity_check").fetchall()]
        found += sqlite.execute("PRAGMA foreign_key_check").fetchall()
        return [line for line in found if line != "ok"]
    finally:
        sqlite.close()


def run_sql(file, *statements):
    sqlite = apsw.Connection(str(file))
    try:
        return [sqlite.execute(statement).fetchall() for statement in statements]
    finally:
        sqlite.close()


def traces(folder):
    """Content and time of every file, except for the memory that SQLite's readers share."""
    files = [p for p in sorted(folder.iterdir()) if not p.name.endswith("-shm")]
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in files}
