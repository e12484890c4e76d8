"""The plots of the report, each with the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from latentcut.evaluation.plots import (
    CalibrationBin,
    Interval,
    calibration_plot,
    interval_dots,
    iou_curves,
    noc_bars,
    scatter,
)
from latentcut.evaluation.report.html import figure
from latentcut.evaluation.report.tables import USERS, runs_table
from latentcut.evaluation.report.views import Table, View, objects_of

CURVES = "Mean IoU of the shown mask after each click; bands are 95 % intervals over objects."
BARS = (
    "Mean number of clicks with its 95 % interval; an object that never gets there counts as all "
    "clicks."
)
CALIBRATION = (
    "What the predictor expected of the mask it showed, and what came of it. On the dashed line "
    "expectation and result agree; larger marks stand for more steps."
)
CANDIDATES = (
    "One mark per object, after the first click. Left: candidates that differ. High: another "
    "candidate would have been better than the shown one."
)


def plots_html(view: View) -> str:
    """All plots of the main user, data set by data set. Raises MissingExtra."""
    parts = []
    for dataset in view.datasets:
        tables = view.tables(dataset)
        if tables:
            plots = _plots_of(dataset, tables, view)
            parts.append(f'<h3>{escape(dataset)}</h3><div class="plots">{"".join(plots)}</div>')
    return "".join(parts)


def _plots_of(dataset: str, tables: Mapping[str, Table], view: View) -> list[str]:
    order = view.predictors
    curves = {name: _curve(table) for name, table in tables.items()}
    bins = {name: _bins(table) for name, table in tables.items() if table.get("calibration")}
    points = _candidate_points(view, dataset)
    plots = [figure(iou_curves(curves, "IoU against clicks", order), CURVES), _bars(tables, order)]
    if bins:
        plots.append(figure(calibration_plot(bins, "Expected and reached IoU", order), CALIBRATION))
    if points:
        x_label, y_label = "overlap of candidates (mean IoU of pairs)", "oracle gain (IoU)"
        title = "Are candidates different where it helps?"
        plots.append(figure(scatter(points, x_label, y_label, title, order), CANDIDATES))
    return plots


def _bars(tables: Mapping[str, Table], order: Sequence[str]) -> str:
    """Clicks needed, one plot a threshold, as one figure; empty where no run knows them."""
    bars = ""
    for threshold in ("85", "90"):
        rows = [(name, *i) for name, t in tables.items() if (i := _noc(t, threshold))]
        if rows:
            bars += noc_bars(rows, f"Clicks to reach {threshold} % IoU", order)
    return figure(bars, BARS) if bars else ""


def _curve(table: Table) -> Any:
    """Mean, low and high per click; only the mean where there are no intervals."""
    part = table["selected"]
    intervals = part.get("mean_iou_interval")
    if not intervals:
        return part["mean_iou"]
    return part["mean_iou"], [low for low, _ in intervals], [high for _, high in intervals]


def _noc(table: Table, threshold: str) -> Interval | None:
    part = table["selected"]
    if part.get(f"noc_{threshold}") is None:
        return None
    low, high = part[f"noc_{threshold}_interval"]
    return part[f"noc_{threshold}"], low, high


def _bins(table: Table) -> list[CalibrationBin]:
    total = sum(part["steps"] for part in table["calibration"])
    return [
        CalibrationBin(part["expected"], part["reached"], part["steps"] / total)
        for part in table["calibration"]
    ]


def _candidate_points(view: View, dataset: str) -> list[tuple[str, float, float]]:
    """Predictor, overlap and gain of every object after the first click, where there are both."""
    return [
        (run["predictor"], row["diversity"][0], row["oracle_ious"][0] - row["selected_ious"][0])
        for run in view.runs
        if run["dataset"] == dataset and run["user"] == view.users[0]
        for row in run["rows"]
        if row.get("diversity")
    ]


def users_html(view: View) -> str:
    """How figures change when others click: plots and a table. Raises MissingExtra."""
    parts = []
    for dataset in view.datasets:
        by_user = {user: view.tables(dataset, user) for user in view.users}
        by_user = {user: tables for user, tables in by_user.items() if tables}
        if len(by_user) < 2:
            continue
        plots = []
        for threshold in ("85", "90"):
            groups = {
                user: {name: i for name, t in tables.items() if (i := _noc(t, threshold))}
                for user, tables in by_user.items()
            }
            if any(groups.values()):
                title = f"Clicks to reach {threshold} % IoU, by user"
                dots = interval_dots(groups, "clicks", title, view.predictors)
                plots.append(figure(dots, "Means and 95 % intervals; less is better."))
        parts.append(f'<h3>{escape(dataset)}</h3><div class="plots">{"".join(plots)}</div>')
        rows = {
            f"user {user}, {objects_of(tables)}": list(tables.items())
            for user, tables in by_user.items()
        }
        parts.append(runs_table("predictor", USERS, rows, f"{dataset}, by user"))
    return "".join(parts)
