"""
Check the built site: it fetches nothing from elsewhere, and every local link leads somewhere.

    python docs/check_site.py site
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHING = {"script", "img", "iframe", "source", "video", "audio", "embed"}
FETCHING_LINKS = {"stylesheet", "icon", "preconnect", "preload", "prefetch", "dns-prefetch"}
FETCHED_BY_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)'\"]+")


class Addresses(HTMLParser):
    """
    The addresses in a page.

    Attributes:
        fetched: What a browser loads by itself.
        links: What a reader may follow.
        names: Anchors of the page.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the addresses of one tag."""
        values = {name: value or "" for name, value in attrs}
        self.names |= {values[key] for key in ("id", "name") if key in values}
        rel = set(values.get("rel", "").split())
        if tag in FETCHING and "src" in values:
            self.fetched.append(values["src"])
        elif tag == "link" and "href" in values and rel & FETCHING_LINKS:
            self.fetched.append(values["href"])
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])


def is_elsewhere(address: str) -> bool:
    """Whether an address names another host."""
    return bool(urlsplit(address).netloc)


def problems(site: Path) -> list[str]:
    """One sentence for each thing that is wrong."""
    pages = {path.resolve(): Addresses() for path in sorted(site.rglob("*.html"))}
    pages = {path: page for path, page in pages.items() if "results" not in path.parent.name}
    found = []
    for path, page in pages.items():
        page.feed(path.read_text(encoding="utf-8"))
        found += [f"{path.name} fetches {a}" for a in page.fetched if is_elsewhere(a)]
    for path, page in pages.items():
        for address in page.fetched + page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{path.name} leads to {address}, which is not there")
            elif parts.fragment and target in pages and parts.fragment not in pages[target].names:
                found.append(f"{path.name} leads to {address}, which has no such place")
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name} fetches {m}" for m in FETCHED_BY_CSS.findall(text)]
    return found


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)
