"""How long a batch job takes: a simulation, checked against runs on this machine.

``python bench/scale_model.py --write`` calibrates the simulation with three small runs of each
engine on one worker, foretells larger runs and runs on two workers, does these runs, and writes
what was foretold, what was measured and what follows for a cluster between the markers of
``docs/guide/cluster.md``. Nothing else should run meanwhile; the column "others" says what did.
What was measured is kept in ``--kept``, so a bench that was ended goes on with what is missing;
``--again`` measures all anew. ``--counts 1000 --workers 1 --kept /tmp/look.json`` is a first look.

The inputs are synthetic: lists that name fifty clips of 0.3 s again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from scale_runs import Ledger, Run, run_job
from scale_simulation import Cluster, Costs, simulate

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "guide" / "cluster.md"
KEPT = ROOT / "docs" / "results" / "scale.json"
SHARD_SIZE = 256
SMALL_SHARD_SIZE = 16
FEW, MANY = 256, 16_384
ITEM_SPREAD = 0.3
CLIP_SECONDS = 0.3
N_CLIPS = 50
CALL_SECONDS = 300.0
CALL_FORMATS = {
    "wav": {"subtype": "PCM_16"},
    "flac": {},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}
N_CALLS = 12
A_MILLION = 1_000_000
N_ROWS_WRITTEN = 20_000

BUSY_SHARE = 0.9
"""Of the time that cores are paid for, how much they work."""
PRICES = {"on demand": 0.045, "spot": 0.015}
"""Assumed, of a core with 2 GB for an hour [$]."""
PRICE_OF_GETS, PRICE_OF_PUTS, PRICE_OF_TRANSFER = 0.0004, 0.005, 0.02
"""Assumed: of a thousand reads, a thousand writes, and a GB that leaves the region [$]."""

ROW = {
    "schema": 1,
    "duration_s": 300.0,
    "model": "compact 0.1.0",
    "emotion": "neutral",
    "confidence": 0.512345,
    "abstained": False,
    "probabilities": dict.fromkeys("abcdefgh", 0.123456),
    "intensity": 0.5,
    "warnings": ["noisy"],
}
"""Like a row of a real job, but for its path."""


class Bench:
    """Runs of jobs over synthetic clips in one folder.

    Parameters
    ----------
    folder : Path
        For the clips and the results.
    ledger : Ledger
        Keeps what was measured.
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        for i in range(N_CLIPS):
            sound = voice(CLIP_SECONDS, 16000, seed=i)
            soundfile.write(folder / f"clip{i:02}.wav", sound, 16000)

    def run(self, engine: str, count: int, *, workers: int, shard_size: int = SHARD_SIZE) -> Run:
        """Judge a number of clips."""

        def measure() -> Run:
            names = [f"clip{i % N_CLIPS:02}.wav" for i in range(count)]
            (self._folder / "list.txt").write_text("\n".join(names))
            return run_job(engine, self._folder, "list.txt", workers=workers, shard_size=shard_size)

        name = f"{engine}, {workers} workers, {count} clips in shards of {shard_size}"
        return self._ledger.get(name, measure)

    def run_calls(self, extension: str, count: int) -> Run:
        """Judge a number of calls of five minutes in a format, on one worker."""

        def measure() -> Run:
            names = [self._write_call(extension, number) for number in range(count)]
            (self._folder / "calls.txt").write_text("\n".join(names))
            return run_job("local", self._folder, "calls.txt", workers=1, shard_size=SHARD_SIZE)

        return self._ledger.get(f"{count} calls of {extension}", measure)

    def megabytes_of_call(self, extension: str) -> float:
        """Give the size of a call in a format [MB]."""
        return (self._folder / self._write_call(extension, 0)).stat().st_size / 1e6

    def _write_call(self, extension: str, number: int) -> str:
        path = self._folder / f"call{number:02}.{extension}"
        if not path.exists():
            sound = voice(CALL_SECONDS, 8000, seed=number)
            soundfile.write(path, sound, 8000, **CALL_FORMATS[extension])
        return path.name

    def rows_written_per_second(self) -> float:
        """Measure what the one process that writes can take in from a cluster."""
        rows = [ROW | {"path": f"s3://calls/{i:07}.opus"} for i in range(SHARD_SIZE)]
        packed = zlib.compress(json.dumps(rows).encode(), 1)
        began = time.process_time()
        for shard in range(N_ROWS_WRITTEN // SHARD_SIZE):
            taken_in = json.loads(zlib.decompress(packed))
            text = "".join(json.dumps(record) + "\n" for record in taken_in)
            (self._folder / f"written-{shard}").write_text(text)
        return N_ROWS_WRITTEN / (time.process_time() - began)


def calibrate(engine: str, bench: Bench) -> Costs:
    """Find the costs with three runs on one worker."""
    few = bench.run(engine, FEW, workers=1)
    many = bench.run(engine, MANY, workers=1)
    fine = bench.run(engine, MANY, workers=1, shard_size=SMALL_SHARD_SIZE)
    shard = max(
        0.0, (fine.seconds - many.seconds) / ((MANY // SMALL_SHARD_SIZE) - MANY // SHARD_SIZE)
    )
    n_more = MANY - FEW
    item = max(1e-6, (many.seconds - few.seconds - shard * n_more / SHARD_SIZE) / n_more)
    return Costs(
        start=max(0.0, few.seconds - FEW * item - shard),
        item=item,
        item_spread=ITEM_SPREAD,
        shard=shard,
        item_cpu=max(0.0, many.cpu_seconds - few.cpu_seconds) / n_more,
    )


def check(
    bench: Bench, engines: list[str], counts: list[int], workers: list[int]
) -> tuple[list[str], dict[str, Costs]]:
    """Foretell runs, do them, and give a table."""
    lines = head(
        "engine", "workers", "inputs", "foretold s", "measured s", "error", "memory MB", "others"
    )
    all_costs: dict[str, Costs] = {}
    rows: dict[int, str] = {}
    for engine in engines:
        costs = all_costs[engine] = calibrate(engine, bench)
        print(f"{engine}: {costs}", flush=True)
        for n_workers in workers:
            cluster = Cluster(n_workers, cores=os.cpu_count())
            for count in counts:
                foretold = simulate(
                    count, cluster, costs, shard_size=SHARD_SIZE, shared=engine == "local"
                )
                print(f"{engine}, {n_workers} workers, {count:,}: {foretold:.0f} s", flush=True)
                real = bench.run(engine, count, workers=n_workers)
                if real.rows != count or rows.setdefault(count, real.sha256) != real.sha256:
                    sys.exit(f"{engine} with {n_workers} workers wrote other rows for {count}")
                lines.append(
                    row(
                        *(engine, str(n_workers), f"{count:,}"),
                        *(f"{foretold:.1f}", f"{real.seconds:.1f}"),
                        f"{foretold / real.seconds - 1:+.0%}",
                        *(f"{real.peak_mb:.0f}", f"{real.others:.0%}"),
                    )
                )
                print(lines[-1], flush=True)
    return lines, all_costs


def measure_calls(bench: Bench) -> tuple[list[str], dict[str, float]]:
    """Measure calls of five minutes: a table, and CPU seconds per call of each format."""
    lines = head(
        *("format of the calls", "CPU s per call", "hours of audio per core-hour", "MB per call"),
        "memory of command and worker MB",
    )
    seconds_of: dict[str, float] = {}
    for extension in CALL_FORMATS:
        one, all_of_them = bench.run_calls(extension, 1), bench.run_calls(extension, N_CALLS)
        seconds = (all_of_them.cpu_seconds - one.cpu_seconds) / (N_CALLS - 1)
        seconds_of[extension] = seconds
        lines.append(
            row(
                *(f"{extension}, 8 kHz", f"{seconds:.2f}", f"{CALL_SECONDS / seconds:.0f}"),
                *(f"{bench.megabytes_of_call(extension):.2f}", f"{all_of_them.peak_mb:.0f}"),
            )
        )
        print(lines[-1], flush=True)
    return lines, seconds_of


def foretell_cluster(costs: Costs, call_seconds: float) -> list[str]:
    """Give a table for a million calls on clusters of several sizes."""
    lines = head("cores", "ideal h", "foretold h", "with 5 % of the cores at half speed h")
    call = replace(costs, item=call_seconds)
    for cores in (32, 128, 512):
        ideal = A_MILLION * call.item / cores / 3600
        even, uneven = (
            simulate(A_MILLION, cluster, call, shard_size=SHARD_SIZE, shared=False) / 3600
            for cluster in (Cluster(cores), Cluster(cores, slow_share=0.05, slow_factor=2.0))
        )
        lines.append(row(str(cores), f"{ideal:.2f}", f"{even:.2f}", f"{uneven:.2f}"))
    return lines


def cost_table(
    call_seconds: float, megabytes: dict[str, float], rows_per_second: float
) -> list[str]:
    """Work out what a million calls cost."""
    hours = A_MILLION * CALL_SECONDS / 3600
    core_hours = A_MILLION * call_seconds / 3600
    paid = core_hours / BUSY_SHARE
    core, opus_gb = PRICES["on demand"], megabytes["opus"] * A_MILLION / 1000
    n_objects = -(-A_MILLION // SHARD_SIZE)
    results_gb = A_MILLION * len(json.dumps(ROW | {"path": "s3://calls/0000000.opus"})) / 1e9
    sizes = (f"{size * A_MILLION / 1e6:.1f} TB of {name}" for name, size in megabytes.items())
    text = (
        f"{hours:,.0f} hours of audio, at {call_seconds:.2f} s of a core per call (the slowest of"
        f" these formats): {core_hours:.0f} core-hours. The command takes in, encodes and writes"
        f" {rows_per_second:,.0f} rows a second of one core, so it bounds no cluster of a sensible"
        " size."
    )
    cores = f"{core_hours:.0f} core-hours ÷ {BUSY_SHARE} busy = {paid:.0f}"
    return [
        text,
        "",
        *head("item", "amount", "price assumed", "cost"),
        *(
            row(f"cores, {name}", cores, f"${price} per core-hour with 2 GB", dollars(paid * price))
            for name, price in PRICES.items()
        ),
        row("head of the cluster", "3 h of 2 cores", f"${core} per core-hour", dollars(6 * core)),
        row(
            *("reading from the store", f"{A_MILLION:,} HEAD and as many GET"),
            *(f"${PRICE_OF_GETS} per 1,000", dollars(2 * A_MILLION / 1000 * PRICE_OF_GETS)),
        ),
        row("transfer, same region", ", ".join(sizes), "$0", "$0"),
        row(
            *("transfer, out of the store's region", f"{opus_gb / 1000:.1f} TB of opus"),
            *(f"${PRICE_OF_TRANSFER} per GB", dollars(opus_gb * PRICE_OF_TRANSFER)),
        ),
        row(
            *("results", f"{results_gb:.1f} GB, {n_objects:,} objects"),
            *(f"${PRICE_OF_PUTS} per 1,000 PUT", dollars(n_objects / 1000 * PRICE_OF_PUTS)),
        ),
    ]


def head(*names: str) -> list[str]:
    """Begin a table."""
    return [row(*names), row(*("---" for _ in names))]


def row(*cells: str) -> str:
    """Give a line of a table."""
    return f"| {' | '.join(cells)} |"


def dollars(amount: float) -> str:
    """Write an amount of money."""
    return f"${amount:.2f}"


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
    parser.add_argument("--kept", type=Path, default=KEPT, help="file of what was measured")
    parser.add_argument("--again", action="store_true", help="measure all anew")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    asked = parser.parse_args()
    if asked.again:
        asked.kept.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), Ledger(asked.kept))
        calls, seconds_of = measure_calls(bench)
        megabytes = {extension: bench.megabytes_of_call(extension) for extension in CALL_FORMATS}
        written = bench.rows_written_per_second()
        table, costs = check(bench, asked.engines, asked.counts, asked.workers)
    slowest = max(seconds_of.values())
    sections = {
        "calls": calls,
        "cost": cost_table(slowest, megabytes, written),
        "check": table,
        "cluster": foretell_cluster(costs[asked.engines[-1]], slowest),
    }
    show = write_section if asked.write else print_section
    for name, lines in sections.items():
        show(name, lines)


def print_section(name: str, lines: list[str]) -> None:
    """Show lines under their name."""
    print(f"\n{name}\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
