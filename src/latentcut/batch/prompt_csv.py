"""Prompts as a table: one click or one box per line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from latentcut.batch.prompts import Gathering, Prompt, PromptSet
from latentcut.core.clicks import Click
from latentcut.errors import BadPrompts

POINT, CORNERS = ("x", "y"), ("x0", "y0", "x1", "y1")
COLUMNS = ("image", "object", "label", *POINT, "positive", *CORNERS)
SIGNS = {"": True, "1": True, "true": True, "yes": True, "positive": True}
SIGNS |= {"0": False, "false": False, "no": False, "negative": False}
CSV_RULE = "its first line must name columns: image, and x and y or x0, y0, x1 and y1; besides "
CSV_RULE += "object, label and positive"


def prompts_of_csv(name: str, data: bytes, gathering: Gathering) -> PromptSet:
    """
    Prompts of a table: one click or one box per line, with the names of columns in the first.

    Args:
        name: Of the file, for messages.
        data: Its bytes, UTF-8.
        gathering: Takes what it says.

    Raises:
        BadPrompts: The columns are not those of a table of prompts.
    """
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        columns = rows.fieldnames or ()
        if "image" not in columns or not (set(POINT) <= {*columns} or set(CORNERS) <= {*columns}):
            raise BadPrompts(f"{name} is no table of prompts: {CSV_RULE}")
        if unknown := [column for column in columns if column not in COLUMNS]:
            raise BadPrompts(f"{name} has a column {unknown[0]!r} that means nothing: {CSV_RULE}")
        numbered = [(rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadPrompts(f"{name} cannot be read as CSV: {error}") from error
    objects: dict[tuple[str, str], Prompt | None] = {}
    for line, row in numbered:
        image = gathering.image((row["image"] or "").strip())
        if image is None:
            continue
        key = image, (row.get("object") or "").strip() or "1"
        before = objects.get(key, Prompt(key[1]))
        try:
            objects[key] = None if before is None else with_row(before, row)
        except ValueError as error:  # the rest of it would show another object
            gathering.refuse(*key, f"line {line}: {error}")
            objects[key] = None
    for (image, _), prompt in objects.items():
        if prompt is not None:
            gathering.prompt(image, prompt)
    return gathering.all()


def with_row(prompt: Prompt, row: Mapping[str, Any]) -> Prompt:
    """A prompt and what one more line says. Raises ValueError: it says nothing, or nonsense."""
    if None in row:
        raise ValueError("it has more values than there are columns")
    text = {column: (row.get(column) or "").strip() for column in COLUMNS}
    label = text["label"] or prompt.label
    if prompt.label is not None and label != prompt.label:
        raise ValueError(f"its label is {label!r}, but {prompt.label!r} on another line")
    prompt = replace(prompt, label=label)
    has_point, has_box = any(text[c] for c in POINT), any(text[c] for c in CORNERS)
    if has_point == has_box:
        raise ValueError("give either x and y or x0, y0, x1 and y1")
    if has_box:
        if prompt.box_xyxy is not None:
            raise ValueError("an object has one box")
        x0, y0, x1, y1 = (number_of(column, text[column]) for column in CORNERS)
        return replace(prompt, box_xyxy=(x0, y0, x1, y1))
    if text["positive"].lower() not in SIGNS:
        raise ValueError(f"positive is {text['positive']!r}; write 1 or 0")
    x, y = (number_of(column, text[column]) for column in POINT)
    return replace(prompt, clicks=(*prompt.clicks, Click(x, y, SIGNS[text["positive"].lower()])))


def number_of(column: str, text: str) -> float:
    """A number of a table. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}, which is no number") from None
