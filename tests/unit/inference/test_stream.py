"""What a stream tells while audio comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny_bundle import TONES_HZ, tiny_spec, tone, write_tiny_bundle

from serenade.errors import AudioError, UsageError
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import (
    Event,
    HopPrediction,
    Reading,
    Segment,
    SegmentClosed,
    SegmentOpened,
    Timeline,
    TimelineConfig,
    collect,
)
from serenade.model.windowing import Windowing

if TYPE_CHECKING:
    from serenade.types import FloatArray

RATE = 16000
SHORT = TimelineConfig(window_seconds=1.0, step_seconds=0.5)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


def quiet(seconds: float, *, level: float = 1e-3) -> FloatArray:
    chance = np.random.default_rng(round(seconds * 100))
    return chance.normal(0, level, round(seconds * RATE)).astype(np.float32)


def say(emotion: str, seconds: float, *, amplitude: float = 0.3) -> FloatArray:
    return tone(TONES_HZ[emotion], seconds=seconds, amplitude=amplitude) + quiet(seconds)


def run(recognizer: Recognizer, *parts: FloatArray, config: TimelineConfig = SHORT) -> list[Event]:
    return list(recognizer.stream(RATE, config=config).run([np.concatenate(parts)]))


def judge(recognizer: Recognizer, *parts: FloatArray, config: TimelineConfig = SHORT) -> Timeline:
    events = run(recognizer, *parts, config=config)
    return collect(events, model=recognizer.model_id, labels=recognizer.labels)


def emotion_of(segment: Segment) -> str | None:
    return None if segment.prediction is None else segment.prediction.emotion


def test_segments_and_hops_cover_the_recording_without_gaps(recognizer: Recognizer) -> None:
    timeline = judge(recognizer, quiet(1.2), say("sadness", 2.0), quiet(0.9), say("anger", 1.3))
    for parts in (timeline.segments, timeline.hops):
        assert parts[0].start_seconds == 0.0
        assert parts[-1].stop_seconds == pytest.approx(5.4)
        stops = [part.stop_seconds for part in parts[:-1]]
        assert stops == [part.start_seconds for part in parts[1:]]
        assert all(part.duration_seconds > 0 for part in parts)


def test_change_without_pause_is_found_within_a_hop(recognizer: Recognizer) -> None:
    timeline = judge(recognizer, quiet(1.0), say("sadness", 1.5), say("neutral", 1.5), quiet(1.0))
    assert [emotion_of(s) for s in timeline.segments] == [None, "sadness", "neutral", None]
    assert timeline.segments[2].start_seconds == pytest.approx(2.5, abs=0.5)


def test_windows_do_not_reach_over_pauses(recognizer: Recognizer) -> None:
    timeline = judge(
        recognizer,
        *(quiet(1.0), say("sadness", 1.2), quiet(0.6), say("anger", 1.2), quiet(1.0)),
        config=TimelineConfig(),
    )
    assert [emotion_of(s) for s in timeline.segments] == [None, "sadness", None, "anger", None]
    alone = judge(recognizer, quiet(1.0), say("anger", 1.2), quiet(1.0), config=TimelineConfig())
    one, other = timeline.segments[3].prediction, alone.segments[1].prediction
    assert one is not None
    assert other is not None
    assert one.confidence == pytest.approx(other.confidence, abs=0.02)


@pytest.mark.parametrize("hop_seconds", [0.1, 0.5, 1.0, 2.0])
def test_every_word_is_heard_however_long_the_hop(
    recognizer: Recognizer, hop_seconds: float
) -> None:
    words = ["sadness", "anger", "neutral", "sadness", "anger", "anger", "sadness"]
    parts = [part for word in words for part in (quiet(0.7), say(word, 0.31))]
    config = TimelineConfig(hop_seconds=hop_seconds)
    timeline = judge(recognizer, *parts, quiet(0.35), config=config)
    spoken = [segment for segment in timeline.segments if segment.is_speech]
    assert [emotion_of(segment) for segment in spoken] == words
    finely = judge(recognizer, *parts, quiet(0.35), config=TimelineConfig(hop_seconds=0.25))
    assert timeline.speech_seconds == pytest.approx(finely.speech_seconds)
    stops = [segment.stop_seconds for segment in timeline.segments[:-1]]
    assert stops == [segment.start_seconds for segment in timeline.segments[1:]]
    hops = [hop.start_seconds for hop in timeline.hops]
    assert hops == pytest.approx([index * hop_seconds for index in range(len(hops))])


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.sampled_from([0.05, 0.25, 0.4, 0.55, 1.3]), min_size=1, max_size=9),
    hop_seconds=st.sampled_from([0.3, 1.0, 2.0]),
    n_samples=st.integers(1500, 40_000),
)
def test_words_within_a_hop_do_not_depend_on_how_the_audio_comes(
    recognizer: Recognizer, lengths: list[float], hop_seconds: float, n_samples: int
) -> None:
    parts = [say("anger", x) if i % 2 else quiet(x) for i, x in enumerate(lengths)]
    samples, config = np.concatenate(parts), TimelineConfig(hop_seconds=hop_seconds)
    pieces = [samples[start : start + n_samples] for start in range(0, samples.size, n_samples)]
    in_pieces = list(recognizer.stream(RATE, config=config).run(pieces))
    at_once = run(recognizer, samples, config=config)
    assert [e for e in in_pieces if isinstance(e, SegmentClosed | HopPrediction)] == [
        e for e in at_once if isinstance(e, SegmentClosed | HopPrediction)
    ]


def test_events_come_in_order_and_every_segment_is_opened_and_closed(
    recognizer: Recognizer,
) -> None:
    events = run(recognizer, quiet(1.0), say("sadness", 2.0), quiet(1.0), say("anger", 2.0))
    opened = [e.start_seconds for e in events if isinstance(e, SegmentOpened)]
    closed = [e.segment.start_seconds for e in events if isinstance(e, SegmentClosed)]
    assert opened == closed == sorted(opened)
    hops = [e.start_seconds for e in events if isinstance(e, HopPrediction)]
    assert hops == sorted(hops)


def test_first_impression_comes_soon(recognizer: Recognizer) -> None:
    stream = recognizer.stream(RATE, config=SHORT)
    stream.push(quiet(2.0))
    readings = [
        (n_pieces, event)
        for n_pieces in range(1, 30)
        for event in stream.push(say("anger", 0.1))
        if isinstance(event, Reading)
    ]
    n_pieces, reading = readings[0]
    assert n_pieces * 0.1 <= 1.1
    assert reading.prediction.emotion == "anger"


def test_memory_of_a_stream_does_not_grow(recognizer: Recognizer) -> None:
    stream = recognizer.stream(RATE)
    sizes = []
    for _ in range(40):
        stream.push(np.concatenate([say("sadness", 1.5), quiet(0.7)]))
        sizes.append(stream._kept.size)
    assert max(sizes) < 8 * RATE


def test_sound_too_short_for_the_model_is_speech_without_emotion(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    windowing = Windowing(min_seconds=1.0, max_seconds=2.0, hop_seconds=1.0, sure_from_seconds=1.0)
    folder = tmp_path_factory.mktemp("bundles") / "picky"
    picky = Recognizer.load(write_tiny_bundle(folder, tiny_spec(windowing=windowing)))
    timeline = judge(picky, quiet(1.0), say("anger", 0.4), quiet(1.0))
    assert [(s.is_speech, s.prediction) for s in timeline.segments] == [
        *((False, None), (True, None), (False, None))
    ]
    assert sum(timeline.shares.values()) == 0.0


def test_stream_without_a_sample_tells_nothing(recognizer: Recognizer) -> None:
    stream = recognizer.stream(RATE)
    assert stream.push(np.empty(0, np.float32)) == []
    assert stream.flush() == []


def test_recording_shorter_than_a_hop_is_judged(recognizer: Recognizer) -> None:
    timeline = judge(recognizer, quiet(0.1), say("anger", 0.29))
    assert len(timeline.hops) == 1
    assert timeline.duration_seconds == pytest.approx(0.39)


def test_clipping_and_quiet_are_warned_about(recognizer: Recognizer) -> None:
    loud = say("sadness", 1.5, amplitude=2.0).clip(-1.0, 1.0)
    faint = say("sadness", 1.5) * np.float32(1e-3)
    clipped = judge(recognizer, quiet(1.0), loud, quiet(1.0)).segments[1].prediction
    silent = judge(recognizer, quiet(1.0, level=1e-6), faint).segments[1].prediction
    assert clipped is not None
    assert silent is not None
    assert clipped.warnings == ("clipping",)
    assert silent.warnings == ("too_quiet",)


def test_flushed_stream_takes_nothing_more(recognizer: Recognizer) -> None:
    stream = recognizer.stream(RATE)
    stream.flush()
    with pytest.raises(UsageError, match="the stream was flushed"):
        stream.push(quiet(0.1))
    with pytest.raises(UsageError, match="the stream was flushed"):
        stream.flush()


@pytest.mark.parametrize("rate", [0, 7999, 192001, 16000.5])
def test_impossible_rate_is_one_clear_error(recognizer: Recognizer, rate: int) -> None:
    with pytest.raises(AudioError, match="the stream has a sample rate of"):
        recognizer.stream(rate)


def test_piece_that_is_not_finite_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(AudioError, match="NaN"):
        recognizer.stream(RATE).push(np.array([0.0, np.nan], np.float32))


def test_channel_of_samples_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(UsageError, match="channel is only for a file"):
        recognizer.timeline(quiet(1.0), RATE, channel=0)


def test_progress_tells_what_was_read(recognizer: Recognizer) -> None:
    seconds: list[float] = []
    recognizer.timeline(quiet(1.5), RATE, progress=seconds.append)
    assert seconds == [1.5]
