"""
A batch on a Ray of two workers, one of which is killed by its process number in the middle.

    python batch_killing.py PHOTOS PROMPTS OUTPUT PIDS
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

from latentcut.batch.answering import Answering, Options
from latentcut.batch.reading import read_prompts
from latentcut.batch.run import Batch, run_batch
from latentcut.core.bundle import default_bundle_path, read_bundle
from latentcut.engines.ray import RayWorkers


class Telling(Answering):
    """Answers, and leaves the number of its process in a folder."""

    def __init__(self, pids: Path) -> None:
        super().__init__(None, Options())
        (pids / str(os.getpid())).touch()


def main(photos: Path, prompts: Path, output: Path, pids: Path) -> None:
    """Run the batch; after the second image, end whoever has given it."""
    fingerprint = read_bundle(default_bundle_path()).fingerprint
    batch = Batch(photos, read_prompts(prompts, photos), output, fingerprint)

    def progress(done: int, total: int) -> None:
        if done == 2:
            os.kill(
                int(min(pids.iterdir(), key=lambda path: path.stat().st_mtime_ns).name),
                signal.SIGKILL,
            )

    with RayWorkers(2, partial(Telling, pids)) as engine:
        run_batch(batch, engine, progress)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
