"""Small pieces of HTML for the report: tables, lists, figures. Everything given is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

DASH = "–"  # where there is nothing to show
LONGEST_LINE = 120  # letters of a fact


@dataclass(frozen=True)
class Cell:
    """
    One cell of a table.

    Attributes:
        text: The figure.
        aside: What stands behind it in small, such as its interval.
        is_best: Whether it is the best one of its kind.
    """

    text: str
    aside: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class Group:
    """
    Rows of a table that belong together.

    Attributes:
        name: Stands above them; empty: nothing does.
        rows: Label and cells of each.
    """

    name: str
    rows: Sequence[tuple[str, Sequence[Cell]]]


def table(
    corner: str, columns: Sequence[tuple[str, Sequence[str]]], groups: Sequence[Group], caption: str
) -> str:
    """
    A table of figures with column groups.

    Args:
        corner: What the labels of the rows are.
        columns: Groups of columns: the group's name (may be empty) and the names in it.
        groups: The rows; every one has a cell for each column.
        caption: What is shown; for screen readers and for who looks only at the table.
    """
    names = [name for _, group in columns for name in group]
    starts = _starts(columns)
    head = ""
    if any(name for name, _ in columns):
        spans = (
            f'<th colspan="{len(group)}" scope="colgroup" class="start">'
            f"<span>{escape(name)}</span></th>"
            for name, group in columns
        )
        head = f'<tr class="over"><td></td>{"".join(spans)}</tr>'
    cells = (
        f'<th scope="col"{_class(start=i in starts)}>{escape(name)}</th>'
        for i, name in enumerate(names)
    )
    head += f'<tr><th scope="col" class="label">{escape(corner)}</th>{"".join(cells)}</tr>'
    bodies = "".join(_body(group, len(names), starts) for group in groups)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead>{head}</thead>{bodies}</table></div>"
    )


def _body(group: Group, num_columns: int, starts: set[int]) -> str:
    lines = []
    if group.name:
        heading = f'<th colspan="{num_columns + 1}" scope="rowgroup"><span>{escape(group.name)}'
        lines.append(f'<tr class="group">{heading}</span></th></tr>')
    for label, cells in group.rows:
        inside = "".join(_cell(cell, is_start=i in starts) for i, cell in enumerate(cells))
        lines.append(f'<tr><th scope="row" class="label">{escape(label)}</th>{inside}</tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


def _cell(cell: Cell, *, is_start: bool) -> str:
    aside = f" <small>{escape(cell.aside)}</small>" if cell.aside else ""
    return f"<td{_class(start=is_start, best=cell.is_best)}>{escape(cell.text)}{aside}</td>"


def _class(**wanted: bool) -> str:
    names = " ".join(name for name, is_wanted in wanted.items() if is_wanted)
    return f' class="{names}"' if names else ""


def _starts(columns: Sequence[tuple[str, Sequence[str]]]) -> set[int]:
    """Which columns are the first of their group."""
    starts, place = set(), 0
    for _, group in columns:
        starts.add(place)
        place += len(group)
    return starts


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """A list of names and values; a mapping is written out, a long one in lines of its own."""
    lines: list[tuple[str, object]] = []
    for name, value in pairs:
        if isinstance(value, Mapping) and len(plain(value)) > LONGEST_LINE:
            lines += [(f"{name}: {key}", part) for key, part in value.items()]
        else:
            lines.append((name, value))
    items = "".join(
        f"<div><dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(plain(value))}</dd></div>"
        for name, value in lines
    )
    return f'<dl class="facts">{items}</dl>'


def plain(value: Any) -> str:
    """A value of JSON as a person would write it."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(part)}" for key, part in value.items()) or DASH
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value)) or DASH
    return str(value)


def figure(content: str, caption: str) -> str:
    """A plot with the sentence that explains it."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def section(key: str, title: str, content: str, lead: str = "") -> str:
    """A part of the page with its heading; ``lead`` is a paragraph above the content."""
    said = f"<p>{escape(lead)}</p>" if lead else ""
    return (
        f'<section id="{key}" aria-labelledby="{key}-title">'
        f'<h2 id="{key}-title">{escape(title)}</h2>{said}{content}</section>'
    )
