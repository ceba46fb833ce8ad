"""How far a batch is, on standard error of a terminal."""

from __future__ import annotations

import sys
import time

_SECONDS_BETWEEN = 0.1
_SECONDS_BETWEEN_LINES = 30.0
_CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """A line that is drawn over itself; on what is no terminal, a line every half minute.

    Parameters
    ----------
    total : int
        Number of recordings.
    shown : bool
        Whether to draw at all.
    done : int
        How many of them an earlier run did.
    """

    def __init__(self, total: int, *, shown: bool, done: int = 0) -> None:
        self._total = total
        self._shown = shown
        self._is_drawn_over = sys.stderr.isatty()
        self._pause = _SECONDS_BETWEEN if self._is_drawn_over else _SECONDS_BETWEEN_LINES
        self._started = time.monotonic()
        self._drawn = 0.0 if self._is_drawn_over else self._started
        self._done_before = done
        self._done = done

    def advance(self, count: int = 1) -> None:
        """Count recordings.

        Parameters
        ----------
        count : int
            How many are done since the last time.
        """
        self._done += count
        now = time.monotonic()
        if not self._shown or now - self._drawn < self._pause:
            return
        self._drawn = now
        rate = (self._done - self._done_before) / max(now - self._started, 1e-9)
        left = _duration((self._total - self._done) / rate)
        text = f"{self._done}/{self._total} recordings, {rate:.1f}/s, {left} left"
        if self._is_drawn_over:
            print(f"{_CLEAR_LINE}{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown and self._is_drawn_over:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """Give a duration in hours, minutes and seconds, for example ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
