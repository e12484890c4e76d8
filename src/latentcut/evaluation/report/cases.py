"""The cases of a report as HTML: one picture each, used by all its views, outlines over it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from latentcut.evaluation.report.drawing import UNITS
from latentcut.evaluation.report.pictures import CasePicture, Tile

MARK_UNITS = UNITS // 16  # side of a click's mark
MARK_UNITS_OF_MANY = UNITS // 24
MANY = 6  # clicks in one view
MARK_UNITS_SMALL = UNITS // 11  # in the candidates, which are shown smaller
KIND_WORDS = {
    "worst": "Worst",
    "median": "Median",
    "best": "Best",
}

# Once in the page; every view points to them. Not display: none, which some browsers take to
# mean that what points here shows nothing either.
MARKS = (
    '<svg class="marks" width="0" height="0" aria-hidden="true"><defs>'
    '<symbol id="positive" viewBox="-12 -12 24 24"><circle r="11" class="rim"/>'
    '<circle r="9" class="plus"/><path class="sign" d="M-5 0H5M0-5V5"/></symbol>'
    '<symbol id="negative" viewBox="-12 -12 24 24"><circle r="11" class="rim"/>'
    '<circle r="9" class="minus"/><path class="sign" d="M-5 0H5"/></symbol></defs></svg>'
)
KEY = (
    '<p class="key"><span><i class="k-gt"></i>ground truth</span>'
    '<span><i class="k-mask"></i>answer</span>'
    '<span><svg viewBox="0 0 24 24"><use href="#positive"/></svg>click on the object</span>'
    '<span><svg viewBox="0 0 24 24"><use href="#negative"/></svg>click on the background</span>'
    "</p>"
)


def cases_html(pictures: Sequence[CasePicture]) -> str:
    """All cases under headings of data set and predictor, in their order."""
    parts = [MARKS, KEY]
    heading = ""
    for number, picture in enumerate(pictures):
        wanted = f"{picture.predictor} on {picture.dataset}"
        if wanted != heading:
            heading = wanted
            parts.append(f"<h3>{escape(heading)}</h3>")
        parts.append(_case(picture, f"case-{number}"))
    return "".join(parts)


def _case(picture: CasePicture, key: str) -> str:
    steps = "".join(_view(picture, t, key, place) for place, t in enumerate(picture.steps))
    candidates = ""
    if picture.candidates:
        tiles = "".join(_candidate(picture, t, key) for t in picture.candidates)
        candidates = (
            '<p class="small-heading">all candidates after the first click, '
            f'the shown one framed</p><div class="tiles small">{tiles}</div>'
        )
    return (
        f'<article class="case" aria-label="{escape(picture.kind)} case: {escape(picture.name)}">'
        f"<h4>{KIND_WORDS.get(picture.kind, picture.kind)} "
        f"<span>{escape(picture.name)}</span></h4>"
        f'<p class="case-facts">{escape(picture.facts)}</p>'
        f'<div class="tiles">{steps}</div>{candidates}</article>'
    )


def _view(picture: CasePicture, tile: Tile, key: str, place: int) -> str:
    """The answer tinted and the truth as a line; the first view holds what all of them use."""
    ground = f'<use href="#{key}"/>'
    if place == 0:
        width, height = picture.size_wh
        url = f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"
        ground = (
            f"<defs>{_outline(f'{key}-gt', picture.gt_outline)}</defs>"
            f'<image id="{key}" href="{url}" width="{width}" height="{height}"/>'
        )
    lines = _twice(f"{key}-gt", "gt-shade", "gt")
    if tile.mask:
        own = f"{key}-{place}"
        lines = (
            f"<defs>{_outline(own, tile.mask)}</defs>" + _twice(own, "edge-shade", "inside") + lines
        )
    side = MARK_UNITS_OF_MANY if len(tile.clicks) > MANY else MARK_UNITS
    return _tile(picture, tile, ground + lines + "".join(_marks(tile, side)))


def _candidate(picture: CasePicture, tile: Tile, key: str) -> str:
    """What is outside of a candidate is dark."""
    width, height = picture.size_wh
    return _tile(
        picture,
        tile,
        f'<use href="#{key}"/>'
        f'<path class="outside" d="M0 0h{width}v{height}h-{width}z{tile.mask}"/>'
        f'<path class="edge" d="{tile.mask}"/>' + "".join(_marks(tile, MARK_UNITS_SMALL)),
    )


def _outline(key: str, path: str) -> str:
    """What is drawn by pointing to it. It has its looks from there; only attributes go along."""
    return (
        f'<path id="{key}" d="{path}" fill-rule="evenodd" stroke-linejoin="round" '
        'vector-effect="non-scaling-stroke"/>'
    )


def _twice(key: str, below: str, above: str) -> str:
    """One outline drawn in two ways: its shade and itself."""
    return f'<use class="{below}" href="#{key}"/><use class="{above}" href="#{key}"/>'


def _tile(picture: CasePicture, tile: Tile, drawing: str) -> str:
    width, height = picture.size_wh
    chosen = " selected" if tile.selected else ""
    return (
        f'<figure class="tile{chosen}"><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(f"{tile.caption}: {tile.aside}")}">{drawing}</svg>'
        f"<figcaption><b>{escape(tile.caption)}</b> <span>{escape(tile.aside)}</span>"
        "</figcaption></figure>"
    )


def _marks(tile: Tile, side: int) -> Iterable[str]:
    for click in tile.clicks:
        name = "positive" if click.positive else "negative"
        x, y = round(click.x - side / 2), round(click.y - side / 2)
        yield f'<use href="#{name}" x="{x}" y="{y}" width="{side}" height="{side}"/>'
