"""Stream: emotions of audio that arrives in pieces, in bounded memory.

What is heard in a hop depends only on the samples up to where speech is decided, never on how they
came, so the result is the same for every way of cutting the audio. A timeline is a stream that was
fed with a whole file.

::

    samples -> 16 kHz -> voice activity -> stretches of speech -> hops -> windows -> model
            -> average over windows -> emotion that holds -> segments
"""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from serenade.audio.array import from_array
from serenade.audio.limits import check_rate
from serenade.audio.resample import StreamResampler
from serenade.errors import UsageError
from serenade.inference.loudness import Noise, measure_loudness
from serenade.inference.pace import find_pace
from serenade.inference.stretches import Stretch, StretchFinder, main_stretch
from serenade.inference.timeline import (
    FRAME_SECONDS,
    HopPrediction,
    Segment,
    SegmentClosed,
    SegmentOpened,
)
from serenade.inference.utterance import Hop, Utterance
from serenade.inference.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from serenade.inference.judge import WindowJudge
    from serenade.inference.timeline import Event, TimelineConfig
    from serenade.types import FloatArray


class Activity(Protocol):
    """Marks the 10 ms frames of a signal that hold voice; decisions may lag the signal."""

    def push(self, samples: FloatArray) -> npt.NDArray[np.bool_]:
        """Take the next piece and give the activity of the frames that it decides."""

    def finish(self) -> npt.NDArray[np.bool_]:
        """End the signal and give the activity of all frames that are left."""


