"""Run the benchmarks one after another and write what they print to ``docs/benchmarks.md``.

``python bench/run.py`` runs all that need nothing but this machine; names choose some of them,
and the sections of the others stay as they are. Figures are beside a named peer or another setting
measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "cold_start": ("One prediction in a fresh process", ["--with-peers"]),
    "latency": ("One prediction with a loaded model", []),
    "features": ("Features beside librosa", []),
    "first_model": (
        "The bundled model beside an SVM, on the same unseen speakers (../shared/data)",
        [],
    ),
    "denoise": ("Noise reduction", []),
    "timeline": ("Long recordings and streams", ["--hours", "0.1", "1", "3", "10"]),
    "timeline_windows": ("How long the windows of a timeline should be", []),
    "service_load": ("The service under load", []),
}
"""Script and what it measures, with its arguments."""


def main() -> None:
    """Run the chosen benchmarks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    chosen = parser.parse_args().names or list(BENCHMARKS)
    sections = _written()
    for name in chosen:
        title, arguments = BENCHMARKS[name]
        print(f"== {title} ({name})", flush=True)
        sections[title] = _section(name, title, arguments)
    ordered = [sections[title] for title, _ in BENCHMARKS.values() if title in sections]
    PAGE.write_text("\n".join([_header(), *ordered]), encoding="utf-8")
    print(f"written to {PAGE}")


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


def _section(name: str, title: str, arguments: list[str]) -> str:
    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    print(result.stdout, flush=True)
    if result.returncode != 0:
        sys.exit(f"{name} failed:\n{result.stderr}")
    shown = " ".join(["python", f"bench/{name}.py", *arguments])
    day = datetime.now(UTC).date().isoformat()
    return f"## {title}\n\n`{shown}` on {day}\n\n```text\n{result.stdout.strip()}\n```\n"


if __name__ == "__main__":
    main()
