"""Run the benchmarks one after another and write what they print to ``docs/benchmarks.md``.

``python bench/run.py`` runs all that need nothing but this machine and its Python; ``--only`` names
some of them, and the sections of the others stay as they are. The page is written after each one,
so that a run that was ended goes on with ``--only`` the rest; one that fails keeps its old section.
``--with-peers`` adds the peers that need an environment of their own or minutes. Figures are beside
a named peer or another setting measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "cold_start": ("One prediction in a fresh process", []),
    "latency": ("One prediction with a loaded model", []),
    "features": ("Features beside librosa, torch.stft and openSMILE", []),
    "throughput": ("Folders of recordings", []),
    "training_feed": ("Whether training waits for its data", []),
    "first_model": (
        "The bundled model beside an SVM, on the same unseen speakers (../shared/data)",
        [],
    ),
    "denoise": ("Noise reduction", []),
    "intervals": ("The interval of a figure", []),
    "timeline": ("Long recordings and streams", ["--hours", "0.1", "1", "3", "10"]),
    "timeline_windows": (
        "How long the windows of a timeline should be",
        ["--clips", "160", "--windows", "2:1", "2:2", "3:1.5", "3:2", "3:3", "4:2"],
    ),
    "voice_activity": ("Finding speech: energy beside a neural network", []),
    "service_load": ("The service under load", []),
}
"""Script and what it measures, with its arguments."""

HAVE_PEERS = ("cold_start", "throughput")
"""Those that take ``--with-peers``."""


def main() -> None:
    """Run the chosen benchmarks and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--with-peers", action="store_true")
    chosen = parser.parse_args()
    failed = []
    for name in chosen.only:
        title, arguments = BENCHMARKS[name]
        if chosen.with_peers and name in HAVE_PEERS:
            arguments = [*arguments, "--with-peers"]
        print(f"== {title} ({name})", flush=True)
        started = time.monotonic()
        section = _section(name, title, arguments)
        print(f"-- {time.monotonic() - started:.0f} s\n", flush=True)
        if section is None:
            failed.append(name)
            continue
        sections = _written() | {title: section}
        ordered = [sections[title] for title, _ in BENCHMARKS.values() if title in sections]
        PAGE.write_text("\n".join([_header(), *ordered]), encoding="utf-8")
    if failed:
        sys.exit(f"failed, so their sections are the old ones: {', '.join(failed)}")


def _written() -> dict[str, str]:
    """Give the sections that the page holds, by title."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def _header() -> str:
    cores = os.cpu_count()
    return (
        f"# Benchmarks\n\nWritten by `python bench/run.py`: {cores} cores, {platform.machine()},"
        f" Python {platform.python_version()}. Absolute times belong to this machine; the ratios"
        " against the peer in the same run are what counts.\n"
    )


def _section(name: str, title: str, arguments: list[str]) -> str | None:
    """Run a benchmark and give its section; nothing if it fails."""
    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    print(result.stdout, flush=True)
    if result.returncode != 0:
        print(f"{name} failed:\n{result.stderr}", file=sys.stderr, flush=True)
        return None
    shown = " ".join(["python", f"bench/{name}.py", *arguments])
    day = datetime.now(UTC).date().isoformat()
    return f"## {title}\n\n`{shown}` on {day}\n\n```text\n{result.stdout.strip()}\n```\n"


if __name__ == "__main__":
    main()
