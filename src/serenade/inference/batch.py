"""Many recordings: one outcome each, in order, in this process or in several."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.audio.naming import AudioSource
from serenade.errors import AudioError, SerenadeError
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BatchSource = AudioSource | Waveform
"""What a batch may hold: paths, contents of files, streams, waveforms."""


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
    source : path, bytes, binary stream or Waveform
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
    except MemoryError:
        return Outcome(path_of(source), None, memory_error(path_of(source)))


def path_of(source: BatchSource) -> str:
    """Give the path of a recording of a batch.

    Parameters
    ----------
    source : path, bytes, binary stream or Waveform
        The recording.

    Returns
    -------
    str
        The path as given, or ``"-"`` for audio without a path.
    """
    return os.fsdecode(source) if isinstance(source, str | os.PathLike) else "-"


def memory_error(path: str) -> AudioError:
    """Say that there is not enough memory for a recording.

    Parameters
    ----------
    path : str
        The recording.

    Returns
    -------
    AudioError
        One sentence.
    """
    return AudioError(
        f"{path!r} is too much for the memory; try it alone or cut it into shorter recordings"
    )


def predict_in_turn(
    predict: Callable[[BatchSource], Prediction], sources: Iterable[BatchSource]
) -> Iterator[Outcome]:
    """Predict recordings one after the other in this process.

    Parameters
    ----------
    predict : callable
        What judges one recording.
    sources : iterable of path, bytes, binary stream or Waveform
        The recordings, taken as they are needed.

    Yields
    ------
    Outcome
        One per recording, in order.
    """
    for source in sources:
        yield attempt(predict, source)
