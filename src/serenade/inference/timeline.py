"""Timeline: which emotion is when in a long recording."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serenade.audio.naming import shown
from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.types import HeardSpeech, Prediction

TIMELINE_SCHEMA_VERSION = 1
"""Version of the JSON that describes one timeline."""

FRAME_SECONDS = 0.01
"""Lengths of hops are whole numbers of the frames of voice activity [s]."""

LONGEST_SECONDS = 3600.0
"""Nothing in a configuration may be longer [s]."""

ACTIVITIES = ("energy", "neural")
"""How speech can be found."""


@dataclass(frozen=True, slots=True)
class TimelineConfig:
    """How a long recording is judged; no length may be above an hour.

    Parameters
    ----------
    hop_seconds : float
        Distance between predictions [s]; a multiple of 0.01.
    window_seconds : float or None
        How much the model hears at once [s]; a multiple of `hop_seconds`. ``None`` for what suits
        the model, in whole hops.
    step_seconds : float or None
        Distance between windows [s]; a multiple of `hop_seconds`, at most `window_seconds`. Each
        hop gets the average of the windows that cover it; longer steps cost less. ``None`` for
        what suits the model, in whole hops.
    switch_cost_seconds : float
        What a change of emotion must gain to be believed, as lead in probability times its
        duration [s]: with 0.25, a lead of 0.125 must last 2 s. 0 or more.
    min_emotion_seconds : float
        Least duration of an emotion [s]; only a whole stretch of speech may be shorter.
    min_speech_seconds : float
        Shorter sounds are no speech [s].
    min_pause_seconds : float
        Shorter pauses belong to the speech around them [s].
    activity : str
        How speech is found: ``"energy"``, or ``"neural"``, which needs the extra ``vad`` and is
        more exact in noise.

    Raises
    ------
    UsageError
        If a value is out of range or the lengths do not fit together.
    """

    hop_seconds: float = 0.5
    window_seconds: float | None = None
    step_seconds: float | None = None
    switch_cost_seconds: float = 0.25
    min_emotion_seconds: float = 1.0
    min_speech_seconds: float = 0.2
    min_pause_seconds: float = 0.3
    activity: str = "energy"

    def __post_init__(self) -> None:
        for name in ("hop_seconds", "window_seconds", "step_seconds"):
            value = getattr(self, name)
            if value is None and name != "hop_seconds":
                continue  # it is left to the model
            if not isinstance(value, numbers.Real) or value <= 0 or not value <= LONGEST_SECONDS:
                raise UsageError(
                    f"{name} must be above 0 and up to {LONGEST_SECONDS:g}, got {shown(value)}"
                )
        for name in (
            "switch_cost_seconds",
            "min_emotion_seconds",
            "min_speech_seconds",
            "min_pause_seconds",
        ):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or value < 0 or not value <= LONGEST_SECONDS:
                raise UsageError(
                    f"{name} must be from 0 to {LONGEST_SECONDS:g}, got {shown(value)}"
                )
        if not _divides(FRAME_SECONDS, self.hop_seconds):
            raise UsageError(f"hop_seconds must be a multiple of 0.01, got {self.hop_seconds}")
        for name in ("window_seconds", "step_seconds"):
            value = getattr(self, name)
            if value is not None and not _divides(self.hop_seconds, value):
                raise UsageError(
                    f"{name} must be a multiple of hop_seconds ({self.hop_seconds}), got {value}"
                )
        window, step = self.window_seconds, self.step_seconds
        if window is not None and step is not None and step > window:
            raise UsageError(f"step_seconds must be at most window_seconds ({window}), got {step}")
        if self.activity not in ACTIVITIES:
            raise UsageError(
                f"activity must be one of {', '.join(ACTIVITIES)}, got {self.activity!r}"
            )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording and what is heard in it.

    Parameters
    ----------
    start_seconds, stop_seconds : float
        Where it lies in the recording [s].
    is_speech : bool
        Whether someone talks.
    prediction : Prediction or None
        An average over all windows that count here; ``None`` where nobody talks or too little was
        said.
    """

    start_seconds: float
    stop_seconds: float
    is_speech: bool
    prediction: Prediction | None

    @property
    def duration_seconds(self) -> float:
        """Length [s]."""
        return self.stop_seconds - self.start_seconds

    def to_json(self) -> dict[str, Any]:
        """Give the part as a JSON object.

        Returns
        -------
        dict
            Only JSON types; numbers are rounded to six decimals. Without prediction there is no
            ``emotion``.
        """
        record: dict[str, Any] = {
            "start_s": round(self.start_seconds, 6),
            "stop_s": round(self.stop_seconds, 6),
            "speech": self.is_speech,
        }
        return record if self.prediction is None else record | _judgement(self.prediction)


@dataclass(frozen=True, slots=True)
class HopPrediction(Part):
    """What is heard in one hop; hops follow each other without gaps."""


