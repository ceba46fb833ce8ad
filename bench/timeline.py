"""How fast long recordings are judged, how much memory they take, and what a hop costs a stream.

    python bench/timeline.py [--models compact default] [--hours 0.1 1 3 10] [--streams 1 4]

Recordings are made of real clips (``--data``, default: ../shared/data) with pauses of 0.2 to 1 s,
as FLAC files in a temporary folder. Each is judged in a fresh process with one thread, decoding
included: times real time by the clock and by processor time, which differ on a busy machine, and
peak resident memory. The limit is what onnxruntime alone takes for the same windows of the first
recording, one after another. Then streams that share one session, each in a thread of its own, get
6 minutes in pieces of one hop as fast as they can: time for each piece by the clock, which counts
waiting for the other streams, and by the processor time of the stream's own thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from serenade.audio.decode import SAMPLE_RATE, decode, decode_blocks
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.scorer import Scorer
from serenade.model.store import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from serenade.types import FloatArray

SEED = 5
DISTINCT_CLIPS = 300
STREAMED_HOURS = 0.1
HOP_SECONDS = 0.5
MOST_MEGABYTES = 300
SMALL_MEGABYTES = 8
"""A bundle below this is a small model, whose targets are higher."""


def main() -> None:
    """Print the tables of each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", nargs="+", default=["compact", "default"])
    parser.add_argument("--hours", nargs="+", type=float, default=[0.1, 1.0, 3.0, 10.0])
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.models[0], arguments.recording)))
        return
    with tempfile.TemporaryDirectory() as folder:
        recordings = {hours: Path(folder) / f"{hours:g}h.flac" for hours in arguments.hours}
        for hours, path in recordings.items():
            write_recording(path, arguments.data, hours=hours)
        streamed = Path(folder) / "stream.flac"
        write_recording(streamed, arguments.data, hours=STREAMED_HOURS)
        for model in arguments.models:
            print_speed(model, recordings)
            print_hops(model, streamed, arguments.streams)


def print_speed(model: str, recordings: dict[float, Path]) -> None:
    """Print how fast recordings of all lengths are judged."""
    bundle = open_bundle(resolve(model))
    target = 300 if is_small(model) else 45
    print(f"{bundle.spec.model_id}: target {target} times real time, {MOST_MEGABYTES} MB\n")
    print("| recording | times real time | by processor time | peak memory | speech | segments |")
    print("|---|---|---|---|---|---|")
    for hours, path in recordings.items():
        found = in_process("judge", model, path)
        print(
            f"| {hours:g} h | {found['speed']:.0f} | {found['cpu_speed']:.0f}"
            f" | {found['megabytes']:.0f} MB | {found['speech_share']:.0%}"
            f" | {found['n_segments']} |",
            flush=True,
        )
    hours, path = min(recordings.items())
    limit = in_process("limit", model, path)
    print(
        f"| limit: windows of {hours:g} h, onnxruntime alone | {limit['speed']:.0f}"
        f" | {limit['cpu_speed']:.0f} | - | - | - |\n",
        flush=True,
    )


def write_recording(path: Path, data: Path, *, hours: float) -> None:
    """Write clips and pauses until the length is reached."""
    with soundfile.SoundFile(path, "w", samplerate=SAMPLE_RATE, channels=1) as file:
        n_left = round(hours * 3600 * SAMPLE_RATE)
        for piece in endless_pieces(data):
            file.write(piece[:n_left])
            n_left -= piece.size
            if n_left <= 0:
                return


def endless_pieces(data: Path) -> Iterator[FloatArray]:
    """Give clips of all corpora and pauses with a little noise."""
    chance = random.Random(SEED)  # noqa: S311 - a choice of clips, no secret
    noise = np.random.default_rng(SEED)
    with (data / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["flags"]]
    clips = [decode(data / row["path"]).samples for row in chance.sample(rows, DISTINCT_CLIPS)]
    while True:
        yield chance.choice(clips)
        n_pause = round(chance.uniform(0.2, 1.0) * SAMPLE_RATE)
        yield noise.normal(0.0, 1e-4, n_pause).astype(np.float32)


