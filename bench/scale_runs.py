"""Batch jobs that are really run: timed, watched, and kept, so that none is run twice.

``bench/scale_model.py`` asks for the runs. What was measured stands in a file, and a bench that was
ended goes on with what is missing.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serenade
from serenade.evaluation.evaluate import bundle_checksum
from serenade.model.store import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "compact"
SECONDS_BETWEEN_LOOKS = 1.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """A job that was really run.

    Parameters
    ----------
    seconds : float
        From start to end [s].
    cpu_seconds : float
        Processor time of all its processes [s].
    others : float
        Share of the machine's processor time that other programs took meanwhile, in [0, 1].
    peak_mb : float
        Largest memory of all its processes together (proportional set size) [MB].
    rows : int
        How many results it wrote.
    sha256 : str
        Of these results.
    """

    seconds: float
    cpu_seconds: float
    others: float
    peak_mb: float
    rows: int
    sha256: str


class Ledger:
    """Runs that were measured, by name.

    Parameters
    ----------
    path : Path
        File that keeps them; one of another machine, version or model is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made_on = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "python": platform.python_version(),
            "serenade": serenade.__version__,
            "model": MODEL,
            "model_checksum": bundle_checksum(resolve(MODEL)),
        }
        self._runs: dict[str, dict[str, Any]] = {}
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["made_on"] == self._made_on:
                self._runs = kept["runs"]

    def get(self, name: str, measure: Callable[[], Run]) -> Run:
        """Give a run, and make it if there is none of this name."""
        if name not in self._runs:
            self._runs[name] = asdict(measure())
            text = json.dumps({"made_on": self._made_on, "runs": self._runs}, indent=1)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(text + "\n", encoding="utf-8")
        return Run(**self._runs[name])


def run_job(engine: str, folder: Path, listing: str, *, workers: int, shard_size: int) -> Run:
    """Run a job over a list in a fresh process and watch its memory."""
    job = folder / "job.toml"
    job.write_text(
        f'input = "{listing}"\noutput = "out"\nmodel = "{MODEL}"\nshard_size = {shard_size}\n'
    )
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-m", "serenade", "batch", str(job), "--engine", engine]
    command += ["--workers", str(workers)]
    waited_before, busy_before = _waited_for_seconds(), _busy_seconds()
    started = time.perf_counter()
    # Ray gives its workers a low priority otherwise
    environment = os.environ | {"RAY_worker_niceness": "0", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    peak_mb = 0.0
    cpu_of: dict[int, float] = {}
    while process.poll() is None:
        family = _family(process.pid)
        peak_mb = max(peak_mb, sum(_megabytes(member) for member in family))
        cpu_of |= {member: _cpu_seconds(member) for member in family}
        try:
            process.wait(SECONDS_BETWEEN_LOOKS)
        except subprocess.TimeoutExpired:
            continue
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    # Ray does not wait for all of its processes, and the last second was not looked at
    cpu_seconds = max(_waited_for_seconds() - waited_before, sum(cpu_of.values()))
    others_seconds = _busy_seconds() - busy_before - cpu_seconds
    rows = b"".join(path.read_bytes() for path in sorted((folder / "out").glob("part-*")))
    rows = rows.replace(str(folder).encode(), b".")  # another run is in another folder
    return Run(
        seconds=round(seconds, 3),
        cpu_seconds=round(cpu_seconds, 3),
        others=round(max(0.0, others_seconds) / seconds / (os.cpu_count() or 1), 3),
        peak_mb=round(peak_mb, 1),
        rows=rows.count(b"\n"),
        sha256=sha256(rows).hexdigest(),
    )


def _family(root: int) -> set[int]:
    """Give a process and all below it."""
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(process.name))
        if fields:
            parents[int(process.name)] = int(fields[1])
    family = {root}
    while grown := {p for p, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _stat(process: int) -> list[str]:
    """Give what stands behind the name of a process; nothing if it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_seconds(process: int) -> float:
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND if fields else 0.0


def _megabytes(process: int) -> float:
    """Give the memory of a process; a shared page counts in proportion."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line[:4] == "Pss:") / 1000


def _waited_for_seconds() -> float:
    """Give the processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _busy_seconds() -> float:
    """Give the processor time that all programs of the machine have taken."""
    user, nice, system, _idle, _wait, irq, softirq, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND
