"""Finding the items of a job."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serenade.corpora.corpus import AUDIO_EXTENSIONS
from serenade.distributed.items import PART_KEYS, Item
from serenade.distributed.job import LARGEST_NUMBER
from serenade.distributed.stores import attempt_call, fetch, open_store
from serenade.distributed.urls import (
    READABLE,
    check_location,
    hides_query,
    local_path,
    protocol_of,
    public_name,
)
from serenade.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from serenade.distributed.job import Job

LIST_EXTENSION = ".txt"
MANIFEST_EXTENSION = ".jsonl"

_LARGEST_LIST_BYTES = 1 << 30


def find_items(job: Job, find_local: Callable[[str], Iterable[Item]]) -> Iterator[Item]:
    """Give the items of a job in order.

    Parameters
    ----------
    job : Job
        Its input is a folder, a pattern, a list, a manifest, or one recording.
    find_local : callable
        Finds the recordings that a folder or pattern on this machine means.

    Yields
    ------
    Item
        The files of folders and patterns sorted by path, those of lists and manifests as they
        stand there. Paths are absolute, so that they mean the same for every worker and in every
        later job.

    Raises
    ------
    JobError
        If a list or manifest cannot be read or names what is not allowed.
    DownloadError
        If it cannot be fetched.
    MissingExtraError
        If what a protocol needs is not installed.
    """
    if job.input.endswith((LIST_EXTENSION, MANIFEST_EXTENSION)):
        found = _listed(job)
    elif (path := local_path(job.input)) is not None:
        found = iter(find_local(path))
    else:
        found = (Item(url) for url in _stored(job))
    for item in map(_absolute, found):
        in_memory = item.problem is None and protocol_of(item.location) == "memory"
        yield item._replace(content=_fetch_for(job, item.location)) if in_memory else item


def _absolute(item: Item) -> Item:
    path = local_path(item.location)
    return item if path is None else item._replace(location=str(Path(path).absolute()))


def _listed(job: Job) -> Iterator[Item]:
    """Give what a list or manifest names."""
    parse = _parse_object if job.input.endswith(MANIFEST_EXTENSION) else _parse_path
    for number, line in _lines(job):
        where = f"{public_name(job.input)}, line {number}"
        item = parse(line, where)
        try:
            check_location(item.location, READABLE)
        except JobError as error:
            raise JobError(f"{where}: {error}") from None
        yield item._replace(location=_resolve(job.input, item.location, where))


def _lines(job: Job) -> Iterator[tuple[int, str]]:
    """Give the lines that hold something, with their numbers from 1."""
    path = local_path(job.input)
    try:
        if path is None:
            content = fetch(job.input, max_bytes=_LARGEST_LIST_BYTES, attempts=job.attempts)
            lines: Iterable[str] = content.decode("utf-8").split("\n")
            yield from _filled(lines)
            return
        with Path(path).open(encoding="utf-8") as file:
            yield from _filled(file)
    except OSError as error:
        raise JobError(
            f"{path}: the list cannot be read ({error.strerror}); give a list (.txt) or a manifest"
            " (.jsonl)"
        ) from error
    except UnicodeDecodeError as error:
        raise JobError(f"{public_name(job.input)}: not UTF-8 text") from error


def _filled(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in zip(count(1), lines, strict=False):
        if line.strip():
            yield number, line.strip("\r\n")


def _parse_path(line: str, where: str) -> Item:  # noqa: ARG001 - as _parse_object
    return Item(line)


def _parse_object(line: str, where: str) -> Item:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:
        raise JobError(f"{where}: not JSON ({error.msg}); write one object per line") from error
    except (ValueError, RecursionError):
        raise JobError(
            f"{where}: holds a number that is too long or brackets that are too deep; write one"
            " object per line with the key 'path'"
        ) from None
    if not isinstance(values, dict) or not isinstance(values.get("path"), str):
        raise JobError(f"{where}: holds no object with the key 'path'")
    start, stop = (_seconds(values, key, where) for key in PART_KEYS)
    if stop is not None and stop <= (start or 0.0):
        raise JobError(
            f"{where}: stop_seconds must be after start_seconds, got {stop} and {start or 0.0}"
        )
    return Item(values["path"], start, stop, problem=_problem_of_failure(values))


def _problem_of_failure(values: dict[str, Any]) -> str | None:
    """Say why what failed in an earlier job cannot be read again, where that is so."""
    if "error" in values and hides_query(values["path"]):
        return (
            f"the query of {values['path']} is not in the list of failures, which holds no"
            " secrets; take the address from the list of the job that failed"
        )
    return None


def _seconds(values: dict[str, Any], key: str, where: str) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LARGEST_NUMBER:
        raise JobError(
            f"{where}: {key} must be seconds from 0 to {LARGEST_NUMBER:,}, got {value!r:.60}"
        )
    return float(value)


def _resolve(listing: str, location: str, where: str) -> str:
    """Let a relative path start from the folder of the list that names it.

    A list from elsewhere cannot name what is on this machine.
    """
    folder = local_path(listing)
    path = local_path(location)
    if path is None:
        return location
    if folder is not None:
        return str(Path(folder).parent / path)
    if Path(path).is_absolute() or protocol_of(listing) in ("http", "https"):
        raise JobError(f"{where}: a list from elsewhere must name whole URLs, got {path!r:.80}")
    return f"{listing.rpartition('/')[0]}/{path}"


def _stored(job: Job) -> list[str]:
    """Give the URLs of the recordings in a store that a folder or pattern means."""
    protocol = protocol_of(job.input)
    if protocol in ("http", "https"):
        return [job.input]
    store = open_store(job.input)
    is_pattern = any(character in job.input for character in "*?[")

    def look() -> list[str]:
        if is_pattern:
            return list(store.glob(job.input))
        return list(store.find(job.input))

    keys = attempt_call(look, f"{job.input!r} cannot be listed", attempts=job.attempts)
    urls = [f"{protocol}://{key.lstrip('/')}" for key in sorted(keys)]
    if is_pattern or urls == [job.input]:
        return urls
    return [url for url in urls if url.lower().endswith(AUDIO_EXTENSIONS)]


def _fetch_for(job: Job, url: str) -> bytes:
    return fetch(url, max_bytes=job.max_bytes, attempts=job.attempts)