@dataclass(frozen=True, slots=True)
class Segment(Part):
    """A part with one emotion, or without speech; segments follow each other without gaps."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Which emotion is when in a recording.

    Parameters
    ----------
    model : str
        Name and version of the bundle.
    labels : tuple of str
        Emotions that the model tells apart.
    duration_seconds : float
        Length of the recording [s].
    segments : tuple of Segment
        In order, from the start to the end of the recording without gaps.
    hops : tuple of HopPrediction
        In order, from the start to the end of the recording without gaps.
    """

    model: str
    labels: tuple[str, ...]
    duration_seconds: float
    segments: tuple[Segment, ...]
    hops: tuple[HopPrediction, ...]

    @property
    def speech_seconds(self) -> float:
        """How long someone talks [s]."""
        return sum(segment.duration_seconds for segment in self.segments if segment.is_speech)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the judged speech that each emotion holds; sums to 1, or all 0 without any."""
        seconds = dict.fromkeys(self.labels, 0.0)
        for segment in self.segments:
            if segment.prediction is not None:
                seconds[segment.prediction.emotion] += segment.duration_seconds
        total = sum(seconds.values())
        return {label: value / total if total else 0.0 for label, value in seconds.items()}

    @property
    def adapted_to(self) -> HeardSpeech | None:
        """Speech of the speaker that the last prediction was adapted to."""
        known = [part.prediction for part in self.segments if part.prediction is not None]
        return known[-1].adapted_to if known else None

    def summary_to_json(self, path: str) -> dict[str, Any]:
        """Give everything but the segments and hops as a JSON object.

        Parameters
        ----------
        path : str
            How the input is named in the output.

        Returns
        -------
        dict
            Only JSON types. Without adaptation there is no ``adapted_to``.
        """
        summary: dict[str, Any] = {
            "schema": TIMELINE_SCHEMA_VERSION,
            "path": path,
            "duration_s": round(self.duration_seconds, 6),
            "model": self.model,
            "speech_s": round(self.speech_seconds, 6),
            "shares": {label: round(share, 6) for label, share in self.shares.items()},
        }
        if self.adapted_to is not None:
            summary["adapted_to"] = self.adapted_to.to_json()
        return summary

    def to_json(self, path: str) -> dict[str, Any]:
        """Give the timeline as a JSON object.

        Parameters
        ----------
        path : str
            How the input is named in the output.

        Returns
        -------
        dict
            Only JSON types; numbers are rounded to six decimals.
        """
        return self.summary_to_json(path) | {
            "segments": [segment.to_json() for segment in self.segments],
            "hops": [hop.to_json() for hop in self.hops],
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """A first impression of the last seconds, for a live display.

    Parameters
    ----------
    start_seconds, stop_seconds : float
        Where the window lies in the recording [s].
    prediction : Prediction
        What the model says about this window alone.
    """

    start_seconds: float
    stop_seconds: float
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    """A segment has begun.

    Parameters
    ----------
    start_seconds : float
        Where it begins [s].
    is_speech : bool
        Whether someone talks.
    emotion : str or None
        The emotion that begins.
    """

    start_seconds: float
    is_speech: bool
    emotion: str | None


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment has ended.

    Parameters
    ----------
    segment : Segment
        It.
    """

    segment: Segment


Event = Reading | HopPrediction | SegmentOpened | SegmentClosed
"""What a stream tells."""


def collect(events: Iterable[Event], *, model: str, labels: tuple[str, ...]) -> Timeline:
    """Make the timeline of everything that a stream told.

    Parameters
    ----------
    events : iterable of Event
        From the first push to the flush.
    model : str
        Name and version of the bundle.
    labels : tuple of str
        Its emotions.

    Returns
    -------
    Timeline
        Of the whole recording.
    """
    segments: list[Segment] = []
    hops: list[HopPrediction] = []
    for event in events:
        if isinstance(event, SegmentClosed):
            segments.append(event.segment)
        elif isinstance(event, HopPrediction):
            hops.append(event)
    duration = segments[-1].stop_seconds if segments else 0.0
    return Timeline(model, labels, duration, tuple(segments), tuple(hops))


def event_to_json(event: Event) -> dict[str, Any]:
    """Give an event as a JSON object.

    Parameters
    ----------
    event : Event
        Of a stream.

    Returns
    -------
    dict
        Only JSON types; ``event`` is ``reading``, ``hop``, ``opened`` or ``closed``.
    """
    match event:
        case Reading():
            return {
                "event": "reading",
                "start_s": round(event.start_seconds, 6),
                "stop_s": round(event.stop_seconds, 6),
            } | _judgement(event.prediction)
        case HopPrediction():
            return {"event": "hop"} | event.to_json()
        case SegmentOpened():
            return {
                "event": "opened",
                "start_s": round(event.start_seconds, 6),
                "speech": event.is_speech,
                "emotion": event.emotion,
            }
        case SegmentClosed():
            return {"event": "closed"} | event.segment.to_json()


def _divides(unit: float, length: float) -> bool:
    return length >= unit / 2 and abs(length / unit - round(length / unit)) < 1e-6


def _judgement(prediction: Prediction) -> dict[str, Any]:
    judgement: dict[str, Any] = {
        "emotion": prediction.emotion,
        "confidence": round(prediction.confidence, 6),
        "abstained": prediction.abstained,
        "probabilities": {name: round(p, 6) for name, p in prediction.probabilities.items()},
        "intensity": None if prediction.intensity is None else round(prediction.intensity, 6),
        "warnings": list(prediction.warnings),
    }
    if prediction.adapted_to is not None:
        judgement["adapted_to"] = prediction.adapted_to.to_json()
    return judgement