class Stream:
    """Judges audio that arrives in pieces.

    Streams may share a judge; a stream itself belongs to one thread.

    Parameters
    ----------
    judge : WindowJudge
        The model.
    activity : Activity
        Finds speech; belongs to this stream alone.
    sample_rate : int
        Samples per second of what will be pushed [Hz]; 8,000 to 192,000.
    config : TimelineConfig
        How to judge.

    Raises
    ------
    AudioError
        If the rate is out of range.
    UsageError
        If hops or windows are longer than the model can hear at once.
    """

    def __init__(
        self, judge: WindowJudge, activity: Activity, *, sample_rate: int, config: TimelineConfig
    ) -> None:
        self._judge = judge
        self._config = config
        self._activity = activity
        self._input_rate = check_rate(sample_rate, "the stream")
        self._rate = judge.spec.sample_rate
        self._resampler = StreamResampler(from_rate=self._input_rate, to_rate=self._rate)
        self._frame = round(FRAME_SECONDS * self._rate)
        self._pace = find_pace(config, judge.spec)
        self._hop = self._pace.hop_samples
        self._window = self._pace.window_samples
        self._finder = StretchFinder(
            min_speech=round(config.min_speech_seconds / FRAME_SECONDS),
            min_pause=max(1, round(config.min_pause_seconds / FRAME_SECONDS)),
        )
        self._kept = np.empty(0, np.float32)
        self._n_dropped = 0
        self._n_judged = 0
        self._noise = Noise()
        self._current: _Current | None = None
        self._silence_start = 0
        self._is_silent = False
        self._is_flushed = False

    def push(self, samples: npt.ArrayLike) -> list[Event]:
        """Take the next piece.

        Parameters
        ----------
        samples : array of shape (n_samples,) or (n_samples, n_channels)
            Floating-point amplitudes, nominally in [-1, 1], or PCM integers; of any length, also
            none. Channels are averaged.

        Returns
        -------
        list of Event
            What became known, in order.

        Raises
        ------
        AudioError
            If the samples have another shape or type or are not finite.
        UsageError
            If the stream was flushed.
        """
        self._check_open()
        if isinstance(samples, Sized) and len(samples) == 0:
            return []
        piece = from_array(samples, self._input_rate, target_rate=self._input_rate)
        return self._take(self._resampler.push(piece.samples))

    def flush(self) -> list[Event]:
        """End the stream.

        Returns
        -------
        list of Event
            All that was not yet told.

        Raises
        ------
        UsageError
            If the stream was flushed before.
        """
        self._check_open()
        self._is_flushed = True
        events = self._take(self._resampler.finish())
        self._finder.push(self._activity.finish())
        self._finder.finish()
        while self._n_judged < self._n_samples:
            events += self._judge_hop(min(self._n_judged + self._hop, self._n_samples))
        events += self._end_utterance()
        end = -(-self._n_samples // self._frame)
        events += self._judge_beside(self._finder.around(end, end))
        return events + self._end_silence(self._n_samples)

    def run(
        self,
        blocks: Iterable[npt.ArrayLike],
        *,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Event]:
        """Push everything and flush.

        Parameters
        ----------
        blocks : iterable of array
            The pieces, as for :meth:`push`; taken as they are needed.
        progress : callable or None
            Called after each piece with the length that was pushed [s].

        Yields
        ------
        Event
            In order, as soon as it is known.
        """
        n_pushed = 0
        for block in blocks:
            yield from self.push(block)
            n_pushed += len(np.asarray(block))
            if progress is not None:
                progress(n_pushed / self._input_rate)
        yield from self.flush()

    def _check_open(self) -> None:
        if self._is_flushed:
            raise UsageError("the stream was flushed and takes nothing more; open a new one")

    @property
    def _n_samples(self) -> int:
        """Samples that came, at the rate of the model."""
        return self._n_dropped + self._kept.size

    def _take(self, samples: FloatArray) -> list[Event]:
        """Judge all hops in which speech is decided by now."""
        self._kept = np.concatenate((self._kept, samples))
        self._finder.push(self._activity.push(samples))
        horizon = self._finder.horizon * self._frame
        events: list[Event] = []
        while self._n_judged + self._hop <= horizon:
            events += self._judge_hop(self._n_judged + self._hop)
            self._forget(self._n_judged - self._window - self._hop)
        return events

    def _judge_hop(self, stop: int) -> list[Event]:
        """Judge the next hop, up to a sample."""
        start, self._n_judged = self._n_judged, stop
        first, last = start // self._frame, -(-stop // self._frame)
        stretches = self._finder.around(first, last)
        main = main_stretch(stretches, first, last)
        events: list[Event] = []
        if self._current is not None and self._current.stretch is not main:
            events += self._end_utterance()
        ended = [each for each in stretches if each.stop is not None and each.stop < last]
        loudness = measure_loudness(self._between(start, stop))
        if main is None:
            events += self._judge_beside(ended)
            self._noise.push(loudness)
            hop = HopPrediction(start / self._rate, stop / self._rate, False, None)
            return [*events, *self._begin_silence(), hop]
        if self._current is None:
            events += self._judge_beside(each for each in ended if each.start < main.start)
            events += self._end_silence(main.start * self._frame)
            self._current = self._begin_utterance(main)
        utterance = self._current.utterance
        window = self._window_until(stop, main) if utterance.wants_window else None
        events += utterance.push(Hop(start, stop, loudness), window)
        later = [each for each in ended if each.start > main.start]
        return [*events, *self._end_utterance(), *self._judge_beside(later)] if later else events

    def _judge_beside(self, stretches: Iterable[Stretch]) -> list[Event]:
        """Judge stretches that are over and that no hop was given to, each as one piece."""
        events: list[Event] = []
        for stretch in stretches:
            start, stop = stretch.start * self._frame, self._stop_of(stretch)
            if start < self._silence_start:
                continue  # it was judged hop by hop
            events += self._end_silence(start)
            self._current = self._begin_utterance(stretch)
            utterance = self._current.utterance
            window = self._window_until(stop, stretch) if utterance.wants_window else None
            hop = Hop(start, stop, measure_loudness(self._between(start, stop)))
            told = [*utterance.push(hop, window), *self._end_utterance()]
            events += [event for event in told if not isinstance(event, HopPrediction)]
        return events

    def _begin_utterance(self, stretch: Stretch) -> _Current:
        start = stretch.start * self._frame
        utterance = Utterance(self._judge, self._config, self._pace, self._noise, start=start)
        return _Current(stretch, utterance)

    def _end_utterance(self) -> list[Event]:
        if self._current is None:
            return []
        stretch, utterance = self._current
        self._current = None
        stop = self._silence_start = self._stop_of(stretch)
        return utterance.finish(
            stop, self._window_until(stop, stretch) if utterance.lacks_window else None
        )

    def _begin_silence(self) -> list[Event]:
        if self._is_silent:
            return []
        self._is_silent = True
        return [SegmentOpened(self._silence_start / self._rate, False, None)]

    def _end_silence(self, stop: int) -> list[Event]:
        """Close what lies between two stretches, which may be no hop long."""
        if stop == self._silence_start:
            return []
        events = self._begin_silence()
        self._is_silent = False
        segment = Segment(self._silence_start / self._rate, stop / self._rate, False, None)
        return [*events, SegmentClosed(segment)]

    def _window_until(self, stop: int, stretch: Stretch) -> Window:
        """Give what the model hears at a moment: the last seconds, within the stretch."""
        stop = min(stop, self._stop_of(stretch))
        start = max(stretch.start * self._frame, stop - self._window)
        return Window(start, self._between(start, stop))

    def _stop_of(self, stretch: Stretch) -> int:
        last = self._n_samples
        return last if stretch.stop is None else min(stretch.stop * self._frame, last)

    def _between(self, start: int, stop: int) -> FloatArray:
        return self._kept[start - self._n_dropped : stop - self._n_dropped]

    def _forget(self, start: int) -> None:
        """Drop the samples before a position."""
        n_dropped = max(0, start - self._n_dropped)
        self._kept = self._kept[n_dropped:]
        self._n_dropped += n_dropped


class _Current(NamedTuple):
    """The stretch of speech that is being judged."""

    stretch: Stretch
    utterance: Utterance
