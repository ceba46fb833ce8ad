from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from serenade.errors import UsageError
from serenade.features.chroma import chroma_filter_bank, chroma_stft, estimate_tuning
from serenade.features.contrast import spectral_contrast
from serenade.features.descriptors import (
    rms,
    spectral_bandwidth,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    zero_crossing_rate,
)
from serenade.features.pitch import yin, yin_with_voicing
from serenade.features.spectrum import fft_frequencies, spectrogram

if TYPE_CHECKING:
    from collections.abc import Callable
from typing import Any

SR = 16_000
NOISE = (0.1 * np.random.default_rng(0).standard_normal(SR)).astype(np.float32)
SILENCE = np.zeros(SR, dtype=np.float32)
INNER = slice(10, -10)
STFT: dict[str, Any] = {"n_fft": 512, "hop_length": 160}
FRAMES: dict[str, Any] = {"frame_length": 512, "hop_length": 160}


def tone(frequency_hz: float, *, amplitude: float = 0.5) -> npt.NDArray[np.float32]:
    phase = 2 * np.pi * frequency_hz * np.arange(SR) / SR
    return (amplitude * np.sin(phase)).astype(np.float32)


def test_a_tone_has_its_own_level_rate_and_centre() -> None:
    y = tone(1000)
    assert rms(y=y, **FRAMES)[0, INNER] == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert zero_crossing_rate(y, **FRAMES)[0, INNER] == pytest.approx(2000 / SR, abs=2 / 512)
    assert spectral_centroid(y=y, sr=SR, **STFT)[0, INNER] == pytest.approx(1000, abs=5)
    assert np.all(spectral_bandwidth(y=y, sr=SR, **STFT)[0, INNER] < 100)
    assert spectral_rolloff(y=y, sr=SR, **STFT)[0, INNER] == pytest.approx(1000, abs=32)
    assert np.all(spectral_flatness(y=y, **STFT)[0, INNER] < 1e-3)


def test_noise_is_flat_and_wide_and_a_tone_has_more_contrast() -> None:
    assert spectral_flatness(y=NOISE, **STFT).mean() > 0.4
    assert spectral_bandwidth(y=NOISE, sr=SR, **STFT).mean() > 2000
    noise = spectral_contrast(y=NOISE, sr=SR, **STFT)
    mixed = spectral_contrast(y=NOISE + tone(1200, amplitude=1.0), sr=SR, **STFT)
    assert noise.shape == (7, 101)
    assert (mixed - noise)[3, INNER].mean() > 10


def test_descriptors_of_samples_and_of_their_spectrogram_are_the_same() -> None:
    magnitude = spectrogram(y=NOISE, **STFT)
    for descriptor in (spectral_centroid, spectral_bandwidth, spectral_rolloff, spectral_contrast):
        np.testing.assert_array_equal(
            descriptor(y=NOISE, sr=SR, **STFT), descriptor(S=magnitude, sr=SR)
        )
    np.testing.assert_array_equal(
        spectral_flatness(y=NOISE, **STFT), spectral_flatness(S=magnitude)
    )


def test_a_bandwidth_of_order_one_is_the_mean_distance() -> None:
    magnitude = np.zeros((257, 1), dtype=np.float32)
    magnitude[[64, 192]] = 1.0
    assert spectral_bandwidth(S=magnitude, sr=SR, p=1.0)[0, 0] == pytest.approx(2000)
    assert spectral_bandwidth(S=magnitude, sr=SR, p=1.0, norm=False)[0, 0] == pytest.approx(4000)


def test_silence_gives_finite_descriptors() -> None:
    assert np.all(rms(y=SILENCE) == 0)
    assert np.all(zero_crossing_rate(SILENCE) == 0)
    assert np.all(spectral_centroid(y=SILENCE, sr=SR) == 0)
    assert np.all(spectral_bandwidth(y=SILENCE, sr=SR) == 0)
    assert np.all(spectral_rolloff(y=SILENCE, sr=SR) == 0)
    assert spectral_flatness(y=SILENCE) == pytest.approx(1.0, abs=1e-4)
    assert np.all(spectral_contrast(y=SILENCE, sr=SR) == 0)
    assert np.all(chroma_stft(y=SILENCE, sr=SR) == 0)
    assert estimate_tuning(S=spectrogram(y=SILENCE), sr=SR) == 0.0


def test_chroma_names_the_pitch_class_from_c() -> None:
    chroma = chroma_stft(y=tone(440), sr=SR, n_fft=2048, tuning=0.0)
    assert np.all(chroma[:, 3:-3].argmax(axis=0) == 9)
    assert chroma.max() == 1.0


