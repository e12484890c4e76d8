"""
What selection that learns is worth to people with habits, and what it costs people without.

    python benchmarks/preference_objects.py DATA objects.jsonl
    python benchmarks/measure_preferences.py objects.jsonl

DATA is a folder with train/ and benchmarks/; the first command takes about half an hour, the
second two minutes. A day is 40 objects of one data set and one user in random order. Before each of
them preferences are learned from those before it, as the server does; the candidate that comes
first is shown, and the robot user clicks on from there until content. Selection by g alone, on
the same objects, is what it is compared with. Intervals are of 95 %, by a bootstrap over objects.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from preference_objects import LEVELS, MAX_CLICKS

from latentcut.core.metrics import number_of_clicks
from latentcut.core.preferences import Lesson, Look, learn

Array = NDArray[np.float64]

DAY, EARLY = 40, 20  # objects of a day, and of its first half
NUM_DAYS, NUM_RESAMPLES = 12, 2000
LEARNED_AT = LEVELS[0]  # what the user is content with, and so what is learned from


@dataclass(frozen=True)
class Thing:
    """
    One object.

    Attributes:
        name: Unique.
        label: What its user calls it: a part, or a whole.
        selected: What g alone selects.
        look: Features and g's scores of the candidates, without what became of the object.
        agreement: float64 (M, M): IoU of each candidate (second axis) with what the object
            became when work began at the first axis' one.
        clicks: float64 (levels, M): how many it takes from each candidate.
        ious: float64 (M,), of each candidate with what is meant.
    """

    name: str
    label: str
    selected: int
    look: Lesson
    agreement: Array
    clicks: Array
    ious: Array


def read_thing(line: str) -> tuple[str, str, Thing]:
    """Data set, user, and the object of a line of preference_objects.py."""
    row = json.loads(line)
    look, branches = Look.model_validate(row["look"]), row["branches"]
    clicks = [
        [number_of_clicks(branch["ious"], level, MAX_CLICKS) for branch in branches]
        for level in LEVELS
    ]
    agreement = [branch["agreement"][f"{LEARNED_AT:.2f}"] for branch in branches]
    thing = Thing(
        row["name"],
        row["user"],
        row["selected"],
        look.lesson([0.0] * len(branches)),
        np.asarray(agreement),
        np.asarray(clicks, dtype=np.float64),
        np.asarray([branch["ious"][0] for branch in branches]),
    )
    return row["set"], row["user"], thing


def work_a_day(things: Iterable[Thing], with_labels: bool) -> list[int]:
    """The candidate that is shown first of each object, learning as the day goes on."""
    lessons: list[tuple[str, Lesson]] = []
    shown = []
    for thing in things:
        learned = learn([lesson for label, lesson in lessons if label == thing.label])
        if learned.is_neutral or not with_labels:
            learned = learn([lesson for _, lesson in lessons])
        weights = np.asarray(learned.weights)
        logits = thing.look.log_scores + thing.look.features @ weights
        selected = thing.selected if learned.is_neutral else int(np.argmax(logits))
        lessons.append((thing.label, thing.look._replace(agreement=thing.agreement[selected])))
        shown.append(selected)
    return shown


class Tally:
    """Sums per object, of one half of the day."""

    def __init__(self) -> None:
        self.num_added = 0
        self.sums: dict[str, Array] = defaultdict(lambda: np.zeros(2 * len(LEVELS) + 2))

    def add(self, thing: Thing, shown: int) -> None:
        """One object on one day: clicks by g and by us at each level, and first IoUs."""
        pairs = [thing.clicks[:, [thing.selected, shown]].ravel()]
        self.num_added += 1
        self.sums[thing.name] += np.concatenate([*pairs, thing.ious[[thing.selected, shown]]])

    def report(self) -> str:
        """Clicks saved in percent at each level, and what the first IoU gains."""
        table = np.stack(list(self.sums.values()))
        rng = np.random.default_rng(0)
        picks = rng.integers(len(table), size=(NUM_RESAMPLES, len(table)))
        resampled = table[picks].sum(axis=1)
        cells = []
        for at in range(len(LEVELS)):
            before, after = 2 * at, 2 * at + 1
            saved = 100 * (1 - table[:, after].sum() / table[:, before].sum())
            spread = 100 * (1 - resampled[:, after] / resampled[:, before])
            low, high = np.percentile(spread, [2.5, 97.5])
            cells.append(f"{saved:+.1f} ({low:+.1f} to {high:+.1f})")
        before, after = table[:, -2:].sum(axis=0) / self.num_added
        return " | ".join([*cells, f"{before:.3f} to {after:.3f}"])


def days_of(things: list[Thing], user: str, seed: int) -> list[tuple[list[Thing], list[int]]]:
    """Days of one user; "labelled" says what is a part and what a whole."""
    rng = np.random.default_rng(seed)
    days = []
    for _ in range(NUM_DAYS):
        day = [things[place] for place in rng.permutation(len(things))[:DAY]]
        days.append((day, work_a_day(day, user == "labelled")))
    return days


def tallies(days: Iterable[tuple[list[Thing], list[int]]]) -> tuple[Tally, Tally]:
    """Of the first half of the day, and of the second."""
    halves = Tally(), Tally()
    for day, shown in days:
        for number, (thing, selected) in enumerate(zip(day, shown, strict=True)):
            halves[number >= EARLY].add(thing, selected)
    return halves


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("objects", type=Path, help="what preference_objects.py wrote")
    lines = parser.parse_args().objects.read_text("utf-8").splitlines()
    groups: dict[tuple[str, str], list[Thing]] = defaultdict(list)
    for set_name, user, thing in map(read_thing, lines):
        groups[user, set_name].append(thing)
    for set_name in [name for user, name in groups if user == "wholes"]:  # now this, now that
        both = zip(groups["parts", set_name], groups["wholes", set_name], strict=False)
        groups["mixed", set_name] = [thing for pair in both for thing in pair]
        groups["labelled", set_name] = groups["mixed", set_name]
    head = [f"clicks saved at {level:.2f}, %" for level in LEVELS] + ["first IoU"]
    print("| user | objects of | " + " | ".join(f"{h}, 1 to {EARLY}" for h in head), end=" | ")
    print(" | ".join(f"{h}, {EARLY + 1} to {DAY}" for h in head), "|")
    print("|" + "---|" * (2 + 2 * len(head)))
    every: dict[str, list[tuple[list[Thing], list[int]]]] = defaultdict(list)
    for (user, set_name), things in sorted(groups.items()):
        days = days_of(things, user, len(set_name))
        every[user] += days
        early, late = tallies(days)
        print(f"| {user} | {set_name} | {early.report()} | {late.report()} |", flush=True)
    for user, days in every.items():
        early, late = tallies(days)
        print(f"| **{user}** | all | {early.report()} | {late.report()} |")


if __name__ == "__main__":
    main()
