"""How long a batch job takes: a simulation, checked against runs on this machine.

``python bench/scale_model.py --write`` calibrates the simulation with three small runs of each
engine on one worker, foretells larger runs and runs on two workers, does these runs, and writes
what was foretold, what was measured and what follows for a cluster between the markers of
``docs/guide/cluster.md``. Nothing else should run meanwhile. ``--counts 1000 --workers 1`` is
enough for a first look.

The inputs are synthetic: lists that name fifty clips of 0.3 s again and again.
"""

from __future__ import annotations

import argparse
import heapq
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "cluster.md"
MODEL = "compact"
SHARD_SIZE = 256
SMALL_SHARD_SIZE = 16
CLIP_SECONDS = 0.3
N_CLIPS = 50
CALL_SECONDS = 300.0
N_CALLS = 12
A_MILLION = 1_000_000


@dataclass(frozen=True)
class Costs:
    """What the parts of a job take [s].

    Parameters
    ----------
    start : float
        Until the first worker begins, and the end of the job.
    item : float
        Mean of an item, on the worker.
    item_spread : float
        Standard deviation of the logarithm of an item's time.
    shard : float
        Of a shard beside its items: handing it out, writing it.
    """

    start: float
    item: float
    item_spread: float
    shard: float


@dataclass(frozen=True)
class Cluster:
    """What works on a job.

    Parameters
    ----------
    workers : int
        How many.
    slow_share : float
        Share of the workers that are stragglers, in [0, 1].
    slow_factor : float
        How much longer these take.
    """

    workers: int
    slow_share: float = 0.0
    slow_factor: float = 1.0


