"""Where the figures of a report come from, and what its words mean."""

from __future__ import annotations

import shlex
from html import escape

from latentcut.evaluation.report.html import facts
from latentcut.evaluation.report.views import View

GLOSSARY = {
    "click": "A point on the object (positive) or on the background (negative). A robot user "
    "makes them; see the protocol above.",
    "IoU": "Intersection over union: the area that mask and ground truth share, divided by the "
    "area that either covers. 1 is perfect.",
    "clicks to reach 85 %": "Number of clicks (NoC@85): the first click after which IoU is at "
    "least 0.85, averaged over objects. An object that never gets there counts with the whole "
    "budget.",
    "never reached": "Objects whose IoU stays below the threshold for the whole budget (failures).",
    "interval": "95 % bootstrap interval of the mean: objects are drawn again with replacement "
    "2,000 times. It says how far the mean depends on which objects happen to be in the set, and "
    "nothing about other kinds of images.",
    "candidates": "The masks that a predictor offers after each click. One of them is selected and "
    "shown.",
    "best candidate": "The one closest to the ground truth (oracle). No user has it: it bounds "
    "what a perfect choice among the candidates would reach.",
    "oracle gain": "IoU of the best candidate minus IoU of the shown one.",
    "overlap of candidates": "Mean IoU over all pairs of candidates. Small: they offer different "
    "things.",
    "area": "Mean of the IoU over all clicks of the budget: one figure for the whole curve.",
    "boundary F": "Harmonic mean of the shares of either outline that lie close to the other one; "
    "close means within 0.8 % of the picture's diagonal, as in the DAVIS benchmark.",
    "expected IoU": "The predictor's own guess of the IoU that the shown mask reaches.",
    "calibration error": "Mean gap between expected and reached IoU over ten bins, weighted by how "
    "many steps fall into them. 0 is perfect.",
    "broken clicks": "Steps at which the shown mask left a positive click out or covered a "
    "negative one.",
    "paired difference": "Two predictors on the same objects, object by object: objects that are "
    "hard for both do not blur it.",
    "first mask": "Time from an image that was just read to the first mask, encoding included.",
    "next click": "Time from a later click to the mask at the size of the image.",
}


def provenance_html(view: View) -> str:
    """Command, protocol, predictors, data sets, versions and machine."""
    result = view.result
    command = shlex.join(["latentcut", *map(str, result.get("command") or [])])
    parts = [f"<pre><code>{escape(command)}</code></pre>"] if result.get("command") else []
    parts.append("<h3>Protocol</h3>" + facts(result["protocol"].items()))
    parts.append("<h3>Predictors</h3>")
    for predictor in result["predictors"]:
        rows: list[tuple[str, object]] = [("given as", predictor.get("spec"))]
        rows += [("fingerprint", predictor["fingerprint"])]
        rows += list((predictor.get("facts") or {}).items())
        parts.append(f"<h4>{escape(predictor['name'])}</h4>{facts(rows)}")
    parts.append("<h3>Data sets</h3>")
    for dataset in view.datasets:
        runs = [run for run in view.runs if run["dataset"] == dataset]
        known = dict(runs[0].get("dataset_facts") or {})
        seeds = list(dict.fromkeys(run.get("seed") for run in runs))
        rows = [("users", list(dict.fromkeys(run["user"] for run in runs))), ("seed", seeds)]
        parts.append(f"<h4>{escape(dataset)}</h4>{facts([*known.items(), *rows])}")
    parts.append("<h3>Machine and versions</h3>")
    parts.append(facts([*result["machine"].items(), *result["versions"].items()]))
    return "".join(parts)


def glossary_html() -> str:
    """The words of the tables and plots."""
    items = "".join(
        f"<div><dt>{escape(word)}</dt><dd>{escape(meaning)}</dd></div>"
        for word, meaning in GLOSSARY.items()
    )
    return f'<dl class="glossary">{items}</dl>'
