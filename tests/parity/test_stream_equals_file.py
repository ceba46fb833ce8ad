"""A stream gives the timeline of the whole file, however the audio is cut."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny_bundle import TONES_HZ, tone, write_adaptive_bundle, write_tiny_bundle

from serenade.audio.codec import encode
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import Timeline, TimelineConfig, collect
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.inference.timeline import Part
    from serenade.types import FloatArray

RATES = (8000, 16000, 22050, 44100, 48000)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_adaptive_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


@cache
def conversation(rate: int) -> FloatArray:
    """Ten seconds of pauses, bursts and tones that change without a pause, with some noise."""
    noise = np.random.default_rng(7)
    sad, neutral, happy = (TONES_HZ[name] for name in ("sadness", "neutral", "happiness"))
    parts = [
        np.zeros(11000, np.float32),
        tone(sad, seconds=1.6),
        tone(neutral, seconds=1.5, amplitude=0.2),
        np.zeros(3000, np.float32),
        tone(neutral, seconds=0.15),
        np.zeros(15000, np.float32),
        tone(sad, seconds=0.4),
        np.zeros(9000, np.float32),
        tone(happy, seconds=2.77),
    ]
    samples = np.concatenate(parts)
    samples += noise.normal(0, 1e-3, samples.size).astype(np.float32)
    n = round(samples.size * rate / 16000)
    at = np.linspace(0, samples.size - 1, n)
    return np.interp(at, np.arange(samples.size), samples).astype(np.float32)


def streamed(
    recognizer: Recognizer,
    pieces: Iterable[FloatArray],
    rate: int,
    config: TimelineConfig,
    *,
    adapt: bool = False,
) -> Timeline:
    events = recognizer.stream(rate, config=config, adapt=adapt).run(pieces)
    return collect(events, model=recognizer.model_id, labels=recognizer.labels)


def assert_equal(one: Timeline, other: Timeline) -> None:
    assert one.duration_seconds == pytest.approx(other.duration_seconds, abs=1e-5)
    assert_parts_equal(one.segments, other.segments)
    assert_parts_equal(one.hops, other.hops)


def assert_parts_equal(some: tuple[Part, ...], others: tuple[Part, ...]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        assert one.start_seconds == pytest.approx(other.start_seconds, abs=1e-5)
        assert one.stop_seconds == pytest.approx(other.stop_seconds, abs=1e-5)
        assert one.is_speech == other.is_speech
        assert (one.prediction is None) == (other.prediction is None)
        if one.prediction is not None and other.prediction is not None:
            assert one.prediction.emotion == other.prediction.emotion
            assert one.prediction.probabilities == pytest.approx(
                other.prediction.probabilities, abs=1e-5
            )
            assert one.prediction.intensity == pytest.approx(other.prediction.intensity, abs=1e-5)
            assert one.prediction.warnings == other.prediction.warnings
            assert one.prediction.adapted_to == other.prediction.adapted_to


@settings(deadline=None, max_examples=40)
@given(
    rate=st.sampled_from(RATES),
    cuts=st.lists(st.floats(0, 1), max_size=60),
    config=st.sampled_from(
        [
            TimelineConfig(),
            TimelineConfig(step_seconds=2.0),
            TimelineConfig(hop_seconds=0.25, window_seconds=1.5, step_seconds=0.25),
        ]
    ),
)
def test_any_chunking_gives_the_timeline_of_the_whole_file(
    recognizer: Recognizer, rate: int, cuts: list[float], config: TimelineConfig
) -> None:
    samples = conversation(rate)
    content = encode(Waveform(samples, rate), "flac")
    exact = (np.rint(samples * 2.0**15) / 2.0**15).astype(np.float32)
    pieces = np.split(exact, np.sort((np.array(cuts) * exact.size).astype(int)))
    whole = recognizer.timeline(content, config=config)
    assert_equal(streamed(recognizer, pieces, rate, config), whole)


@settings(deadline=None, max_examples=15)
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.floats(0, 1), max_size=40))
def test_any_chunking_gets_to_know_the_speaker_alike(
    adaptive: Recognizer, rate: int, cuts: list[float]
) -> None:
    samples = conversation(rate)
    content = encode(Waveform(samples, rate), "flac")
    exact = (np.rint(samples * 2.0**15) / 2.0**15).astype(np.float32)
    pieces = np.split(exact, np.sort((np.array(cuts) * exact.size).astype(int)))
    config = TimelineConfig(window_seconds=1.0, step_seconds=0.5)
    whole = adaptive.timeline(content, config=config, adapt=True)
    assert whole.adapted_to is not None
    assert_equal(streamed(adaptive, pieces, rate, config, adapt=True), whole)
    assert whole.hops != adaptive.timeline(content, config=config).hops


@pytest.mark.parametrize("size", [1, 7, 160, 441])
def test_tiny_chunks_give_the_timeline_of_one_chunk(recognizer: Recognizer, size: int) -> None:
    samples = conversation(16000)[: 16000 * 2]
    config = TimelineConfig()
    pieces = np.split(samples, range(size, samples.size, size))
    assert_equal(
        streamed(recognizer, pieces, 16000, config), streamed(recognizer, [samples], 16000, config)
    )


def test_integer_and_stereo_chunks_give_the_timeline_of_floats(recognizer: Recognizer) -> None:
    config = TimelineConfig()
    integers = np.rint(conversation(48000) * 2**15).astype(np.int16)
    stereo = np.stack([integers, integers], axis=1)
    floats = (integers / 2**15).astype(np.float32)
    assert_equal(
        streamed(recognizer, np.array_split(stereo, 33), 48000, config),
        streamed(recognizer, [floats], 48000, config),
    )


def test_streams_that_share_a_model_do_not_disturb_each_other(recognizer: Recognizer) -> None:
    samples = conversation(16000)
    config = TimelineConfig()
    streams = [recognizer.stream(16000, config=config) for _ in range(2)]
    events: list[list[object]] = [[], []]
    for piece in np.array_split(samples, 20):
        events[0] += streams[0].push(piece)
        events[1] += streams[1].push(piece[::-1])
    events[0] += streams[0].flush()
    timeline = collect(events[0], model=recognizer.model_id, labels=recognizer.labels)  # type: ignore[arg-type]
    assert_equal(timeline, streamed(recognizer, [samples], 16000, config))


def test_timeline_hears_what_was_played(recognizer: Recognizer) -> None:
    config = TimelineConfig(window_seconds=1.0, step_seconds=0.5)
    timeline = recognizer.timeline(conversation(16000), 16000, config=config)
    heard = [
        segment.prediction.emotion if segment.prediction else None for segment in timeline.segments
    ]
    assert heard == [None, "sadness", "neutral", None, "sadness", None, "happiness"]
