"""The page of an ablation: tables in Markdown, every object in CSV, plots and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from latentcut.core.files import write_atomically
from latentcut.datasets.dataset import open_dataset
from latentcut.evaluation.plots import iou_curves, noc_bars, scatter
from latentcut.evaluation.table import bootstrap_interval
from latentcut.training.paper.ablation_pictures import picture_sheet
from latentcut.training.paper.ablation_tables import (
    Outcome,
    objects_csv,
    of,
    read_outcomes,
    seeds_table,
    selection_table,
    together,
    variants_table,
)
from latentcut.training.paper.ablations import Places, Plan, Trial
from latentcut.training.paper.segmenter import load_segmenter

PICTURED = 8  # objects of each data set


def write_ablation_report(
    plan: Plan, trials: Sequence[Trial], places: Places, folder: Path
) -> Path:
    """
    Write README.md, objects.csv, three plots and the pictures of the first variant.

    Args:
        plan, trials, places: As they were run; what is not there yet is left out.
        folder: Made if need be; files of an earlier report are replaced.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    datasets = [open_dataset(spec) for spec in places.benchmarks]
    outcomes = read_outcomes(trials, [d.name for d in datasets], places.output)
    write_atomically(folder / "objects.csv", objects_csv(outcomes).encode())
    plots = draw_plots(plan, outcomes)
    for name, svg in plots.items():
        write_atomically(folder / f"{name}.svg", svg.encode())
    main = trials[0]
    segmenter = load_segmenter(places.output / main.name / "checkpoint.safetensors")
    for dataset in datasets:
        sheet = picture_sheet(segmenter, dataset, PICTURED)
        write_atomically(folder / f"pictures_{dataset.name}.jpg", sheet)
    page = folder / "README.md"
    text = page_text(plan, trials, outcomes, list(plots), [d.name for d in datasets])
    write_atomically(page, text.encode())
    return page


def draw_plots(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """SVG by file name: IoU against clicks, NoC bars, diversity against oracle gain."""
    curves, bars, points = {}, [], []
    for name, variant in plan.variants.items():
        mine = of(outcomes, name, variant.seeds[0], "g")
        if not mine:
            continue
        curve = np.concatenate([o.curve() for o in mine])
        nocs = together(mine, "noc", 0.80, "selected")
        curves[variant.title] = [float(v) for v in curve.mean(0)]
        low, high = bootstrap_interval(nocs)
        bars.append((variant.title, float(nocs.mean()), low, high))
        spread = [d for d in (o.diversity() for o in mine) if d is not None]
        if spread:
            gain = together(mine, "iou", 1, "oracle") - together(mine, "iou", 1, "selected")
            points.append((variant.title, float(np.mean(spread)), float(gain.mean())))
    return {
        "iou_against_clicks": iou_curves(curves, "Mean IoU of the selected mask"),
        "noc_80": noc_bars(bars, f"NoC@80, at most {plan.max_clicks} clicks"),
        "diversity": scatter(
            points,
            "mean IoU between the masks (less is more diverse)",
            "oracle minus selected IoU",
            "Diversity against what a perfect choice would gain, after one click",
        ),
    }


def page_text(
    plan: Plan,
    trials: Sequence[Trial],
    outcomes: Sequence[Outcome],
    plots: Sequence[str],
    datasets: Sequence[str],
) -> str:
    """The Markdown page."""
    config, train = trials[0].config, trials[0].config.train
    objects = {o.dataset: len(o.rows) for o in outcomes}
    sets = " and ".join(f"{name} ({count} objects)" for name, count in objects.items())
    pairs = config.data.images_per_step[0] * config.data.pairs_per_image
    lines = [
        "# Ablations of the paper's method, scaled down",
        "",
        "Made by `latentcut reproduce ablations`; do not edit. A scaled-down experiment and no "
        f"reproduction of the paper's figures: frozen {config.features.kind} features, trunks of "
        f"{config.model.width} channels at stride {config.model.stride}, {train.f_steps:,} steps "
        f"of f and {train.g_steps:,} of g with {pairs} pairs each, images of at most "
        f"{config.evaluation.longest_side} px. Robot user, at most {plan.max_clicks} clicks, on "
        f"{sets}. Every line of the tables can be computed from [objects.csv](objects.csv).",
        "",
        "## Variants",
        "",
        "Both sets together, mask chosen by g, the first seed of each variant (0 unless its name "
        "says otherwise). Differences are to the first variant with the same seed, paired over the "
        "same objects, with 95 % bootstrap intervals: one without 0 is a difference that other "
        "objects of this kind would show, too. It says nothing of other seeds; their spread is in "
        "the last table.",
        "",
        *markdown(variants_table(plan, outcomes)),
        "",
        "## What choosing is worth",
        "",
        *markdown(selection_table(plan, outcomes)),
        "",
        "## The first variant with other seeds",
        "",
        *markdown(seeds_table(plan, outcomes)),
        "",
        "## Plots",
        "",
        *(f"![{name.replace('_', ' ')}]({name}.svg)\n" for name in plots),
        "## Pictures",
        "",
        "First variant, one click (white dot) at the object's centre. Left to right: the image "
        "with its ground truth, then the masks in f's order; the frame is g's choice.",
        "",
        *(f"![masks on {name}](pictures_{name}.jpg)\n" for name in datasets),
    ]
    return "\n".join(lines).rstrip() + "\n"


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; all columns but the first are aligned to the right."""
    rule = "|".join(["---", *["---:"] * (len(rows[0]) - 1)])
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, f"|{rule}|", *body]
