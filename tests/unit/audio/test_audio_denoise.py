"""Noise reduction on signals whose truth is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from serenade.audio.denoise import reduce_noise
from serenade.types import FloatArray, Waveform

RATE = 16_000

Float64Array = npt.NDArray[np.float64]


def talk(seconds: float, rate: int = RATE) -> Float64Array:
    """Harmonics in syllables with pauses."""
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20))
    return voice * np.clip(np.sin(2 * np.pi * 1.3 * time), 0, None) * 0.1


def noisy(speech: Float64Array, snr_db: float, seed: int = 0) -> Float64Array:
    noise = np.random.default_rng(seed).standard_normal(speech.size)
    gain = float(np.sqrt(np.mean(speech**2) / np.mean(noise**2) / 10 ** (snr_db / 10)))
    return speech + noise * gain


def reduce(samples: npt.NDArray[np.floating], rate: int = RATE) -> FloatArray:
    result = reduce_noise(Waveform(np.asarray(samples, np.float32), rate)).samples
    assert result.dtype == np.float32
    assert result.shape == np.shape(samples)
    return result


def snr_db(reference: Float64Array, estimate: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.sum(reference**2) / np.sum((estimate - reference) ** 2)))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize(("before", "rise"), [(0, 4.0), (5, 2.5)])
def test_white_noise_is_lowered(rate: int, before: float, rise: float) -> None:
    speech = talk(3.0, rate)
    assert snr_db(speech, reduce(noisy(speech, before), rate)) > before + rise


def test_clean_speech_comes_back_bit_for_bit() -> None:
    samples = noisy(talk(3.0), 30).astype(np.float32)
    np.testing.assert_array_equal(reduce(samples), samples)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 3_999])
def test_too_short_to_know_the_noise_comes_back(n_samples: int) -> None:
    samples = noisy(talk(3.0), 0)[:n_samples].astype(np.float32)
    np.testing.assert_array_equal(reduce(samples), samples)


def test_digital_silence_comes_back() -> None:
    np.testing.assert_array_equal(reduce(np.zeros(RATE)), np.zeros(RATE))


def test_noise_alone_is_lowered_evenly() -> None:
    noise = np.random.default_rng(0).standard_normal(25 * RATE) * 0.1
    result = reduce(noise)
    levels = [10 * np.log10(np.mean(part**2)) for part in np.array_split(result, 100)]
    assert max(levels) < -27
    assert max(levels) - min(levels) < 2


def test_long_recordings_follow_a_noise_that_changes() -> None:
    speech = talk(30.0)
    half = speech.size // 2
    samples = np.concatenate([noisy(speech[:half], 0), noisy(speech[half:], 5, seed=1)])
    result = reduce(samples)
    assert snr_db(speech[:half], result[:half]) > 4
    assert snr_db(speech[half:], result[half:]) > 7


def test_the_input_is_not_changed() -> None:
    samples = noisy(talk(2.0), 0).astype(np.float32)
    before = samples.copy()
    reduce(samples)
    np.testing.assert_array_equal(samples, before)
