"""Metrics: what the service counts, in the text format of Prometheus.

Results are not among them.
"""

from __future__ import annotations

import os
from http import HTTPMethod
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = CONTENT_TYPE_LATEST

SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which worker processes keep their counts for each other."""

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS = frozenset(method.value for method in HTTPMethod)
_ELSEWHERE = "other"
"""Stands for every other method and for every path that is not a route, so that strangers cannot
make new series."""


class Metrics:
    """Counts of one process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "serenade_http_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "serenade_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.audio_seconds = Counter(
            "serenade_audio_seconds",
            "Length of the audio that was judged.",
            registry=self._registry,
        )
        self.admitted = Gauge(
            "serenade_requests_admitted",
            "Requests that are read, wait or are worked on.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self.streams = Gauge(
            "serenade_streams",
            "Open WebSocket streams.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def render(self) -> bytes:
        """Give all counts, those of the other worker processes included.

        Returns
        -------
        bytes
            Text of the media type :data:`CONTENT_TYPE`.
        """
        if SHARED_FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


class CountRequests:
    """Middleware that counts and times HTTP requests.

    Parameters
    ----------
    app : ASGI application
        What answers.
    metrics : Metrics
        Where to count.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        start = perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = getattr(scope.get("route"), "path", _ELSEWHERE)
            known = route != _ELSEWHERE and scope["method"] in _METHODS
            method = scope["method"] if known else _ELSEWHERE
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - start)
