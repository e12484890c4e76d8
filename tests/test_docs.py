"""What the documents say is true: links, commands, snippets, reference pages, tables."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "src").rglob("*.md"))


def fenced(path: Path, language: str) -> list[str]:
    """The code blocks of one language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def reference_pages() -> dict[str, str]:
    path = ROOT / "docs" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_relative_link_and_picture_exists(path: Path):
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text())
    local = [t for t in targets if not t.startswith(("http://", "https://", "mailto:"))]

    missing = [t for t in local if not (path.parent / t).exists()]

    assert missing == []


@pytest.mark.parametrize("name", ["cli.md", "config.md", "errors.md"])
def test_reference_pages_are_what_the_code_says(name: str):
    written = (ROOT / "docs" / "reference" / name).read_text()

    assert written == reference_pages()[name], "run python docs/generate_reference.py"


def test_every_command_line_in_the_pages_uses_real_commands_and_options():
    from typer.main import get_command

    from latentcut.cli.app import app

    commands = get_command(app).commands
    wrong = []
    for path in PAGES:
        for block in fenced(path, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                called = [i for i, word in enumerate(words) if Path(word).name == "latentcut"]
                if not called or words[0] == "git":
                    continue
                name, *rest = words[called[0] + 1 :]
                known = {o for p in commands[name].params for o in p.opts}
                wrong += [f"{path.name}: {w}" for w in rest if w[:2] == "--" and w not in known]

    assert wrong == []


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs" / "clicks.md"], ids=str)
def test_python_snippets_run_from_the_root_of_the_repository(path: Path, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = fenced(path, "python")

    for block in blocks:
        exec(compile(block, str(path), "exec"), {})  # noqa: S102  # our own page

    assert blocks


def result_files() -> list[Path]:
    return sorted((ROOT / "docs" / "results").glob("*/*.json"))


@pytest.mark.parametrize("path", result_files(), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_published_tables_follow_from_their_rows(path: Path):
    from latentcut.evaluation.protocol import ObjectResult
    from latentcut.evaluation.table import summarise

    for result in json.loads(path.read_text())["datasets"]:
        rows = [ObjectResult(**row) for row in result["rows"]]

        assert summarise(rows, result["max_clicks"]) == result["table"]


def test_the_model_card_shows_the_published_numbers_of_the_shipped_bundle():
    from latentcut.core.bundle import default_bundle_path, read_bundle

    card = (default_bundle_path() / "README.md").read_text()
    fingerprint = read_bundle(default_bundle_path()).fingerprint
    published = [
        result
        for path in result_files()
        for result in json.loads(path.read_text())["datasets"]
        if result["bundle"] == fingerprint
    ]

    assert {r["dataset"] for r in published} >= {"DAVIS_A", "COCO_MVal_A"}
    for result in published:
        table = result["table"]
        for kind in ("selected", "oracle", "first"):
            nocs = f"{table[kind]['noc_85']:.2f} | {table[kind]['noc_90']:.2f}"
            assert nocs in card, f"{result['dataset']} {kind}: {nocs}"
