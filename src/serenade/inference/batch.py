"""Many recordings: one outcome each, in order, in this process or in several."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.errors import SerenadeError
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BatchSource = str | os.PathLike[str] | bytes | Waveform
"""What a batch may hold: paths, contents of files, waveforms."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recording of a batch.

    Parameters
    ----------
    path : str
        The path as given, or ``"-"`` for audio without a path.
    prediction : Prediction or None
        The result.
    error : SerenadeError or None
        Why there is none; exactly one of the two is given.
    """

    path: str
    prediction: Prediction | None
    error: SerenadeError | None


def attempt(predict: Callable[[BatchSource], Prediction], source: BatchSource) -> Outcome:
    """Predict one recording of a batch.

    Parameters
    ----------
    predict : callable
        What judges one recording.
    source : path, bytes or Waveform
        The recording.

    Returns
    -------
    Outcome
        The prediction or the error.
    """
    try:
        return Outcome(path_of(source), predict(source), None)
    except SerenadeError as error:
        return Outcome(path_of(source), None, error)


def path_of(source: BatchSource) -> str:
    """Give the path of a recording of a batch.

    Parameters
    ----------
    source : path, bytes or Waveform
        The recording.

    Returns
    -------
    str
        The path as given, or ``"-"`` for audio without a path.
    """
    return os.fspath(source) if isinstance(source, str | os.PathLike) else "-"


def predict_in_turn(
    predict: Callable[[BatchSource], Prediction], sources: Iterable[BatchSource]
) -> Iterator[Outcome]:
    """Predict recordings one after the other in this process.

    Parameters
    ----------
    predict : callable
        What judges one recording.
    sources : iterable of path, bytes or Waveform
        The recordings, taken as they are needed.

    Yields
    ------
    Outcome
        One per recording, in order.
    """
    for source in sources:
        yield attempt(predict, source)
