"""What the documents say is true: links, commands, snippets, reference pages, tables."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

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


@pytest.mark.parametrize("name", ["cli.md", "config.md", "config_paper.md", "errors.md"])
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
                command = commands[name]
                if hasattr(command, "commands"):  # a group, such as `latentcut data check`
                    command, rest = command.commands[rest[0]], rest[1:]
                known = {o for p in command.params for o in p.opts}
                wrong += [f"{path.name}: {w}" for w in rest if w[:2] == "--" and w not in known]

    assert wrong == []


def snippets() -> list:
    """
    Every Python block, with the reason for leaving it out where the page says one.

    A line ``<!-- not run: REASON -->`` or ``<!-- needs: WHAT -->`` before a block leaves it out,
    visibly.
    """
    found = []
    form = r"^(?:<!-- ((?:not run|needs): [^>]*?) -->\n+)?```python\n(.*?)^```"
    for path in PAGES:
        blocks = re.findall(form, path.read_text(), re.DOTALL | re.MULTILINE)
        for number, (reason, code) in enumerate(blocks, start=1):
            marks = [pytest.mark.skip(reason=reason)] if reason else []
            name = f"{path.relative_to(ROOT)}:{number}"
            found.append(pytest.param(name, code, marks=marks, id=name))
    return found


@pytest.mark.parametrize(("name", "code"), snippets())
def test_python_snippets_run_from_the_root_of_the_repository(name: str, code: str, monkeypatch):
    monkeypatch.chdir(ROOT)

    exec(compile(code, name, "exec"), {"__name__": "__main__"})  # noqa: S102  # our own page


def commands_to_run() -> list:
    """Every block of commands below a line ``<!-- run -->``."""
    form = r"^<!-- run -->\n+```bash\n(.*?)^```"
    return [
        pytest.param(block, id=f"{path.relative_to(ROOT)}:{number}")
        for path in PAGES
        for number, block in enumerate(
            re.findall(form, path.read_text(), re.DOTALL | re.MULTILINE), start=1
        )
    ]


@pytest.mark.parametrize("block", commands_to_run())
def test_commands_run_as_they_are_written_beside_a_photo_and_a_folder_of_photos(
    block: str, tmp_path: Path
):
    samples = ROOT / "src" / "latentcut" / "samples"
    shutil.copy(samples / "chelsea.jpg", tmp_path / "photo.jpg")
    shutil.copytree(samples, tmp_path / "photos", ignore=shutil.ignore_patterns("*.json", "*.md"))
    script = f'set -e\nlatentcut() {{ "{sys.executable}" -m latentcut "$@"; }}\n{block}'
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_every_page_is_in_the_list_of_the_site():
    listed = re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text().split("\nnav:")[1])
    listed = [page for page in listed if not page.startswith("project/")]  # see site_hooks.py
    pages = [str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")]

    assert sorted(listed) == sorted(pages)


def picture_script(name: str) -> ModuleType:
    path = ROOT / "docs" / "pictures" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"picture_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_the_rooms_is_what_the_imports_say():
    script = picture_script("architecture")

    assert script.TARGET.read_text() == script.picture(), "run python docs/pictures/architecture.py"


def test_the_gallery_shows_every_picture_that_its_script_makes():
    script = picture_script("gallery")
    shown = re.findall(r"images/gallery/(\S+\.jpg)", (ROOT / "docs" / "gallery.md").read_text())

    assert sorted(shown) == sorted(script.PICTURES)
    assert sorted(p.name for p in script.FOLDER.iterdir()) == sorted(script.PICTURES)


def result_files() -> list[Path]:
    return sorted((ROOT / "docs" / "results").glob("*.json"))


@pytest.mark.parametrize("path", result_files(), ids=lambda p: p.stem)
def test_published_tables_follow_from_their_rows(path: Path):
    from latentcut.evaluation.results import protocol_of, read_result, rows_of
    from latentcut.evaluation.table import summarise

    result = read_result(path)

    assert result["runs"]
    for run in result["runs"]:
        assert summarise(rows_of(run), protocol=protocol_of(result)) == run["table"]


def published_runs(name: str = "development.json") -> list[dict]:
    """The runs of the shipped bundle in a published comparison."""
    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.evaluation.results import read_result

    result = read_result(ROOT / "docs" / "results" / name)
    fingerprint = read_bundle(default_bundle_path()).fingerprint
    ours = {p["name"] for p in result["predictors"] if p["fingerprint"] == fingerprint}
    return [run for run in result["runs"] if run["predictor"] in ours]


@pytest.mark.parametrize("page", ["README.md", "src/latentcut/bundles/default/README.md"])
def test_pages_show_the_published_numbers_of_the_shipped_bundle(page: str):
    text = (ROOT / page).read_text()
    runs = published_runs()

    assert {run["dataset"] for run in runs} == {"DAVIS_A", "COCO_MVal_A"}
    for run in runs:
        for kind in ("selected", "oracle", "first"):
            part = run["table"][kind]
            nocs = f"{part['noc_85']:.2f} | {part['noc_90']:.2f}"
            assert nocs in text, f"{run['dataset']} {kind}: {nocs}"


def test_the_readme_shows_the_published_numbers_of_users_who_click_elsewhere():
    text = (ROOT / "README.md").read_text()
    runs = published_runs("users.json")

    assert {run["user"] for run in runs} == {"centre", "noisy", "off-centre", "boundary"}
    for run in runs:
        part = run["table"]["selected"]
        figures = f"{part['noc_85']:.2f} | {part['noc_90']:.2f} | {part['mean_iou'][0]:.3f}"
        assert figures in text, f"{run['dataset']} {run['user']}: {figures}"


def test_the_readme_shows_the_published_numbers_of_the_classical_methods():
    from latentcut.evaluation.results import read_result

    text = (ROOT / "README.md").read_text()
    runs = read_result(ROOT / "docs" / "results" / "development.json")["runs"]
    classical = [run for run in runs if run["predictor"] in ("grabcut", "random-walker")]

    assert len(classical) == 4
    for run in classical:
        part = run["table"]["selected"]
        assert f"{part['noc_85']:.2f} | {part['noc_90']:.2f}" in text, run["predictor"]


def test_ablation_tables_follow_from_the_objects_they_are_published_with():
    folder = ROOT / "docs" / "results" / "ablations"
    with (folder / "objects.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["variant"] == "main" and r["shown"] == "g"]
    page = (folder / "README.md").read_text()

    for seed in ("0", "1", "2"):
        for dataset in ("DAVIS_A", "COCO_MVal_A"):
            mine = [r for r in rows if (r["seed"], r["set"]) == (seed, dataset)]
            nocs = [
                sum(float(r[key]) for r in mine) / len(mine)
                for key in ("noc_80", "noc_85", "noc_90")
            ]
            line = " | ".join([dataset, seed, *(f"{noc:.2f}" for noc in nocs)])
            assert f"| {line} |" in page
