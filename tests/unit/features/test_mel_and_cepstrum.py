from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.errors import UsageError
from serenade.features.cepstrum import delta, mfcc
from serenade.features.mel import (
    hz_to_mel,
    log_mel,
    mel_filter_bank,
    mel_to_hz,
    melspectrogram,
    power_to_db,
)
from serenade.features.spectrum import spectrogram

if TYPE_CHECKING:
    from collections.abc import Callable

SR = 16_000
NOISE = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)


@pytest.mark.parametrize("htk", [False, True])
def test_mel_scale_can_be_inverted(htk: bool) -> None:
    hz = np.linspace(0, 8000, 200)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz, htk=htk), htk=htk), hz, atol=1e-8)


def test_mel_scale_meets_its_definition() -> None:
    assert hz_to_mel(1000.0) == pytest.approx(15.0)
    assert hz_to_mel(6400.0) == pytest.approx(42.0)
    assert hz_to_mel(1000.0, htk=True) == pytest.approx(999.99, abs=0.01)


@pytest.mark.parametrize("n_mels", [1, 13, 64, 128])
def test_mel_spectrogram_is_the_filter_bank_times_the_spectrum(n_mels: int) -> None:
    power = spectrogram(y=NOISE, n_fft=512, hop_length=160, power=2.0)
    expected = mel_filter_bank(sr=SR, n_fft=512, n_mels=n_mels) @ power
    own = melspectrogram(sr=SR, S=power, n_mels=n_mels)
    np.testing.assert_allclose(own, expected, rtol=1e-5, atol=1e-9)
    from_samples = melspectrogram(y=NOISE, sr=SR, n_fft=512, hop_length=160, n_mels=n_mels)
    # from samples, it is the product of some frames at a time, which may round otherwise
    np.testing.assert_allclose(own, from_samples, rtol=1e-6)


def test_filter_bank_is_shared_and_cannot_be_changed() -> None:
    bank = mel_filter_bank(sr=SR, n_fft=512, n_mels=40)
    assert mel_filter_bank(sr=SR, n_fft=512, n_mels=40) is bank
    with pytest.raises(ValueError, match="read-only"):
        bank[0, 0] = 1.0


def test_a_number_of_bands_is_checked_whatever_was_computed_before() -> None:
    melspectrogram(y=NOISE, sr=SR, n_fft=512, n_mels=64)
    with pytest.raises(UsageError, match=r"n_mels must be a whole number .* got 64\.0"):
        melspectrogram(y=NOISE, sr=SR, n_fft=512, n_mels=64.0)  # type: ignore[arg-type]


def test_decibels_of_one_number_are_one_number() -> None:
    assert power_to_db(100.0) == pytest.approx(20.0)


def test_decibels_follow_reference_floor_and_range() -> None:
    power = np.array([[1e-12, 1e-4, 1.0, 100.0]])
    np.testing.assert_allclose(power_to_db(power, top_db=None), [[-100, -40, 0, 20]], atol=1e-4)
    np.testing.assert_allclose(power_to_db(power, top_db=30.0), [[-10, -10, 0, 20]], atol=1e-4)
    np.testing.assert_allclose(
        power_to_db(power, ref=np.max, amin=1e-5, top_db=None), [[-70, -60, -20, 0]], atol=1e-4
    )


def test_a_louder_clip_has_the_same_shape_and_a_higher_level() -> None:
    quiet = log_mel(y=NOISE, sr=SR, n_fft=512, hop_length=160, top_db=None)
    loud = log_mel(y=10 * NOISE, sr=SR, n_fft=512, hop_length=160, top_db=None)
    np.testing.assert_allclose(loud - quiet, 20.0, atol=1e-2)


def test_all_coefficients_hold_the_energy_of_the_log_mel_spectrogram() -> None:
    level = log_mel(y=NOISE, sr=SR, n_fft=512, hop_length=160, n_mels=40)
    for dct_type in (2, 3):
        coefficients = mfcc(S=level, sr=SR, n_mfcc=40, dct_type=dct_type)
        np.testing.assert_allclose(
            np.sum(coefficients**2, axis=0), np.sum(level**2, axis=0), rtol=1e-4
        )


