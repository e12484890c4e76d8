"""The tables of the report: what a stored result says, as cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentcut.evaluation.report.html import DASH, Cell, Group, table

Run = Mapping[str, Any]
Table = Mapping[str, Any]

THRESHOLDS = ("80", "85", "90", "95")
SHOWN_CLICKS = (1, 2, 3, 5, 10, 20)


@dataclass(frozen=True)
class Column:
    """
    One column: where its figure is in a run's table, and how it is written.

    Attributes:
        name: Its heading.
        value: The figure, or None where there is none.
        form: How a figure is written.
        better: "less", "more" or "" (none is better).
        interval: The figure's interval, if it has one.
    """

    name: str
    value: Callable[[Table], float | None]
    form: str = "{:.2f}"
    better: str = ""
    interval: Callable[[Table], Sequence[float] | None] = lambda _: None


def noc_column(threshold: str, kind: str = "selected") -> Column:
    """Number of clicks to a threshold such as "85", with its interval."""
    key = f"noc_{threshold}"
    return Column(
        f"{threshold} %",
        lambda t: t[kind].get(key),
        better="less",
        interval=lambda t: t[kind].get(f"{key}_interval"),
    )


def failures_column(threshold: str, kind: str = "selected") -> Column:
    """How many objects never reached a threshold."""
    return Column(
        f"{threshold} %", lambda t: t[kind].get(f"failures_{threshold}"), "{:.0f}", "less"
    )


def iou_column(clicks: int, kind: str = "selected") -> Column:
    """Mean IoU after so many clicks."""
    return Column(str(clicks), lambda t: at(t[kind]["mean_iou"], clicks), "{:.3f}", "more")


def ms_column(name: str, value: Callable[[Table], float | None]) -> Column:
    """A time in milliseconds."""
    return Column(name, value, "{:,.0f}", "less")


def at(values: Sequence[float] | None, clicks: int) -> float | None:
    """The figure after so many clicks, counted from 1; None where there is none."""
    return values[clicks - 1] if values and len(values) >= clicks else None


def under(key: str, name: str) -> Callable[[Table], float | None]:
    """The figure ``name`` inside the part ``key`` of a table; None where either is missing."""
    return lambda t: (t.get(key) or {}).get(name)


def after(key: str, clicks: int) -> Callable[[Table], float | None]:
    """The figure after so many clicks in the list ``key`` of a table."""
    return lambda t: at(t.get(key), clicks)


def gain_after(clicks: int) -> Callable[[Table], float | None]:
    """Oracle gain; None where there is only one candidate, which gains nothing by its nature."""
    return lambda t: at(t.get("oracle_gain"), clicks) if t.get("diversity") else None


HEADLINE = [
    ("clicks to reach IoU", [noc_column("85"), noc_column("90")]),
    ("never reached", [failures_column("90")]),
    ("mean IoU after clicks", [iou_column(k) for k in (1, 3, 5, 20)]),
    (
        "median ms",
        [
            ms_column("first mask", lambda t: t.get("first_mask_ms")),
            ms_column("next click", lambda t: t.get("later_click_ms")),
        ],
    ),
]
USERS = [
    ("clicks to reach IoU", [noc_column(q) for q in ("80", "85", "90")]),
    ("never reached", [failures_column("90")]),
    ("mean IoU after clicks", [iou_column(k) for k in (1, 3, 5, 20)]),
]
CLICKS = [
    ("shown mask: clicks to reach IoU", [noc_column(q) for q in THRESHOLDS]),
    ("never reached", [failures_column(q) for q in THRESHOLDS]),
]
ORACLE = [
    ("best candidate: clicks to reach IoU", [noc_column(q, "oracle") for q in THRESHOLDS]),
    ("never reached", [failures_column(q, "oracle") for q in THRESHOLDS]),
]
QUALITY = [
    ("shown mask: mean IoU after clicks", [iou_column(k) for k in SHOWN_CLICKS]),
    (
        "over all clicks",
        [Column("area", lambda t: t["selected"].get("area_under_curve"), "{:.3f}", better="more")],
    ),
    (
        "boundary F after clicks",
        [Column(k, under("boundary_f", k), "{:.3f}", better="more") for k in ("1", "3", "5")],
    ),
]
CANDIDATES = [
    (
        "oracle gain after clicks",
        [Column(str(k), gain_after(k), "{:.3f}") for k in (1, 3, 5)],
    ),
    (
        "overlap of candidates after clicks",
        [Column(str(k), after("diversity", k), "{:.3f}") for k in (1, 3, 5)],
    ),
    (
        "",
        [
            Column("calibration error", lambda t: t.get("calibration_error"), "{:.3f}", "less"),
            Column("broken clicks", lambda t: t.get("steps_with_broken_clicks"), "{:,.0f}", "less"),
        ],
    ),
]
COST = [
    (
        "encoding, ms",
        [
            ms_column("median", under("times", "encode_ms")),
            ms_column("95 % below", under("times", "encode_ms_p95")),
        ],
    ),
    (
        "one click, ms",
        [
            ms_column("median", under("times", "click_ms")),
            ms_column("95 % below", under("times", "click_ms_p95")),
        ],
    ),
    ("memory, MB", [Column("peak", lambda t: t.get("peak_mb"), "{:,.0f}")]),
]

Columns = Sequence[tuple[str, Sequence[Column]]]


def runs_table(
    corner: str, columns: Columns, groups: Mapping[str, Sequence[tuple[str, Table]]], caption: str
) -> str:
    """
    Runs under each other, with the same figures of each.

    Args:
        corner: What the labels of the rows are.
        columns: Groups of columns. One that no run has a figure for is left out.
        groups: By heading: label and table of each run.
        caption: What is shown.

    Returns:
        HTML; empty where no column is left.
    """
    tables = [t for rows in groups.values() for _, t in rows]
    kept = [
        (name, [c for c in group if any(c.value(t) is not None for t in tables)])
        for name, group in columns
    ]
    kept = [(name, group) for name, group in kept if group]
    if not kept:
        return ""
    flat = [column for _, group in kept for column in group]
    body = [
        Group(
            heading,
            [
                (label, [cell_of(c, t, [other for _, other in rows]) for c in flat])
                for label, t in rows
            ],
        )
        for heading, rows in groups.items()
    ]
    return table(corner, [(n, [c.name for c in group]) for n, group in kept], body, caption)


def cell_of(column: Column, own: Table, rivals: Sequence[Table]) -> Cell:
    """One figure, marked where no other of its group is better and at least one is worse."""
    value = column.value(own)
    if value is None:
        return Cell(DASH)
    text = written(column, value)
    interval = column.interval(own)
    aside = f"[{', '.join(column.form.format(v) for v in interval)}]" if interval else ""
    others = [v for v in map(column.value, rivals) if v is not None]
    # as they are written: two figures that look the same are the same
    best = {"less": min, "more": max}.get(column.better)
    is_best = (
        best is not None
        and text == written(column, best(others))
        and len({written(column, v) for v in others}) > 1
    )
    return Cell(text, aside, is_best)


def written(column: Column, value: float) -> str:
    """A figure in its column's form."""
    return column.form.format(value)


