"""Small results for tests of the report, and a reader of its tables."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from latentcut.evaluation.protocol import STANDARD, ObjectResult
from latentcut.evaluation.results import comparisons
from latentcut.evaluation.table import summarise

FINGERPRINT = "f" * 64


def row(name, ious, *, oracle=None, diversity=None, expected=None, clicks=()):
    return ObjectResult(
        name,
        ious,
        oracle or ious,
        ious,
        expected,
        clicks_broken=0,
        encode_s=0.1,
        click_s=[0.02] * len(ious),
        image=f"{name}.png",
        size_hw=[12, 16],
        area_share=0.25,
        clicks=[list(click) for click in clicks],
        selected=[0] * len(ious),
        diversity=diversity,
        boundary_f={"1": ious[0]},
        peak_mb=100.0,
    )


def run_of(rows, *, dataset="things", predictor="ours", user="centre", protocol=STANDARD):
    return {
        "dataset": dataset,
        "dataset_facts": {"format": "folder", "images": len(rows)},
        "predictor": predictor,
        "user": user,
        "seed": 0,
        "objects": len(rows),
        "table": summarise(rows, len(rows[0].selected_ious), protocol),
        "rows": [one.to_dict() for one in rows],
    }


def result_of(runs, *, protocol=STANDARD, skipped=()):
    names = dict.fromkeys(run["predictor"] for run in runs)
    return {
        "format": "latentcut-evaluation-2",
        "command": ["evaluate", "--data", "things", "--json", "out.json"],
        "protocol": protocol.to_dict(),
        "versions": {"python": "3.11.7", "numpy": "2.4.6"},
        "machine": {"cpu": "a processor", "cores": 2, "os": "Linux"},
        "predictors": [
            {"name": name, "spec": "default", "fingerprint": FINGERPRINT, "facts": {"kind": "test"}}
            for name in names
        ],
        "runs": list(runs),
        "comparisons": comparisons(runs, protocol),
        "skipped": list(skipped),
    }


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.cell = [], None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            is_best = "best" in (dict(attrs).get("class") or "").split()
            self.cell = ["*"] if is_best else [""]

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append("".join(self.cell))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


def tables_of(html):
    """Every table as rows of cells; the text of a cell that is marked as best begins with *."""
    parser = _Tables()
    parser.feed(html)
    return parser.tables


def section_of(html, key):
    """The inside of one section."""
    return re.search(rf'<section id="{key}".*?</section>', html, re.DOTALL)[0]
