"""What the rows of an ablation say: figures per variant, and paired differences to the first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcut.core.metrics import number_of_clicks
from latentcut.evaluation.protocol import ObjectResult
from latentcut.evaluation.table import bootstrap_interval
from latentcut.training.paper.ablations import Plan, Trial, result_path

FloatArray = NDArray[np.floating]
THRESHOLDS = (0.80, 0.85, 0.90)
KINDS = ("selected", "oracle", "first")
COLUMNS = (  # of objects.csv
    *("variant", "seed", "shown", "set", "object", "noc_80", "noc_85", "noc_90"),
    *("iou_1", "iou_3", "iou_5", "oracle_1", "first_1", "masks_iou_1", "clicks_broken"),
)


@dataclass(frozen=True)
class Outcome:
    """The rows of one trial, shown by one selection, on one data set."""

    trial: Trial
    selection: str
    dataset: str
    rows: tuple[ObjectResult, ...]

    def noc(self, threshold: float, kind: str = "selected") -> NDArray[np.int64]:
        """Number of clicks of every object; ``kind`` is selected, oracle or first."""
        ious = [getattr(row, f"{kind}_ious") for row in self.rows]
        return np.array([number_of_clicks(i, threshold, len(i)) for i in ious])

    def iou(self, clicks: int, kind: str = "selected") -> FloatArray:
        """IoU of every object after so many clicks."""
        return np.array([getattr(row, f"{kind}_ious")[clicks - 1] for row in self.rows])

    def curve(self, kind: str = "selected") -> FloatArray:
        """IoUs (objects, clicks)."""
        return np.array([getattr(row, f"{kind}_ious") for row in self.rows])

    def diversity(self) -> float | None:
        """Mean IoU between the candidates after the first click; None for M = 1."""
        values = [row.diversity[0] for row in self.rows if row.diversity]
        return float(np.mean(values)) if values else None

    def broken_share(self) -> float:
        """Share of clicks that the mask shown after them did not obey."""
        return sum(r.clicks_broken for r in self.rows) / sum(len(r.clicks) for r in self.rows)


def read_outcomes(trials: Sequence[Trial], datasets: Sequence[str], output: Path) -> list[Outcome]:
    """All evaluations that are there, in the order of the plan; incomplete ones are left out."""
    found = []
    for trial in trials:
        for selection in trial.selections:
            for dataset in datasets:
                path = result_path(output, trial, selection, dataset)
                if path.is_file():
                    lines = path.read_text(encoding="utf-8").splitlines()[1:]
                    rows = sorted((json.loads(line) for line in lines), key=by_name)
                    results = tuple(ObjectResult(**row) for row in rows)
                    found.append(Outcome(trial, selection, dataset, results))
    objects = {d: max((len(o.rows) for o in found if o.dataset == d), default=0) for d in datasets}
    return [o for o in found if len(o.rows) == objects[o.dataset]]


def by_name(row: dict[str, Any]) -> str:
    """All outcomes of a data set list its objects in the same order."""
    return str(row["name"])


def paired(a: FloatArray, b: FloatArray) -> str:
    """Mean of b - a over the same objects, with its 95 % bootstrap interval."""
    low, high = bootstrap_interval(b - a)
    return f"{float((b - a).mean()):+.2f} [{low:+.2f}, {high:+.2f}]"


def together(outcomes: Sequence[Outcome], what: str, value: float, kind: str) -> FloatArray:
    """One figure of every object of several data sets, one after the other."""
    return np.concatenate(
        [o.noc(value, kind) if what == "noc" else o.iou(int(value), kind) for o in outcomes]
    ).astype(np.float64)


def of(outcomes: Sequence[Outcome], variant: str, seed: int, selection: str) -> list[Outcome]:
    """The outcomes of one trial, one per data set."""
    return [
        o
        for o in outcomes
        if (o.trial.variant, o.trial.seed, o.selection) == (variant, seed, selection)
    ]


def seeds_table(plan: Plan, outcomes: Sequence[Outcome]) -> list[list[str]]:
    """The first variant, one line per seed and data set, and the spread over seeds."""
    main = next(iter(plan.variants))
    lines = [["set", "seed", "NoC@80", "NoC@85", "NoC@90", "IoU after 1", "oracle", "first"]]
    for dataset in dict.fromkeys(o.dataset for o in outcomes):
        mine = [
            o
            for o in outcomes
            if o.trial.variant == main and o.selection == "g" and o.dataset == dataset
        ]
        figures = [
            [*(o.noc(t).mean() for t in THRESHOLDS), *(o.iou(1, k).mean() for k in KINDS)]
            for o in mine
        ]
        for outcome, values in zip(mine, figures, strict=True):
            lines.append([dataset, str(outcome.trial.seed), *written(values)])
        if len(figures) > 1:
            array = np.array(figures)
            lines.append([dataset, "mean", *written(array.mean(0))])
            lines.append([dataset, "std", *written(array.std(0, ddof=1))])
    return lines


def written(values: Sequence[float] | FloatArray) -> list[str]:
    """Clicks with two digits, IoUs with three."""
    n = len(THRESHOLDS)
    return [f"{v:.2f}" for v in values[:n]] + [f"{v:.3f}" for v in values[n:]]


def variants_table(plan: Plan, outcomes: Sequence[Outcome]) -> list[list[str]]:
    """
    One line per variant, its first seed, over the objects of all data sets.

    Differences are to the first variant with the same seed, paired over objects.
    """
    main = next(iter(plan.variants))
    lines = [
        [
            "variant",
            "NoC@80",
            "difference [95 %]",
            "IoU after 1",
            "difference [95 %]",
            "oracle after 1",
            "difference [95 %]",
            "IoU between masks",
            "steps that broke a click",
        ]
    ]
    for name, variant in plan.variants.items():
        seed = variant.seeds[0]
        mine, base = of(outcomes, name, seed, "g"), of(outcomes, main, seed, "g")
        if not mine or len(mine) != len(base):
            continue
        cells = [variant.title]
        for what, value, kind in (
            ("noc", 0.80, "selected"),
            ("iou", 1, "selected"),
            ("iou", 1, "oracle"),
        ):
            ours, theirs = (together(o, what, value, kind) for o in (mine, base))
            cells.append(f"{ours.mean():.2f}" if what == "noc" else f"{ours.mean():.3f}")
            cells.append("" if name == main else paired(theirs, ours))
        spreads = [d for d in (o.diversity() for o in mine) if d is not None]
        broken = np.mean([o.broken_share() for o in mine])
        cells += [f"{np.mean(spreads):.2f}" if spreads else "-", f"{100 * broken:.1f} %"]
        lines.append(cells)
    return lines


def selection_table(plan: Plan, outcomes: Sequence[Outcome]) -> list[list[str]]:
    """
    What choosing is worth: g against the first, the surest mask and the oracle.

    The user of each line sees its mask; the oracle's line is the best of M after the clicks
    that g's choice provoked.
    """
    main, variant = next(iter(plan.variants.items()))
    seed = variant.seeds[0]
    lines = [["shown", "NoC@80", "difference to g", "NoC@85", "IoU after 1", "difference to g"]]
    base = of(outcomes, main, seed, "g")
    if not base:
        return lines
    for title, shown, kind in (
        ("g's choice", "g", "selected"),
        ("first mask", "first", "selected"),
        ("surest mask", "confident", "selected"),
        ("oracle", "g", "oracle"),
    ):
        mine = of(outcomes, main, seed, shown)
        if len(mine) != len(base):
            continue
        noc, noc_g = (together(o, "noc", 0.80, k) for o, k in ((mine, kind), (base, "selected")))
        iou, iou_g = (together(o, "iou", 1, k) for o, k in ((mine, kind), (base, "selected")))
        is_base = (shown, kind) == ("g", "selected")
        lines.append(
            [
                title,
                f"{noc.mean():.2f}",
                "" if is_base else paired(noc_g, noc),
                f"{together(mine, 'noc', 0.85, kind).mean():.2f}",
                f"{iou.mean():.3f}",
                "" if is_base else paired(iou_g, iou),
            ]
        )
    return lines


def objects_csv(outcomes: Sequence[Outcome]) -> str:
    """Every object of every evaluation as one line: what the tables are computed from."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for o in outcomes:
        nocs = [o.noc(t) for t in THRESHOLDS]
        for i, row in enumerate(o.rows):
            spread = f"{row.diversity[0]:.4f}" if row.diversity else ""
            writer.writerow(
                [o.trial.variant, o.trial.seed, o.selection, o.dataset, row.name]
                + [int(n[i]) for n in nocs]
                + [f"{row.selected_ious[k - 1]:.4f}" for k in (1, 3, 5)]
                + [f"{row.oracle_ious[0]:.4f}", f"{row.first_ious[0]:.4f}", spread]
                + [row.clicks_broken]
            )
    return text.getvalue()