def is_small(model: str) -> bool:
    """Say whether the higher targets hold."""
    path = open_bundle(resolve(model)).model_path
    return path.stat().st_size < SMALL_MEGABYTES * 1e6


def in_process(part: str, model: str, path: Path) -> dict[str, float]:
    """Measure a part in a fresh process on one core."""
    command = [sys.executable, __file__, "--part", part, "--models", model]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--recording", str(path)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def judge(model: str, path: Path) -> dict[str, float]:
    """Judge a recording."""
    import resource

    recognizer = Recognizer.load(model)
    started = time.perf_counter()
    cpu_started = time.process_time()
    timeline = recognizer.timeline(path)
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - cpu_started
    return {
        "speed": timeline.duration_seconds / seconds,
        "cpu_speed": timeline.duration_seconds / cpu_seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "speech_share": timeline.speech_seconds / timeline.duration_seconds,
        "n_segments": len(timeline.segments),
    }


class KeepingSession:
    """Runs a graph and keeps what it was given."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - onnxruntime has no type stubs
        self._session = session
        self.calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(self, output_names: list[str], input_feed: dict[str, Any]) -> list[Any]:
        """Run the graph."""
        self.calls.append((output_names, input_feed))
        outputs: list[Any] = self._session.run(output_names, input_feed)
        return outputs


def time_limit(model: str, path: Path) -> dict[str, float]:
    """Give the windows of a recording to onnxruntime alone."""
    import onnxruntime

    bundle = open_bundle(resolve(model))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        bundle.model_path, options, providers=["CPUExecutionProvider"]
    )
    keeping = KeepingSession(session)
    timeline = Recognizer(bundle, Scorer(keeping, bundle.spec, ())).timeline(path)
    started = time.perf_counter()
    cpu_started = time.process_time()
    for output_names, feed in keeping.calls:
        session.run(output_names, feed)
    return {
        "speed": timeline.duration_seconds / (time.perf_counter() - started),
        "cpu_speed": timeline.duration_seconds / (time.process_time() - cpu_started),
    }


PARTS: dict[str, Callable[[str, Path], dict[str, float]]] = {"judge": judge, "limit": time_limit}
"""What is measured in a process of its own."""


def print_hops(model: str, path: Path, streams: list[int]) -> None:
    """Print how long streams that share a session take for a piece of one hop."""
    recognizer = Recognizer.load(model)
    pieces = [block.samples for block in decode_blocks(path, block_seconds=HOP_SECONDS)]
    target = 30 if is_small(model) else 90
    print(f"{recognizer.model_id}, a piece of one hop: target {target} ms at p99, one stream\n")
    print("| streams | hops | p50 | p99 | longest | p50, own processor time | p99 | longest |")
    print("|---|---|---|---|---|---|---|---|")
    for n_streams in streams:
        with ThreadPoolExecutor(n_streams) as threads:
            runs = list(threads.map(lambda _: time_hops(recognizer, pieces), range(n_streams)))
        by_clock, by_processor = np.concatenate(runs, axis=1)
        cells = [
            f"{milliseconds:.1f} ms"
            for times in (by_clock, by_processor)
            for milliseconds in np.percentile(times, [50, 99, 100])
        ]
        print(f"| {n_streams} | {by_clock.size} | {' | '.join(cells)} |", flush=True)
    print()


def time_hops(recognizer: Recognizer, pieces: list[FloatArray]) -> npt.NDArray[np.float64]:
    """Give what each piece took a new stream [ms]: by the clock, and by its own processor time."""
    stream = recognizer.stream(SAMPLE_RATE)
    times: list[tuple[float, float]] = []
    for piece in pieces:
        started, cpu_started = time.perf_counter(), time.thread_time()
        stream.push(piece)
        times.append((time.perf_counter() - started, time.thread_time() - cpu_started))
    return 1000 * np.array(times).T


if __name__ == "__main__":
    main()
