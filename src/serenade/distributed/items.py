"""What a job reads: its items, packed into shards."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from serenade.distributed.urls import public_name
from serenade.errors import JobError
from serenade.inference.records import display_path, failure_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.errors import SerenadeError
    from serenade.inference.records import Record

PART_KEYS = ("start_seconds", "stop_seconds")
"""Keys of a manifest that say which part of a recording is meant."""


class Item(NamedTuple):
    """A recording or a part of one.

    Parameters
    ----------
    location : str
        Path or URL, already checked.
    start_seconds, stop_seconds : float or None
        The part that is meant [s].
    content : bytes or None
        The file, where only the process that plans the job can read it (``memory://``).
    problem : str or None
        Why there is nothing to read, where that is known before.
    """

    location: str
    start_seconds: float | None = None
    stop_seconds: float | None = None
    content: bytes | None = None
    problem: str | None = None

    @property
    def is_part(self) -> bool:
        """Whether less than the whole file is meant."""
        return self.start_seconds is not None or self.stop_seconds is not None

    @property
    def name(self) -> str:
        """How the item is called in the results: no secrets, and a part as ``#t=start,stop``."""
        return _name_part(self._file_name, self.start_seconds, self.stop_seconds)

    @property
    def _file_name(self) -> str:
        """How the whole file is called in the results."""
        return display_path(public_name(self.location))

    def failure(self, error: SerenadeError) -> Record:
        """Give the record of a failure, which is a line of a manifest that means this item again.

        Parameters
        ----------
        error : SerenadeError
            Why there is no result.

        Returns
        -------
        dict
            ``path`` of the whole file, and the seconds where a part is meant.
        """
        record = failure_record(self._file_name, error)
        for key in PART_KEYS:
            if getattr(self, key) is not None:
                record[key] = getattr(self, key)
        return record


def name_failure(record: Record) -> str:
    """Give the name of the item that failed.

    Parameters
    ----------
    record : dict
        As :meth:`Item.failure` made it.

    Returns
    -------
    str
        :attr:`Item.name`.
    """
    return _name_part(record["path"], *(record.get(key) for key in PART_KEYS))


def _name_part(name: str, start_seconds: float | None, stop_seconds: float | None) -> str:
    if start_seconds is None and stop_seconds is None:
        return name
    stop = "" if stop_seconds is None else f",{_short(stop_seconds)}"
    return f"{name}#t={_short(start_seconds or 0.0)}{stop}"


def _short(seconds: float) -> str:
    """Write all digits that tell a number from others, without a useless zero."""
    return repr(seconds).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive items, which share one file of results.

    Parameters
    ----------
    number : int
        Counted from 0.
    n_items : int
        How many there are.
    packed : bytes
        The items, compressed: about ten bytes each.
    """

    number: int
    n_items: int
    packed: bytes

    def items(self) -> list[Item]:
        """Unpack the items.

        Returns
        -------
        list of Item
            In order.
        """
        return unpack(self.packed)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a job reads, in order.

    Parameters
    ----------
    shards : tuple of Shard
        In order; all but the last have the same number of items.
    sha256 : str
        Of the names of all items.
    """

    shards: tuple[Shard, ...]
    sha256: str

    @property
    def n_items(self) -> int:
        """How many there are."""
        return sum(shard.n_items for shard in self.shards)


def make_plan(items: Iterable[Item], *, shard_size: int) -> Plan:
    """Pack items into shards as they come.

    Parameters
    ----------
    items : iterable of Item
        What the job reads.
    shard_size : int
        Items per shard, 1 or more.

    Returns
    -------
    Plan
        At least one shard.

    Raises
    ------
    JobError
        If there is no item.
    """
    waiting = iter(items)
    digest = sha256()
    shards: list[Shard] = []
    while group := list(islice(waiting, shard_size)):
        for item in group:
            digest.update(item.name.encode() + b"\n")
        shards.append(Shard(len(shards), len(group), _pack(group)))
    if not shards:
        raise JobError("the input of the job names no recording; give a folder or list that does")
    return Plan(tuple(shards), digest.hexdigest())


def _pack(items: list[Item]) -> bytes:
    rows = [
        [*item[:3], None if item.content is None else b64encode(item.content).decode(), item[4]]
        for item in items
    ]
    return zlib.compress(json.dumps(rows).encode())


def unpack(packed: bytes) -> list[Item]:
    """Undo the packing of a shard.

    Parameters
    ----------
    packed : bytes
        As in :attr:`Shard.packed`.

    Returns
    -------
    list of Item
        In order.
    """
    return [
        Item(location, start, stop, None if content is None else b64decode(content), problem)
        for location, start, stop, content, problem in json.loads(zlib.decompress(packed))
    ]
