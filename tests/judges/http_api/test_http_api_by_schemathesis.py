"""
Schemathesis reads the OpenAPI document of a running server and sends what it thinks of.

Every answer must have a documented status, fit its schema and be no 5xx; data that does not fit
must be refused, also without or with a wrong token.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path

import pytest

import latentcut

TOKEN = "the-token-of-the-judge"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
PHOTO = (Path(latentcut.__file__).parent / "samples" / "chelsea.jpg").read_bytes()
NUM_EXAMPLES = 20
HERE = Path(__file__).resolve().parent
# It expects every request that fits the schema to be accepted. What an image file is, how large it
# is and which ids there are cannot be said in a schema.
LEFT_OUT = "positive_data_acceptance"


def called(url: str, data: bytes | None = None, kind: str = "application/json") -> dict:
    request = urllib.request.Request(url, data, {**AUTHORISED, "Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture
def url(tmp_path):
    """A server of two workers, ready."""
    command = [sys.executable, "-m", "latentcut", "serve", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--threads", "1", "--root", str(tmp_path), "--json"],
        stdout=subprocess.PIPE,
        env={**os.environ, "LATENTCUT_TOKEN": TOKEN},
    )
    found = json.loads(process.stdout.readline())["url"]
    for _ in range(600):
        try:
            called(f"{found}/ready")
            break
        except urllib.error.HTTPError:
            time.sleep(0.1)
    yield found
    process.terminate()
    assert process.wait(30) == 0
    process.stdout.close()


def test_the_api_keeps_what_its_document_promises(url, tmp_path):
    image = called(f"{url}/api/v1/images", PHOTO, "image/jpeg")["image_id"]
    question = json.dumps({"clicks": [{"x": 225, "y": 120}]}).encode()
    answer = called(f"{url}/api/v1/images/{image}/predict", question)
    candidate = answer["candidates"][0]["id"]
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'[parameters]\n"path.image_id" = "{image}"\n"path.candidate_id" = "{candidate}"\n'
    )

    ended = subprocess.run(
        [
            str(Path(sysconfig.get_path("scripts")) / "st"),
            "--config-file",
            str(config),
            "run",
            f"{url}/api/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {TOKEN}",
            "--exclude-checks",
            LEFT_OUT,
            "--max-examples",
            str(NUM_EXAMPLES),
            "--seed",
            "1",
            "--request-timeout",
            "60",
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "few_clicks"},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout[-20000:] + ended.stderr[-2000:]
