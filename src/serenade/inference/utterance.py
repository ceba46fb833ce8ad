"""The hops of one stretch of speech become predictions and segments."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.inference.loudness import Loudness, Noise
from serenade.inference.overlap import OverlapAverage, WindowScore
from serenade.inference.smoothing import Smoother
from serenade.inference.timeline import (
    HopPrediction,
    Reading,
    Segment,
    SegmentClosed,
    SegmentOpened,
)
from serenade.inference.warnings import find_warnings

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.inference.judge import WindowJudge
    from serenade.inference.pace import Pace
    from serenade.inference.timeline import Event, TimelineConfig
    from serenade.inference.windows import Window


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of a recording.

    Parameters
    ----------
    start, stop : int
        Its first sample and the one after its last.
    loudness : Loudness
        Measured on it.
    """

    start: int
    stop: int
    loudness: Loudness


class Utterance:
    """Judges one stretch of speech hop by hop.

    Parameters
    ----------
    judge : WindowJudge
        The model.
    config : TimelineConfig
        How to judge.
    pace : Pace
        Lengths of hops and windows.
    noise : Noise
        The background of the recording; another may add to it.
    start : int
        Where the stretch starts [samples].
    """

    def __init__(
        self, judge: WindowJudge, config: TimelineConfig, pace: Pace, noise: Noise, *, start: int
    ) -> None:
        self._judge = judge
        self._rate = judge.spec.sample_rate
        self._noise = noise
        self._step_hops = pace.step_hops
        self._overlap = OverlapAverage(window_hops=pace.window_hops)
        self._smoother = Smoother(
            n_labels=len(judge.spec.labels),
            switch_cost=config.switch_cost_seconds / config.hop_seconds,
            min_hops=max(1, round(config.min_emotion_seconds / config.hop_seconds)),
        )
        self._n_hops = 0
        self._unaveraged: deque[Hop] = deque()
        self._undecided: deque[tuple[Hop, WindowScore | None]] = deque()
        self._segment_start = start
        self._heard_until = start
        self._label: int | None = None
        self._run = _Run(len(judge.spec.labels))

    @property
    def wants_window(self) -> bool:
        """Whether the model should hear the window that ends with the next hop."""
        return (self._n_hops + 1) % self._step_hops == 0

    @property
    def lacks_window(self) -> bool:
        """Whether the model has not yet heard the last hop."""
        return self._n_hops % self._step_hops != 0

    def push(self, hop: Hop, window: Window | None) -> list[Event]:
        """Take the next hop.

        Parameters
        ----------
        hop : Hop
            It.
        window : Window or None
            The window that ends with it, if :attr:`wants_window`.

        Returns
        -------
        list of Event
            What became known.
        """
        self._n_hops += 1
        self._unaveraged.append(hop)
        score, events = self._listen(window)
        for average in self._overlap.push(score):
            events += self._conclude(average)
        return events

    def finish(self, stop: int, window: Window | None) -> list[Event]:
        """End the stretch.

        Parameters
        ----------
        stop : int
            Where it ends [samples].
        window : Window or None
            The window that ends there, if :attr:`lacks_window`.

        Returns
        -------
        list of Event
            All that was not yet told.
        """
        score, events = self._listen(window)
        self._overlap.revise(score)
        for average in self._overlap.finish():
            events += self._conclude(average)
        for label in self._smoother.finish():
            events += self._decide(label)
        return [*events, self._close_segment(stop)]

    def _listen(self, window: Window | None) -> tuple[WindowScore | None, list[Event]]:
        """Score a window and tell the first impression."""
        score = None if window is None else self._judge.score(window.samples)
        if window is None or score is None:
            return None, []
        last = window.start + window.samples.size
        self._judge.learn(
            score,
            n_samples=window.samples.size,
            n_new=last - max(window.start, self._heard_until),
        )
        self._heard_until = last
        start, stop = window.start / self._rate, last / self._rate
        return score, [
            Reading(start, stop, self._judge.predict(score, duration_seconds=stop - start))
        ]

    def _conclude(self, average: WindowScore | None) -> list[Event]:
        """Give the prediction of the next hop, and decide the emotions that follow from it."""
        hop = self._unaveraged.popleft()
        start, stop = hop.start / self._rate, hop.stop / self._rate
        prediction = None
        if average is not None:
            prediction = self._judge.predict(average, duration_seconds=stop - start)
        events: list[Event] = [HopPrediction(start, stop, True, prediction)]
        self._undecided.append((hop, average))
        chances = np.zeros(len(self._judge.spec.labels))
        for label in self._smoother.push(chances if average is None else average.probabilities):
            events += self._decide(label)
        return events

    def _decide(self, label: int) -> list[Event]:
        """Give the next hop its emotion; another one than before starts a segment."""
        hop, average = self._undecided.popleft()
        events: list[Event] = []
        if label != self._label:
            if self._label is not None:
                events.append(self._close_segment(hop.start))
            self._label = label
            emotion = None if average is None else self._judge.spec.labels.labels[label]
            events.append(SegmentOpened(self._segment_start / self._rate, True, emotion))
        self._run.add(hop, average)
        return events

    def _close_segment(self, stop: int) -> SegmentClosed:
        start_seconds, stop_seconds = self._segment_start / self._rate, stop / self._rate
        duration = stop_seconds - start_seconds
        average = self._run.average
        prediction = None
        if average is not None:
            quality = self._noise.quality_of(self._run.loudness, duration_seconds=duration)
            warnings = find_warnings(
                quality, sure_from_seconds=self._judge.spec.windowing.sure_from_seconds
            )
            prediction = self._judge.predict(average, duration_seconds=duration, warnings=warnings)
        self._segment_start = stop
        self._run = _Run(len(self._judge.spec.labels))
        return SegmentClosed(Segment(start_seconds, stop_seconds, True, prediction))


class _Run:
    """Averages over neighbouring hops with one emotion, in constant memory."""

    def __init__(self, n_labels: int) -> None:
        self.loudness = Loudness()
        self._probabilities: npt.NDArray[np.float64] = np.zeros(n_labels)
        self._intensity: float | None = None
        self._n_known = 0

    def add(self, hop: Hop, average: WindowScore | None) -> None:
        self.loudness += hop.loudness
        if average is None:
            return
        self._n_known += 1
        self._probabilities += average.probabilities
        if average.intensity is not None:
            self._intensity = (self._intensity or 0.0) + average.intensity

    @property
    def average(self) -> WindowScore | None:
        if self._n_known == 0:
            return None
        intensity = None if self._intensity is None else self._intensity / self._n_known
        return WindowScore(self._probabilities / self._n_known, intensity, self._n_known)
