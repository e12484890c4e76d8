"""The table of an evaluation, for the terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

KINDS = {"selected": "selected", "oracle": "oracle", "first": "first candidate"}
SHOWN_CLICKS = (1, 2, 3, 5, 10, 20)

Row = tuple[str, ...]


def comparison_rows(result: dict[str, Any]) -> list[Row]:
    """
    One line per figure, each for the selected mask, the oracle and the first candidate.

    Args:
        result: As of ``evaluation.run.evaluate_dataset``.
    """
    table, max_clicks = result["table"], result["max_clicks"]
    parts = [table[kind] for kind in KINDS]
    rows: list[Row] = []
    for threshold in (85, 90):
        nocs = [
            "{:.2f} [{:.2f}, {:.2f}]".format(
                part[f"noc_{threshold}"], *part[f"noc_{threshold}_interval"]
            )
            for part in parts
        ]
        rows.append((f"NoC@{threshold} [95 %]", *nocs))
    for threshold in (85, 90):
        failures = [str(part[f"failures_{threshold}"]) for part in parts]
        rows.append((f"failures@{threshold} of {table['objects']}", *failures))
    for clicks in sorted({k for k in SHOWN_CLICKS if k < max_clicks} | {max_clicks}):
        ious = [f"{part['mean_iou'][clicks - 1]:.3f}" for part in parts]
        rows.append((f"IoU after {clicks} click{'s' * (clicks > 1)}", *ious))
    return rows


def single_rows(result: dict[str, Any]) -> list[Row]:
    """The figures that exist once: times, broken clicks, calibration."""
    table = result["table"]
    return [
        ("first mask", in_ms(table["first_mask_ms"])),
        ("later click", in_ms(table["later_click_ms"])),
        ("steps that broke a click", str(table["steps_with_broken_clicks"])),
        ("calibration error of expected IoU", f"{table['calibration_error']:.3f}"),
    ]


def in_ms(value: float | None) -> str:
    """A median time; a dash where there was nothing to measure."""
    return "-" if value is None else f"{value:.0f} ms"


def heading_of(result: dict[str, Any]) -> str:
    """Which data set, how many objects."""
    count = result["table"]["objects"]
    return f"{result['dataset']}: {count} object{'s' * (count != 1)}"


def markdown_of(result: dict[str, Any]) -> str:
    """Both parts as Markdown tables under a heading, for a model card."""
    lines = [f"### {heading_of(result)}", ""]
    lines += markdown_table(("", *KINDS.values()), comparison_rows(result))
    lines += ["", *markdown_table(("median or count", ""), single_rows(result)), ""]
    return "\n".join(lines)


def markdown_table(headings: Row, rows: list[Row]) -> list[str]:
    """The lines of one Markdown table; figures are aligned to the right."""
    rule = "|".join(["---", *["---:"] * (len(headings) - 1)])
    return [f"| {' | '.join(headings)} |", f"|{rule}|", *(f"| {' | '.join(r)} |" for r in rows)]


def rich_table_of(result: dict[str, Any]) -> RenderableType:
    """Both parts for the terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table

    comparison = Table(
        title=heading_of(result), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    comparison.add_column("", no_wrap=True)
    for kind in KINDS.values():
        comparison.add_column(kind, justify="right")
    for row in comparison_rows(result):
        comparison.add_row(*(cell.replace("[", "\\[") for cell in row))
    single = Table(box=None, show_header=False, pad_edge=False)
    single.add_column("")
    single.add_column("", justify="right")
    for row in single_rows(result):
        single.add_row(*row)
    return Group(comparison, single, "")
