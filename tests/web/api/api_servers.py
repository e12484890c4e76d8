"""Real API servers for tests: in a thread of this process, or as the command."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from web_servers import QuickServer

from latentcut.cli.samples import SAMPLES
from latentcut.core.masks import mask_from_coco_rle
from latentcut.web.api.app import create_api
from latentcut.web.api.settings import ApiSettings
from latentcut.web.serve import listen

API_TOKEN = "the-token-of-the-api-tests"
PHOTO = (SAMPLES / "chelsea.jpg").read_bytes()
PHOTO_WH = 451, 300
ON_CAT = {"x": 225, "y": 120}
OFF_CAT = {"x": 430, "y": 40, "positive": False}
OCTETS = {"Content-Type": "application/octet-stream"}


class RunningApi:
    """An API server that answers, with what a test asks of it."""

    def __init__(self, port: int, app: Any = None, process: Any = None) -> None:
        self.port, self.app, self.process = port, app, process
        self.url = f"http://127.0.0.1:{port}"

    def client(self, token: str | None = API_TOKEN, **options: Any) -> httpx.Client:
        """A program that knows the token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)

    def worker_pids(self) -> list[int]:
        """The processes that answer, of a server that was launched."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [int(pid) for pid in task.read_text().split()]
        return [pid for pid in pids if b"spawn_main" in command_line(pid)]

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def command_line(pid: int) -> bytes:
    """How a process was started; empty: it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is not only still listed."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def eventually(is_so, timeout_s: float = 60) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def api_in_thread(predictor, spool: Path, **settings: Any):
    """A server in a thread of this process, with the model of the tests."""
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        options = {"token": API_TOKEN, "port": port, "spool": spool, **settings}
        given = ApiSettings(**options)
        app = create_api(given, lambda: predictor)
        server = QuickServer(app, given.limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield RunningApi(port, app)
        finally:
            server.should_exit = True
            thread.join()


def launched(log: Path, *arguments: str, token: str = API_TOKEN) -> RunningApi:
    """``latentcut serve`` as its user starts it, on a free port; its model is loaded."""
    command = [sys.executable, "-m", "latentcut", "serve", "--port", "0", "--json", "--threads=1"]
    # a server that is killed leaves its temporary folder behind: it shall lie in the test's
    environment = {**os.environ, "LATENTCUT_TOKEN": token, "TMPDIR": str(log.parent)}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=errors, env=environment
        )
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        running = RunningApi(json.loads(line)["port"], process=process)
        url = f"{running.url}/ready"
        assert eventually(lambda: httpx.get(url, timeout=60).status_code == 200)
    except BaseException:
        process.kill()
        process.wait()
        process.stdout.close()
        raise
    return running


def send(client: httpx.Client, data: bytes = PHOTO) -> str:
    """Send an image; its id."""
    answer = client.post("/api/v1/images", content=data, headers=OCTETS)
    assert answer.status_code == 201, answer.text
    return answer.json()["image_id"]


def ask(client: httpx.Client, image_id: str, **prompts: Any) -> httpx.Response:
    """Ask about an image; one click on the cat where nothing is given."""
    body = prompts or {"clicks": [ON_CAT]}
    return client.post(f"/api/v1/images/{image_id}/predict", json=body)


def masks_of(answer: httpx.Response) -> np.ndarray:
    """The masks of an answer in RLE: bool (M, H, W)."""
    return np.stack([mask_from_coco_rle(c["rle"]) for c in answer.json()["candidates"]])


def in_base64(data: bytes) -> str:
    """Bytes as JSON can hold them."""
    return base64.b64encode(data).decode()


def problem_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and sentence of an error."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]
