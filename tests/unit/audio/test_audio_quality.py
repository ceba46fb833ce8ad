"""Quality measures in closed form."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from serenade.audio.quality import measure_quality
from serenade.errors import AudioError
from serenade.types import Quality, Waveform

RATE = 16_000


def talk(seconds: float = 4.0) -> npt.NDArray[np.float64]:
    """Bursts of a tone, half of the time."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * 300 * time) * (time % 1.0 < 0.5) * 0.3


def measure(samples: npt.ArrayLike) -> Quality:
    return measure_quality(Waveform(np.asarray(samples, np.float32), RATE))


def test_level_and_duration() -> None:
    time = np.arange(RATE) / RATE
    quality = measure(np.sin(2 * np.pi * 100 * time))
    assert quality.level_dbfs == pytest.approx(-3.01, abs=0.01)
    assert quality.duration_seconds == 1.0


def test_clipping_share_counts_samples_at_full_scale() -> None:
    samples = talk()
    samples[:640] = 1.0
    samples[640:1280] = -1.5
    assert measure(samples).clipping_share == pytest.approx(1280 / samples.size)
    assert measure(talk()).clipping_share == 0.0


@pytest.mark.parametrize("snr_db", [0, 10, 20, 30])
def test_signal_to_noise_ratio(snr_db: float) -> None:
    speech = talk()
    noise = np.random.default_rng(0).standard_normal(speech.size)
    noise *= np.sqrt(np.mean(speech**2) / 10 ** (snr_db / 10))
    assert measure(speech + noise).snr_db == pytest.approx(snr_db, abs=1.0)


def test_speech_share_of_bursts() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE) * 0.001
    # every half second of tone is followed by 0.1 s of hangover and 0.02 s of smoothing
    assert measure(talk() + noise).speech_share == pytest.approx(0.62, abs=0.03)
    assert measure(noise).speech_share == 0.0


def test_silence_is_measured_without_a_warning() -> None:
    quality = measure(np.zeros(RATE))
    assert quality.level_dbfs == -math.inf
    assert (quality.clipping_share, quality.speech_share, quality.snr_db) == (0.0, 0.0, -20.0)


def test_pauses_of_digital_silence_are_the_best_ratio() -> None:
    assert measure(talk()).snr_db == 100.0


def test_an_offset_is_no_speech() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE) * 0.001
    assert measure(talk() + noise + 0.2).snr_db == pytest.approx(
        measure(talk() + noise).snr_db, abs=1
    )


def test_no_samples_are_refused() -> None:
    with pytest.raises(AudioError, match="holds no samples"):
        measure([])
