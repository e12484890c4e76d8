"""Adapters as real servers, in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from latentcut.integrations.serving import AdapterSettings
from latentcut.web.serve import Server, listen


@contextmanager
def answering(
    make: Callable[[AdapterSettings], FastAPI], host: str | None = None, **settings: Any
) -> Iterator[httpx.Client]:
    """A client of a server that runs meanwhile; ``host`` is sent as the name it is called by."""
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        chosen = AdapterSettings(port=port, **settings)
        server = Server(make(chosen), chosen.limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        headers = {} if host is None else {"Host": host}
        try:
            with httpx.Client(base_url=chosen.url, timeout=60, headers=headers) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
