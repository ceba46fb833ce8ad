"""The timeline and its configuration."""

from __future__ import annotations

import pytest

from serenade.errors import UsageError
from serenade.inference.timeline import (
    Event,
    HopPrediction,
    Reading,
    Segment,
    SegmentClosed,
    SegmentOpened,
    TimelineConfig,
    collect,
    event_to_json,
)
from serenade.types import Prediction

LABELS = ("neutral", "anger")


def prediction(anger: float, *, intensity: float | None = None) -> Prediction:
    return Prediction(
        emotion="anger" if anger > 0.5 else "neutral",
        confidence=max(anger, 1 - anger),
        probabilities={"neutral": 1 - anger, "anger": anger},
        abstained=False,
        intensity=intensity,
        duration_seconds=1.0,
        model="tiny 1",
    )


def closed(start: float, stop: float, anger: float | None) -> SegmentClosed:
    told = None if anger is None else prediction(anger)
    return SegmentClosed(Segment(start, stop, anger is not None, told))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop_seconds": 0.0}, "hop_seconds must be above 0 and up to 3600, got 0.0"),
        ({"hop_seconds": float("nan")}, "hop_seconds must be above 0 and up to 3600, got nan"),
        ({"hop_seconds": "1"}, "hop_seconds must be above 0 and up to 3600, got '1'"),
        ({"hop_seconds": None}, "hop_seconds must be above 0 and up to 3600, got None"),
        ({"window_seconds": "x"}, "window_seconds must be above 0 and up to 3600, got 'x'"),
        ({"step_seconds": 4000.0}, "step_seconds must be above 0 and up to 3600, got 4000.0"),
        ({"hop_seconds": 0.505}, "hop_seconds must be a multiple of 0.01"),
        ({"window_seconds": 2.2}, r"window_seconds must be a multiple of hop_seconds \(0.5\)"),
        ({"step_seconds": 0.7}, "step_seconds must be a multiple"),
        (
            {"window_seconds": 2.0, "step_seconds": 4.0},
            r"step_seconds must be at most window_seconds \(2.0\)",
        ),
        ({"switch_cost_seconds": -1.0}, "switch_cost_seconds must be from 0 to 3600, got -1.0"),
        ({"min_pause_seconds": float("inf")}, "min_pause_seconds must be from 0 to 3600, got inf"),
        ({"min_pause_seconds": None}, "min_pause_seconds must be from 0 to 3600, got None"),
        ({"min_emotion_seconds": 1e9}, "min_emotion_seconds must be from 0 to 3600"),
        ({"min_speech_seconds": 10**400}, "min_speech_seconds must be from 0 to 3600, got 100"),
        ({"activity": "magic"}, "activity must be one of energy, neural, got 'magic'"),
    ],
)
def test_wrong_configuration_is_one_clear_error(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TimelineConfig(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("hop_seconds", [0.1, 0.15, 0.3, 0.7])
def test_multiples_survive_rounding(hop_seconds: float) -> None:
    TimelineConfig(
        hop_seconds=hop_seconds, window_seconds=7 * hop_seconds, step_seconds=hop_seconds
    )


def test_shares_are_of_the_judged_speech() -> None:
    events = [
        closed(0, 2, None),
        closed(2, 5, 0.9),
        SegmentClosed(Segment(5, 6, True, None)),
        closed(6, 7, 0.1),
    ]
    timeline = collect(events, model="tiny 1", labels=LABELS)
    assert timeline.shares == {"neutral": 0.25, "anger": 0.75}
    assert timeline.speech_seconds == 5
    assert timeline.duration_seconds == 7


def test_empty_stream_is_an_empty_timeline() -> None:
    timeline = collect([], model="tiny 1", labels=LABELS)
    assert timeline.duration_seconds == 0
    assert timeline.shares == {"neutral": 0.0, "anger": 0.0}


def test_json_of_a_timeline() -> None:
    events: list[Event] = [
        HopPrediction(0.0, 0.5, True, prediction(0.75)),
        closed(0, 0.5, 0.75),
    ]
    record = collect(events, model="tiny 1", labels=LABELS).to_json("a.wav")
    judged = {
        "start_s": 0.0,
        "stop_s": 0.5,
        "speech": True,
        "emotion": "anger",
        "confidence": 0.75,
        "abstained": False,
        "probabilities": {"neutral": 0.25, "anger": 0.75},
        "intensity": None,
        "warnings": [],
    }
    assert record == {
        "schema": 1,
        "path": "a.wav",
        "duration_s": 0.5,
        "model": "tiny 1",
        "speech_s": 0.5,
        "shares": {"neutral": 0.0, "anger": 1.0},
        "segments": [judged],
        "hops": [judged],
    }


def test_json_of_events() -> None:
    reading = event_to_json(Reading(1.0, 2.0, prediction(0.75, intensity=0.5)))
    assert (reading["event"], reading["emotion"], reading["intensity"]) == ("reading", "anger", 0.5)
    assert event_to_json(HopPrediction(0.0, 0.5, False, None)) == {
        "event": "hop",
        "start_s": 0.0,
        "stop_s": 0.5,
        "speech": False,
    }
    assert event_to_json(SegmentOpened(1.5, True, "anger")) == {
        "event": "opened",
        "start_s": 1.5,
        "speech": True,
        "emotion": "anger",
    }
    assert event_to_json(closed(0, 1, None))["event"] == "closed"
