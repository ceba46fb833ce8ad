"""Fixtures for tests of batch jobs."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class WebStore:
    """A web server on this machine that can be told to fail."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failures: dict[str, list[int]] = {}
        """Statuses to answer with before the object is given; 0 breaks the connection."""
        self.n_requests: Counter[str] = Counter()
        self.url = ""


@pytest.fixture
def web_store() -> Iterator[WebStore]:
    """An empty web server."""
    store = WebStore()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(405)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            store.n_requests[path] += 1
            failures = store.failures.get(path, [])
            if failures:
                status = failures.pop(0)
                if status == 0:
                    self.connection.close()
                else:
                    self.send_error(status)
            elif path not in store.objects:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(store.objects[path])))
                self.end_headers()
                self.wfile.write(store.objects[path])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    yield store
    server.shutdown()
    server.server_close()
    thread.join()
