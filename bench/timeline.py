"""How fast long recordings are judged, how much memory they take, and what a hop costs a stream.

    python bench/timeline.py [--model MODEL] [--hours 0.1 1 3 10] [--streams 1 4] [--data DATA]

Recordings are made of real clips (default: ../shared/data) with pauses of 0.2 to 1 s, as a FLAC
file in a temporary folder. Each is judged in a fresh process with one thread, decoding
included: times real time by the clock and by processor time, which differ on a busy machine, and
peak resident memory. Then streams that share one session, each in a thread of its own, get the
same recording in pieces of one hop as fast as they can: time for each piece by the clock, which
counts waiting for the other streams, and by the processor time of the stream's own thread.
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
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from serenade.audio.decode import SAMPLE_RATE, decode, decode_blocks
from serenade.inference.recognizer import Recognizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from serenade.types import FloatArray

SEED = 5
DISTINCT_CLIPS = 300
STREAMED_HOURS = 0.1
HOP_SECONDS = 0.5


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default=None, help="bundle; default: the bundled model")
    parser.add_argument("--hours", nargs="+", type=float, default=[0.1, 1.0, 3.0, 10.0])
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.judge:
        judge_file(arguments.judge, arguments.model)
        return
    recognizer = Recognizer.load(arguments.model)
    print(f"{recognizer.model_id}\n")
    print("| recording | times real time | by processor time | peak memory | speech | segments |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for hours in arguments.hours:
            path = Path(folder) / f"{hours:g}h.flac"
            write_recording(path, arguments.data, hours=hours)
            found = judge_in_process(path, arguments.model)
            print(
                f"| {hours:g} h | {found['speed']:.0f} | {found['cpu_speed']:.0f}"
                f" | {found['megabytes']:.0f} MB | {found['speech_share']:.0%}"
                f" | {found['n_segments']} |",
                flush=True,
            )
            path.unlink()
        path = Path(folder) / "stream.flac"
        write_recording(path, arguments.data, hours=STREAMED_HOURS)
        pieces = [block.samples for block in decode_blocks(path, block_seconds=HOP_SECONDS)]
    print("\n| streams | hops | p50 | p99 | longest | p50, own processor time | p99 | longest |")
    print("|---|---|---|---|---|---|---|---|")
    for n_streams in arguments.streams:
        print_hops(recognizer, pieces, n_streams=n_streams)


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


def judge_in_process(path: Path, model: str | None) -> dict[str, float]:
    """Judge a file in a fresh process on one core."""
    command = [sys.executable, __file__, "--judge", str(path)]
    command += ["--model", model] if model else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def judge_file(path: Path, model: str | None) -> None:
    """Print what judging a file took, as JSON."""
    import resource

    recognizer = Recognizer.load(model)
    started = time.perf_counter()
    cpu_started = time.process_time()
    timeline = recognizer.timeline(path)
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - cpu_started
    found = {
        "speed": timeline.duration_seconds / seconds,
        "cpu_speed": timeline.duration_seconds / cpu_seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "speech_share": timeline.speech_seconds / timeline.duration_seconds,
        "n_segments": len(timeline.segments),
    }
    print(json.dumps(found))


def print_hops(recognizer: Recognizer, pieces: list[FloatArray], *, n_streams: int) -> None:
    """Print how long streams that share a session take for a piece of one hop."""
    with ThreadPoolExecutor(n_streams) as threads:
        runs = list(threads.map(lambda _: time_hops(recognizer, pieces), range(n_streams)))
    by_clock, by_processor = np.concatenate(runs, axis=1)
    cells = [
        f"{milliseconds:.1f} ms"
        for times in (by_clock, by_processor)
        for milliseconds in np.percentile(times, [50, 99, 100])
    ]
    print(f"| {n_streams} | {by_clock.size} | {' | '.join(cells)} |", flush=True)


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
