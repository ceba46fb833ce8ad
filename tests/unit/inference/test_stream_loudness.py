"""Loudness and quality of the parts of a long recording."""

from __future__ import annotations

import numpy as np
import pytest

from serenade.inference.loudness import Loudness, Noise, measure_loudness


def constant(value: float, n_samples: int = 100) -> Loudness:
    return measure_loudness(np.full(n_samples, value, np.float32))


def test_sums_of_parts_are_those_of_the_whole() -> None:
    samples = np.random.default_rng(0).uniform(-1.1, 1.1, 1000).astype(np.float32)
    whole = measure_loudness(samples)
    parts = measure_loudness(samples[:300]) + measure_loudness(samples[300:])
    assert parts.n_samples == whole.n_samples
    assert parts.n_clipped == whole.n_clipped == np.count_nonzero(np.abs(samples) >= 0.999)
    assert parts.energy == pytest.approx(whole.energy, rel=1e-5)


def test_speech_is_compared_with_the_noise_around_it() -> None:
    noise = Noise()
    noise.push(constant(0.1))
    quality = noise.quality_of(constant(0.1 * 11**0.5), duration_seconds=2.0)
    assert quality.snr_db == pytest.approx(10.0, abs=1e-4)
    assert quality.level_dbfs == pytest.approx(-20.0 + 10.0 * np.log10(11), abs=1e-4)
    assert quality.duration_seconds == 2.0


def test_old_noise_is_forgotten() -> None:
    noise = Noise()
    for value in [0.5] * 10 + [0.01] * 16:
        noise.push(constant(value))
    assert noise.quality_of(constant(0.5), duration_seconds=1.0).snr_db > 30


@pytest.mark.parametrize(("values", "snr_db"), [([], 100.0), ([0.0], 100.0), ([0.5], -20.0)])
def test_extremes_are_bounded(values: list[float], snr_db: float) -> None:
    noise = Noise()
    for value in values:
        noise.push(constant(value))
    assert noise.quality_of(constant(0.25), duration_seconds=1.0).snr_db == snr_db
