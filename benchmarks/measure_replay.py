"""
How to answer several clicks that come without the mask between them.

    python benchmarks/measure_replay.py --data FOLDER [--data FOLDER ...] [--objects 70]

The robot user clicks in a session; then its first so many clicks are asked for as a tool would that
sends all of them and nothing else. Columns: mean IoU of the answer to all of them at once, of the
last answer when they are gone through one after the other, and of `core.replay`, which takes the
one of which more is expected.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import latentcut
from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.metrics import iou
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.datasets.dataset import Sample, open_dataset
from latentcut.simulation.robot import first_click, next_click
from latentcut.web.memory import remembering_predictor

COUNTS = (2, 3, 5, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", action="append", required=True, type=Path)
    parser.add_argument("--objects", type=int, default=70)
    args = parser.parse_args()
    predictor = remembering_predictor(threads=1)
    print(f"latentcut {latentcut.__version__}, bundle {predictor.fingerprint[:12]}\n")
    print("| data | clicks | all at once | one after the other | the better of both |")
    print("|---|---:|---:|---:|---:|")
    for path in args.data:
        values = np.array(list(measured(predictor, path, args.objects)))  # (objects, counts, 3)
        for place, count in enumerate(COUNTS):
            cells = " | ".join(f"{value:.3f}" for value in values[:, place].mean(axis=0))
            print(f"| {path.name} | {count} | {cells} |", flush=True)


def measured(predictor: Predictor, path: Path, count: int) -> Iterator[list[list[float]]]:
    """For each object the three IoUs after each number of clicks."""
    dataset = open_dataset(path)
    every = list(dataset.objects())
    for ref in every[:: max(1, len(every) // count)][:count]:
        sample = dataset.sample(ref)
        encoded = predictor.encode(sample.image_path)
        clicks, masks = session(predictor, encoded, sample)
        rows = []
        for number in COUNTS:
            asked = clicks[:number]
            answers = (
                predictor.predict(encoded, asked).mask,
                masks[len(asked) - 1],
                replayed(predictor, encoded, asked).mask,
            )
            rows.append([iou(mask, sample.gt_mask, sample.ignore_mask) for mask in answers])
        yield rows


def session(
    predictor: Predictor, encoded: EncodedImage, sample: Sample
) -> tuple[list[Click], list[np.ndarray]]:
    """The robot's clicks, and the mask after each."""
    clicks = [first_click(sample.gt_mask, sample.ignore_mask)]
    masks = [predictor.predict(encoded, clicks).mask]
    while len(clicks) < max(COUNTS):
        click = next_click(masks[-1], sample.gt_mask, sample.ignore_mask)
        if click is None:
            break
        clicks.append(click)
        masks.append(predictor.predict(encoded, clicks, masks[-1]).mask)
    return clicks, masks


if __name__ == "__main__":
    main()
