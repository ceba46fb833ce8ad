from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.errors import AudioError, UsageError
from serenade.features.checks import LOUDEST
from serenade.features.frontends import FRONT_ENDS, functional_vector, get_front_end
from serenade.features.functionals import PERCENTILES, STATISTICS, functionals
from serenade.types import Waveform

SR = 16_000


@settings(deadline=None, max_examples=50)
@given(n_rows=st.integers(1, 5), n_frames=st.integers(1, 60))
def test_functionals_equal_numpy(n_rows: int, n_frames: int) -> None:
    matrix = np.random.default_rng(n_frames).standard_normal((n_rows, n_frames))
    matrix = matrix.astype(np.float32)
    times = 0.01 * np.arange(n_frames)
    values, names = functionals(
        matrix, names=[f"row{i}" for i in range(n_rows)], times_seconds=times
    )
    table = dict(zip(STATISTICS, values.reshape(n_rows, -1).T, strict=True))
    assert names[: len(STATISTICS)] == tuple(f"row0_{name}" for name in STATISTICS)
    np.testing.assert_allclose(table["mean"], matrix.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(table["std"], matrix.std(axis=1), atol=1e-5)
    for percentile in PERCENTILES:
        expected = np.percentile(matrix, percentile, axis=1)
        np.testing.assert_allclose(table[f"p{percentile}"], expected, atol=1e-5)
    np.testing.assert_allclose(table["range"], np.ptp(matrix, axis=1), atol=1e-5)
    np.testing.assert_array_equal(table["min"], matrix.min(axis=1))
    np.testing.assert_array_equal(table["max"], matrix.max(axis=1))
    slope = np.polyfit(times, matrix.T, 1)[0] if n_frames > 1 else np.zeros(n_rows)
    np.testing.assert_allclose(table["slope"], slope, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    ("matrix", "names", "times", "message"),
    [
        (np.ones((2, 3)), ["a"], [0, 1, 2], "got 1 names"),
        (np.ones((1, 3)), ["a"], [0, 1], "one time per frame"),
        (np.ones((1, 0)), ["a"], [], "one frame or more"),
        (np.full((1, 2), np.nan), ["a"], [0, 1], "matrix must be finite"),
        (np.ones((1, 3)), ["a"], [0, np.nan, 1], "times_seconds must be finite"),
        (np.ones((1, 3)), ["a"], ["0", "1", "2"], "times_seconds must hold real numbers"),
    ],
)
def test_functionals_of_what_does_not_fit_is_one_clear_error(
    matrix: npt.NDArray[np.float64], names: list[str], times: npt.ArrayLike, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        functionals(matrix, names=names, times_seconds=times)


def _clip(kind: str, n_samples: int) -> Waveform:
    samples = {
        "noise": 0.1 * np.random.default_rng(0).standard_normal(n_samples),
        "silence": np.zeros(n_samples),
        "tone": 0.5 * np.sin(2 * np.pi * 150 * np.arange(n_samples) / SR),
        "offset": np.ones(n_samples),
        "click": np.eye(1, n_samples)[0],
    }[kind]
    return Waveform(samples.astype(np.float32), SR)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("kind", ["noise", "silence", "tone", "offset", "click"])
@pytest.mark.parametrize("n_samples", [1, 159, 1_600, 16_000])
def test_every_clip_gives_the_same_finite_values(front_end: str, kind: str, n_samples: int) -> None:
    values, names = functional_vector(_clip(kind, n_samples), get_front_end(front_end))
    assert values.dtype == np.float32
    assert values.shape == (len(names),) == (len(set(names)),)
    assert np.isfinite(values).all()
    assert names == functional_vector(_clip("noise", 4_000), FRONT_ENDS[front_end])[1]


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("kind", ["noise", "tone", "offset", "click"])
def test_the_loudest_clip_gives_finite_values(front_end: str, kind: str) -> None:
    samples = _clip(kind, 4_000).samples
    loudest = Waveform(samples * np.float32(LOUDEST / np.abs(samples).max()), SR)
    values, _ = functional_vector(loudest, FRONT_ENDS[front_end])
    assert np.isfinite(values).all()
    with pytest.raises(AudioError, match="samples must be finite and at most"):
        functional_vector(Waveform(2 * loudest.samples, SR), FRONT_ENDS[front_end])


def test_pitch_is_that_of_voiced_frames_in_semitones() -> None:
    values, names = functional_vector(_clip("tone", SR), FRONT_ENDS["full"])
    table = dict(zip(names, values, strict=True))
    assert table["f0_semitones_p50"] == pytest.approx(12 * np.log2(150 / 27.5), abs=0.1)
    assert table["voiced_share"] > 0.9
    values, _ = functional_vector(_clip("noise", SR), FRONT_ENDS["full"])
    silent = dict(zip(names, values, strict=True))
    assert silent["voiced_share"] < 0.05


def test_a_rising_tone_has_a_positive_slope() -> None:
    time = np.arange(SR) / SR
    samples = 0.5 * np.sin(2 * np.pi * (100 * time + 50 * time**2))
    values, names = functional_vector(Waveform(samples.astype(np.float32), SR), FRONT_ENDS["full"])
    assert values[names.index("f0_semitones_slope")] == pytest.approx(12, abs=1.5)


def test_fingerprint_changes_with_every_parameter() -> None:
    config = FRONT_ENDS["mfcc"]
    changed = [
        replace(config, version=2),
        replace(config, n_mfcc=14),
        replace(config, delta_orders=(1,)),
        replace(config, descriptors=True),
    ]
    fingerprints = {each.fingerprint for each in (config, *changed)}
    assert len(fingerprints) == 5
    assert replace(config).fingerprint == config.fingerprint


def test_another_sample_rate_is_one_clear_error() -> None:
    with pytest.raises(AudioError, match="takes 16000 Hz, got 8000 Hz; resample"):
        functional_vector(Waveform(np.zeros(800, np.float32), 8_000), FRONT_ENDS["mfcc"])


def test_an_unknown_front_end_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="one of mfcc, full, got 'mel'"):
        get_front_end("mel")
