"""What is loaded when: each import in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from latentcut.cli.samples import SAMPLES

HEAVY = ("torch", "cv2", "onnxruntime", "typer", "rich", "pydantic", "PIL", "numpy")
COMMANDS = [
    "annotate",
    "segment",
    "export",
    "import",
    "demo",
    "evaluate",
    "report",
    "data",
    "train",
    "download",
    "reproduce",
    "bundle",
    "doctor",
]


def loaded_by(code: str) -> set[str]:
    """Which heavy packages a program loads; what it prints itself is thrown away."""
    program = f"import sys, json\n{code}\n"
    program += f"print('\\n' + json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def command(*args: object) -> str:
    """A program that runs a command and goes on after it."""
    return (
        "from latentcut.cli.app import app\n"
        f"try:\n    app({[str(arg) for arg in args]!r})\n"
        "except SystemExit as end:\n    assert not end.code"
    )


def test_importing_latentcut_loads_nothing_heavy():
    assert loaded_by("import latentcut") == set()


def test_importing_the_errors_loads_nothing_heavy():
    assert loaded_by("import latentcut.errors") == set()


def test_loading_a_predictor_does_not_load_torch_or_the_command_line():
    loaded = loaded_by("import latentcut; latentcut.load(threads=1)")

    assert loaded & {"torch", "typer", "rich"} == set()


@pytest.mark.parametrize("args", [[], *([name] for name in COMMANDS)], ids=["latentcut", *COMMANDS])
def test_help_loads_neither_torch_nor_cv2_nor_onnxruntime(args):
    loaded = loaded_by(command(*args, "--help"))

    assert loaded & {"torch", "cv2", "onnxruntime", "numpy", "PIL"} == set()


def test_segment_does_not_load_torch(tmp_path):
    photo, output = SAMPLES / "chelsea.jpg", tmp_path / "mask.png"
    args = ("segment", photo, "--positive", "235,160", "--output", output, "--threads", 1)

    assert "torch" not in loaded_by(command(*args))
    assert output.exists()


def test_doctor_does_not_load_torch():
    assert "torch" not in loaded_by(command("doctor", "--threads", 1))


def test_evaluate_does_not_load_torch(tmp_path):
    make_shapes = (
        "from pathlib import Path\nimport numpy as np\nfrom PIL import Image\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "for name in ('images', 'masks'): (folder / name).mkdir()\n"
        "mask = np.zeros((48, 64), np.uint8); mask[8:36, 10:30] = 1\n"
        "Image.fromarray(np.dstack([mask * 200] * 3)).save(folder / 'images' / 'a.png')\n"
        "Image.fromarray(mask).save(folder / 'masks' / 'a.png')\n"
    )
    evaluate = command("evaluate", "--data", tmp_path, "--max-clicks", 2, "--threads", 1)

    assert "torch" not in loaded_by(make_shapes + evaluate)
