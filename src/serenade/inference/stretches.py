"""Stretches of speech: where someone talks, short pauses included."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Stretch:
    """Speech from its first to its last active frame.

    Parameters
    ----------
    start : int
        Its first frame.
    stop : int or None
        The frame after its last one; ``None`` while it goes on.
    """

    start: int
    stop: int | None


class StretchFinder:
    """Join active frames to stretches of speech as they come.

    Parameters
    ----------
    min_speech : int
        Shorter stretches are dropped [frames].
    min_pause : int
        Runs of active frames that are closer than this are one stretch [frames].
    """

    def __init__(self, *, min_speech: int, min_pause: int) -> None:
        self._min_speech = min_speech
        self._min_pause = min_pause
        self._n_frames = 0
        self._start = 0
        self._last_active: int | None = None
        self._open: Stretch | None = None
        self._stretches: deque[Stretch] = deque()

    @property
    def horizon(self) -> int:
        """The first frame that may still become part of a stretch or not."""
        if self._last_active is None:
            return self._n_frames
        return self._start if self._open is None else self._last_active

    def push(self, active: Mask) -> None:
        """Take the activity of the next frames.

        Parameters
        ----------
        active : ndarray of shape (n_frames,), bool
            Any number of frames.
        """
        edges = np.flatnonzero(np.diff(active, prepend=False, append=False)) + self._n_frames
        for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            self._add_run(first, stop)
        self._n_frames += active.size
        if self._last_active is not None and self._n_frames - self._last_active >= self._min_pause:
            self._close()

    def finish(self) -> None:
        """End the last stretch with the signal."""
        self._close()

    def around(self, start: int, stop: int) -> list[Stretch]:
        """Give the stretches that some frames belong to, and one that ended right before them.

        Parameters
        ----------
        start, stop : int
            The first frame and the one after the last, below :attr:`horizon`; later calls may not
            go back before `start`.

        Returns
        -------
        list of Stretch
            In order.
        """
        while self._stretches and _stop(self._stretches[0]) < start:
            self._stretches.popleft()
        return [stretch for stretch in self._stretches if stretch.start < stop]

    def _add_run(self, first: int, stop: int) -> None:
        if self._last_active is not None and first - self._last_active >= self._min_pause:
            self._close()
        if self._last_active is None:
            self._start = first
        self._last_active = stop
        if self._open is None and stop - self._start >= self._min_speech:
            self._open = Stretch(self._start, None)
            self._stretches.append(self._open)

    def _close(self) -> None:
        if self._open is not None:
            self._open.stop = self._last_active
        self._open = None
        self._last_active = None


def main_stretch(stretches: Sequence[Stretch], start: int, stop: int) -> Stretch | None:
    """Give the stretch that most of some frames belong to.

    Parameters
    ----------
    stretches : sequence of Stretch
        Those around the frames, in order.
    start, stop : int
        The first frame and the one after the last.

    Returns
    -------
    Stretch or None
        The earlier one where two share the frames evenly; ``None`` where there is no speech.
    """
    overlaps = [min(_stop(stretch), stop) - max(stretch.start, start) for stretch in stretches]
    longest = max(overlaps, default=0)
    return stretches[overlaps.index(longest)] if longest > 0 else None


def _stop(stretch: Stretch) -> float:
    return math.inf if stretch.stop is None else stretch.stop
