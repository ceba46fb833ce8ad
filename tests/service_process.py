"""A real `serenade serve` process on a free port of loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_START_SECONDS = 30.0
_LISTENS = re.compile(r"running on (https?)://\S*:(\d+)")


class ServiceProcess:
    """Starts with `with`, ends like a service that is told to stop.

    Parameters
    ----------
    *arguments : str
        Flags of `serenade serve` beside the port.
    environ : dict or None
        Further environment variables.
    """

    def __init__(self, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "serenade", "serve", "--port", "0", *arguments]
        self._environ = os.environ | {"OMP_NUM_THREADS": "1"} | (environ or {})
        self._lines: list[str] = []
        self._listens = threading.Event()
        self.port = 0
        self.scheme = "http"

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        self._listens.wait(_START_SECONDS)
        if self.port == 0:
            self.process.kill()
            self._reader.join()
            raise AssertionError(f"the service did not start:\n{self.log}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the service, without a slash at the end."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that the process has printed so far."""
        return "".join(self._lines)

    def stop(self) -> int:
        """Ask the process to end, wait and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20.0)
        finally:
            self.process.kill()
            self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Post a body and give the status and the body of the answer."""
        request = urllib.request.Request(
            self.url + path, body, {"Content-Type": "audio/wav"} | (headers or {})
        )
        try:
            with urllib.request.urlopen(request, timeout=30.0) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def get(self, path: str) -> bytes:
        """Give the body of an answer."""
        with urllib.request.urlopen(self.url + path, timeout=30.0) as answer:
            content: bytes = answer.read()
        return content

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)
            if found := _LISTENS.search(line):
                self.scheme, self.port = found[1], int(found[2])
                self._listens.set()
        self._listens.set()
