"""The simulation of the time that a batch job takes, where the answer is known."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

_BENCH = runpy.run_path(str(Path(__file__).parents[3] / "bench" / "scale_simulation.py"))
Cluster, Costs, simulate = _BENCH["Cluster"], _BENCH["Costs"], _BENCH["simulate"]

EVEN = Costs(start=5.0, item=0.1, item_spread=0.0, shard=0.0)


@pytest.mark.parametrize("shared", [True, False])
def test_one_worker_does_one_item_after_the_other(shared: bool) -> None:
    seconds = simulate(1000, Cluster(1), EVEN, shard_size=10, shared=shared)
    assert seconds == pytest.approx(5.0 + 1000 * 0.1)


@pytest.mark.parametrize("shared", [True, False])
def test_two_workers_take_half_as_long(shared: bool) -> None:
    seconds = simulate(1000, Cluster(2), EVEN, shard_size=10, shared=shared)
    assert seconds == pytest.approx(5.0 + 500 * 0.1)


def test_a_shard_is_not_shared_on_a_cluster() -> None:
    assert simulate(10, Cluster(4), EVEN, shard_size=10, shared=False) == pytest.approx(6.0)
    assert simulate(12, Cluster(4), EVEN, shard_size=10, shared=True) == pytest.approx(5.3)


def test_one_process_writes_one_shard_after_the_other() -> None:
    slow_to_write = Costs(start=0.0, item=0.001, item_spread=0.0, shard=1.0)
    seconds = simulate(100, Cluster(10), slow_to_write, shard_size=10, shared=False)
    assert seconds == pytest.approx(10.0, abs=0.1)


def test_stragglers_cost_little_while_there_are_many_shards() -> None:
    slow = Cluster(20, slow_share=0.05, slow_factor=2.0)
    seconds = simulate(40_000, slow, EVEN, shard_size=10, shared=False) - EVEN.start
    ideal = 40_000 * 0.1 / 19.5  # one of twenty does half
    assert ideal <= seconds <= ideal + 2.0  # and at most its last shard is waited for


def test_workers_wait_for_each_other_where_all_processes_share_the_cores() -> None:
    costs = Costs(start=0.0, item=0.1, item_spread=0.0, shard=0.0, item_cpu=0.15)
    seconds = simulate(1000, Cluster(2, cores=2), costs, shard_size=10, shared=False)
    assert seconds == pytest.approx(500 * 0.15)
    assert simulate(1000, Cluster(1, cores=2), costs, shard_size=10, shared=False) == (
        pytest.approx(1000 * 0.1)
    )


def test_the_spread_of_items_keeps_their_mean() -> None:
    uneven = Costs(start=0.0, item=0.1, item_spread=0.5, shard=0.0)
    seconds = simulate(20_000, Cluster(1), uneven, shard_size=100, shared=False)
    assert seconds == pytest.approx(2000.0, rel=0.02)
