"""Running a job: what is not yet finished goes to an engine, what comes back is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from serenade.distributed.items import Plan, Shard
    from serenade.distributed.results import Results
    from serenade.distributed.work import Work
    from serenade.inference.records import Record


class Engine(Protocol):
    """Where the work is done."""

    def run(
        self, work: Work, shards: Sequence[Shard], *, stop: Event, advance: Callable[[int], None]
    ) -> Iterator[tuple[int, list[Record]]]:
        """Do shards, in any order.

        Parameters
        ----------
        work : Work
            What is done.
        shards : sequence of Shard
            At least one.
        stop : Event
            Once it is set, no further shard is begun.
        advance : callable
            Is told how many items are done since the last time.

        Yields
        ------
        number : int
            Of a finished shard.
        records : list of dict
            One per item, in order.
        """


def run_shards(
    work: Work,
    plan: Plan,
    results: Results,
    engine: Engine,
    *,
    stop: Event,
    advance: Callable[[int], None],
) -> None:
    """Do the shards that are not finished, and write each as soon as it is.

    Parameters
    ----------
    work : Work
        What is done.
    plan : Plan
        All shards.
    results : Results
        Which are finished; takes the others.
    engine : Engine
        Where the work is done.
    stop : Event
        Once it is set, no further shard is begun.
    advance : callable
        Is told how many items are done since the last time.
    """
    pending = [shard for shard in plan.shards if shard.number not in results.finished]
    try:
        if pending:
            for number, records in engine.run(work, pending, stop=stop, advance=advance):
                results.save(number, records)
    finally:
        results.write_manifest()
