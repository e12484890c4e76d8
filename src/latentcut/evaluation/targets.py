"""
Users who mean different things: parts and wholes, on data sets whose label maps nest.

A user may mean the wheel or the car. Which of them a segmenter takes a click for shows only
where both are annotated: where one picture has several label maps and a region of one lies in a
larger region of another. ``parts`` are the inner regions, ``wholes`` the outer ones, both
clicked at their centre. Where no maps nest there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from latentcut.datasets.dataset import Dataset, LabelMap, ObjectRef

INSIDE_SHARE = 0.9  # of a part lies in its whole
MAX_AREA_RATIO = 0.8  # part to whole: larger ones are the same thing, drawn twice
TARGET_USERS = ("parts", "wholes")


def targets_of(dataset: Dataset, user: str) -> list[ObjectRef]:
    """
    The objects that a user means, in the data set's order.

    Args:
        dataset: Any.
        user: ``parts`` and ``wholes`` mean some, every other user all.

    Returns:
        Empty for those two where no maps nest.
    """
    refs = list(dataset.objects())
    if user not in TARGET_USERS:
        return refs
    meant: set[str] = set()
    for entry in dataset.images:
        parts, wholes = nested(dataset.label_maps(entry))
        meant |= parts if user == "parts" else wholes
    return [ref for ref in refs if ref.name in meant]


def nested(maps: Sequence[LabelMap]) -> tuple[set[str], set[str]]:
    """
    Names of regions that lie in one of another map, and of those that hold one.

    Args:
        maps: All of one picture.

    Returns:
        Names of parts, names of wholes; a region between two others is in both.
    """
    parts: set[str] = set()
    wholes: set[str] = set()
    for inner, outer in permutations(maps, 2):
        if inner.labels.shape != outer.labels.shape:
            continue  # broken data is found where it is evaluated
        area = {value: int((inner.labels == value).sum()) for value in inner.values}
        outer_area = {value: int((outer.labels == value).sum()) for value in outer.values}
        for value, size in area.items():
            under, counts = np.unique(outer.labels[inner.labels == value], return_counts=True)
            for below, count in zip(under.tolist(), counts.tolist(), strict=True):
                if below not in outer_area or count < INSIDE_SHARE * size:
                    continue
                if size <= MAX_AREA_RATIO * outer_area[below]:
                    parts.add(inner.name_of(value))
                    wholes.add(outer.name_of(below))
    return parts, wholes