def test_the_first_class_of_chroma_is_c_in_steps_of_twelve_and_fewer_begin_at_a() -> None:
    bins = fft_frequencies(sr=SR, n_fft=2**15)
    for n_chroma, first_hz in ((12, 523.25), (24, 523.25), (10, 440.0)):
        bank = chroma_filter_bank(sr=SR, n_fft=2**15, n_chroma=n_chroma)
        assert bank[:, np.abs(bins - first_hz).argmin()].argmax() == 0


def test_tuning_of_a_sharp_note_is_found() -> None:
    sharp = 440 * 2 ** (0.3 / 12)
    power = spectrogram(y=tone(sharp), n_fft=4096, power=2.0)
    assert estimate_tuning(S=power, sr=SR, n_fft=4096) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("f0_hz", [80.0, 123.4, 220.0, 440.0])
def test_pitch_of_a_voice_is_found_within_a_percent(f0_hz: float) -> None:
    y = sum(tone(k * f0_hz, amplitude=0.2 / k) for k in range(1, 10))
    f0, voicing = yin_with_voicing(
        np.asarray(y), fmin=65, fmax=500, sr=SR, frame_length=1024, hop_length=160
    )
    assert f0[INNER] == pytest.approx(f0_hz, rel=0.01)
    assert np.all(voicing[INNER] > 0.8)


def test_voicing_tells_noise_and_silence_from_a_voice() -> None:
    settings: dict[str, Any] = {
        "fmin": 65,
        "fmax": 500,
        "sr": SR,
        "frame_length": 1024,
        "hop_length": 160,
    }
    _, noise = yin_with_voicing(NOISE, **settings)
    f0, silence = yin_with_voicing(SILENCE, **settings)
    assert np.mean(noise) < 0.5
    assert np.all(silence == 0)
    assert np.isfinite(f0).all()


def test_pitch_has_a_quarter_of_the_frame_as_default_hop() -> None:
    own = yin(NOISE, fmin=65, fmax=500, sr=SR, frame_length=1024)
    np.testing.assert_array_equal(
        own, yin(NOISE, fmin=65, fmax=500, sr=SR, frame_length=1024, hop_length=256)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spectral_rolloff(y=NOISE, sr=SR, roll_percent=85), "roll_percent.*got 85"),
        (lambda: spectral_flatness(y=NOISE, amin=0), "amin must be at least 1e-38, got 0"),
        (lambda: spectral_flatness(y=NOISE, amin=1e-50), "amin must be at least 1e-38, got 1e-50"),
        (lambda: spectral_flatness(y=NOISE, power=0), "power must be above 0"),
        (lambda: spectral_bandwidth(y=NOISE, sr=SR, p=0), "p must be above 0"),
        (lambda: spectral_bandwidth(y=NOISE, sr=SR, p=np.inf), "p must be a finite number"),
        (lambda: spectral_centroid(y=NOISE, sr=np.inf), "sr must be a finite number, got inf"),
        (lambda: spectral_centroid(y=NOISE, sr=0), "sr must be above 0"),
        (lambda: rms(S=np.ones((257, 2)), frame_length=1024), "513 bins, got 257"),
        (rms, "exactly one of y"),
        (lambda: zero_crossing_rate(NOISE, hop_length=0), "hop_length must be"),
        (lambda: spectral_contrast(y=NOISE, sr=SR, n_bands=8), "lower one of them"),
        (lambda: spectral_contrast(y=NOISE, sr=SR, n_bands=5000), "lower one of them"),
        (lambda: spectral_contrast(y=NOISE, sr=12_800, n_bands=6), "lower one of them"),
        (lambda: spectral_contrast(y=NOISE, sr=SR, quantile=1), "quantile must lie"),
        (lambda: spectral_contrast(y=NOISE, sr=SR, n_fft=32, fmin=20), "holds no bin"),
        (lambda: chroma_stft(y=NOISE, sr=SR, n_chroma=0, tuning=0.0), "n_chroma must be"),
        (
            lambda: chroma_filter_bank(sr=SR, n_fft=512, tuning=np.nan),
            "tuning must be a finite number",
        ),
        (lambda: chroma_filter_bank(sr=SR, n_fft=512, tuning=1e12), "at most an octave, 12 bins"),
        (lambda: yin(NOISE, fmin=65, fmax=500, sr=np.inf), "sr must be a finite number, got inf"),
        (lambda: yin(NOISE, fmin=0, fmax=500, sr=SR), "one period of fmin=0"),
        (lambda: yin(NOISE, fmin=65, fmax=500, sr=SR, frame_length=200), "one period of fmin=65"),
        (lambda: yin(NOISE, fmin=500, fmax=65, sr=SR), "fmin < fmax"),
        (lambda: yin(NOISE, fmin=499, fmax=500, sr=SR), "fewer than three periods"),
        (lambda: yin(NOISE, fmin=65, fmax=500, sr=SR, trough_threshold=0), "trough_threshold"),
    ],
)
def test_bad_parameters_are_one_clear_error(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()
