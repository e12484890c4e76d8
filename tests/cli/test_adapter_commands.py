from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest


@pytest.mark.parametrize(
    ("arguments", "what", "extra"),
    [
        (("cvat-agent", "--server", "http://127.0.0.1:1"), "latentcut cvat-agent", "cvat"),
        (("labelme", "photos"), "latentcut labelme", "labelme"),
    ],
)
def test_a_missing_extra_is_named(run, monkeypatch, arguments, what, extra):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    ran = run(*arguments)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"Error: {what} needs packages that are not installed: "
        f"run pip install 'latentcut[{extra}]'\n"
    )


def test_the_nuclio_function_is_written_into_a_new_folder(run, tmp_path):
    folder = tmp_path / "function"

    ran = run("cvat-nuclio", str(folder))

    assert ran.code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["function.yaml", "main.py"]
    assert ran.out == (
        f"{folder}: function.yaml, main.py\n"
        f"Deploy it with: nuctl deploy --project-name cvat --path {folder} --platform local\n"
    )


@pytest.mark.parametrize("command", ["xanylabeling", "osam"])
def test_other_computers_are_let_in_only_with_a_token(run, monkeypatch, command):
    monkeypatch.delenv("LATENTCUT_TOKEN", raising=False)

    ran = run(command, "--host", "0.0.0.0", "--port", "0")

    assert ran.code == 2
    assert "0.0.0.0 is not an address of this computer alone" in ran.usage_error


def test_an_empty_token_file_is_refused(run, tmp_path):
    empty = tmp_path / "token"
    empty.write_text("\n")

    ran = run("osam", "--token-file", str(empty))

    assert ran.code == 2
    assert "the first line of" in ran.usage_error


@pytest.mark.parametrize(
    ("command", "first"),
    [
        (
            "xanylabeling",
            "X-AnyLabeling can use {url} now: choose the model Remote-Server and this address.",
        ),
        (
            "osam",
            'Programs that use osam can send POST {url}/api/generate with "model": "latentcut" '
            "now.",
        ),
    ],
)
def test_the_server_says_where_it_is_answers_and_ends_on_ctrl_c(command, first):
    arguments = [sys.executable, "-m", "latentcut", command, "--port", "0", "--threads", "1"]
    environment = {key: value for key, value in os.environ.items() if key != "LATENTCUT_TOKEN"}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        line = process.stdout.readline().strip()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]

        with urllib.request.urlopen(f"{url}/health") as response:
            health = json.load(response)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert line == first.format(url=url)
    assert health["status"] in ("ok", "healthy")
    assert rest.splitlines()[-2:] == ["Ctrl+C stops.", "Stopped."]
    assert process.returncode == 0
