"""
Links of the pages that lead out of docs/, for the site that mkdocs makes of it.

In the repository a page may link to any file. The site has the documents among these as pages of
their own, and shows the name of other files without a link.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
DOCS = PurePosixPath("docs")
# Documents elsewhere in the repository -> their address in the site.
GUESTS = {
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "src/latentcut/bundles/default/README.md": "project/model_card.md",
    "src/latentcut/samples/README.md": "project/samples.md",
    "README.md": "index.md",  # the site's front page says the same
}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the documents that live elsewhere."""
    for source, target in GUESTS.items():
        if target != "index.md":
            text = (ROOT / source).read_text(encoding="utf-8")
            files.append(File.generated(config, target, content=moved(text, source, target)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links that lead out of docs/."""
    address = page.file.src_uri
    if address in GUESTS.values() and address != "index.md":
        return markdown  # turned when it was added
    return moved(markdown, str(DOCS / address), address)


def moved(text: str, source: str, target: str) -> str:
    """
    A document's text with links as the site needs them.

    Args:
        text: Markdown.
        source: The document's path in the repository.
        target: The document's path in the site's sources.
    """

    def turned(match: re.Match[str]) -> str:
        label, link, anchor = match.group(1), match.group(2), match.group(3) or ""
        path = os.path.normpath(PurePosixPath(source).parent / link)
        if path in GUESTS:
            place = GUESTS[path]
        elif path.startswith(f"{DOCS}/") and (ROOT / path).is_file() and not path.endswith(".py"):
            place = path.removeprefix(f"{DOCS}/")
        else:
            return label
        return f"[{label}]({os.path.relpath(place, PurePosixPath(target).parent)}{anchor})"

    return LINK.sub(turned, text)
