"""
Write the OpenAPI document of `latentcut serve` from the code.

    python docs/generate_openapi.py

A test fails when the document differs from what this script writes: other programs are generated
from it, so it must not change unnoticed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent / "reference" / "openapi.json"


def document() -> str:
    """The document as JSON."""
    from latentcut.web.api.app import create_api
    from latentcut.web.api.settings import ApiSettings

    with tempfile.TemporaryDirectory() as folder:
        app = create_api(ApiSettings(spool=Path(folder)))
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"wrote {DOCUMENT.name}")
