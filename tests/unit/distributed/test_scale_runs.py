"""What the bench of batch jobs measured is kept, and measured again only where it must be."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_BENCH = runpy.run_path(str(Path(__file__).parents[3] / "bench" / "scale_runs.py"))
Ledger, Run = _BENCH["Ledger"], _BENCH["Run"]
RUN = Run(seconds=1.5, cpu_seconds=1.0, others=0.1, peak_mb=80.0, rows=3, sha256="ab")


@pytest.fixture
def measured() -> list[str]:
    """Names of the runs that were made."""
    return []


@pytest.fixture
def measure(measured: list[str]) -> Callable[[str], Callable[[], Any]]:
    def named(name: str) -> Callable[[], Any]:
        def make() -> Any:
            measured.append(name)
            return RUN

        return make

    return named


def test_a_bench_that_was_ended_goes_on_with_what_is_missing(
    tmp_path: Path, measure: Callable[[str], Callable[[], Any]], measured: list[str]
) -> None:
    kept = tmp_path / "new" / "scale.json"
    assert Ledger(kept).get("a", measure("a")) == RUN
    again = Ledger(kept)
    assert again.get("a", measure("a")) == RUN
    assert again.get("b", measure("b")) == RUN
    assert measured == ["a", "b"]


def test_runs_of_another_machine_are_not_taken_over(
    tmp_path: Path, measure: Callable[[str], Callable[[], Any]], measured: list[str]
) -> None:
    kept = tmp_path / "scale.json"
    Ledger(kept).get("a", measure("a"))
    table = json.loads(kept.read_text())
    table["made_on"]["machine"] = "64 cores, aarch64"
    kept.write_text(json.dumps(table))
    Ledger(kept).get("a", measure("a"))
    assert measured == ["a", "a"]
