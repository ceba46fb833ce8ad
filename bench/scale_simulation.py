"""A batch job, played event by event: how long it takes with any number of workers.

``bench/scale_model.py`` finds the costs and compares the answers with runs.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np


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
    item_cpu : float
        Processor time of an item in all processes together, not only on the worker.
    """

    start: float
    item: float
    item_spread: float
    shard: float
    item_cpu: float = 0.0


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
    cores : int or None
        Shared by the workers and all else that the job runs; ``None`` for as many as are wanted.
    """

    workers: int
    slow_share: float = 0.0
    slow_factor: float = 1.0
    cores: int | None = None


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
    item = costs.item
    if cluster.cores is not None:  # all that the job runs must fit into the cores
        item = max(item, cluster.workers * costs.item_cpu / cluster.cores)
    n_slow = round(cluster.slow_share * cluster.workers)
    factor = np.ones(cluster.workers)
    factor[:n_slow] = cluster.slow_factor
    free = [(0.0, worker) for worker in range(cluster.workers)]
    heapq.heapify(free)
    written = 0.0
    for first in range(0, n_items, shard_size):
        n = min(shard_size, n_items - first)
        spread = costs.item_spread
        times = item * rng.lognormal(-(spread**2) / 2, spread, n)
        parts = times if shared else [times.sum()]
        done = 0.0
        for seconds in parts:
            began, worker = heapq.heappop(free)
            ended = began + seconds * factor[worker]
            heapq.heappush(free, (ended, worker))
            done = max(done, ended)
        written = max(written, done) + costs.shard  # one process writes, one shard at a time
    return costs.start + max(written, *(ended for ended, _ in free))
