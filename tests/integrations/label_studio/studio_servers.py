"""Real servers for tests: a small Label Studio, and backends that ask it for images."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from latentcut.integrations.label_studio.app import (
    LABEL_STUDIO_LIMITS,
    Connection,
    create_label_studio_app,
)
from latentcut.integrations.serving import AdapterSettings
from latentcut.web.serve import Server, listen
from latentcut.web.service import PredictionService

KEY = "0123456789abcdef0123"
PERSONAL_KEY = "header.refresh-me.signature"
ACCESS_KEY = "header.short-lived.signature"
ALLOWED_KEYS = (f"Token {KEY}", f"Bearer {ACCESS_KEY}")


class Studio:
    """
    A small Label Studio.

    Attributes:
        url: Where it is.
        files: Content by path; a str is an address that is redirected to.
        asked: Path and Authorization of every request.
        needs_key: Whether files are for users only.
    """

    def __init__(self, url: str) -> None:
        self.url, self.needs_key = url, True
        self.files: dict[str, bytes | str] = {}
        self.asked: list[tuple[str, str | None]] = []


@contextmanager
def running_studio() -> Iterator[Studio]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers.get("Authorization")
            studio.asked.append((self.path, key))
            content = studio.files.get(self.path)
            if studio.needs_key and key not in ALLOWED_KEYS:
                self.answer(401, b"no")
            elif content is None:
                self.answer(404, b"no")
            elif isinstance(content, str):
                self.answer(303, b"", Location=content)
            else:
                self.answer(200, content)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            studio.asked.append((self.path, self.headers.get("Authorization")))
            if body == {"refresh": PERSONAL_KEY}:
                self.answer(200, json.dumps({"access": ACCESS_KEY}).encode())
            else:
                self.answer(401, b"{}")

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    studio = Studio(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield studio
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_backend(connection: Connection, predictor) -> Iterator[httpx.Client]:
    limits = LABEL_STUDIO_LIMITS
    service = PredictionService(lambda: predictor, limits.waiting)
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        settings = AdapterSettings(port=port, limits=limits)
        server = Server(create_label_studio_app(settings, connection, service), limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
