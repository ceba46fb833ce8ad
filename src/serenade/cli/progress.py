"""How far a batch is, on standard error of a terminal."""

from __future__ import annotations

import sys
import time

_SECONDS_BETWEEN = 0.1
_CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """A line that is drawn over itself; silent where nobody would see it.

    Parameters
    ----------
    total : int
        Number of recordings.
    shown : bool
        Whether to draw at all.
    """

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total = total
        self._shown = shown
        self._started = time.monotonic()
        self._drawn = 0.0
        self._done = 0

    def advance(self) -> None:
        """Count a recording."""
        self._done += 1
        now = time.monotonic()
        if self._shown and now - self._drawn >= _SECONDS_BETWEEN:
            self._drawn = now
            rate = self._done / max(now - self._started, 1e-9)
            text = f"{_CLEAR_LINE}{self._done}/{self._total} recordings, {rate:.1f}/s"
            print(text, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)
