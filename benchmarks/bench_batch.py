"""
How many images a batch answers: a plain loop, and workers on top of it.

    make bench                                    (or: python benchmarks/bench_batch.py)

Every image gets the clicks that come with the sample photos, with one thread per prediction. The
plain loop calls the predictor and keeps nothing. Ratios are against it, in the same run, so that
they mean something on a busy machine, too; workers are counted with the time they take to start
and without, which matters less the longer a batch is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

import cv2

from latentcut.batch.answering import Answering, ImageTask, Options
from latentcut.batch.journal import Journal
from latentcut.batch.prompts import ImagePrompts, Prompt, PromptSet
from latentcut.batch.run import Batch, run_batch
from latentcut.core.clicks import Click
from latentcut.engines.find import find_engine

SAMPLES = Path(str(resources.files("latentcut") / "samples"))


def make_images(folder: Path, count: int) -> PromptSet:
    """Copies of the sample photos with their clicks."""
    given: dict[str, list[Prompt]] = {}
    for entry in json.loads((SAMPLES / "clicks.json").read_text()):
        clicks = tuple(Click(c["x"], c["y"], c["positive"]) for c in entry["clicks"])
        given.setdefault(entry["photo"], []).append(Prompt(entry["name"], clicks=clicks))
    images = []
    for number in range(count):
        photo, prompts = list(given.items())[number % len(given)]
        shutil.copy(SAMPLES / photo, folder / f"{number:04}.jpg")
        images.append(ImagePrompts(f"{number:04}.jpg", tuple(prompts)))
    return PromptSet(tuple(images))


def plain_loop(folder: Path, prompts: PromptSet) -> float:
    """Images per second of the predictor alone."""
    answer = Answering(None, Options())
    answer(ImageTask(folder, prompts.images[0]))
    started = time.perf_counter()
    for image in prompts.images:
        answer(ImageTask(folder, image))
    return len(prompts.images) / (time.perf_counter() - started)


def batch(
    folder: Path, prompts: PromptSet, output: Path, engine_name: str, workers: int
) -> tuple[float, float]:
    """Images per second, with the start of the workers and from the first answer on."""
    moments = [time.perf_counter()]
    job = Batch(folder, prompts, output, "benchmark")
    build = partial(Answering, None, Options())
    with find_engine(engine_name, workers, build) as engine:
        run_batch(job, engine, lambda done, total: moments.append(time.perf_counter()))
    count = len(prompts.images)
    # what was answered side by side with the first image belongs to the time before it
    return count / (moments[-1] - moments[0]), (count - workers) / (moments[-1] - moments[workers])


def nothing_to_do() -> Callable[[int], int]:
    """Builds workers whose tasks take no time."""
    return abs


def hand_over_ms(engine_name: str, count: int = 1000) -> float:
    """What giving a task to a worker and taking its result costs."""
    with find_engine(engine_name, 2, nothing_to_do) as engine:
        list(engine.run(range(2)))
        started = time.perf_counter()
        list(engine.run(range(count)))
        return 1000 * (time.perf_counter() - started) / count


def journal_ms(path: Path, count: int = 200) -> float:
    """What it costs to keep an image of 20 kB of masks, until it is on the disk."""
    with Journal(path, {}) as journal:
        started = time.perf_counter()
        for number in range(count):
            journal.append(str(number), {"rle": 20_000 * "x"})
        return 1000 * (time.perf_counter() - started) / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--ray", action="store_true", help="also a Ray of this machine")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        prompts = make_images(folder, asked.images)
        engines = [("local", 1), ("local", 2)] + [("ray", 2)] * asked.ray
        for name, workers in engines:
            plain = plain_loop(folder, prompts)
            output = Path(scratch) / f"{name}{workers}.json"
            whole, running = batch(folder, prompts, output, name, workers)
            rows.append((f"{name}, {workers} worker{'s' * (workers > 1)}", plain, whole, running))
        kept_ms = journal_ms(Path(scratch) / "journal")
    print(f"{asked.images} images, images per second; in parentheses: of the plain loop's")
    print(f"{'':18}{'plain loop':>12}{'whole batch':>18}{'once running':>18}")
    for name, plain, whole, running in rows:
        shares = "".join(f"{v:>9.2f} ({v / plain:>5.2f} x)" for v in (whole, running))
        print(f"{name:18}{plain:>12.2f}{shares}")
    for name in dict.fromkeys(name for name, _ in engines):
        print(f"hand-over of one image, {name}: {hand_over_ms(name):.2f} ms")
    print(f"its row in the journal: {kept_ms:.1f} ms")


if __name__ == "__main__":
    main()
