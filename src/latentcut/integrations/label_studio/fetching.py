"""
Images of tasks, fetched from the Label Studio they belong to and from nowhere else.

A task says where its image is, and whoever may write tasks would otherwise decide what this
computer asks for. So addresses are compared with a list, redirects are followed by hand, and
the key goes to Label Studio alone. With the standard library's client nothing happens that is not
written here: no redirects, no proxies or passwords from the environment, no decompression.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from latentcut import __version__
from latentcut.errors import ImageNotFetched, PromptUnusable
from latentcut.integrations.serving import image_of
from latentcut.web.memory import ByteLru

CLOUDS = ("s3", "gs", "azure-blob", "azure_spi", "s3s", "gcswif", "redis")
PORTS = {"http": 80, "https": 443}
CHUNK_BYTES = 65_536
MAX_REDIRECTS = 3
MAX_ANSWER_BYTES = 100_000  # of the exchange of keys
REDIRECTS = (301, 302, 303, 307, 308)
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")  # personal access tokens; older keys are hexadecimal
REFRESH_PATH = "/api/token/refresh/"


@dataclass(frozen=True)
class FetchLimits:
    """
    What fetching an image may take.

    Attributes:
        max_bytes: Of the file.
        timeout_s: From the first byte of the question to the last one of the answer.
        kept_bytes: Files kept in memory.
        kept_s: How long a file is taken for what its address still holds.
    """

    max_bytes: int = 100_000_000
    timeout_s: float = 30.0
    kept_bytes: int = 256_000_000
    kept_s: float = 300.0


@dataclass(frozen=True)
class Origin:
    """A server: scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def origin_of(url: str) -> Origin:
    """
    The server of an address.

    Raises:
        ValueError: It is no http or https address, or holds a name or password.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no plain http or https address")
    return Origin(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme])


@dataclass
class Fetched:
    """An image file in memory, and when it came (seconds of ``time.monotonic``)."""

    content: bytes
    at_s: float


@dataclass
class Images:
    """
    The images of tasks. Threads may share it.

    Args:
        base_url: The Label Studio; it may lie below a path of its server.
        api_key: Of one of its users; None: the one that it sends when it connects.
        others: More origins that images may come from, without the key.
        limits: What fetching may take.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    others: tuple[str, ...] = ()
    limits: FetchLimits = FetchLimits()

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.home = origin_of(self.base_url)
        self.allowed = {self.home, *map(origin_of, self.others)}
        self._sent_key: str | None = None
        self._access: str | None = None  # what a personal access token was exchanged for
        self._kept: ByteLru[Fetched] = ByteLru(
            self.limits.kept_bytes, lambda kept: len(kept.content)
        )
        self._lock = threading.Lock()

    def use_key_of_setup(self, key: str | None) -> None:
        """Remember the key that Label Studio sent; one that was configured comes before it."""
        if key and self.api_key is None and key.isascii() and key.isprintable():
            self._sent_key = key

    def read(self, source: Any, task_id: int | None) -> bytes:
        """
        The bytes of a task's image.

        Args:
            source: What its data hold: a path of Label Studio, a cloud URI, an address or a
                data URI.
            task_id: Of the task; cloud URIs are resolved through it.

        Raises:
            PromptUnusable: It is none of these.
            UnreadableImage: A data URI is broken.
            ImageNotFetched: The address is not allowed, does not answer, or answers too much.
        """
        if not isinstance(source, str) or not source:
            raise PromptUnusable("the task", "there is no image in its data")
        if source.startswith("data:"):
            return image_of(source)
        url = self._address(source, task_id)
        kept = self._kept.get(url)
        if kept is None or time.monotonic() - kept.at_s > self.limits.kept_s:
            kept = Fetched(self._fetch(url), time.monotonic())
            self._kept.put(url, kept)
        return kept.content

    def _address(self, source: str, task_id: int | None) -> str:
        scheme = source.partition("://")[0] if "://" in source else ""
        if scheme in CLOUDS:
            if task_id is None:
                raise PromptUnusable("the task", "its image is in a cloud, and it has no id")
            uri = quote(source, safe="")
            return f"{self.base_url}/tasks/{task_id}/presign/?fileuri={uri}"
        if scheme:
            return source
        if not source.startswith("/") or source.startswith("//"):
            raise PromptUnusable("the task", "its image is neither a path nor an address")
        path = urlsplit(self.base_url).path
        is_below = path and not source.startswith(f"{path}/")
        return (self.base_url if is_below else str(self.home)) + source

    def _fetch(self, url: str) -> bytes:
        deadline = time.monotonic() + self.limits.timeout_s
        for _ in range(MAX_REDIRECTS + 1):
            origin = self._checked(url)
            status, body, target = self._ask(origin, url, deadline)
            if status in REDIRECTS and target:
                url = urljoin(url, target)
            elif status == 200:
                return body
            else:
                raise ImageNotFetched(str(origin), _told(status))
        raise ImageNotFetched(str(origin), f"it sent on more than {MAX_REDIRECTS} times")

    def _checked(self, url: str) -> Origin:
        """The server of an address. Raises ImageNotFetched where it may not be asked."""
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise ImageNotFetched("the image's address", "it is no plain http address") from error
        if origin not in self.allowed:
            reason = "images are not fetched from there: allow it with --allow-origin"
            raise ImageNotFetched(str(origin), reason)
        return origin

    def _ask(self, origin: Origin, url: str, deadline: float) -> tuple[int, bytes, str | None]:
        """Status, body and target of a redirect; Label Studio is asked twice for a stale key."""
        limit = self.limits.max_bytes
        if origin != self.home:
            return _request(origin, url, {}, deadline, limit)
        answer = _request(origin, url, self._key_headers(deadline), deadline, limit)
        if answer[0] == 401 and self._access is not None:
            self._access = None
            answer = _request(origin, url, self._key_headers(deadline), deadline, limit)
        return answer

    def _key_headers(self, deadline: float) -> dict[str, str]:
        key = self.api_key or self._sent_key
        if key is None:
            return {}
        if not JWT.fullmatch(key):
            return {"Authorization": f"Token {key}"}
        with self._lock:
            if self._access is None:
                self._access = self._exchanged(key, deadline)
            return {"Authorization": f"Bearer {self._access}"}

    def _exchanged(self, key: str, deadline: float) -> str:
        """The short-lived key for a personal access token."""
        url, body = self.base_url + REFRESH_PATH, json.dumps({"refresh": key}).encode()
        status, answer, _ = _request(self.home, url, {}, deadline, MAX_ANSWER_BYTES, body)
        try:
            return str(json.loads(answer)["access"])
        except (ValueError, KeyError, TypeError) as error:
            raise ImageNotFetched(str(self.home), f"it refuses the key ({status})") from error


