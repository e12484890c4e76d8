"""
Draw docs/images/architecture.svg: the rooms of the package, and which imports which.

Run:    python docs/pictures/architecture.py
Needs:  nothing but Python. Rows come from the import contract in pyproject.toml, arrows from the
        imports in src. A test fails when the picture is not what this script draws.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "images" / "architecture.svg"
PACKAGE = ROOT / "src" / "latentcut"
WIDTH, ROW, BOX_W, BOX_H, MARGIN = 760, 92, 136, 40, 24  # px

Rooms = list[list[str]]  # rows, highest first


def layers() -> Rooms:
    """The rows of the contract; rooms on one line do not know each other."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[name.strip(" ()") for name in row.split("|")] for row in rows]


def room_of(module: str) -> str | None:
    """The room of a module's full name, None outside of the package."""
    words = module.split(".")
    return words[1] if words[0] == "latentcut" and len(words) > 1 else None


def imports_of(room: str) -> set[str]:
    """Rooms that the files of a room import, inside functions included."""
    files = sorted((PACKAGE / room).rglob("*.py")) if (PACKAGE / room).is_dir() else []
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "latentcut":
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(room_of(node.module or "") or "")
            elif isinstance(node, ast.Import):
                found |= {room_of(alias.name) or "" for alias in node.names}
    return found - {room}


def arrows(rows: Rooms) -> list[tuple[str, str]]:
    """Imports that do not follow from others: a room may also use what those that it uses do."""
    names = [name for row in rows for name in row]
    direct = {name: imports_of(name) & set(names) for name in names}
    reach: dict[str, set[str]] = {}
    for name in reversed(names):  # lower rooms first
        reach[name] = direct[name].union(*(reach[n] for n in direct[name]))
    return [
        (name, target)
        for name in names
        for target in sorted(direct[name])
        if not any(target in reach[other] for other in direct[name])
    ]


def places(rows: Rooms) -> dict[str, tuple[float, float]]:
    """The middle of every room's box, in px."""
    middles = {}
    for number, row in enumerate(rows):
        for place, name in enumerate(row, start=1):
            x = MARGIN + (WIDTH - 2 * MARGIN) * place / (len(row) + 1)
            middles[name] = (x, MARGIN + BOX_H / 2 + number * ROW)
    return middles


def curve(start: tuple[float, float], end: tuple[float, float], middles: list[float]) -> str:
    """An arrow from the bottom of one box to the top of another, around boxes in between."""
    (x0, y0), (x1, y1) = (start[0], start[1] + BOX_H / 2), (end[0], end[1] - BOX_H / 2 - 6)
    rows_apart = round((end[1] - start[1]) / ROW)
    straight = (x0 + x1) / 2
    blocked = rows_apart > 1 and any(abs(x - straight) < BOX_W / 2 + 6 for x in middles)
    bend = 0.0
    if blocked:
        nearest = min(middles, key=lambda x: abs(x - straight))
        bend = (BOX_W * 1.15 - abs(straight - nearest)) * (1 if straight >= nearest else -1)
    half = (y1 - y0) / 2
    return (
        f"M{x0:.1f},{y0:.1f} C{x0 + bend:.1f},{y0 + half:.1f} "
        f"{x1 + bend:.1f},{y1 - half:.1f} {x1:.1f},{y1:.1f}"
    )


def between(rows: Rooms, middles: dict[str, tuple[float, float]], pair: tuple[str, str]) -> list:
    """The x of all boxes in the rows between two rooms."""
    top, bottom = (middles[name][1] for name in pair)
    return [x for x, y in middles.values() if top < y < bottom]


def picture() -> str:
    """The SVG's text; the ground is white, so that it can be read on a dark page, too."""
    rows = layers()
    middles = places(rows)
    height = 2 * MARGIN + BOX_H + ROW * (len(rows) - 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="15" role="img" '
        'aria-label="Rooms of latentcut and their imports">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#64748b"/></marker>'
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>',
    ]
    for upper, lower in arrows(rows):
        path = curve(middles[upper], middles[lower], between(rows, middles, (upper, lower)))
        lines.append(
            f'<path d="{path}" fill="none" stroke="#64748b" stroke-width="1.4" '
            f'marker-end="url(#tip)"><title>{upper} imports {lower}</title></path>'
        )
    for name, (x, y) in middles.items():
        lines.append(
            f'<rect x="{x - BOX_W / 2:.1f}" y="{y - BOX_H / 2:.1f}" width="{BOX_W}" '
            f'height="{BOX_H}" rx="8" fill="#eff6ff" stroke="#1d63ed" stroke-width="1.4"/>'
        )
        lines.append(
            f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" fill="#1c1917">{name}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET)
