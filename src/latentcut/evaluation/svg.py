"""A matplotlib figure as one ``<svg>`` element that can stand inside an HTML page."""

from __future__ import annotations

import hashlib
import io
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Drawn with this colour, written as currentColor: text and axes then follow the page's theme.
INK = "#010203"
# Where there is no page, as in an <img>: 4.5 : 1 against white and 4.6 : 1 against black.
GREY = "#767676"
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"

ROOT = re.compile(r"<svg [^>]*?viewBox=\"0 0 ([\d.]+) ([\d.]+)\"[^>]*>", re.DOTALL)
DEFINED = re.compile(r'\bid="([^"]+)"')
REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')


def svg_of(figure: Figure, title: str) -> str:
    """
    One ``<svg>`` element: no prolog, no date, no font, no style sheet, no id of another plot.

    Args:
        figure: Drawn with ``svg.fonttype`` none; whatever has the colour ``INK`` will follow
            the text around the plot.
        title: Its text for screen readers.
    """
    file = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue().decode()
    text = text[text.index("<svg") :]
    # A style sheet inside a page would hold for the whole page.
    text = re.sub(r"<style\b.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*</defs>\s*", "", text)
    text = re.sub(r"font-family: [^;\"]*(; )?", "", text)
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)  # a hundredth of a unit is seen by nobody
    text = re.sub(r"\s*\n\s*", "\n", text)
    text = re.sub(r"\n(?=[LMCQHVz\"])", " ", text)
    text = text.replace(INK, "currentColor")
    return _with_own_ids(_with_root(text, title))


def _with_root(text: str, title: str) -> str:
    def root(found: re.Match[str]) -> str:
        width, height = found.groups()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'color="{GREY}" font-family="{FONTS}" stroke-linejoin="round" '
            f'style="font-variant-numeric: tabular-nums" aria-label="{escape(title)}">'
        )

    return ROOT.sub(root, text, count=1)


def _with_own_ids(text: str) -> str:
    """Ids that nothing points to go; the others get a prefix that no other plot has."""
    prefix = "p" + hashlib.sha256(text.encode()).hexdigest()[:8] + "-"
    used = {found[1] for found in REFERENCE.findall(text)}
    text = REFERENCE.sub(lambda found: f"{found[1]}{prefix}{found[2]}", text)

    def own(found: re.Match[str]) -> str:
        return f'id="{prefix}{found[1]}"' if found[1] in used else ""

    return DEFINED.sub(own, text).replace("<g >", "<g>")
