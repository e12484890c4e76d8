"""
The report of an evaluation: one HTML file that needs nothing else.

No script, no request, no font: tables, plots as SVG, pictures of cases, where the figures come
from and what they mean. It follows the reader's light or dark theme and can be printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from latentcut.core.files import write_atomically
from latentcut.datasets.dataset import Dataset
from latentcut.evaluation.report.cases import cases_html
from latentcut.evaluation.report.html import section
from latentcut.evaluation.report.pictures import CasePicture, case_pictures
from latentcut.evaluation.report.plots import plots_html, users_html
from latentcut.evaluation.report.provenance import glossary_html, provenance_html
from latentcut.evaluation.report.tables import (
    CANDIDATES,
    CLICKS,
    COST,
    HEADLINE,
    ORACLE,
    QUALITY,
    Columns,
    comparison_table,
    runs_table,
)
from latentcut.evaluation.report.views import View, objects_of
from latentcut.evaluation.segmenter import Segmenter

TITLE = "Interactive segmentation by clicks: evaluation"


def make_report(
    result: dict[str, Any],
    datasets: Mapping[str, Dataset],
    segmenters: Mapping[str, Segmenter],
    path: Path,
    remarks: Sequence[str] = (),
) -> None:
    """
    Write the report of a result, with pictures where data set and segmenter are at hand.

    Args:
        result: As written by ``latentcut evaluate --json``.
        datasets: By the name that the result has; may be empty.
        segmenters: By the name that the result has; may be empty.
        path: The HTML file; replaced if it exists.
        remarks: Sentences above the pictures, such as what is not at hand.

    Raises:
        DatasetBroken: An object of the result is not in its data set.
        MissingExtra: matplotlib is not installed.
        FileMissing: The folder of ``path`` does not exist.
    """
    pictures, found = case_pictures(result, datasets, segmenters)
    write_report(result, path, pictures, [*remarks, *found])


def write_report(
    result: dict[str, Any],
    path: Path,
    pictures: Sequence[CasePicture] = (),
    remarks: Sequence[str] = (),
) -> None:
    """
    Write the report of a result with pictures that are ready.

    Args:
        result: As written by ``latentcut evaluate --json``.
        path: The HTML file; replaced if it exists.
        pictures: Shown in this order.
        remarks: Sentences above the pictures, such as what could not be shown.

    Raises:
        MissingExtra: matplotlib is not installed.
        FileMissing: The folder of ``path`` does not exist.
    """
    write_atomically(path, report_html(result, pictures, remarks).encode())


def report_html(
    result: dict[str, Any], pictures: Sequence[CasePicture] = (), remarks: Sequence[str] = ()
) -> str:
    """The report as text; the same result gives the same text. Raises MissingExtra."""
    view = View(result)
    sections = [("results", "Results", _results(view))]
    sections.append(("plots", "Plots", plots_html(view)))
    if len(view.users) > 1:
        sections.append(("users", "Other users", users_html(view)))
    if pictures or remarks:
        said = "".join(f'<p class="remark">{escape(remark)}</p>' for remark in remarks)
        lead = (
            "<p>The object with the lowest, the middle and the highest mean IoU over all clicks."
            "</p>"
        )
        shown = lead + said + (cases_html(pictures) if pictures else "")
        sections.append(("cases", "Cases", shown))
    sections.append(("details", "All figures", _details(view)))
    sections.append(("provenance", "Where this comes from", provenance_html(view)))
    sections.append(("glossary", "What the words mean", glossary_html()))
    links = "".join(f'<a href="#{key}">{escape(title)}</a>' for key, title, _ in sections)
    body = "".join(section(key, title, content) for key, title, content in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # a report may be opened from anywhere: nothing in it can ask for anything
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(TITLE)}</title><style>{_style()}</style></head><body>"
        f"<header><h1>{escape(TITLE)}</h1>{_summary(view)}<nav>{links}</nav></header>"
        f"<main>{body}</main></body></html>\n"
    )


def _style() -> str:
    file = resources.files("latentcut.evaluation.report") / "report.css"
    return file.read_text(encoding="utf-8")


def _summary(view: View) -> str:
    """One sentence per data set about the predictor that was named first."""
    sentences = []
    for dataset in view.datasets:
        tables = view.tables(dataset)
        if not tables:
            continue
        name, table = next(iter(tables.items()))
        told = f"On {dataset} ({objects_of(tables)}),"
        noc = table["selected"].get("noc_90")
        if noc is not None:
            low, high = table["selected"]["noc_90_interval"]
            told += f" {name} needs {noc:.2f} clicks [{low:.2f}, {high:.2f}] to reach 90 % IoU; its"
        else:
            told += f" {name}'s"
        told += f" first mask has IoU {table['selected']['mean_iou'][0]:.3f}."
        sentences.append(f"<p>{escape(told)}</p>")
    return f'<div class="summary">{"".join(sentences)}</div>'


def _results(view: View) -> str:
    groups = {view.heading(d): list(view.tables(d).items()) for d in view.datasets}
    caption = "Means over objects, in brackets their 95 % intervals"
    content = runs_table("predictor", HEADLINE, groups, caption)
    if view.comparisons:
        content += "<h3>Paired differences</h3>" + comparison_table(view.comparisons)
        content += (
            '<p class="note">Second minus first, each object compared with itself. Bold: 0 '
            "lies outside the interval.</p>"
        )
    reasons = dict.fromkeys(skipped["reason"] for skipped in view.result.get("skipped") or [])
    for reason in reasons:
        content += f'<p class="note">Not measured: {escape(reason)}.</p>'
    return content


def _details(view: View) -> str:
    groups = {view.heading(d): list(view.tables(d).items()) for d in view.datasets}
    parts: list[tuple[str, Columns, str]] = [
        ("Clicks", CLICKS, "Clicks needed and objects that never got there, shown mask"),
        ("", ORACLE, "The same for the best candidate by ground truth"),
        ("Masks", QUALITY, "How good the shown masks are"),
        ("Candidates", CANDIDATES, "What the candidates offer, and how well IoU is foretold"),
        ("Cost", COST, "Time and memory"),
    ]
    content = ""
    for title, columns, caption in parts:
        shown = runs_table("predictor", columns, groups, caption)
        content += (f"<h3>{escape(title)}</h3>" if title and shown else "") + shown
    return content
