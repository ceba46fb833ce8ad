"""What a worker does with an item: the same on every engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from serenade.audio.condition import condition
from serenade.audio.decode import decode, decode_blocks, probe
from serenade.audio.part import decode_part
from serenade.distributed.stores import fetch
from serenade.distributed.urls import local_path
from serenade.errors import AudioError, SerenadeError
from serenade.features.frontends import functional_vector, get_front_end
from serenade.inference.pool import WorkerPool
from serenade.inference.recognizer import Recognizer
from serenade.inference.workers import death_error
from serenade.types import JSON_SCHEMA_VERSION, Conditioning, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable

    from serenade.distributed.items import Item
    from serenade.distributed.job import Job
    from serenade.inference.records import Record

    Source = str | bytes | Waveform


_ROUNDING_SECONDS = 1e-6
"""By so much a part may be longer than allowed, since 0.3 + 0.6 is less than 0.9."""


@dataclass(frozen=True, slots=True)
class Work:
    """All that a worker must know, whatever machine it is on.

    Parameters
    ----------
    job : Job
        What is asked for.
    model : str
        Folder of the model on the worker's machine; empty where none is needed.
    """

    job: Job
    model: str


def open_pool(work: Work, *, workers: int) -> WorkerPool[Item, Record]:
    """Make processes that do items; a process that dies does not take its item with it.

    Parameters
    ----------
    work : Work
        What they do.
    workers : int
        How many, 1 or more.

    Returns
    -------
    WorkerPool
        Gives one record per item: a result or a failure.
    """
    return WorkerPool(
        partial(open_worker, work),
        workers=workers,
        died=_record_of_death,
        attempts=work.job.attempts,
    )


def open_worker(work: Work) -> Callable[[Item], Record]:
    """Load what is needed to do items.

    Parameters
    ----------
    work : Work
        What is done.

    Returns
    -------
    callable
        Gives the record of an item; no fault of the item raises.

    Raises
    ------
    ModelError
        If the model cannot be opened.
    UsageError
        If there is no such front end.
    """
    if work.job.task == "features":
        return partial(_attempt, _extractor(work.job), work.job)
    recognizer = Recognizer.load(work.model)

    def predict(source: Source, name: str) -> Record:
        return recognizer.predict(source, denoise=work.job.denoise).to_json(name)

    return partial(_attempt, predict, work.job)


def _extractor(job: Job) -> Callable[[Source, str], Record]:
    config = get_front_end(job.front_end)

    def extract(source: Source, name: str) -> Record:
        waveform = source if isinstance(source, Waveform) else decode(source)
        clip = condition(waveform, Conditioning(), denoise=job.denoise)
        vector, _ = functional_vector(clip, config)
        return {
            "schema": JSON_SCHEMA_VERSION,
            "path": name,
            "duration_s": round(waveform.duration_seconds, 6),
            "front_end": config.name,
            "fingerprint": config.fingerprint,
            "values": [float(value) for value in vector],
        }

    return extract


def _attempt(do: Callable[[Source, str], Record], job: Job, item: Item) -> Record:
    try:
        if item.problem is not None:
            raise AudioError(item.problem)
        return do(_read(item, job), item.name)
    except SerenadeError as error:
        return item.failure(error)


def _read(item: Item, job: Job) -> Source:
    """Give what a recogniser takes; a whole file on this machine is left where it is."""
    source: str | bytes | None = item.content
    if source is None:
        source = local_path(item.location)
    if source is None:
        source = fetch(item.location, max_bytes=job.max_bytes, attempts=job.attempts)
    _check_duration(source, item, max_seconds=job.max_seconds)
    if item.is_part:
        return decode_part(source, start_seconds=item.start_seconds, stop_seconds=item.stop_seconds)
    return source


def _check_duration(source: str | bytes, item: Item, *, max_seconds: float) -> None:
    """Refuse a recording, or a part of one, that is too long before time is spent on it."""
    first = item.start_seconds or 0.0
    last = math.inf if item.stop_seconds is None else item.stop_seconds
    longest = first + max_seconds + _ROUNDING_SECONDS
    if last > longest and _lasts_longer(source, longest):
        what = "part of the recording" if item.is_part else "recording"
        raise AudioError(
            f"the {what} is longer than {max_seconds:g} s; raise max_seconds of the job or split it"
        )


def _lasts_longer(source: str | bytes, seconds: float) -> bool:
    """Tell whether a recording lasts longer than some time.

    No more is ever decoded than a header promises; where it promises nothing, the samples are
    counted.
    """
    info = probe(source)
    if info.duration_seconds is not None:
        return info.duration_seconds > seconds
    counted = 0.0
    for block in decode_blocks(source, sample_rate=info.sample_rate, channel=0):
        counted += block.duration_seconds
        if counted > seconds:
            return True
    return False


def _record_of_death(item: Item, exit_code: int | None) -> Record:
    return item.failure(death_error(item.name, exit_code))
