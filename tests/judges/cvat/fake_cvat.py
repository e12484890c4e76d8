"""
As much of a CVAT server as cvat-cli's agent talks to, in a thread: functions, a queue, one task.

What it answers was found by running cvat-cli 2.80.0 against it until the agent was content.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from PIL import Image

NOW = "2026-11-23T00:00:00Z"
USER = {"id": 1, "username": "annotator", "first_name": "", "last_name": "", "url": "http://x/1"}
TOKEN = "a-token-of-the-tests"


class FakeCvat:
    """
    The server's state.

    Attributes:
        functions: What was registered, by number.
        waiting: Parameters of the requests that wait.
        done: Results by request, as the agent sent them.
        failed: What the agent said of requests that it could not answer.
        seen: Method and path of every request.
        has_functions: Whether this is a CVAT with agents.
    """

    def __init__(self, photo: Path, has_functions: bool = True) -> None:
        self.photo, self.has_functions = photo, has_functions
        self.functions: dict[int, dict] = {}
        self.waiting: list[dict] = []
        self.done: dict[str, dict] = {}
        self.failed: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []
        self.all_done = threading.Event()
        self.url = ""

    def ask(self, pos_points, neg_points=(), obj_bbox=(), frame=0) -> None:
        """Queue what CVAT's page would ask."""
        self.waiting.append(
            {
                "type": "interact",
                "task": 7,
                "frame": frame,
                "pos_points": list(pos_points),
                "neg_points": list(neg_points),
                "obj_bbox": list(obj_bbox),
            }
        )

    def answer(self, method: str, path: str, query: dict, body: dict) -> tuple[int, object]:
        """Status and JSON of a request."""
        if path == "/api/server/about":
            about = {"name": "CVAT", "description": "", "version": "2.80.0"}
            return 200, {**about, "logo_url": "", "subtitle": ""}
        if path.startswith("/api/functions") and not self.has_functions:
            return 404, {"detail": "Not found."}
        if path == "/api/functions" and method == "GET":
            wanted = json.loads(query["filter"][0])["=="][1]
            found = [entry for entry in self.functions.values() if entry["name"] == wanted]
            return 200, {"count": len(found), "next": None, "previous": None, "results": found}
        if path == "/api/functions":
            number = 40 + len(self.functions)
            boxes = {"startswith_box": False, "startswith_box_optional": False}
            self.functions[number] = {"id": number, "min_neg_points": -1, **boxes, **body}
            return 201, self.functions[number]
        if (found := re.fullmatch(r"/api/functions/(\d+)", path)) is not None:
            function = self.functions.get(int(found[1]))
            return (404, {"detail": "Not found."}) if function is None else (200, function)
        if path.endswith("/requests/acquire"):
            return 200, {"ar_assignment": self._next(body["request_category"])}
        if (found := re.fullmatch(r".*/requests/(\w+)/(complete|fail)", path)) is not None:
            self._note(found[1], found[2], body)
            return 200, {}
        return self._task(path)

    def _next(self, category: str) -> dict | None:
        if category != "interactive" or not self.waiting:
            return None
        number = len(self.done) + len(self.failed)
        return {"ar_id": f"r{number}", "ar_params": self.waiting.pop(0)}

    def _note(self, request: str, kind: str, body: dict) -> None:
        if kind == "complete":
            self.done[request] = body
        else:
            self.failed[request] = body["exc_info"]
        if not self.waiting:
            self.all_done.set()

    def _task(self, path: str) -> tuple[int, object]:
        """The one task, its labels and what is known of its frames."""
        width, height = Image.open(self.photo).size
        if path == "/api/tasks/7":
            return 200, {
                **{"url": f"{self.url}/api/tasks/7", "id": 7, "name": "cats", "project_id": None},
                **{"mode": "annotation", "owner": USER, "assignee": None, "bug_tracker": ""},
                **{"created_date": NOW, "updated_date": NOW, "overlap": 0, "segment_size": 1},
                **{"status": "annotation", "data_chunk_size": 72, "size": 1, "data": 3},
                **{"data_compressed_chunk_type": "imageset", "dimension": "2d", "subset": ""},
                **{"data_original_chunk_type": "imageset", "organization": None},
                **{"target_storage": None, "source_storage": None, "guide_id": None},
                **{"jobs": {"count": 1, "completed": 0, "validation": 0, "url": "x"}},
                **{"labels": {"url": f"{self.url}/api/labels?task_id=7"}},
                **{"issues": {"count": 0, "url": "x"}, "assignee_updated_date": None},
                **{"validation_mode": None, "consensus_enabled": False, "organization_id": None},
                **{"data_cloud_storage_id": None},
            }
        if path == "/api/labels":
            return 200, {"count": 0, "next": None, "previous": None, "results": []}
        if path == "/api/tasks/7/data/meta":
            frame = {"width": width, "height": height, "name": "cat.jpg"}
            frame["related_files"] = 0
            return 200, {
                **{"chunk_size": 72, "size": 1, "image_quality": 70, "start_frame": 0},
                **{"stop_frame": 0, "frame_filter": "", "frames": [frame], "deleted_frames": []},
                **{"included_frames": None, "chunks_updated_date": NOW, "storage": "local"},
                **{"storage_method": "cache", "cloud_storage_id": None},
            }
        return 404, {"detail": f"Not found: {path}"}


@contextmanager
def running(fake: FakeCvat) -> Iterator[FakeCvat]:
    """The server, listening on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            fake.seen.append((self.command, parts.path))
            length = int(self.headers.get("content-length", "0"))
            sent = self.rfile.read(length)
            is_known = self.headers.get("authorization") == f"Bearer {TOKEN}"
            if not is_known and parts.path != "/api/server/about":
                self.send(401, b'{"detail": "no"}')
                return
            if parts.path == "/api/tasks/7/data/":
                self.send(200, fake.photo.read_bytes(), "image/jpeg")
            elif parts.path.endswith("/watch"):
                self.send(
                    200,
                    b"retry: 200\n\nevent: newrequest\n"
                    b'data: {"request_category": "interactive"}\n\n',
                    "text/event-stream",
                )
            else:
                body = json.loads(sent) if sent else {}
                status, answer = fake.answer(self.command, parts.path, parse_qs(parts.query), body)
                self.send(status, json.dumps(answer).encode())

        do_POST = do_GET  # noqa: N815

        def send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing: agents that end close their connections."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