def comparison_table(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Paired differences, b minus a, grouped by data set and user."""
    keys = [("noc_85", "85 %"), ("noc_90", "90 %"), ("iou_1", "1"), ("iou_3", "3"), ("iou_5", "5")]
    shown = [(k, name) for k, name in keys if any(k in c for c in comparisons)]
    groups: dict[str, list[tuple[str, list[Cell]]]] = {}
    for comparison in comparisons:
        heading = f"{comparison['dataset']}, user {comparison.get('user', DASH)}"
        label = f"{comparison['b']} − {comparison['a']}"
        cells = [difference_cell(comparison.get(key), key) for key, _ in shown]
        groups.setdefault(heading, []).append((label, cells))
    columns = [
        ("difference of clicks to reach IoU", [n for k, n in shown if k.startswith("noc")]),
        ("difference of IoU after clicks", [n for k, n in shown if k.startswith("iou")]),
    ]
    body = [Group(heading, rows) for heading, rows in groups.items()]
    columns = [(name, group) for name, group in columns if group]
    return table("pair", columns, body, "Differences over the same objects, with 95 % intervals")


def difference_cell(found: Mapping[str, Any] | None, key: str) -> Cell:
    """A difference with its interval; marked where the interval does not hold 0."""
    if not found:
        return Cell(DASH)
    form = "{:+.2f}" if key.startswith("noc") else "{:+.3f}"
    low, high = found["interval"]
    aside = f"[{form.format(low)}, {form.format(high)}]".replace("-", "−")
    text = form.format(found["difference"]).replace("-", "−")
    return Cell(text, aside, is_best=low > 0 or high < 0)
