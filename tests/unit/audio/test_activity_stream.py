"""Voice activity of a signal that arrives in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.audio.activity import voice_activity
from serenade.audio.activity_stream import EnergyActivity
from serenade.types import FloatArray, Waveform

RATE = 16000


def bursts(*spans: tuple[float, float], seconds: float = 6.0, noise: float = 1e-3) -> FloatArray:
    """Noise with louder noise in spans [s]."""
    chance = np.random.default_rng(1)
    samples = chance.normal(0, noise, round(seconds * RATE))
    for start, stop in spans:
        span = slice(round(start * RATE), round(stop * RATE))
        samples[span] += chance.normal(0, 0.1, samples[span].size)
    return samples.astype(np.float32)


def active(samples: FloatArray, cuts: list[int] | None = None) -> np.ndarray:
    activity = EnergyActivity(sample_rate=RATE)
    pieces = np.split(samples, sorted(cuts or []))
    return np.concatenate([*(activity.push(piece) for piece in pieces), activity.finish()])


def edges(mask: np.ndarray) -> list[float]:
    """Times at which activity begins and ends [s]."""
    frames = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return [float(frame) / 100 for frame in frames]


def test_bursts_are_found_with_a_hangover() -> None:
    found = edges(active(bursts((1.0, 2.0), (4.0, 4.5))))
    assert found == pytest.approx([1.0, 2.1, 4.0, 4.6], abs=0.04)


@pytest.mark.parametrize("gain", [0.01, 1.0, 30.0])
def test_gain_does_not_matter(gain: float) -> None:
    samples = bursts((1.0, 2.0))
    np.testing.assert_array_equal(active(samples * np.float32(gain)), active(samples))


def test_offset_does_not_matter() -> None:
    samples = bursts((1.0, 2.0))
    np.testing.assert_array_equal(active(samples + np.float32(0.25)), active(samples))


def test_whole_file_rule_finds_the_same_in_a_short_recording() -> None:
    samples = bursts((1.0, 1.5), (2.5, 3.4))
    np.testing.assert_array_equal(active(samples), voice_activity(Waveform(samples, RATE)))


def test_digital_silence_is_inactive() -> None:
    assert not active(np.zeros(3 * RATE, np.float32)).any()


def test_steady_noise_is_inactive() -> None:
    assert active(bursts(seconds=20.0, noise=0.05)).mean() < 0.02


def test_louder_background_is_accepted_after_some_seconds() -> None:
    quiet, loud = bursts(seconds=5.0), bursts(seconds=10.0, noise=0.02)
    mask = active(np.concatenate([quiet, loud]))
    assert mask[510:700].all()
    assert not mask[900:].any()


def test_quiet_speech_is_found_again_after_a_bang() -> None:
    samples = bursts(seconds=60.0, noise=1e-5)
    samples[RATE : RATE + 1600] += np.float32(0.9)
    samples[RATE : RATE + 1600 : 2] -= np.float32(1.8)
    quiet = bursts((0.0, 1.0), seconds=1.0, noise=0.0) * np.float32(0.01)
    samples[3 * RATE : 4 * RATE] += quiet
    samples[50 * RATE : 51 * RATE] += quiet
    mask = active(samples)
    assert not mask[300:400].any()
    assert mask[5005:5095].all()


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(0, 6 * RATE), max_size=40))
def test_any_chunking_gives_the_same(cuts: list[int]) -> None:
    samples = bursts((0.0, 0.7), (2.0, 2.1), (3.0, 5.99))
    np.testing.assert_array_equal(active(samples, cuts), active(samples))


@pytest.mark.parametrize("n_samples", [0, 1, 159, 160, 161, 800, 8000])
def test_every_frame_is_decided(n_samples: int) -> None:
    assert active(np.ones(n_samples, np.float32)).size == -(-n_samples // 160)


def test_memory_does_not_grow() -> None:
    activity = EnergyActivity(sample_rate=RATE)
    for _ in range(60):
        activity.push(bursts(seconds=1.0))
    kept = [value.size for value in vars(activity).values() if isinstance(value, np.ndarray)]
    assert max(kept) < 500
