"""
What a box is worth: ways to tell the network of it, and clicks that follow it.

    python benchmarks/measure_box.py --data DATASET

DATASET is a folder as ``latentcut evaluate`` reads it; the option may be repeated. Every object
gets two boxes: the tight one of its ground truth, and a loose one, whose sides are moved by up to
a tenth of its width or height in either direction (seeded by the object's name). Times are of
processor time in one thread, without the encoding of the whole image, which every prompt shares;
so a busy machine hardly changes them.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

import latentcut
from latentcut import Click, EncodedImage, Prediction, Predictor
from latentcut.core.box_prompt import Box, check_box, filled_box, first_hints, standout_click
from latentcut.core.clicks import Clicks
from latentcut.core.encoded import CropCache, View
from latentcut.core.frame import crop_frame, mask_extent
from latentcut.core.metrics import iou
from latentcut.datasets.folder import FolderDataset, Sample, read_sample_image
from latentcut.simulation.robot import first_click, next_click

JITTER = 0.1
GOOD_IOU = 0.8
Corners = tuple[float, float, float, float]
Prompt = Callable[[Predictor, EncodedImage, Corners], Prediction]


# ---------------------------------------------------------------- ways to tell of a box


def view_of(predictor: Predictor, encoded: EncodedImage, box: Box) -> View:
    """The crop around a box, as the predictor cuts it."""
    info = predictor.frame_info
    frame = crop_frame(box, (), encoded.size_hw, info.zoom_px, info.zoom_factor, info.zoom_min_gain)
    return encoded.whole if frame is None else predictor._view(encoded, frame)


def ellipse_of(box: Box, view: View) -> np.ndarray:
    """The ellipse in a box as a previous mask, float32 (H / 4, W / 4)."""
    rows, columns = (np.arange(side // 4) * 4 + 1.5 for side in view.frame.size_hw)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    xy = view.frame.to_image(grid) + 0.5
    half = np.array([box.right - box.left, box.bottom - box.top]) / 2
    inside = (((xy - np.add(box[:2], half)) / half) ** 2).sum(axis=1) <= 1
    return inside.reshape(len(rows), len(columns)).astype(np.float32)


def told(
    where: str, around: bool, previous: str | None, judged: bool, zoomed: bool = True
) -> Prompt:
    """One decoder run that is told of the box in a certain way."""

    def prompt(predictor: Predictor, encoded: EncodedImage, corners: Corners) -> Prediction:
        box = check_box(corners, encoded.size_hw)
        view = view_of(predictor, encoded, box) if zoomed else encoded.whole
        found = standout_click(view.features, view.frame, box)
        positive = {"centre": Click(*box.centre_xy), "standout": found}.get(where)
        hints: Clicks = () if positive is None else (positive,)
        if around:
            hints += first_hints(view.features, view.frame, box, ())[1:]
        masks = {
            None: lambda: None,
            "box": lambda: filled_box(box, view.frame),
            "ellipse": lambda: ellipse_of(box, view),
        }
        answer = predictor._answer(view, hints, masks[previous]())
        answer = answer.judged(box) if judged else answer
        return answer.prediction((), predictor.selection)

    return prompt


def shipped(predictor: Predictor, encoded: EncodedImage, corners: Corners) -> Prediction:
    """What ``Predictor.predict`` does."""
    return predictor.predict(encoded, (), box=corners)


PROMPTS: dict[str, Prompt] = {
    "centre click, whole image": told("centre", False, None, False, zoomed=False),
    "a: centre click": told("centre", False, None, False),
    "a, judged": told("centre", False, None, True),
    "b: a + negatives around": told("centre", True, None, False),
    "b, judged": told("centre", True, None, True),
    "c: a + filled box": told("centre", False, "box", False),
    "c: a + ellipse": told("centre", False, "ellipse", False),
    "c: b + filled box": told("centre", True, "box", False),
    "c: b + ellipse": told("centre", True, "ellipse", False),
    "c: no positive click": told("none", True, "box", False),
    "c: standout click instead of centre": told("standout", True, "box", False),
    "d: the same, judged": told("standout", True, "box", True),
    "e: d, then again from its mask": shipped,
}


# ---------------------------------------------------------------- objects and boxes


def objects(path: Path, limit: int | None) -> Iterator[Sample]:
    """The objects of a data set that have pixels, in an order that mixes images."""
    dataset = FolderDataset(path)
    listed = list(dataset.objects())
    order = np.random.default_rng(1).permutation(len(listed))
    for index in order[:limit]:
        sample = dataset.sample(*listed[index])
        if (sample.gt_mask & ~sample.ignore_mask).any():
            yield sample


def boxes_of(sample: Sample) -> dict[str, Corners]:
    """The tight and the loose box of an object, as corners (x0, y0, x1, y1)."""
    extent = mask_extent(sample.gt_mask & ~sample.ignore_mask)
    assert extent is not None  # objects() leaves empty ones out
    left, top, right, bottom = extent
    rng = np.random.default_rng(zlib.crc32(sample.name.encode()))
    sides = np.array([right - left, bottom - top] * 2)
    moved = np.array(extent) + rng.uniform(-JITTER, JITTER, 4) * sides
    return {
        "tight": (left - 0.5, top - 0.5, right - 0.5, bottom - 0.5),
        "loose": tuple(float(edge) - 0.5 for edge in moved),
    }


# ---------------------------------------------------------------- measuring


def clicks_after(
    predictor: Predictor,
    encoded: EncodedImage,
    sample: Sample,
    corners: Corners | None,
    num_clicks: int,
    in_force: bool,
) -> tuple[list[float], list[float]]:
    """
    The robot corrects the answer to a box; None: that to its own first click.

    Returns:
        IoU after the box and after each click that follows, and processor seconds of the clicks.
    """
    gt, ignore = sample.gt_mask, sample.ignore_mask
    if corners is None:
        clicks = [first_click(gt, ignore)]
        prediction = predictor.predict(encoded, clicks)
    else:
        clicks = []
        prediction = predictor.predict(encoded, (), box=corners)
    ious, seconds = [iou(prediction.mask, gt, ignore)], []
    while len(ious) <= num_clicks:
        click = next_click(prediction.mask, gt, ignore)
        if click is None:
            break
        clicks.append(click)
        box = corners if in_force else None
        started = time.process_time()
        prediction = predictor.predict(encoded, clicks, prediction.mask, box=box)
        ious.append(iou(prediction.mask, gt, ignore))
        seconds.append(time.process_time() - started)
    return ious + ious[-1:] * (num_clicks + 1 - len(ious)), seconds


def measure(predictor: Predictor, path: Path, limit: int | None, num_clicks: int) -> None:
    """Print both tables of a data set."""
    good: dict[tuple[str, str], list[float]] = defaultdict(list)
    expected: dict[tuple[str, str], list[float]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    later: dict[str, list[list[float]]] = defaultdict(list)
    for sample in objects(path, limit):
        encoded = predictor.encode(read_sample_image(sample))
        gt, ignore = sample.gt_mask, sample.ignore_mask
        for kind, corners in boxes_of(sample).items():
            for name, prompt in PROMPTS.items():
                fresh = dataclasses.replace(encoded, crops=CropCache())
                started = time.process_time()
                prediction = prompt(predictor, fresh, corners)
                mask = prediction.mask
                seconds[name].append(time.process_time() - started)
                good[name, kind].append(iou(mask, gt, ignore))
                expected[name, kind].append(float(prediction.expected_iou[prediction.selected]))
            for in_force in (True, False) if num_clicks else ():
                name = f"{kind} box, " + ("in force" if in_force else "dropped")
                ious, spent = clicks_after(
                    predictor, encoded, sample, corners, num_clicks, in_force
                )
                later[name].append(ious)
                seconds[name] += spent
        if num_clicks:
            ious, spent = clicks_after(predictor, encoded, sample, None, num_clicks, False)
            later["one click"].append(ious)
            seconds["one click"] += spent
    num_objects = len(good["a: centre click", "tight"])
    print(f"\n{path.name}: {num_objects} objects\n")
    print(f"| prompt | tight: IoU | > {GOOD_IOU} | expected | loose: IoU | > {GOOD_IOU} | ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in PROMPTS:
        cells = [name]
        for kind in ("tight", "loose"):
            values = np.array(good[name, kind])
            cells += [f"{values.mean():.3f}", f"{(values > GOOD_IOU).mean():.2f}"]
            if kind == "tight":
                cells.append(f"{np.mean(expected[name, kind]):.3f}")
        print("| " + " | ".join([*cells, f"{1000 * statistics.median(seconds[name]):.0f}"]) + " |")
    if num_clicks:
        print(
            "\n| IoU after | itself | " + " | ".join(f"+{k + 1}" for k in range(num_clicks)), end=""
        )
        print(" | ms a click |\n|---|" + "---:|" * (num_clicks + 2))
        for name, rows in later.items():
            means = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
            print(f"| {name} | {means} | {1000 * statistics.median(seconds[name]):.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="DATASET")
    parser.add_argument("--bundle", help="bundle folder; default: the one in the package")
    parser.add_argument("--objects", type=int, help="only so many; default: all")
    parser.add_argument("--clicks", type=int, default=3, help="that follow a box; 0: none")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    predictor = latentcut.load(options.bundle, threads=1)
    for path in options.data:
        measure(predictor, path, options.objects, options.clicks)


if __name__ == "__main__":
    main()
