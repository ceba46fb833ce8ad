"""Voice activity on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from serenade.audio.activity import speech_segments, voice_activity
from serenade.types import FloatArray, Waveform

RATE = 16_000


def noise(seconds: float, level: float = 0.001, seed: int = 0) -> FloatArray:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * level
    return samples.astype(np.float32)


def bursts(
    *spans: tuple[float, float], seconds: float = 4.0, level: float = 0.1, background: float = 0.001
) -> Waveform:
    """Noise with louder noise in the spans [s]."""
    samples = noise(seconds, background)
    for start, stop in spans:
        part = slice(round(start * RATE), round(stop * RATE))
        samples[part] += noise(stop - start, level, seed=1)
    return Waveform(samples, RATE)


def test_a_burst_is_found_to_the_smoothing_and_hangover() -> None:
    active = voice_activity(bursts((1.0, 2.0)))
    assert active.size == 400
    assert active.dtype == np.bool_
    assert active[100:200].all()
    assert not active[:97].any()
    assert not active[213:].any()


@pytest.mark.parametrize("gain", [0.01, 1.0, 50.0])
def test_the_gain_does_not_matter(gain: float) -> None:
    waveform = bursts((1.0, 2.0), (3.0, 3.3))
    louder = Waveform(waveform.samples * np.float32(gain), RATE)
    np.testing.assert_array_equal(voice_activity(louder), voice_activity(waveform))


def test_steady_noise_and_silence_hold_no_voice() -> None:
    assert not voice_activity(Waveform(noise(5.0, 0.2), RATE)).any()
    assert not voice_activity(Waveform(np.zeros(RATE, np.float32), RATE)).any()
    assert speech_segments(Waveform(np.zeros(RATE, np.float32), RATE)) == []


def test_the_floor_follows_a_background_that_grows_louder() -> None:
    samples = np.concatenate([bursts((1.0, 2.0), seconds=10).samples, noise(10.0, 0.05, seed=2)])
    active = voice_activity(Waveform(samples, RATE))
    assert active[100:200].all()
    assert not active[1250:].any()


def test_an_onset_reaches_as_far_as_the_offset_threshold() -> None:
    waveform = bursts((1.0, 1.5), (1.5, 2.0))
    waveform.samples[24_000:32_000] *= 0.02  # 6 dB above the background
    active = voice_activity(waveform, onset_db=12.0, offset_db=3.0, hangover_seconds=0.0)
    assert active[100:200].all()
    alone = voice_activity(waveform, onset_db=12.0, offset_db=9.0, hangover_seconds=0.0)
    assert not alone[155:200].any()


def test_segments_join_over_short_pauses_and_drop_short_bursts() -> None:
    waveform = bursts((0.5, 1.0), (1.3, 2.0), (3.0, 3.02))
    segments = speech_segments(
        waveform, min_speech_seconds=0.2, min_pause_seconds=0.4, hangover_seconds=0.0
    )
    assert len(segments) == 1
    start, stop = segments[0]
    assert start == pytest.approx(0.5 * RATE, abs=480)
    assert stop == pytest.approx(2.0 * RATE, abs=480)
    apart = speech_segments(
        waveform, min_speech_seconds=0.0, min_pause_seconds=0.1, hangover_seconds=0.0
    )
    assert len(apart) == 3


def test_segments_end_with_the_recording() -> None:
    waveform = bursts((2.0, 3.995), seconds=3.995)
    assert speech_segments(waveform)[-1][1] == waveform.samples.size


def test_nothing_and_less_than_a_frame() -> None:
    assert voice_activity(Waveform(np.zeros(0, np.float32), RATE)).size == 0
    assert voice_activity(Waveform(noise(0.005), RATE)).size == 1
