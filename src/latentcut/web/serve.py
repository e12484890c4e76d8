"""Running the server: the port, the HTTP side, the end."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from latentcut.web.settings import ServerLimits, Settings

NUM_PORTS = 50  # tried from the wanted one on
STOP_TIMEOUT_S = 4  # for requests that are being answered; saving is among them
BACKLOG = 128


def listen(host: str, port: int, num_ports: int = NUM_PORTS) -> socket.socket:
    """
    A socket that listens on a port, or on the next free one; port 0: on any.

    Raises:
        OSError: The address cannot be listened on, or all ports are in use.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    for number in range(port, min(port + num_ports, 2**16)) if port else (0,):
        # with the protocol named, asyncio turns Nagle's algorithm off, which costs 40 ms an answer
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            # a port that was just given back can be had at once; two servers cannot share one
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)  # the same on Windows
            found.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
            found.bind((address[0], number, *address[2:]))
            found.listen(BACKLOG)
        except OSError as error:
            found.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return found
    tried = f"the ports {port} to {port + num_ports - 1} of {host} are"
    if num_ports == 1:
        tried = f"the port {port} of {host} is"
    raise OSError(errno.EADDRINUSE, f"{tried} in use; give another --port")


def serve(app: FastAPI, settings: Settings, sock: socket.socket) -> None:
    """Answer requests on a socket until SIGINT or SIGTERM; what is being saved is finished."""
    Server(app, settings.limits).run(sockets=[sock])


def config_of(app: FastAPI, limits: ServerLimits, is_stopping: threading.Event) -> uvicorn.Config:
    """How uvicorn runs an app: limits on, and no log of addresses, which hold the token."""
    return uvicorn.Config(
        app,
        http=protocol_of(limits.idle_s, is_stopping),
        ws="none",
        lifespan="on",
        loop="asyncio",
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=2 * limits.header_bytes,  # the exact limit is the guard's
        timeout_keep_alive=int(limits.idle_s) + 1,  # the protocol below is exact
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        limit_concurrency=limits.connections,
    )


class Server(uvicorn.Server):
    """
    uvicorn's server, which ends quietly on a signal instead of dying of it.

    Args:
        app: What it runs.
        limits: What a connection may take.
    """

    def __init__(self, app: FastAPI, limits: ServerLimits) -> None:
        self._is_stopping = threading.Event()
        super().__init__(config_of(app, limits, self._is_stopping))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is being answered, for some seconds, and nothing that comes now."""
        self._is_stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; the second SIGINT does not wait for answers."""
        is_main = threading.current_thread() is threading.main_thread()  # others get no signals
        signals = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def protocol_of(idle_s: float, is_stopping: threading.Event) -> type[H11Protocol]:
    """
    The HTTP side of a connection.

    Args:
        idle_s: How long a connection may take to send the headers of its next request.
        is_stopping: Set when the server ends. uvicorn tells that to the connections it has; one
            that is accepted a moment later would be kept alive, and the end be waited for.
    """

    class Protocol(H11Protocol):
        _closing: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect_request()
            if is_stopping.is_set():
                transport.close()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._expect_nothing()  # the body and the answer have limits of their own

        def on_response_complete(self) -> None:
            self._expect_request()
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
            super().connection_lost(exc)

        def _unsupported_upgrade_warning(self) -> None:
            """Say nothing: uvicorn would recommend a package for what is left out on purpose."""

        def _expect_request(self) -> None:
            self._expect_nothing()
            self._closing = self.loop.call_later(idle_s, self.transport.close)

        def _expect_nothing(self) -> None:
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None

    return Protocol
