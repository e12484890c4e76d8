"""The tables of an evaluation, for the terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

KINDS = {"selected": "selected", "oracle": "oracle", "first": "first candidate"}
THRESHOLDS = (80, 85, 90, 95)
SHOWN_CLICKS = (1, 2, 3, 5, 10, 20)

Row = tuple[str, ...]
Titled = tuple[str, Row, list[Row]]  # title, headings, rows


def kinds_of(run: dict[str, Any]) -> dict[str, str]:
    """Oracle and first candidate say nothing more of a predictor with one answer per click."""
    has_candidates = run["table"].get("diversity") is not None
    return KINDS if has_candidates else {"selected": "the one mask"}


def comparison_rows(run: dict[str, Any]) -> list[Row]:
    """
    One line per figure, each for the selected mask, the oracle and the first candidate.

    Args:
        run: As of ``evaluation.run.run_of``.
    """
    table = run["table"]
    parts = [table[kind] for kind in kinds_of(run)]
    rows: list[Row] = []
    for threshold in THRESHOLDS:
        rows.append((f"NoC@{threshold} [95 %]", *(with_interval(p, threshold) for p in parts)))
    for threshold in THRESHOLDS:
        failures = [count(part[f"failures_{threshold}"]) for part in parts]
        rows.append((f"failures@{threshold} of {table['objects']}", *failures))
    max_clicks = len(parts[0]["mean_iou"])
    for clicks in sorted({k for k in SHOWN_CLICKS if k < max_clicks} | {max_clicks}):
        ious = [f"{part['mean_iou'][clicks - 1]:.3f}" for part in parts]
        rows.append((f"IoU after {clicks} click{'s' * (clicks > 1)}", *ious))
    areas = [f"{part['area_under_curve']:.3f}" for part in parts]
    rows.append(("area under the curve", *areas))
    return rows


def with_interval(part: dict[str, Any], threshold: int) -> str:
    """A number of clicks with its interval; a dash where the protocol stopped below."""
    value, interval = part[f"noc_{threshold}"], part[f"noc_{threshold}_interval"]
    return "-" if value is None else "{:.2f} [{:.2f}, {:.2f}]".format(value, *interval)


def single_rows(run: dict[str, Any]) -> list[Row]:
    """The figures that exist once: outlines, candidates, times, memory, clicks, calibration."""
    table = run["table"]
    rows: list[Row] = []
    for clicks, value in (table["boundary_f"] or {}).items():
        rows.append((f"boundary F after {clicks} click{'s' * (clicks != '1')}", f"{value:.3f}"))
    if table["diversity"] is not None:
        rows.append(("oracle gain after 1 click", f"{table['oracle_gain'][0]:.3f}"))
        rows.append(("IoU between candidates after 1 click", f"{table['diversity'][0]:.3f}"))
    rows += [
        ("first mask", in_ms(table["first_mask_ms"])),
        ("later click", in_ms(table["later_click_ms"])),
        ("95 % of clicks within", in_ms(table["times"]["click_ms_p95"])),
        ("peak memory", "-" if table["peak_mb"] is None else f"{table['peak_mb']:.0f} MB"),
        ("steps that broke a click", str(table["steps_with_broken_clicks"])),
    ]
    if table["calibration_error"] is not None:
        rows.append(("calibration error of expected IoU", f"{table['calibration_error']:.3f}"))
    return rows


def in_ms(value: float | None) -> str:
    """A median time; a dash where there was nothing to measure."""
    return "-" if value is None else f"{value:.0f} ms"


def count(value: int | None) -> str:
    """A count; a dash where there is none."""
    return "-" if value is None else str(value)


def heading_of(run: dict[str, Any]) -> str:
    """Which data set, how many objects, whose answers and clicks."""
    objects = run["table"]["objects"]
    return (
        f"{run['dataset']}: {objects} object{'s' * (objects != 1)}, predictor {run['predictor']}, "
        f"user {run['user']}"
    )


def comparison_tables(result: dict[str, Any]) -> list[Titled]:
    """Predictors against each other, users against each other; none where there is only one."""
    tables: list[Titled] = []
    if result["comparisons"]:
        tables.append(pairs_table(result["comparisons"]))
    for dataset, predictor in dict.fromkeys((r["dataset"], r["predictor"]) for r in result["runs"]):
        runs = [r for r in result["runs"] if (r["dataset"], r["predictor"]) == (dataset, predictor)]
        if len(runs) > 1:
            tables.append(users_table(f"Users: {dataset}, predictor {predictor}", runs))
    return tables


def pairs_table(comparisons: list[dict[str, Any]]) -> Titled:
    """One line per pair, set and user: the second minus the first, with its interval."""
    keys = [key for key in ("noc_85", "noc_90", "iou_1", "iou_5") if key in comparisons[0]]
    headings = ("second − first", "set", "user", *(label_of(key) for key in keys))
    rows: list[Row] = []
    for pair in comparisons:
        cells = []
        for key in keys:
            low, high = pair[key]["interval"]
            cells.append(f"{pair[key]['difference']:+.2f} [{low:+.2f}, {high:+.2f}]")
        rows.append((f"{pair['b']} − {pair['a']}", pair["dataset"], pair["user"], *cells))
    return "Predictors on the same objects", headings, rows


def label_of(key: str) -> str:
    """``noc_85`` and ``iou_1`` as people write them."""
    kind, _, number = key.partition("_")
    return f"NoC@{number}" if kind == "noc" else f"IoU@{number}"


def users_table(title: str, runs: list[dict[str, Any]]) -> Titled:
    """One line per user, of one predictor on one set."""
    rows: list[Row] = []
    for run in runs:
        part = run["table"]["selected"]
        nocs = [with_interval(part, threshold) for threshold in (85, 90)]
        ious = [f"{part['mean_iou'][k]:.3f}" for k in (0, min(4, len(part["mean_iou"]) - 1))]
        failures = count(part["failures_90"])
        rows.append((run["user"], str(run["objects"]), *nocs, failures, *ious))
    headings = ("user", "objects", "NoC@85 [95 %]", "NoC@90 [95 %]", "failures@90")
    last = min(5, len(runs[0]["table"]["selected"]["mean_iou"]))
    return title, (*headings, "IoU@1", f"IoU@{last}"), rows


def markdown_of(run: dict[str, Any]) -> str:
    """Both parts as Markdown tables under a heading, for a model card."""
    lines = [f"### {heading_of(run)}", ""]
    lines += markdown_table(("", *kinds_of(run).values()), comparison_rows(run))
    lines += ["", *markdown_table(("mean, median or count", ""), single_rows(run)), ""]
    return "\n".join(lines)


def markdown_table(headings: Row, rows: list[Row]) -> list[str]:
    """The lines of one Markdown table; figures are aligned to the right."""
    rule = "|".join(["---", *["---:"] * (len(headings) - 1)])
    return [f"| {' | '.join(headings)} |", f"|{rule}|", *(f"| {' | '.join(r)} |" for r in rows)]


def rich_table_of(run: dict[str, Any]) -> RenderableType:
    """Both parts for the terminal."""
    from rich.console import Group
    from rich.table import Table

    headings = ("", *kinds_of(run).values())
    single = Table(box=None, show_header=False, pad_edge=False)
    single.add_column("")
    single.add_column("", justify="right")
    for row in single_rows(run):
        single.add_row(*row)
    return Group(rich_rows(heading_of(run), headings, comparison_rows(run)), single, "")


def rich_rows(title: str, headings: Row, rows: list[Row]) -> RenderableType:
    """One table for the terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=not place)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    return Group(Text(title), table)  # a title of the table's own would be broken to its width
