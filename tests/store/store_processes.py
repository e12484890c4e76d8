"""Other processes that work on a project. What they run must be importable: it is here."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import signal
import sys
import time

import apsw
from store_things import mask_of, record_of

from latentcut.errors import LatentcutError, RevisionConflict
from latentcut.store import schema
from latentcut.store.project import ProjectStore

# a server that has everything imported forks them: a new interpreter for each takes a second
context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
context.set_forkserver_preload(["latentcut.store.project"])


def start(function, *args):
    """Run a function of this module in a process of its own; it gets a pipe to send to."""
    ours, theirs = context.Pipe()
    process = context.Process(target=function, args=(theirs, *args))
    process.start()
    theirs.close()
    return process, ours


def answer_of(function, *args):
    """What a function of this module sends; the process has ended."""
    process, pipe = start(function, *args)
    answer = pipe.recv()
    process.join()
    pipe.close()
    return answer


def received(pipe):
    """Everything that a process sends until it ends."""
    found = []
    try:
        while True:
            found.append(pipe.recv())
    except EOFError:
        pipe.close()
        return found


def write_until_killed(pipe, path):
    """Commit without end to image 1; send the number of each commit once it is acknowledged."""
    with ProjectStore.open(path) as store:
        revision = store.image(1).revision
        while True:
            number = revision + 1
            record = record_of(1 + number % 7, number, name=str(number))
            masks = dict([mask_of(number)])
            revision = store.commit(1, revision, "click", {record.id: record}, masks).revision
            pipe.send(number)


def rename_often(pipe, path, name, num_edits):
    """Rename the objects that others rename too; send what was saved, and how often it was not."""
    num_conflicts = 0
    with ProjectStore.open(path) as store:
        pipe.send("ready")
        pipe.recv()
        for number in range(num_edits):
            new_name = f"{name}-{number}"
            while True:
                document = store.document(1)
                found = {record.id: record for record in document.objects}[1 + number % 3]
                renamed = found.model_copy(update={"name": new_name})
                time.sleep(0.001)  # a chance for the others to be faster
                try:
                    after = store.commit(1, document.revision, "rename", {renamed.id: renamed}, {})
                except RevisionConflict:
                    num_conflicts += 1
                    continue
                pipe.send((after.revision, renamed.id, new_name))
                break
    pipe.send(num_conflicts)
    pipe.close()


def hand_out_ids(pipe, path, num_ids):
    with ProjectStore.open(path) as store:
        pipe.send([store.new_object_id(1) for _ in range(num_ids)])


def hold_the_lock(pipe, path):
    """Begin to write, and stop there until the pipe is closed."""
    sqlite = apsw.Connection(str(path))
    sqlite.execute("BEGIN IMMEDIATE")
    pipe.send("locked")
    with contextlib.suppress(EOFError):
        pipe.recv()
    sqlite.close()


def write_into_a_limit(pipe, path, max_bytes):
    """Commit while files may not grow beyond a limit; then without. Send what happened."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with ProjectStore.open(path) as store:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, hard))
        saved, reason = 0, None
        while reason is None and saved < 1_000:
            try:
                store.commit(1, saved, "click", {1: record_of(1, saved)}, dict([mask_of(saved)]))
                saved += 1
            except LatentcutError as error:
                reason = str(error)
        status = store.status()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        again = store.status()
        store.commit(1, saved, "click", {1: record_of(1, saved)}, dict([mask_of(saved)]))
        pipe.send((saved, reason, status, again, store.image(1).revision))


def make_slow_version(sqlite):
    """A migration of a later version: a new column that every object gets a value in."""
    sqlite.execute("ALTER TABLE objects ADD COLUMN note TEXT")
    for (object_id,) in sqlite.execute("SELECT id FROM objects").fetchall():
        sqlite.execute("UPDATE objects SET note = hex(randomblob(2000)) WHERE id = ?", (object_id,))


def migrate(pipe, path):
    """Open a project with a program that knows one version more."""
    schema.MIGRATIONS = (*schema.MIGRATIONS, make_slow_version)
    pipe.send("start")
    with ProjectStore.open(path):
        pipe.send("migrated")
