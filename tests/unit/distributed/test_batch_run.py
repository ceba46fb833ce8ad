"""A job that dies again and again, at any point: one row per input, and nothing done twice."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.distributed.folders import open_folder
from serenade.distributed.items import Item, Plan, make_plan
from serenade.distributed.job import Job
from serenade.distributed.results import Results
from serenade.distributed.run import run_shards
from serenade.distributed.tables import JsonlTable
from serenade.distributed.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from serenade.distributed.items import Shard
    from serenade.inference.records import Record


class MortalEngine:
    """Gives shards in an order of its own, and dies after some of them."""

    def __init__(self, order: list[int], n_shards_to_live: int, done: Counter[int]) -> None:
        self._order = order
        self._left = n_shards_to_live
        self._done = done

    def run(
        self, work: Work, shards: Sequence[Shard], *, stop: Event, advance: Callable[[int], None]
    ) -> Iterator[tuple[int, list[Record]]]:
        for shard in sorted(shards, key=lambda shard: self._order[shard.number]):
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
            self._done[shard.number] += 1
            advance(shard.n_items)
            yield shard.number, [_record(item) for item in shard.items()]


def _record(item: Item) -> Record:
    """Give a result, or a failure where the name says so."""
    if item.name.startswith("bad"):
        return {"path": item.name, "error": {"kind": "AudioError", "message": "no"}}
    return {"path": item.name}


def _results(folder: Path, plan: Plan) -> Results:
    table = JsonlTable()
    return Results(open_folder(str(folder), attempts=1), plan, {"job": 1}, (), table, table)


@settings(deadline=None, max_examples=30)  # each writes files, which a busy disk makes slow
@given(
    names=st.lists(st.sampled_from(["a.wav", "b.wav", "bad.wav"]), min_size=1, max_size=12),
    shard_size=st.integers(1, 4),
    chance=st.randoms(use_true_random=False),
    n_shards_per_life=st.integers(1, 3),
)
def test_every_input_has_one_row_however_often_the_job_dies(
    names: list[str], shard_size: int, chance: Random, n_shards_per_life: int
) -> None:
    plan = make_plan([Item(name) for name in names], shard_size=shard_size)
    order = list(range(len(plan.shards)))
    chance.shuffle(order)
    done: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(len(plan.shards) + 1):
            results = _results(Path(folder), plan)
            results.open(restart=False)
            if results.is_complete:
                break
            engine = MortalEngine(order, n_shards_per_life, done)
            _live(plan, results, engine)
        rows, failures = (_paths(Path(folder), kind) for kind in ("part", "errors"))
    assert results.is_complete
    assert rows == [name for name in names if name != "bad.wav"]
    assert failures == [name for name in names if name == "bad.wav"]
    assert set(done.values()) == {1}, "a finished shard was done again"


def _paths(folder: Path, kind: str) -> list[str]:
    files = sorted(folder.glob(f"{kind}-*.jsonl"))
    return [json.loads(line)["path"] for file in files for line in file.read_text().splitlines()]


def _live(plan: Plan, results: Results, engine: MortalEngine) -> None:
    try:
        run_shards(
            Work(Job("in", "out"), ""), plan, results, engine, stop=Event(), advance=lambda _: None
        )
    except KeyboardInterrupt:
        return


def test_progress_is_told_of_every_input_once(tmp_path: Path) -> None:
    plan = make_plan([Item(f"{i}.wav") for i in range(7)], shard_size=3)
    results = _results(tmp_path, plan)
    results.open(restart=False)
    told: list[int] = []
    engine = MortalEngine([0, 1, 2], 2, Counter())
    with pytest.raises(KeyboardInterrupt):
        run_shards(
            Work(Job("a", "b"), ""), plan, results, engine, stop=Event(), advance=told.append
        )
    assert sum(told) == results.n_done == 6
