"""How a recording of any length becomes windows of the model's length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serenade.types import FloatArray


def plan_windows(n_samples: int, *, size: int, hop: int) -> list[tuple[int, int]]:
    """Give the windows of a recording.

    They start every `hop` samples; the last one ends with the recording, so that every window of a
    recording longer than `size` is whole.

    Parameters
    ----------
    n_samples : int
        Length of the recording [samples], above 0.
    size : int
        Length of a window [samples], above 0.
    hop : int
        Distance between neighbouring starts [samples], in [1, size].

    Returns
    -------
    list of tuple of int
        Start and stop of each window [samples]; one shorter window if the recording is no longer
        than `size`.
    """
    starts = [*_regular_starts(n_samples, size=size, hop=hop), max(0, n_samples - size)]
    return [(start, min(start + size, n_samples)) for start in starts]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a recording.

    Parameters
    ----------
    start : int
        Where it starts in the recording [samples].
    samples : ndarray of shape (n_samples,), float32
        What it holds.
    """

    start: int
    samples: FloatArray


def cut_windows(blocks: Iterable[FloatArray], *, size: int, hop: int) -> Iterator[Window]:
    """Cut a recording that comes in blocks into the windows of :func:`plan_windows`.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        Consecutive parts of the recording, of any lengths.
    size, hop : int
        As in :func:`plan_windows` [samples].

    Yields
    ------
    Window
        In order; no more than a window and a block are kept.
    """
    kept = np.empty(0, dtype=np.float32)
    n_dropped = 0
    n_windows = 0
    for block in blocks:
        kept = np.concatenate((kept, block)) if kept.size else block
        # All regular windows of what has come so far are also windows of whatever follows.
        regular = _regular_starts(n_dropped + kept.size, size=size, hop=hop)
        for start in regular[n_windows:]:
            kept = kept[start - n_dropped :]
            n_dropped = start
            yield Window(start, kept[:size])
        n_windows = len(regular)
    if kept.size:
        last = kept[-size:]
        yield Window(n_dropped + kept.size - last.size, last)


def _regular_starts(n_samples: int, *, size: int, hop: int) -> range:
    """Give the starts of all windows but the last."""
    return range(0, max(0, n_samples - size), hop)