def _request(
    origin: Origin,
    url: str,
    headers: dict[str, str],
    deadline: float,
    max_bytes: int,
    body: bytes | None = None,
) -> tuple[int, bytes, str | None]:
    """One question. Raises ImageNotFetched when the server does not answer as it should."""
    kind = http.client.HTTPSConnection if origin.scheme == "https" else http.client.HTTPConnection
    connection = kind(origin.host, origin.port, timeout=_left(deadline, origin))
    headers = {"User-Agent": f"latentcut/{__version__}", "Accept": "*/*", **headers}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request("GET" if body is None else "POST", _path(urlsplit(url)), body, headers)
        with closing(connection.getresponse()) as response:
            if response.status in REDIRECTS:
                return response.status, b"", response.headers.get("Location")
            return response.status, _body(connection, response, origin, deadline, max_bytes), None
    except TimeoutError as error:
        raise ImageNotFetched(str(origin), "it does not answer in time") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ImageNotFetched(str(origin), "it cannot be reached") from error
    finally:
        connection.close()


def _body(
    connection: http.client.HTTPConnection,
    response: http.client.HTTPResponse,
    origin: Origin,
    deadline: float,
    max_bytes: int,
) -> bytes:
    """What a response holds, within the limits of bytes and time."""
    content = bytearray()
    while True:
        if connection.sock is not None:  # None: the server has closed, and all is here
            connection.sock.settimeout(_left(deadline, origin))
        piece = response.read1(CHUNK_BYTES)
        if not piece:
            if response.length:
                raise ImageNotFetched(str(origin), "the connection broke off")
            return bytes(content)
        content += piece
        if len(content) > max_bytes:
            reason = f"the image has more than {max_bytes:,} bytes"
            raise ImageNotFetched(str(origin), reason)
        _left(deadline, origin)


def _left(deadline: float, origin: Origin) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise ImageNotFetched(str(origin), "it does not answer in time")
    return left


def _path(parts: SplitResult) -> str:
    """What is asked for, in characters that HTTP allows; what is quoted already stays."""
    safe = "/%:@!$&'()*+,;=~-._?"
    query = f"?{quote(parts.query, safe=safe)}" if parts.query else ""
    return quote(parts.path or "/", safe=safe) + query


def _told(status: int) -> str:
    if status in (401, 403):
        return f"it answers {status}: give a key with --api-key-file or LABEL_STUDIO_API_KEY"
    return f"it answers {status}"
