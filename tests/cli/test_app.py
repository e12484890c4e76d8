"""What belongs to no single command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import latentcut
from latentcut.cli.edge import describe_os_error

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


def test_version_is_printed(run):
    ran = run("--version")

    assert (ran.code, ran.out) == (0, f"latentcut {latentcut.__version__}\n")


def test_help_lists_every_command(run):
    ran = run("--help")

    assert ran.code == 0
    words = ran.out.split()
    assert [name for name in COMMANDS if name not in words] == []


def test_an_unknown_command_is_a_usage_error(run):
    ran = run("segmnt")

    assert ran.code == 2
    assert ran.usage_error.startswith("No such command 'segmnt'.")


def test_the_package_runs_as_a_module_and_a_mistake_gives_no_traceback(tmp_path):
    missing = tmp_path / "no.jpg"
    command = [sys.executable, "-m", "latentcut", "segment", str(missing), "--positive", "1,1"]

    ran = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"Error: {missing} does not exist or is not an image file\n"


@pytest.mark.skipif(os.name == "nt", reason="there is no head on Windows")
def test_a_reader_that_goes_away_causes_no_traceback():
    code = "import sys; sys.argv[1:] = ['doctor', '--json', '--threads', '1']; "
    code += "from latentcut.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()

    said = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 1
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermissionError(13, "Permission denied", "/a/b.png"), "/a/b.png: Permission denied"),
        (OSError(28, "No space left", "/a/.latentcut-1.tmp"), "/a: No space left"),
        (FileExistsError(17, "File exists", "/a", None, "/b"), "/b: File exists"),
        (OSError("the disk is gone"), "the disk is gone"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=["file", "temporary file", "two files", "only text", "nothing"],
)
def test_a_system_error_is_told_with_its_file(error, expected):
    assert describe_os_error(error) == expected
