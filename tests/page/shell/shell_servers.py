"""A real server for tests of the page, with a hand on its door: slow, busy, silent, forgetful."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from latentcut.web.app import create_app
from latentcut.web.memory import RememberingPredictor
from latentcut.web.serve import Server, listen
from latentcut.web.settings import ServerLimits, Settings

TOKEN = "the-token-of-the-page-tests"
SIZE_HW = (240, 320)


class Door:
    """
    Stands before the app; only requests that change something are hindered.

    Attributes:
        delay_s: How long such a request waits before the app sees it.
        busy: How many of the next ones are answered 503.
        forget: How many of the next ones are carried out, and then answered 500.
        requests: Method, path and JSON of those that came so far.
    """

    def __init__(self, app) -> None:
        self.app, self.delay_s, self.busy, self.forget = app, 0.0, 0, 0
        self.requests: list[tuple[str, str, object]] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] == "GET" or "preview" in scope["path"]:
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        self.requests.append((scope["method"], scope["path"], _json(body)))
        await asyncio.sleep(self.delay_s)
        if self.busy:
            self.busy -= 1
            await _answer(send, 503, "busy")
        elif self.forget:
            self.forget -= 1
            await self.app(scope, _once(body), _nowhere)
            await _answer(send, 500, "internal")
        else:
            await self.app(scope, _once(body, receive), send)

    def actions(self) -> list[dict]:
        """Actions that came so far."""
        return [json for _, path, json in self.requests if path.endswith("/actions")]


class Running:
    """A server that answers, its app, its door, and the folder it serves."""

    def __init__(self, port: int, app, door: Door, folder: Path) -> None:
        self.port, self.app, self.door, self.folder = port, app, door, folder
        self.store = app.state.workplace.store
        self.url = f"http://127.0.0.1:{port}"
        self.page_url = f"{self.url}/?token={TOKEN}"

    def get(self, path: str):
        """The JSON at an address of the API."""
        response = httpx.get(f"{self.url}/api/v1{path}", headers=_authorized())
        response.raise_for_status()
        return response.json()

    def document(self, image: int = 1):
        return self.get(f"/images/{image}")

    def act(self, image: int = 1, **action) -> dict:
        """Do something as another tab would."""
        headers = {**_authorized(), "If-Match": f'"{self.document(image)["revision"]}"'}
        address = f"{self.url}/api/v1/images/{image}/actions"
        response = httpx.post(address, json=action, headers=headers, timeout=30)
        response.raise_for_status()
        return response.json()

    def paint(self, x: float, y: float, **more) -> dict:
        """Paint a disc as another tab would: a new object, unless one is given."""
        stroke = {"kind": "stroke", "object": None, "tool": "brush", "radius_px": 12}
        return self.act(**{**stroke, "points": [[x, y]], **more})


class ReadyModel:
    """Stands in for ``Model``: a predictor that is loaded already."""

    def __init__(self, model, predictor) -> None:
        self.bundle = model.bundle
        self._predictor = RememberingPredictor(predictor, 128_000_000)

    def load(self) -> RememberingPredictor:
        return self._predictor


@contextmanager
def serving(folder: Path, predictor):
    """A server in a thread."""
    limits = ServerLimits()
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        app = create_app(Settings(folder=folder, port=port, token=TOKEN, limits=limits))
        app.state.workplace.model = ReadyModel(app.state.workplace.model, predictor)
        door = Door(app)
        server = Server(door, limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield Running(port, app, door, folder)
        finally:
            server.should_exit = True
            thread.join()


def draw_pictures(folder: Path, names: tuple[str, ...] = ("a.png", "b.png", "c.png")) -> Path:
    """Pictures of 320 x 240 px: a bright disc in the middle, and a square at its right."""
    folder.mkdir()
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    for shade, name in enumerate(names):
        image = np.stack([columns // 3, rows // 2, np.full(SIZE_HW, 40 + 20 * shade)], axis=2)
        image[(columns - 160) ** 2 + (rows - 120) ** 2 <= 50**2] = (230, 220, 60)
        image[90:150, 250:300] = (40, 200, 230)
        Image.fromarray(image.astype(np.uint8)).save(folder / name)
    return folder


def _authorized() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


async def _body(receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _once(body: bytes, receive=None):
    async def give():
        nonlocal body
        if body is None and receive is not None:
            return await receive()
        if body is None:
            await asyncio.sleep(3600)
        message = {"type": "http.request", "body": body, "more_body": False}
        body = None
        return message

    return give


async def _nowhere(_) -> None:
    pass


async def _answer(send, status: int, code: str) -> None:
    body = json.dumps({"error": {"code": code, "message": f"made by the test: {code}"}}).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
