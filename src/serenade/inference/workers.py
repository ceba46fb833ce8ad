"""A batch over several processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from serenade.errors import SerenadeError
from serenade.inference.batch import BatchSource, Outcome, attempt, path_of
from serenade.inference.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from serenade.types import Prediction

    Load = Callable[[], Callable[[BatchSource], Prediction]]


def predict_in_workers(
    load: Load, sources: Iterable[BatchSource], *, workers: int
) -> Iterator[Outcome]:
    """Predict recordings in several processes.

    Parameters
    ----------
    load : callable
        Gives in each process what judges one recording; can be pickled.
    sources : iterable of path, bytes or Waveform
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
    pool: WorkerPool[BatchSource, Outcome] = WorkerPool(
        partial(_load_attempt, load), workers=workers, died=_outcome_of_death
    )
    try:
        yield from pool.run(sources)
    finally:
        pool.close()


def _load_attempt(load: Load) -> Callable[[BatchSource], Outcome]:
    return partial(attempt, load())


def _outcome_of_death(source: BatchSource, exit_code: int | None) -> Outcome:
    path = path_of(source)
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
