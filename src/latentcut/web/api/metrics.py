"""
Counters and histograms in Prometheus's format.

With several workers every process writes into files of one folder, and whichever of them is asked
adds up all. The folder must be in the environment before ``prometheus_client`` is first imported,
which is why only the worker's entry and this module deal with it.
"""

from __future__ import annotations

import os
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
ELSEWHERE = "none"  # in place of an address that is no route: those are without number
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


class Metrics:
    """What a server counts. One object per process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "latentcut_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "latentcut_request_seconds",
            "From the headers of a request to the end of its answer",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.model_seconds = Histogram(
            "latentcut_model_seconds",
            "What the model was busy with: encode an image, or predict",
            ("step",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.waiting = Gauge(
            "latentcut_waiting",
            "Requests that wait for the model",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self.refused = Counter(
            "latentcut_refused",
            "Requests refused because too many were waiting",
            registry=self._registry,
        )

    def timed(self, step: str, seconds: float) -> None:
        """Note what the model was busy with."""
        self.model_seconds.labels(step).observe(seconds)

    def exposition(self) -> bytes:
        """All figures of all workers, as text."""
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)


class Counted:
    """
    Counts requests by method, route and status.

    Args:
        app: Who answers.
        metrics: Where to.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 499  # nothing was sent: the client has gone

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", ELSEWHERE)
            method = scope["method"] if scope["method"] in METHODS else ELSEWHERE
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.request_seconds.labels(route).observe(time.perf_counter() - begun)