def test_derivatives_of_a_parabola_are_exact() -> None:
    frames = np.arange(30.0)
    data = np.stack([3 * frames + 1, 0.5 * frames**2])
    np.testing.assert_allclose(delta(data)[0], 3.0, atol=1e-4)
    np.testing.assert_allclose(delta(data)[1, 4:-4], frames[4:-4], atol=1e-4)
    np.testing.assert_allclose(delta(data, order=2), [[0.0] * 30, [1.0] * 30], atol=1e-3)


@pytest.mark.parametrize("n_frames", [1, 2, 8])
def test_a_short_clip_has_derivatives_when_its_ends_are_held(n_frames: int) -> None:
    data = np.ones((3, n_frames))
    np.testing.assert_allclose(delta(data, mode="nearest"), 0.0, atol=1e-6)
    with pytest.raises(UsageError, match=f'{n_frames} frames are too few.*mode="nearest"'):
        delta(data)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mel_filter_bank(sr=SR, n_fft=512, fmax=9000), "fmax <= sr / 2 = 8000 Hz"),
        (lambda: mel_filter_bank(sr=SR, n_fft=512, fmin=-1), "0 <= fmin"),
        (lambda: mel_filter_bank(sr=SR, n_fft=512, n_mels=0), "n_mels must be"),
        (lambda: mel_filter_bank(sr=SR, n_fft=512, norm="l1"), "norm .* got 'l1'"),
        (lambda: log_mel(y=NOISE, sr=SR, fmax=9000), "fmax <= sr / 2"),
        (lambda: log_mel(y=NOISE, sr=SR, n_mels=0), "n_mels must be"),
        (lambda: power_to_db(np.ones(3), amin=0), "amin must be at least 1e-38, got 0"),
        (lambda: power_to_db(np.ones(3), amin=1e-50), "amin must be at least 1e-38, got 1e-50"),
        (lambda: log_mel(y=NOISE, sr=SR, amin=1e-50), "amin must be at least 1e-38, got 1e-50"),
        (lambda: power_to_db(np.ones(3), top_db=-1), "top_db must be at least 0"),
        (lambda: power_to_db(np.ones(3), ref=np.nan), "ref must be a finite number, got nan"),
        (lambda: power_to_db([]), "S must hold one number or more"),
        (lambda: power_to_db([1.0, np.nan]), "S must be finite"),
        (lambda: power_to_db([1.0, 1e300]), "S must be finite"),
        (lambda: power_to_db([1j]), "S must hold real numbers, got complex128"),
        (lambda: power_to_db("abc"), "S must hold real numbers, got <U3"),
        (lambda: power_to_db([[1.0], [1.0, 2.0]]), "S must be an array, got lists of different"),
        (lambda: log_mel(y=NOISE, sr=np.inf), "sr must be a finite number, got inf"),
        (lambda: mel_filter_bank(sr=SR, n_fft=512, n_mels=10**9), "n_mels must be at most 16384"),
        (lambda: mfcc(sr=SR), "exactly one of y"),
        (lambda: mfcc(y=NOISE, sr=SR, n_mfcc=65, n_mels=64), "at most the 64 mel bands, got 65"),
        (lambda: mfcc(y=NOISE, sr=SR, dct_type=1), "dct_type must be 2 or 3, got 1"),
        (lambda: mfcc(y=NOISE, sr=SR, lifter=-1), "lifter must be at least 0"),
        (lambda: mfcc(y=NOISE, sr=SR, lifter=np.inf), "lifter must be a finite number, got inf"),
        (lambda: delta(np.ones((2, 20)), width=4), "width must be odd"),
        (lambda: delta(np.ones((2, 20)), width=3, order=3), "above order=3"),
        (lambda: delta(np.ones((2, 20)), order=0), "order must be"),
        (lambda: delta(np.ones((2, 20)), mode="wrap"), "mode must be"),
        (lambda: delta(np.full((2, 20), np.nan)), "data must be finite"),
    ],
)
def test_bad_parameters_are_one_clear_error(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()
