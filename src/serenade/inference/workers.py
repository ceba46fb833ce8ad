"""A batch over several processes."""

from __future__ import annotations

import os
import pickle
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.opening import open_raw
from serenade.errors import AudioError, SerenadeError
from serenade.inference.batch import BatchSource, Outcome, attempt, memory_error, path_of
from serenade.inference.pool import WorkerPool
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from serenade.types import Prediction

    Load = Callable[[], Callable[[BatchSource], Prediction]]

Task = BatchSource | Outcome
"""A recording as it goes to another process, or what became of it because it cannot."""


def predict_in_workers(
    load: Load, sources: Iterable[BatchSource], *, workers: int
) -> Iterator[Outcome]:
    """Predict recordings in several processes.

    Parameters
    ----------
    load : callable
        Gives in each process what judges one recording; can be pickled.
    sources : iterable of path, bytes, binary stream or Waveform
        The recordings, taken as they are needed.
    workers : int
        Number of processes, 1 or more.

    Yields
    ------
    Outcome
        One per recording, in order.

    Raises
    ------
    SerenadeError
        If a worker cannot start: what `load` raised, or a `UsageError` if the process died.
    """
    pool: WorkerPool[Task, Outcome] = WorkerPool(
        partial(_load_attempt, load), workers=workers, died=_outcome_of_death
    )
    try:
        yield from pool.run(map(_sendable, sources))
    finally:
        pool.close()


def _sendable(source: BatchSource) -> Task:
    """Give a recording in a form that can be pickled and is read as it would be here."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    try:
        if isinstance(source, Waveform | np.ndarray):
            _check_pickles(source)
            return source
        if isinstance(source, bytes | bytearray | memoryview):
            return bytes(source)
        with open_raw(source) as raw:
            return BytesIO(raw.read())
    except AudioError as error:
        return Outcome("-", None, error)
    except MemoryError:
        return Outcome("-", None, memory_error("-"))


def _check_pickles(source: Waveform | np.ndarray) -> None:
    samples = source.samples if isinstance(source, Waveform) else source
    if isinstance(samples, np.ndarray) and not samples.dtype.hasobject:
        return  # numbers always do, and to copy them for the question would double the work
    try:
        pickle.dumps(source)
    except MemoryError:
        raise
    except Exception as error:  # what it is depends on what cannot be pickled
        raise AudioError(
            f"a {type(source).__name__} cannot be sent to a worker process ({error});"
            " give it float samples, or use one worker"
        ) from error


def _load_attempt(load: Load) -> Callable[[Task], Outcome]:
    return partial(_attempt, load())


def _attempt(predict: Callable[[BatchSource], Prediction], task: Task) -> Outcome:
    return task if isinstance(task, Outcome) else attempt(predict, task)


def _outcome_of_death(task: Task, exit_code: int | None) -> Outcome:
    if isinstance(task, Outcome):
        return task
    path = path_of(task)
    return Outcome(path, None, death_error(path, exit_code))


def death_error(path: str, exit_code: int | None) -> SerenadeError:
    """Say that a recording cost a process its life.

    Parameters
    ----------
    path : str
        The recording.
    exit_code : int or None
        Of the process; negative for a signal.

    Returns
    -------
    SerenadeError
        One sentence.
    """
    return SerenadeError(
        f"the process that was judging {path!r} died (exit code {exit_code}); the file may be too"
        " much for the memory, try it alone"
    )
