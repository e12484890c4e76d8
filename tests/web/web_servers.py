"""Real servers for tests: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from latentcut.core.predictor import Predictor
from latentcut.web.app import create_app
from latentcut.web.memory import RememberingPredictor
from latentcut.web.serve import Server, listen
from latentcut.web.settings import ServerLimits, Settings

TOKEN = "the-token-of-the-tests-x9Q"
IS_SOAK = os.environ.get("LATENTCUT_SOAK") == "1"

# importing the server takes a second; children of this one are there at once
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["latentcut.web.app", "latentcut.web.serve", "httpx"])


class ReadyModel:
    """Stands in for ``Model``: a predictor that is loaded already."""

    def __init__(self, model, predictor: Predictor, max_bytes: int = 128_000_000) -> None:
        self.bundle = model.bundle
        self._predictor = RememberingPredictor(predictor, max_bytes)

    def load(self) -> RememberingPredictor:
        return self._predictor


class CountingBackend:
    """The real network, counted and slowed down."""

    def __init__(self, inner, delay_s: float = 0.0) -> None:
        self.inner, self.delay_s, self.num_masks = inner, delay_s, inner.num_masks
        self.num_runs = 0

    def encode(self, image):
        return self.inner.encode(image)

    def decode(self, *args):
        self.num_runs += 1
        time.sleep(self.delay_s)
        return self.inner.decode(*args)


def counting(predictor: Predictor, delay_s: float = 0.0) -> Predictor:
    """A predictor whose network is counted and slowed down."""
    backend = CountingBackend(predictor.backend, delay_s)
    return Predictor(backend, predictor.frame_info, predictor.selection)


class QuickServer(Server):
    """The server without the breaks of tenths of a second that only tests would notice."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.005)

    async def shutdown(self, sockets=None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        deadline = time.monotonic() + 10
        while self.server_state.tasks and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        await self.lifespan.shutdown()


class Running:
    """
    A server that answers.

    Attributes:
        url: Without a slash at the end.
        app: The app, where the server is in this process.
        pid: Its process, where that is another one.
        log: What it printed.
    """

    def __init__(self, port: int, app: Any = None, process: Any = None, log: Path | None = None):
        self.port, self.app, self.process, self.log = port, app, process, log
        self.url = f"http://127.0.0.1:{port}"

    def client(self, **options: Any) -> httpx.Client:
        """A script that knows the token."""
        options["headers"] = {"Authorization": f"Bearer {TOKEN}", **options.get("headers", {})}
        return httpx.Client(base_url=self.url, timeout=60, **options)

    def stranger(self, **options: Any) -> httpx.Client:
        """Somebody who does not."""
        return httpx.Client(base_url=self.url, timeout=60, **options)

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def stop(self, timeout_s: float = 20) -> int:
        """SIGTERM; the exit code."""
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(timeout_s)
        return self.process.exitcode


@contextmanager
def in_thread(folder: Path, predictor: Predictor | None, limits=None, **settings: Any):
    """A server in a thread; with a predictor, the model is there from the start."""
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        limits = limits or ServerLimits()
        options = Settings(folder=folder, port=port, token=TOKEN, limits=limits, **settings)
        app = create_app(options)
        if predictor is not None:
            app.state.workplace.model = ReadyModel(app.state.workplace.model, predictor)
        server = QuickServer(app, limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield Running(port, app=app)
        finally:
            server.should_exit = True
            thread.join()


def in_process(folder: Path, log: Path, port: int = 0, code: str = "", **settings: Any) -> Running:
    """
    A server in a process of its own, answering.

    Args:
        folder: The images.
        log: Where it prints to.
        port: 0: any.
        code: Python that runs in it before the server starts.
        settings: Others of Settings.
    """
    receiver, sender = FORKS.Pipe(duplex=False)
    arguments = (folder, port, settings, str(log), code, sender)
    process = FORKS.Process(target=_serve_here, args=arguments, daemon=True)
    process.start()
    sender.close()
    try:
        port = receiver.recv()
    except EOFError as error:
        raise AssertionError(f"the server did not start: {log.read_text()}") from error
    finally:
        receiver.close()
    return Running(port, process=process, log=log)


def _serve_here(folder, port, settings, log, code, sender) -> None:
    from latentcut.web.serve import serve

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    exec(code, {})  # noqa: S102  # our own test's
    with listen("127.0.0.1", port) as sock:
        number = sock.getsockname()[1]
        options = Settings(folder=folder, port=number, token=TOKEN, threads=1, **settings)
        app = create_app(options)
        sender.send(number)
        sender.close()
        serve(app, options, sock)


def act(client: httpx.Client, image: int, revision: int, **action: Any) -> httpx.Response:
    """Send an action."""
    headers = {"If-Match": f'"{revision}"'}
    return client.post(f"/api/v1/images/{image}/actions", json=action, headers=headers)


def click(client: httpx.Client, image: int, revision: int, x: float, y: float, **more: Any):
    """Send one positive click; it makes a new object unless one is given."""
    clicks = [{"x": x, "y": y, "positive": True}]
    action = {"kind": "click", "object": None, "clicks": clicks, "mode": "refine", "tab": "t"}
    return act(client, image, revision, **{**action, **more})


def dot(client: httpx.Client, image: int, revision: int, x: float, y: float, **more: Any):
    """Paint a disc, which needs no model; it makes a new object unless one is given."""
    stroke = {"kind": "stroke", "object": None, "tool": "brush", "radius_px": 3}
    return act(client, image, revision, **{**stroke, "points": [[x, y]], **more})


def raw(port: int, request: bytes, timeout_s: float = 10) -> bytes:
    """Send bytes, and read until the server closes or is silent for a moment after its answer."""
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            lengths = [h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length")]
            if lengths and len(body) >= int(lengths[0].split(b":")[1]):
                break
        return answer


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status_code, response.json()["error"]["code"]
