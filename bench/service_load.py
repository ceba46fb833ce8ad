"""What `serenade serve` bears on loopback: times, throughput, and what it does when it is too much.

    python bench/service_load.py [--models compact default] [--requests 200]

A service process gets a clip of 3 s over and over, from so many clients at once, each of which
waits for its answer before it asks again. The limit is the same clip judged by a Recognizer in
this process; `/healthz`, which does nothing, shows what HTTP costs. The last rows are an overload:
more clients than `--concurrency` and `--queue` let in together. Every answer must be 200, or 503
with Retry-After. Where wrk is installed, it repeats one row as a second opinion. Client and service
share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import soundfile

from serenade.inference.recognizer import Recognizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

RATE = 16000
SECONDS = 3.0
CONCURRENCY = 2
QUEUE = 16
CLIENTS = (1, 2, 4, 8, 16)
CROWD = 64
PATIENCE_SECONDS = 0.05
"""How soon a client that was refused comes back; far sooner than Retry-After asks for."""
WRK_SECONDS = 5

WRK_SCRIPT = """
local file = io.open("{clip}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "audio/wav"
"""


def main() -> None:
    """Print the table of each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", nargs="+", default=["compact", "default"])
    parser.add_argument("--requests", type=int, default=200, help="for each row")
    arguments = parser.parse_args()
    for model in arguments.models:
        print_load(model, requests=arguments.requests)


def print_load(model: str, *, requests: int) -> None:
    """Print the table of a model."""
    clip = speech_like()
    recognizer = Recognizer.load(model)
    print(
        f"{recognizer.model_id}, a wav of {SECONDS:g} s, {os.cpu_count()} cores;"
        f" --concurrency {CONCURRENCY} --queue {QUEUE}\n"
    )
    print("| asked by | answers | 503 | a second | p50 ms | p95 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    alone = [seconds_of_a_prediction(recognizer, clip) for _ in range(requests)]
    print_row("limit: Recognizer in this process", np.array(alone), sum(alone), n_refused=0)
    with running_service(model) as url:
        address = f"{url}/v1/predict"
        health = asyncio.run(load(f"{url}/healthz", None, clients=1, requests=requests))
        health.show("1 client, /healthz")
        for clients in CLIENTS:
            found = asyncio.run(load(address, clip, clients=clients, requests=requests))
            found.show(f"{clients} client{'s' if clients > 1 else ''}")
        crowd = asyncio.run(load(address, clip, clients=CROWD, requests=4 * requests))
        crowd.show(f"{CROWD} clients, overload")
        asyncio.run(load(address, clip, clients=1, requests=20)).show("1 client, after")
        if shutil.which("wrk"):
            print_wrk(address, clip, clients=CONCURRENCY)
    print()


def speech_like() -> bytes:
    """Give a wav of harmonics with syllables and a little noise."""
    noise = np.random.default_rng(0)
    t = np.arange(round(SECONDS * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    samples = 0.1 * voice * np.abs(np.sin(2 * np.pi * 2 * t)) + noise.normal(0, 1e-3, t.size)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def seconds_of_a_prediction(recognizer: Recognizer, clip: bytes) -> float:
    """Time one prediction."""
    started = time.perf_counter()
    recognizer.predict(clip)
    return time.perf_counter() - started


@contextmanager
def running_service(model: str) -> Iterator[str]:
    """Run a service on a free port and give its address."""
    command = [sys.executable, "-m", "serenade", "serve", "--port", "0", "--model", model]
    command += ["--concurrency", str(CONCURRENCY), "--queue", str(QUEUE)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        try:
            yield wait_for_address(process, Path(f"/proc/self/fd/{log.fileno()}"))
        finally:
            process.terminate()
            process.wait(30)


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Read from the log where the service listens."""
    for _ in range(600):
        if found := re.search(r"running on (http://\S+:\d+)", log.read_text()):
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the service did not start:\n{log.read_text()}")


class Found:
    """Answers to many requests."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self.refusal_times: list[float] = []
        self.n_without_advice = 0
        self.seconds = 0.0

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        self.statuses[answer.status] += 1
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.refusal_times.append(answer.seconds)
            self.n_without_advice += not answer.says_when_to_return
        else:
            self.times.append(answer.seconds)

    def show(self, title: str) -> None:
        """Print a row, and one for what was refused."""
        if set(self.statuses) - {200, 503} or self.n_without_advice:
            raise SystemExit(f"{title}: {dict(self.statuses)}, {self.n_without_advice} bare 503")
        n_refused = self.statuses[503]
        print_row(title, np.array(self.times), self.seconds, n_refused=n_refused)
        if n_refused:
            refused = 1000 * np.percentile(self.refusal_times, [50, 95, 99])
            print(f"| ... its 503 | | | | {' | '.join(f'{ms:.1f}' for ms in refused)} |")


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    says_when_to_return: bool
    seconds: float


async def load(url: str, body: bytes | None, *, clients: int, requests: int) -> Found:
    """Ask from many clients until there are enough answers."""
    found = Found()
    left = iter(range(requests))
    address = urlsplit(url)

    async def keep_asking() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in left:
            answer = await ask(reader, writer, address.path, body)
            found.add(answer)
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                await asyncio.sleep(PATIENCE_SECONDS)
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(clients)))
    found.seconds = time.perf_counter() - started
    return found


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes | None
) -> Answer:
    """Send a request on an open connection; a client with more comfort would cost more itself."""
    started = time.perf_counter()
    method = "GET" if body is None else "POST"
    length = len(body or b"")
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: audio/wav\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
        + (body or b"")
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    fields = dict(line.split(": ", maxsplit=1) for line in head.splitlines()[1:] if line)
    await reader.readexactly(int(fields["content-length"]))
    seconds = time.perf_counter() - started
    return Answer(int(head.split()[1]), "retry-after" in fields, seconds)


def print_row(
    title: str, times: npt.NDArray[np.float64], seconds: float, *, n_refused: int
) -> None:
    """Print one row of the table."""
    middle, high, highest = 1000 * np.percentile(times, [50, 95, 99])
    print(
        f"| {title} | {times.size} | {n_refused} | {times.size / seconds:.0f}"
        f" | {middle:.1f} | {high:.1f} | {highest:.1f} |",
        flush=True,
    )


def print_wrk(url: str, clip: bytes, *, clients: int) -> None:
    """Let wrk ask as well."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        path.write_bytes(clip)
        script = Path(folder) / "post.lua"
        script.write_text(WRK_SCRIPT.format(clip=path))
        command = [
            "wrk",
            "-t1",
            f"-c{clients}",
            f"-d{WRK_SECONDS}s",
            "--latency",
            "-s",
            str(script),
            url,
        ]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {key: match[1] for key, match in _wrk_figures(output).items()}
    print(
        f"\nwrk, {clients} clients: {found['speed']} a second, p50 {found['50%']},"
        f" p99 {found['99%']}"
    )


def _wrk_figures(output: str) -> dict[str, re.Match[str]]:
    patterns = {
        "speed": r"Requests/sec:\s+(\S+)",
        "50%": r"50%\s+(\S+)",
        "99%": r"99%\s+(\S+)",
    }
    found = {key: re.search(pattern, output) for key, pattern in patterns.items()}
    missing = [key for key, match in found.items() if match is None]
    if missing or "Non-2xx" in output:
        raise SystemExit(f"wrk did not say {missing} or met errors:\n{output}")
    return {key: match for key, match in found.items() if match is not None}


if __name__ == "__main__":
    main()
