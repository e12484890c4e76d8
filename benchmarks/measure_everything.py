"""
How much of what people marked everything-mode finds, and with how many proposals.

    python benchmarks/measure_everything.py --data FOLDER [--data FOLDER ...] [--images 10]

For each data set (a folder as of docs/datasets.md) and each setting: the share of marked regions
that some proposal covers with IoU 0.5 and 0.75, their mean best IoU, proposals per image, seconds
per image at one thread. Regions below 0.1 % of the image are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import latentcut
from latentcut.core.everything import EverythingOptions, FoundObject, Search
from latentcut.core.metrics import iou
from latentcut.core.predictor import Predictor
from latentcut.datasets.dataset import open_dataset

MIN_REGION = 0.001
SETTINGS = {
    "default": EverythingOptions(),
    "8 a side": EverythingOptions(points_per_side=8),
    "16 a side": EverythingOptions(points_per_side=16),
    "24 a side": EverythingOptions(points_per_side=24),
    "score 0.5": EverythingOptions(min_score=0.5),
    "stability 0.7": EverythingOptions(min_stability=0.7),
    "overlap 0.5": EverythingOptions(max_overlap=0.5),
    "overlap 0.9": EverythingOptions(max_overlap=0.9),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", action="append", required=True, type=Path)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--setting", action="append", choices=sorted(SETTINGS))
    args = parser.parse_args()
    predictor = latentcut.load(threads=1)
    print("| data | setting | regions | IoU >= 0.5 | >= 0.75 | mean best IoU | found | s |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for path in args.data:
        for name in args.setting or SETTINGS:
            print(row(predictor, path, name, args.images), flush=True)


def row(predictor: Predictor, path: Path, name: str, num_images: int) -> str:
    """One line of the table."""
    best, num_found, seconds = [], [], []
    for image_path, regions in images_of(path, num_images):
        encoded = predictor.encode(image_path)
        started = time.perf_counter()
        search = Search(predictor, encoded, replace(SETTINGS[name]))
        search.advance(len(search.clicks))
        found = search.found()
        seconds.append(time.perf_counter() - started)
        num_found.append(len(found))
        best += [best_iou(found, region) for region in regions]
    values = np.array(best)
    return (
        f"| {path.name} | {name} | {len(values)} | {(values >= 0.5).mean():.2f} "
        f"| {(values >= 0.75).mean():.2f} | {values.mean():.3f} | {np.mean(num_found):.1f} "
        f"| {np.median(seconds):.1f} |"
    )


def images_of(path: Path, count: int) -> Iterator[tuple[Path, list[np.ndarray]]]:
    """Images spread over a data set, and the regions that are marked in all of their maps."""
    dataset = open_dataset(path)
    step = max(1, len(dataset.images) // count)
    for entry in dataset.images[::step][:count]:
        regions = []
        for label_map in dataset.label_maps(entry):
            labels = label_map.labels
            for value in np.unique(labels):
                region = labels == value
                is_region = value not in (0, label_map.ignore_value)
                if is_region and region.mean() >= MIN_REGION:
                    regions.append(region)
        yield entry.image_path, regions


def best_iou(found: tuple[FoundObject, ...], region: np.ndarray) -> float:
    """IoU of the proposal that covers a region best; 0 without any."""
    nothing = np.zeros_like(region)
    return max((iou(thing.mask, region, nothing) for thing in found), default=0.0)


if __name__ == "__main__":
    main()
