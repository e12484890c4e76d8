"""
Who may talk to the server: its own page and its user's scripts, and nobody else.

Pure ASGI, in this order: the name the server was called by, the page the request comes from,
the token. Every answer, also of the guards themselves, carries the security headers.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import parse_qs

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latentcut.web.failures import Problem
from latentcut.web.settings import ServerLimits

PAGE_PATH = "/"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

NO_TOKEN_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>latentcut: address without key</title>
<h1>This address needs its key</h1>
<p>Open the whole address that <code>latentcut annotate</code> printed in the terminal,
with <code>?token=</code> at the end. Every start of the program makes a new one.</p>
</html>
"""
GO_ON_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>latentcut</title>
<meta http-equiv="refresh" content="0; url=/"><p><a href="/">Open the page</a></p>
</html>
"""

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guarded(Protocol):
    """What the guards must know about a server; the properties mean what those of Settings do."""

    @property
    def token(self) -> str | None:
        """What a client must know; None: nothing."""

    @property
    def token_hint(self) -> str:
        """What somebody without the token should do."""

    @property
    def host_hint(self) -> str:
        """What somebody who called the server by another name should do."""

    @property
    def cookie_name(self) -> str | None:
        """The cookie of the page; None: there is no page, only an API."""

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What may be asked for without the token."""

    @property
    def page_url(self) -> str:
        """The address of the server."""

    @property
    def limits(self) -> ServerLimits:
        """What a request may take."""

    def accepts_host(self, host: str) -> bool:
        """Whether a Host header names this server."""


class SecurityHeaders:
    """Adds the security headers to every answer, and ``no-store`` where nothing else is said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *SECURITY_HEADERS]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, with_headers)


class Guards:
    """
    Lets a request through to the app, or answers it.

    Args:
        app: What is guarded.
        settings: Host, port, token and the limit of headers.
    """

    def __init__(self, app: ASGIApp, settings: Guarded) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, if the request may pass."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a WebSocket: there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            check_headers_size(scope, self.settings.limits.header_bytes)
            host = self._checked_host(scope)
            check_origin(scope, host, self._linked_paths)
            answer = self._unless_known(scope)
        except Problem as problem:
            answer = problem.response()
        await (answer or self.app)(scope, receive, send)

    def _checked_host(self, scope: Scope) -> str:
        """The Host header. Raises Problem unless it is one, and of this server."""
        hosts = headers_of(scope, b"host")
        has_path = scope["raw_path"].startswith(b"/")  # else it is a whole address, or a star
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if has_path and self.settings.accepts_host(host):
            return host
        address, hint = self.settings.page_url, self.settings.host_hint
        message = f"this server answers to {address} only: {hint}"
        raise Problem(400, "wrong_host", message)

    @property
    def _linked_paths(self) -> tuple[str, ...]:
        """What a page of another site may link to."""
        page = () if self.settings.cookie_name is None else (PAGE_PATH,)
        return (*page, *self.settings.open_paths)

    def _unless_known(self, scope: Scope) -> Response | None:
        """None for who knows the token; else the answer."""
        has_page = self.settings.cookie_name is not None
        is_page = has_page and scope["path"] == PAGE_PATH and scope["method"] == "GET"
        if is_page and b"token=" in scope["query_string"]:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
            return self._welcome(scope) if self._is_token(given[0]) else no_token_page()
        if scope["path"] in self.settings.open_paths or self._knows_token(scope):
            return None
        if is_page:
            return no_token_page()
        message = f"no or wrong token: {self.settings.token_hint}"
        headers = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "no_token", message, headers)

    def _welcome(self, scope: Scope) -> Response:
        """Set the cookie and go on to the page, without the token in the address."""
        if headers_of(scope, b"sec-fetch-site") in ([], [b"none"], [b"same-origin"]):
            response = Response(status_code=303, headers={"Location": PAGE_PATH})
        else:
            # the user came by a link in another page: a redirect would still count as that
            # page's request, and the browser would hold the cookie back
            response = Response(GO_ON_PAGE, media_type="text/html")
        cookie, token = self.settings.cookie_name, self.settings.token
        assert cookie is not None  # only a page welcomes
        assert token is not None
        response.set_cookie(cookie, token, httponly=True, samesite="strict")
        return response

    def _knows_token(self, scope: Scope) -> bool:
        if self.settings.token is None:
            return True
        for header in headers_of(scope, b"authorization"):
            scheme, _, value = header.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return self._is_token(value.strip())
        for header in headers_of(scope, b"cookie"):
            name = self.settings.cookie_name
            cookie = name and cookie_of(header.decode("latin-1"), name)
            if cookie is not None and self._is_token(cookie):
                return True
        return False

    def _is_token(self, given: str) -> bool:
        token = self.settings.token
        return token is None or hmac.compare_digest(given.encode(), token.encode())


def headers_of(scope: Scope, name: bytes) -> list[bytes]:
    """All values of a header, by its lower-case name."""
    return [value for key, value in scope["headers"] if key == name]


def cookie_of(header: str, name: str) -> str | None:
    """A cookie's value; None: it is not there."""
    for pair in header.split(";"):
        key, equals, value = pair.strip().partition("=")
        if equals and key == name:
            return value
    return None


def check_headers_size(scope: Scope, max_bytes: int) -> None:
    """Raise Problem when the first line and the headers are too long."""
    query = scope["query_string"]
    first = len(scope["method"]) + len(scope["raw_path"]) + len(" ") + len(" HTTP/1.1\r\n")
    first += len(query) + 1 if query else 0
    lines = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    num_bytes = first + lines + len("\r\n")
    if num_bytes > max_bytes:
        message = f"the headers have {num_bytes} bytes, at most {max_bytes} are allowed"
        raise Problem(431, "headers_too_large", message)


def check_origin(scope: Scope, host: str, linked_paths: tuple[str, ...]) -> None:
    """
    Raise Problem when a page of another origin sent the request.

    Browsers say where a request comes from in Origin and Sec-Fetch-Site, and no page can
    change them; scripts send neither. Only the page itself may be linked to from elsewhere.

    Args:
        scope: The request.
        host: Its Host header.
        linked_paths: What may be linked to from elsewhere.
    """
    if scope["path"] in linked_paths and scope["method"] in SAFE_METHODS:
        return
    sites = headers_of(scope, b"sec-fetch-site")
    origins = headers_of(scope, b"origin")
    own = f"http://{host}".encode("latin-1")
    if all(site in (b"same-origin", b"none") for site in sites) and all(o == own for o in origins):
        return
    raise Problem(403, "cross_site", "the request comes from a page of another site: refused")


def no_token_page() -> Response:
    """What a browser without the token gets to see."""
    headers = {"WWW-Authenticate": "Bearer"}
    return Response(NO_TOKEN_PAGE, 401, headers, media_type="text/html")
