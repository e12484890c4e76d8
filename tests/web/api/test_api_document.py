"""The OpenAPI document and the examples in docs/serve.md are what the server does."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from api_servers import API_TOKEN, PHOTO

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "serve.md"
SHOWN_ADDRESS = "http://127.0.0.1:8760"


def generated() -> str:
    spec = importlib.util.spec_from_file_location("openapi", ROOT / "docs/generate_openapi.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.document()


def blocks(language: str) -> list[str]:
    """The code blocks of the page that talk to a server."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [block for block in found if "Bearer" in block]


@pytest.fixture
def desk(tmp_path) -> Path:
    """A folder as a reader of the page would have it."""
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    return tmp_path


def test_the_openapi_document_is_what_the_code_says():
    written = (ROOT / "docs" / "reference" / "openapi.json").read_text()

    assert written == generated(), "run python docs/generate_openapi.py"


def test_the_server_sends_the_same_document(client):
    sent = client.get("/api/v1/openapi.json").json()

    assert sent == json.loads(generated())


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_examples_run(api, desk):
    environment = {**os.environ, "TOKEN": API_TOKEN}
    script = "\n".join(blocks("bash")).replace(SHOWN_ADDRESS, api.url)

    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stderr
    assert '"error"' not in ended.stdout
    assert '"clicks_satisfied":true' in ended.stdout
    assert (desk / "mask.png").read_bytes().startswith(b"\x89PNG")


def test_the_python_examples_run(api, desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("TOKEN", API_TOKEN)
    scripts = blocks("python")

    for script in scripts:
        code = script.replace(SHOWN_ADDRESS, api.url)
        exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102  # our own page

    assert len(scripts) == 1
    assert (desk / "cutout.png").read_bytes().startswith(b"\x89PNG")