@dataclass(frozen=True)
class Run:
    """A job that was really run.

    Parameters
    ----------
    seconds : float
        From start to end [s].
    cpu_seconds : float
        Of all processes that ended with it [s].
    peak_mb : float
        Largest memory of all its processes together (proportional set size) [MB].
    rows : bytes
        What it wrote.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    rows: bytes


def simulate(
    n_items: int, cluster: Cluster, costs: Costs, *, shard_size: int, shared: bool, seed: int = 0
) -> float:
    """Play a job event by event.

    Parameters
    ----------
    n_items : int
        Inputs.
    cluster : Cluster
        Workers.
    costs : Costs
        What things take.
    shard_size : int
        Items per shard.
    shared : bool
        Whether all workers share each shard (engine local) or each does its own (engine ray).
    seed : int
        Of the times of the items.

    Returns
    -------
    float
        When the last shard is written [s].
    """
    rng = np.random.default_rng(seed)
    n_slow = round(cluster.slow_share * cluster.workers)
    factor = np.ones(cluster.workers)
    factor[:n_slow] = cluster.slow_factor
    free = [(0.0, worker) for worker in range(cluster.workers)]
    heapq.heapify(free)
    written = 0.0
    for first in range(0, n_items, shard_size):
        n = min(shard_size, n_items - first)
        spread = costs.item_spread
        times = costs.item * rng.lognormal(-(spread**2) / 2, spread, n)
        parts = times if shared else [times.sum()]
        done = 0.0
        for seconds in parts:
            began, worker = heapq.heappop(free)
            ended = began + seconds * factor[worker]
            heapq.heappush(free, (ended, worker))
            done = max(done, ended)
        written = max(written, done) + costs.shard  # one process writes, one shard at a time
    return costs.start + max(written, *(ended for ended, _ in free))


def calibrate(engine: str, folder: Path) -> Costs:
    """Find the costs with three runs on one worker."""
    few = run(engine, folder, 100, workers=1, shard_size=SHARD_SIZE).seconds
    many = run(engine, folder, 1000, workers=1, shard_size=SHARD_SIZE).seconds
    fine = run(engine, folder, 1000, workers=1, shard_size=SMALL_SHARD_SIZE).seconds
    more_shards = -(-1000 // SMALL_SHARD_SIZE) - -(-1000 // SHARD_SIZE)
    shard = max(0.0, (fine - many) / more_shards)
    item = max(1e-6, (many - few - 3 * shard) / 900)
    start = max(0.0, few - 100 * item - shard)
    return Costs(start=start, item=item, item_spread=0.3, shard=shard)


def run(engine: str, folder: Path, n_items: int, *, workers: int, shard_size: int) -> Run:
    """Run a job in a fresh process."""
    names = [f"clip{i % N_CLIPS:02}.wav" for i in range(n_items)]
    (folder / "list.txt").write_text("\n".join(names))
    return run_job(engine, folder, "list.txt", workers=workers, shard_size=shard_size)


def run_job(engine: str, folder: Path, listing: str, *, workers: int, shard_size: int) -> Run:
    """Run a job over a list in a fresh process and watch its memory."""
    job = folder / "job.toml"
    job.write_text(
        f'input = "{listing}"\noutput = "out"\nmodel = "{MODEL}"\nshard_size = {shard_size}\n'
    )
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-m", "serenade", "batch", str(job), "--engine", engine]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", str(workers)], stderr=subprocess.DEVNULL)
    peak_mb = 0.0
    while process.poll() is None:
        peak_mb = max(peak_mb, memory_mb(process.pid))
        time.sleep(0.25)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    rows = b"".join(path.read_bytes() for path in sorted((folder / "out").glob("part-*")))
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, cpu_seconds, peak_mb, rows)


def memory_mb(root: int) -> float:
    """Give the memory of a process and all below it, shared pages counted once [MB]."""
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(process.name)] = int(fields[1])
    family = {root}
    while grown := {p for p, parent in parents.items() if parent in family} - family:
        family |= grown
    total_kb = 0
    for member in family:
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total_kb += sum(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line[:4])
    return total_kb / 1000


def check(
    engines: list[str], counts: list[int], workers: list[int], folder: Path
) -> tuple[list[str], dict[str, Costs]]:
    """Foretell runs, do them, and give a table."""
    lines = [
        "| engine | workers | inputs | foretold s | measured s | error | memory of all MB |",
        "|---|---|---|---|---|---|---|",
    ]
    all_costs: dict[str, Costs] = {}
    rows: dict[int, bytes] = {}
    for engine in engines:
        costs = all_costs[engine] = calibrate(engine, folder)
        print(f"{engine}: {costs}", flush=True)
        for n_workers in workers:
            for count in counts:
                foretold = simulate(
                    count,
                    Cluster(n_workers),
                    costs,
                    shard_size=SHARD_SIZE,
                    shared=engine == "local",
                )
                real = run(engine, folder, count, workers=n_workers, shard_size=SHARD_SIZE)
                if rows.setdefault(count, real.rows) != real.rows:
                    sys.exit(f"{engine} with {n_workers} workers wrote other rows for {count}")
                lines.append(
                    f"| {engine} | {n_workers} | {count:,} | {foretold:.1f} | {real.seconds:.1f}"
                    f" | {foretold / real.seconds - 1:+.0%} | {real.peak_mb:.0f} |"
                )
                print(lines[-1], flush=True)
    return lines, all_costs


def measure_calls(folder: Path) -> tuple[list[str], float]:
    """Measure calls of five minutes: a table, and hours of audio per core-hour."""
    lines = [
        "| format of the calls | CPU s per call | hours of audio per core-hour | MB per call |",
        "|---|---|---|---|",
    ]
    slowest = float("inf")
    for extension, options in (("wav", {"subtype": "PCM_16"}), ("flac", {}), ("opus", {})):
        names = []
        for i in range(N_CALLS):
            name = f"call{i:02}.{extension}"
            form = {"format": "OGG", "subtype": "OPUS"} if extension == "opus" else options
            soundfile.write(folder / name, voice(CALL_SECONDS, 8000, seed=i), 8000, **form)
            names.append(name)
        (folder / "calls.txt").write_text("\n".join(names))
        (folder / "one.txt").write_text(names[0])
        one = run_job("local", folder, "one.txt", workers=1, shard_size=SHARD_SIZE)
        all_of_them = run_job("local", folder, "calls.txt", workers=1, shard_size=SHARD_SIZE)
        per_call = (all_of_them.cpu_seconds - one.cpu_seconds) / (N_CALLS - 1)
        hours = CALL_SECONDS / per_call
        slowest = min(slowest, hours)
        megabytes = (folder / names[0]).stat().st_size / 1e6
        lines.append(f"| {extension}, 8 kHz | {per_call:.2f} | {hours:.0f} | {megabytes:.2f} |")
        print(lines[-1], flush=True)
    return lines, slowest


def foretell_cluster(costs: Costs, hours_per_core_hour: float) -> list[str]:
    """Give a table for a million calls on clusters of several sizes."""
    lines = [
        "| cores | ideal h | foretold h | with 5 % of the cores at half speed h |",
        "|---|---|---|---|",
    ]
    call = replace(costs, item=CALL_SECONDS / hours_per_core_hour)
    for cores in (32, 128, 512):
        ideal = A_MILLION * call.item / cores / 3600
        even, uneven = (
            simulate(A_MILLION, cluster, call, shard_size=SHARD_SIZE, shared=False) / 3600
            for cluster in (Cluster(cores), Cluster(cores, slow_share=0.05, slow_factor=2.0))
        )
        lines.append(f"| {cores} | {ideal:.2f} | {even:.2f} | {uneven:.2f} |")
    return lines


def voice(seconds: float, rate: int, *, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Make a voiced sound with syllables and noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    pitch_hz = 110.0 + 10 * seed % 90
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * times) / k for k in range(1, 12))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.0 * times)
    noise = 0.002 * rng.standard_normal(times.size)
    samples: np.ndarray[tuple[int], np.dtype[np.float32]] = (
        0.05 * buzz * syllables + noise
    ).astype(np.float32)
    return samples


def write_section(name: str, lines: list[str]) -> None:
    """Put lines between the markers of the page."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(before + begin + "\n".join(lines) + "\n" + end + after, encoding="utf-8")


def main() -> None:
    """Calibrate, foretell, run, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=["local", "ray"], choices=["local", "ray"])
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for i in range(N_CLIPS):
            sound = voice(CLIP_SECONDS, 16000, seed=i)
            soundfile.write(folder / f"clip{i:02}.wav", sound, 16000)
        calls, hours = measure_calls(folder)
        table, costs = check(asked.engines, asked.counts, asked.workers, folder)
    cluster = foretell_cluster(costs[asked.engines[-1]], hours)
    print("\n".join(cluster))
    if asked.write:
        write_section("calls", calls)
        write_section("check", table)
        write_section("cluster", cluster)
        print(json.dumps({engine: vars(cost) for engine, cost in costs.items()}))


if __name__ == "__main__":
    main()
