"""The engine of one machine: processes that share the work."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from serenade.distributed.work import Work, open_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from serenade.distributed.items import Item, Shard
    from serenade.inference.records import Record


class LocalEngine:
    """Processes on this machine; a shard is done by all of them.

    Parameters
    ----------
    workers : int
        How many, 1 or more.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(
        self, work: Work, shards: Sequence[Shard], *, stop: Event, advance: Callable[[int], None]
    ) -> Iterator[tuple[int, list[Record]]]:
        """Do shards in order; see :class:`serenade.distributed.run.Engine`."""
        begun: deque[Shard] = deque()

        def feed() -> Iterator[Item]:
            for shard in shards:
                if stop.is_set():
                    return
                begun.append(shard)
                yield from shard.items()

        pool = open_pool(work, workers=self._workers)
        records: list[Record] = []
        try:
            for record in pool.run(feed()):
                records.append(record)
                advance(1)
                if len(records) == begun[0].n_items:
                    yield begun.popleft().number, records
                    records = []
        finally:
            pool.close()
