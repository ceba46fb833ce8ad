"""What ``serenade listen`` shows: a scrolling timeline, and below it what is heard now."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Protocol, TextIO

import numpy as np

from serenade.cli.bars import draw_bar
from serenade.cli.timeline_text import clock, render_segment
from serenade.inference.timeline import HopPrediction, Reading, SegmentClosed, event_to_json

if TYPE_CHECKING:
    from serenade.cli.bars import Style
    from serenade.cli.voice import Transcript
    from serenade.inference.timeline import Event
    from serenade.types import FloatArray, Prediction

_QUIETEST_DBFS = -60.0
_BAR = 30
_CYAN = "36"
_UP_AND_CLEAR = "\x1b[1A\x1b[2K"


class View(Protocol):
    """Shows what a stream tells."""

    def show_block(self, samples: FloatArray, seconds: float) -> None:
        """Show that sound came in, up to a time of the recording [s]."""

    def show_event(self, event: Event) -> None:
        """Show an event."""

    def show_transcript(self, transcript: Transcript) -> None:
        """Show what was said."""

    def finish(self) -> None:
        """Take away what is only of the moment."""


class LinesView:
    """A line for every segment; for files and pipes."""

    def __init__(self, file: TextIO, style: Style) -> None:
        self._file = file
        self._style = style

    def show_block(self, samples: FloatArray, seconds: float) -> None:
        """Show nothing."""

    def show_event(self, event: Event) -> None:
        """Write a line for a segment that has ended."""
        if isinstance(event, SegmentClosed):
            self._print(render_segment(event.segment, self._style))

    def show_transcript(self, transcript: Transcript) -> None:
        """Write what was said."""
        start = clock(transcript.segment.start_seconds)
        self._print(f"  {start:>10}   {transcript.text!r}")

    def finish(self) -> None:
        """Do nothing: every line is whole."""

    def _print(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


class JsonlView:
    """A JSON object for every event."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def show_block(self, samples: FloatArray, seconds: float) -> None:
        """Show nothing."""

    def show_event(self, event: Event) -> None:
        """Write an event."""
        self._print(event_to_json(event))

    def show_transcript(self, transcript: Transcript) -> None:
        """Write what was said."""
        self._print(
            {
                "event": "transcript",
                "start_s": round(transcript.segment.start_seconds, 6),
                "stop_s": round(transcript.segment.stop_seconds, 6),
                "text": transcript.text,
            }
        )

    def finish(self) -> None:
        """Do nothing: every line is whole."""

    def _print(self, record: dict[str, object]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()


class ScreenView:
    """For a terminal: segments scroll by, and below them level and bars are drawn over."""

    def __init__(self, file: TextIO, style: Style) -> None:
        self._file = file
        self._style = style
        self._lines = LinesView(file, style)
        self._n_drawn = 0
        self._now: Prediction | None = None

    def show_block(self, samples: FloatArray, seconds: float) -> None:
        """Draw the level and what is heard now."""
        self._clear()
        width = max(5, min(_BAR, self._style.columns - 24))
        level = level_dbfs(samples)
        share = max(0.0, 1.0 - level / _QUIETEST_DBFS)
        lines = [
            f"  {clock(seconds):>10}  {level:6.1f} dB "
            + draw_bar(min(share, 1.0), width, blocks=self._style.blocks)
        ]
        if self._now is not None:
            best = self._now.emotion
            for label, chance in self._now.probabilities.items():
                bar = draw_bar(chance, width, blocks=self._style.blocks)
                painted = self._style.paint(bar, _CYAN) if label == best else bar
                lines.append(f"  {label:<12} {100 * chance:5.1f} % {painted}")
        self._file.write("\n".join(lines) + "\n")
        self._file.flush()
        self._n_drawn = len(lines)

    def show_event(self, event: Event) -> None:
        """Let a segment scroll by; remember what is heard now."""
        if isinstance(event, Reading):
            self._now = event.prediction
        elif isinstance(event, HopPrediction) and not event.is_speech:
            self._now = None
        elif isinstance(event, SegmentClosed):
            self._clear()
            self._lines.show_event(event)

    def show_transcript(self, transcript: Transcript) -> None:
        """Let what was said scroll by."""
        self._clear()
        self._lines.show_transcript(transcript)

    def finish(self) -> None:
        """Take level and bars away."""
        self._clear()
        self._file.flush()

    def _clear(self) -> None:
        self._file.write(_UP_AND_CLEAR * self._n_drawn)
        self._n_drawn = 0


def level_dbfs(samples: FloatArray) -> float:
    """Give the root-mean-square level.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        At least one.

    Returns
    -------
    float
        Level [dB relative to full scale], at least -60.
    """
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    level = 10.0 * math.log10(power) if power > 0 else -math.inf
    return max(level, _QUIETEST_DBFS)
