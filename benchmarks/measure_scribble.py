"""
How many clicks should stand for a scribble.

    python benchmarks/measure_scribble.py --data FOLDER [--data FOLDER ...] [--objects 60]

A stroke is drawn along the middle of each object, from one end of its medial axis to the other,
and shortened to a part of it. Columns: mean IoU of the answer to the stroke sampled into so many
clicks, and of one click at the object's centre. Needs the extra `evaluation`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from skimage.graph import route_through_array
from skimage.morphology import skeletonize

import latentcut
from latentcut.core.distances import depth_map
from latentcut.core.encoded import EncodedImage
from latentcut.core.metrics import iou
from latentcut.core.predictor import Predictor
from latentcut.core.scribbles import scribble_clicks
from latentcut.datasets.dataset import open_dataset
from latentcut.simulation.robot import first_click

COUNTS = (1, 2, 3, 4, 6, 8)
SHARES = (0.3, 0.6, 1.0)  # of the way through the object, around its middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", action="append", required=True, type=Path)
    parser.add_argument("--objects", type=int, default=60)
    args = parser.parse_args()
    predictor = latentcut.load(threads=1)
    print("| data | stroke | " + " | ".join(f"{n} clicks" for n in COUNTS) + " | centre click |")
    print("|---|---|" + "---:|" * (len(COUNTS) + 1))
    for path in args.data:
        values = np.array(list(measured(predictor, path, args.objects)))  # (objects, shares, n)
        for place, share in enumerate(SHARES):
            cells = " | ".join(f"{value:.3f}" for value in values[:, place].mean(axis=0))
            print(f"| {path.name} | {share:.0%} | {cells} |", flush=True)


def measured(predictor: Predictor, path: Path, count: int):
    """For each object: IoUs (shares, clicks), the last column that of a single click."""
    dataset = open_dataset(path)
    every = list(dataset.objects())
    for ref in every[:: max(1, len(every) // count)][:count]:
        sample = dataset.sample(ref)
        encoded = predictor.encode(sample.image_path)
        stroke = stroke_through(sample.gt_mask)
        single = first_click(sample.gt_mask, sample.ignore_mask)
        alone = predictor.predict(encoded, [single]).mask
        last = iou(alone, sample.gt_mask, sample.ignore_mask)
        yield [
            [*(answer(predictor, encoded, part_of(stroke, share), n, sample) for n in COUNTS), last]
            for share in SHARES
        ]


def answer(predictor: Predictor, encoded: EncodedImage, stroke, count: int, sample) -> float:
    clicks = scribble_clicks(stroke, True, encoded.size_hw, max_clicks=count)
    mask = predictor.predict(encoded, clicks).mask
    return iou(mask, sample.gt_mask, sample.ignore_mask)


def stroke_through(mask: np.ndarray) -> np.ndarray:
    """Positions (N, 2) from one end of the largest part's middle line to the other."""
    depth = depth_map(mask)
    rows, columns = np.nonzero(skeletonize(mask))
    deepest = np.unravel_index(int(depth.argmax()), depth.shape)
    cost = np.where(mask, 1 / (depth + 0.1), 1e6)
    ends = []
    start = deepest
    for _ in range(2):
        far = int(np.argmax((rows - start[0]) ** 2 + (columns - start[1]) ** 2))
        start = (int(rows[far]), int(columns[far]))
        ends.append(start)
    path, _ = route_through_array(cost, ends[0], ends[1], fully_connected=True, geometric=True)
    inside = [(x, y) for y, x in path if mask[y, x]]
    return np.array(inside or [deepest[::-1]], dtype=np.float64)


def part_of(stroke: np.ndarray, share: float) -> np.ndarray:
    """The middle part of a stroke."""
    cut = int(len(stroke) * (1 - share) / 2)
    return stroke[cut : max(cut + 1, len(stroke) - cut)]


if __name__ == "__main__":
    main()
