"""
What `measure_preferences.py` replays: objects of users who mean parts, wholes, groups or anything.

Of every object one record is kept: the candidates after the first click, and for each of them
how many clicks it takes from there. A user's day with any rule of selection is then a matter of
adding up, and thousands of days cost no run of the network.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import latentcut
from latentcut.core.encoded import EncodedImage
from latentcut.core.metrics import iou
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import Predictor
from latentcut.core.preferences import Look
from latentcut.datasets.dataset import (
    LabelMap,
    MapDataset,
    Sample,
    open_dataset,
    read_sample_image,
    sample_of,
)
from latentcut.evaluation.targets import nested
from latentcut.simulation.robot import first_click, next_click

BoolArray = NDArray[np.bool_]

LEVELS = (0.85, 0.90)  # IoU that a user is content with
MAX_CLICKS = 12
SAME_IOU = 0.97  # candidates that are as good as one: the second is not followed
MIN_AREA_SHARE = 0.002  # smaller objects are no matter of part or whole

# data set -> the users that it has objects for
PLANS = {
    "ccp_clothing": ("parts", "wholes"),
    "fasseg_faces": ("parts", "wholes"),
    "bsds500_trainval": ("parts", "wholes"),
    "carparts500": ("parts", "wholes"),
    "coco_mini80": ("groups", "neutral"),
    "pennfudan": ("groups", "neutral"),
    "feral_cats": ("groups", "neutral"),
    "duts_tr": ("neutral",),
    "DAVIS_A": ("neutral",),
    "COCO_MVal_A": ("neutral",),
}


@dataclass(frozen=True)
class Wanted:
    """An object that a user means."""

    set_name: str
    user: str
    sample: Sample


def wanted_objects(root: Path, set_name: str, user: str, num_objects: int) -> Iterator[Wanted]:
    """At most one object of a picture, pictures in an order that a name decides."""
    folder = next(p for p in (root / "train", root / "benchmarks") if (p / set_name).is_dir())
    dataset = open_dataset(folder / set_name)
    rng = np.random.default_rng([len(set_name), len(user), 7])
    found = 0
    for place in rng.permutation(len(dataset.images)):
        samples = list(samples_of(dataset, int(place), user))
        large = [s for s in samples if s.gt_mask.mean() >= MIN_AREA_SHARE]
        if large:
            yield Wanted(set_name, user, large[int(rng.integers(len(large)))])
            found += 1
        if found == num_objects:
            return


def samples_of(dataset: MapDataset, place: int, user: str) -> Iterator[Sample]:
    """The objects of a picture that a user may mean."""
    entry = dataset.images[place]
    maps = dataset.label_maps(entry)
    if user == "groups":
        for label_map in maps:
            yield from groups_of(label_map, entry.image_path)
        return
    if user == "wholes" and len(maps) == 1:  # the parts of one thing, and nothing else
        whole = (maps[0].labels > 0) & ~maps[0].ignore_mask
        if whole.any():
            yield Sample(f"{maps[0].name}:whole", entry.image_path, whole, maps[0].ignore_mask)
        return
    names = None
    if user in ("parts", "wholes") and len(maps) > 1:
        parts, wholes = nested(maps)
        names = parts - wholes if user == "parts" else wholes - parts
    for label_map in maps:
        for value in label_map.values:
            name = label_map.name_of(value)
            if names is None or name in names:
                yield sample_of(label_map, value, name, entry.image_path)


def groups_of(label_map: LabelMap, image_path: Path) -> Iterator[Sample]:
    """Objects that touch each other, as one."""
    inside = (label_map.labels > 0) & ~label_map.ignore_mask
    near = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8))
    count, pieces = cv2.connectedComponents(near, connectivity=8)
    for number in range(1, count):
        group = inside & (pieces == number)
        values, sizes = np.unique(label_map.labels[group], return_counts=True)
        if len(values) > 1 and sizes.max() < 0.8 * sizes.sum():
            name = f"{label_map.name}:group{number}"
            yield Sample(name, image_path, group, label_map.ignore_mask)


def record(predictor: Predictor, wanted: Wanted) -> dict[str, object] | None:
    """Candidates after the first click, and the IoUs after each click from each of them."""
    sample = wanted.sample
    click = first_click(sample.gt_mask, sample.ignore_mask)
    if click is None:
        return None
    encoded = predictor.encode(read_sample_image(sample))
    first = predictor.predict(encoded, [click])
    masks = first.candidates
    branches: list[dict[str, object]] = []
    for index in range(first.num_masks):
        same = [i for i in range(index) if iou(masks[i], masks[index]) >= SAME_IOU]
        branches.append(
            branches[same[0]] if same else follow(predictor, encoded, first.choose(index), sample)
        )
    return {
        "set": wanted.set_name,
        "user": wanted.user,
        "name": sample.name,
        "area_share": float(sample.gt_mask.mean()),
        "click": [click.x, click.y],
        "size_hw": list(encoded.size_hw),
        "selected": first.selected,
        "look": Look.of(first).model_dump(),
        "branches": branches,
    }


def follow(
    predictor: Predictor, encoded: EncodedImage, first: Prediction, sample: Sample
) -> dict[str, object]:
    """The robot user from one shown mask on, and how the first candidates resemble the end."""
    shown, clicks = first, list(first.clicks)
    ious = [iou(first.mask, sample.gt_mask, sample.ignore_mask)]
    accepted: dict[float, BoolArray] = {}
    while True:
        for level in LEVELS:
            if ious[-1] >= level:
                accepted.setdefault(level, shown.mask)
        click = next_click(shown.mask, sample.gt_mask, sample.ignore_mask)
        if len(accepted) == len(LEVELS) or len(ious) == MAX_CLICKS or click is None:
            break
        clicks.append(click)
        shown = predictor.predict(encoded, clicks, shown.mask)
        ious.append(iou(shown.mask, sample.gt_mask, sample.ignore_mask))
    agreement = {
        f"{level:.2f}": [
            round(iou(m, accepted.get(level, shown.mask)), 5) for m in first.candidates
        ]
        for level in LEVELS
    }
    return {"ious": [round(value, 5) for value in ious], "agreement": agreement}


def main() -> None:
    """Write one line per object; objects that are there already are not made again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("data", type=Path, help="folder with train/ and benchmarks/")
    parser.add_argument("output", type=Path, help="JSON lines, one per object")
    parser.add_argument("--objects", type=int, default=50, help="per data set and user")
    chosen = parser.parse_args()
    known = set()
    if chosen.output.exists():
        lines = chosen.output.read_text("utf-8").splitlines()
        known = {(r["set"], r["user"], r["name"]) for r in map(json.loads, lines)}
    predictor = latentcut.load(threads=1)
    plans = [
        wanted_objects(chosen.data, set_name, user, chosen.objects)
        for set_name, users in PLANS.items()
        for user in users
    ]
    with chosen.output.open("a", encoding="utf-8") as file:
        for wanted in itertools.chain.from_iterable(itertools.zip_longest(*plans)):
            if wanted is None or (wanted.set_name, wanted.user, wanted.sample.name) in known:
                continue
            line = record(predictor, wanted)
            if line is not None:
                file.write(json.dumps(line) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
