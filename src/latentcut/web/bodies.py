"""Bodies of requests: read whole and within limits before anything else runs, then checked."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latentcut.web.failures import ClientGone, Problem
from latentcut.web.guards import headers_of
from latentcut.web.settings import ServerLimits

T = TypeVar("T")

LONG_PATHS = ("/api/v1/exports", "/api/v1/imports")


def takes_long(path: str) -> bool:
    """Whether a request to the annotation server may take long: exports and imports."""
    return path.startswith(LONG_PATHS)


class TimeLimit:
    """
    Ends a request that takes too long.

    Args:
        app: Who gets the request.
        limits: How long that is, in general and for requests that may take longer.
        is_long: Which paths those are.
    """

    def __init__(
        self, app: ASGIApp, limits: ServerLimits, is_long: Callable[[str], bool] = takes_long
    ) -> None:
        self.app, self.limits, self.is_long = app, limits, is_long

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        is_long = self.is_long(scope["path"])
        limit_s = self.limits.long_request_s if is_long else self.limits.request_s
        clock = asyncio.timeout(limit_s)
        try:
            async with clock:
                await self.app(scope, receive, noted)
        except TimeoutError:
            if not clock.expired():
                raise
            if not is_begun:
                message = f"the request took longer than {limit_s:g} s: try again"
                problem = Problem(503, "took_too_long", message, {"Retry-After": "1"})
                await problem.response()(scope, receive, send)


class Bodies:
    """
    Reads the body of a request, then runs the app with it.

    Args:
        app: Who gets the request.
        limits: Of bytes and of silence.
    """

    def __init__(self, app: ASGIApp, limits: ServerLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        except ClientGone:
            return
        await self.app(scope, replayed(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """
        The body.

        Raises:
            Problem: It is too large, or nothing came for too long.
            ClientGone: The connection was closed in the middle.
        """
        for length in headers_of(scope, b"content-length"):
            self._check(int(length))  # digits only: the server has checked that
        body = bytearray()
        while True:
            try:
                async with asyncio.timeout(self.limits.idle_s):  # what is here costs no wait
                    message = await receive()
            except TimeoutError as error:
                text = f"nothing came for {self.limits.idle_s:g} s: send the request again"
                raise Problem(408, "too_slow", text, {"Connection": "close"}) from error
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            self._check(len(body))
            if not message.get("more_body", False):
                return bytes(body)

    def _check(self, num_bytes: int) -> None:
        allowed = self.limits.body_bytes
        if num_bytes > allowed:
            text = f"the body has {num_bytes:,} bytes or more, at most {allowed:,} are allowed"
            raise Problem(413, "body_too_large", text)


def has_body(scope: Scope) -> bool:
    """Whether a request announces a body."""
    return any(headers_of(scope, name) for name in (b"content-length", b"transfer-encoding"))


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body first, and then what the connection says."""
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


class JsonRequest(Request):
    """A request whose JSON is checked before anything is made of it."""

    async def json(self) -> Any:
        """The body. Raises Problem when it is no JSON, too long or too deep."""
        limits: ServerLimits = self.app.state.settings.limits
        return checked_json(await self.body(), limits)


class JsonRoute(APIRoute):
    """A route that takes JSON as ``application/json`` only, which no other site's form can send."""

    request_class = JsonRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See APIRoute."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if self.body_field is not None:
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != "application/json":
                    text = "send the body as JSON, with Content-Type: application/json"
                    raise Problem(415, "no_json", text)
            return await handle(self.request_class(request.scope, request.receive))

        return checked


def checked_json(body: bytes, limits: ServerLimits) -> Any:
    """
    JSON as it should be: UTF-8, finite numbers, whole characters, not too deep.

    Raises:
        Problem: It is otherwise.
    """
    if len(body) > limits.json_bytes:
        text = f"the JSON has {len(body):,} bytes, at most {limits.json_bytes:,} are allowed"
        raise Problem(413, "body_too_large", text)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        if b"\\u" in body:  # half of a pair of \u escapes is no character
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise _too_deep(limits) from error
    except ValueError as error:
        raise Problem(400, "bad_json", "the body is not JSON that can be read") from error
    if is_deeper(value, limits.json_depth):
        raise _too_deep(limits)
    return value


def is_deeper(value: object, allowed: int) -> bool:
    """Whether there are more brackets inside brackets than allowed."""
    level = [value]
    for _ in range(allowed + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return False
        level = [
            inner
            for item in containers
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return True


def _too_deep(limits: ServerLimits) -> Problem:
    return Problem(400, "bad_json", f"the JSON is deeper than {limits.json_depth} brackets")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("the number is too large")
    return value


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """
    Wait for work, and take it back when the client goes away before it is done.

    Raises:
        ClientGone: It did.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        for future in (task, gone):
            future.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
