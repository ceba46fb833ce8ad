"""Every feature against librosa, on voices, noise and chirps, with its tolerance in one table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from serenade.features import cepstrum, chroma, contrast, descriptors, mel, pitch, spectrum

if TYPE_CHECKING:
    from pathlib import Path

Array = npt.NDArray[Any]
Feature = Callable[[Array], Array]

SR = 16_000
STFT: dict[str, Any] = {"n_fft": 512, "hop_length": 160}
FRAMES: dict[str, Any] = {"frame_length": 512, "hop_length": 160}
YIN: dict[str, Any] = {
    "sr": SR,
    "fmin": 65.0,
    "fmax": 500.0,
    "frame_length": 1024,
    "hop_length": 160,
}

# Largest absolute difference allowed, in the unit of the feature (docs/guide/features.md).
TOLERANCE = {
    "stft": 5e-5,
    "melspectrogram": 2e-4,
    "log_mel": 0.02,
    "log_mel_htk": 0.02,
    "mfcc_13": 0.005,
    "mfcc_20_lifter": 0.02,
    "mfcc_40": 0.005,
    "delta": 5e-4,
    "delta_2": 5e-4,
    "rms": 1e-6,
    "rms_of_spectrogram": 1e-6,
    "zero_crossing_rate": 1e-6,
    "spectral_centroid": 0.02,
    "spectral_bandwidth": 0.05,
    "spectral_rolloff": SR / 512,
    "spectral_flatness": 5e-5,
    "spectral_contrast_linear": 5e-5,
    "chroma_stft": 1e-5,
    "chroma_stft_tuned": 1e-5,
}
# The valley of a band is its smallest bin, which in float32 has no more than this share of the
# loudest bin as its rounding error (librosa transforms in float64). Frames with a bin below a
# hundred times as much are compared by "spectral_contrast_linear" alone.
ROUNDING = 2e-7
CONTRAST_TOLERANCE_DB = 0.05
YIN_RELATIVE_TOLERANCE = 1e-3
YIN_SHARE_OF_FRAMES = 0.995


def _voice() -> Array:
    """Pulses with a gliding pitch through three resonances, pauses and breath noise."""
    rng = np.random.default_rng(1)
    time = np.arange(2 * SR) / SR
    f0 = 140 + 60 * np.sin(2 * np.pi * 0.7 * time) + 5 * np.sin(2 * np.pi * 5 * time)
    phase = 2 * np.pi * np.cumsum(f0) / SR
    harmonics = np.arange(1, 30)[:, None]
    gain = sum(1 / (1 + ((harmonics * f0 - formant) / 120) ** 2) for formant in (600, 1400, 2600))
    tone = np.sum(gain * np.sin(harmonics * phase) * (harmonics * f0 < SR / 2), axis=0)
    loudness = np.clip(np.sin(2 * np.pi * 1.5 * time), 0, None)
    breathy: Array = 0.1 * tone * loudness + 0.003 * rng.standard_normal(time.size)
    return breathy


def _noise() -> Array:
    return 0.1 * np.random.default_rng(2).standard_normal(SR)


def _chirp() -> Array:
    time = np.arange(SR) / SR
    return 0.5 * np.sin(2 * np.pi * (100 * time + 3500 * time**2))


def _as_recorded(samples: Array) -> npt.NDArray[np.float32]:
    """Round to 16 bits, as every recording is."""
    return (np.round(samples * 32767) / 32767).astype(np.float32)


@pytest.fixture(scope="module", params=[_voice, _noise, _chirp], ids=lambda make: make.__name__)
def signal(request: pytest.FixtureRequest) -> Array:
    return _as_recorded(request.param())


@pytest.fixture(scope="module")
def librosa() -> Iterator[Any]:
    import librosa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield librosa


def _log_mel(samples: Array) -> Array:
    return mel.log_mel(y=samples, sr=SR, n_mels=64, **STFT)


def _mfcc(samples: Array) -> Array:
    return cepstrum.mfcc(y=samples, sr=SR, n_mfcc=40, n_mels=64, **STFT)


OWN: dict[str, Feature] = {
    "stft": lambda y: spectrum.stft(y, **STFT),
    "melspectrogram": lambda y: mel.melspectrogram(y=y, sr=SR, n_mels=64, **STFT),
    "log_mel": _log_mel,
    "log_mel_htk": lambda y: mel.log_mel(
        y=y, sr=SR, n_mels=40, htk=True, norm=None, fmin=50, fmax=7000, ref=np.max, **STFT
    ),
    "mfcc_13": lambda y: cepstrum.mfcc(y=y, sr=SR, n_mfcc=13, n_mels=64, **STFT),
    "mfcc_20_lifter": lambda y: cepstrum.mfcc(
        y=y, sr=SR, n_mfcc=20, n_mels=64, lifter=22, dct_type=3, **STFT
    ),
    "mfcc_40": _mfcc,
    "delta": lambda y: cepstrum.delta(_mfcc(y)),
    "delta_2": lambda y: cepstrum.delta(_mfcc(y), order=2),
    "rms": lambda y: descriptors.rms(y=y, **FRAMES),
    "rms_of_spectrogram": lambda y: descriptors.rms(
        S=spectrum.spectrogram(y=y, **STFT), frame_length=512
    ),
    "zero_crossing_rate": lambda y: descriptors.zero_crossing_rate(y, **FRAMES),
    "spectral_centroid": lambda y: descriptors.spectral_centroid(y=y, sr=SR, **STFT),
    "spectral_bandwidth": lambda y: descriptors.spectral_bandwidth(y=y, sr=SR, **STFT),
    "spectral_rolloff": lambda y: descriptors.spectral_rolloff(y=y, sr=SR, **STFT),
    "spectral_flatness": lambda y: descriptors.spectral_flatness(y=y, **STFT),
    "spectral_contrast_linear": lambda y: contrast.spectral_contrast(
        y=y, sr=SR, linear=True, **STFT
    ),
    "chroma_stft": lambda y: chroma.chroma_stft(y=y, sr=SR, tuning=0.0, **STFT),
    "chroma_stft_tuned": lambda y: chroma.chroma_stft(y=y, sr=SR, n_fft=2048),
}


def _expected(librosa: Any, name: str, y: Array) -> Array:
    feature = librosa.feature
    mfcc_40 = {"sr": SR, "n_mfcc": 40, "n_mels": 64, **STFT}
    counterparts: dict[str, Callable[[], Array]] = {
        "stft": lambda: librosa.stft(y, **STFT),
        "melspectrogram": lambda: feature.melspectrogram(y=y, sr=SR, n_mels=64, **STFT),
        "log_mel": lambda: librosa.power_to_db(
            feature.melspectrogram(y=y, sr=SR, n_mels=64, **STFT)
        ),
        "log_mel_htk": lambda: librosa.power_to_db(
            feature.melspectrogram(
                y=y, sr=SR, n_mels=40, htk=True, norm=None, fmin=50, fmax=7000, **STFT
            ),
            ref=np.max,
        ),
        "mfcc_13": lambda: feature.mfcc(y=y, sr=SR, n_mfcc=13, n_mels=64, **STFT),
        "mfcc_20_lifter": lambda: feature.mfcc(
            y=y, sr=SR, n_mfcc=20, n_mels=64, lifter=22, dct_type=3, **STFT
        ),
        "mfcc_40": lambda: feature.mfcc(y=y, **mfcc_40),
        "delta": lambda: feature.delta(feature.mfcc(y=y, **mfcc_40)),
        "delta_2": lambda: feature.delta(feature.mfcc(y=y, **mfcc_40), order=2),
        "rms": lambda: feature.rms(y=y, **FRAMES),
        "rms_of_spectrogram": lambda: feature.rms(
            S=np.abs(librosa.stft(y, **STFT)), frame_length=512
        ),
        "zero_crossing_rate": lambda: feature.zero_crossing_rate(y, **FRAMES),
        "spectral_centroid": lambda: feature.spectral_centroid(y=y, sr=SR, **STFT),
        "spectral_bandwidth": lambda: feature.spectral_bandwidth(y=y, sr=SR, **STFT),
        "spectral_rolloff": lambda: feature.spectral_rolloff(y=y, sr=SR, **STFT),
        "spectral_flatness": lambda: feature.spectral_flatness(y=y, **STFT),
        "spectral_contrast_linear": lambda: feature.spectral_contrast(
            y=y, sr=SR, linear=True, **STFT
        ),
        "chroma_stft": lambda: feature.chroma_stft(y=y, sr=SR, tuning=0.0, **STFT),
        "chroma_stft_tuned": lambda: feature.chroma_stft(y=y, sr=SR, n_fft=2048),
    }
    return counterparts[name]()


def _assert_close(own: Array, expected: Array, name: str) -> None:
    assert own.shape == expected.shape
    assert own.dtype == (np.complex64 if name == "stft" else np.float32)
    worst = float(np.abs(own - expected).max())
    assert worst <= TOLERANCE[name], f"{name}: {worst:g} apart"


def _assert_same_contrast(librosa: Any, y: Array) -> None:
    magnitude = np.abs(librosa.stft(y, **STFT))
    clear = magnitude.min(axis=0) >= 100 * ROUNDING * magnitude.max(axis=0)
    assert clear.any()
    own = contrast.spectral_contrast(y=y, sr=SR, **STFT)
    expected = librosa.feature.spectral_contrast(y=y, sr=SR, **STFT)
    assert own.shape == expected.shape
    assert np.abs(own - expected)[:, clear].max() <= CONTRAST_TOLERANCE_DB


def _assert_same_pitch(own: Array, expected: Array) -> None:
    assert own.shape == expected.shape
    same = np.abs(own / expected - 1) < YIN_RELATIVE_TOLERANCE
    assert same.mean() >= YIN_SHARE_OF_FRAMES, f"{(~same).sum()} of {same.size} frames differ"


@pytest.mark.parametrize("name", TOLERANCE)
def test_feature_agrees_with_librosa(librosa: Any, signal: Array, name: str) -> None:
    _assert_close(OWN[name](signal), _expected(librosa, name, signal), name)


@pytest.mark.parametrize("make", [_voice, _noise])
def test_contrast_in_decibels_agrees_with_librosa(librosa: Any, make: Callable[[], Array]) -> None:
    _assert_same_contrast(librosa, _as_recorded(make()))


def test_pitch_agrees_with_librosa(librosa: Any, signal: Array) -> None:
    _assert_same_pitch(pitch.yin(signal, **YIN), librosa.yin(signal, **YIN))


@pytest.mark.parametrize(("frame_length", "hop_length"), [(500, 77), (700, 900), (2048, None)])
def test_pitch_in_other_frames_agrees_with_librosa(
    librosa: Any, frame_length: int, hop_length: int | None
) -> None:
    y = _as_recorded(_voice())
    other: dict[str, Any] = {
        "sr": SR,
        "fmin": 80.0,
        "fmax": 400.0,
        "frame_length": frame_length,
        "hop_length": hop_length,
    }
    _assert_same_pitch(pitch.yin(y, **other), librosa.yin(y, **other))


@pytest.mark.parametrize("n_fft", [400, 441, 551, 1021, 2048])
@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "boxcar"])
def test_any_transform_size_and_window_agrees_with_librosa(
    librosa: Any, n_fft: int, window: str
) -> None:
    y = _as_recorded(_noise())[:8000]
    settings: dict[str, Any] = {
        "n_fft": n_fft,
        "hop_length": 111,
        "win_length": n_fft - 30,
        "window": window,
    }
    for center, pad_mode in ((True, "reflect"), (False, "constant")):
        own = spectrum.stft(y, center=center, pad_mode=pad_mode, **settings)
        expected = librosa.stft(y, center=center, pad_mode=pad_mode, **settings)
        assert own.shape == expected.shape
        assert np.abs(own - expected).max() < 1e-4


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(("n_mels", "n_fft", "sr"), [(64, 512, SR), (128, 2048, 22_050)])
def test_mel_filter_bank_agrees_with_librosa(
    librosa: Any, htk: bool, norm: str | None, n_mels: int, n_fft: int, sr: int
) -> None:
    own = mel.mel_filter_bank(sr=sr, n_fft=n_fft, n_mels=n_mels, htk=htk, norm=norm)
    expected = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, htk=htk, norm=norm)
    np.testing.assert_allclose(own, expected, atol=1e-6)


@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_chroma_filter_bank_agrees_with_librosa(librosa: Any, tuning: float) -> None:
    own = chroma.chroma_filter_bank(sr=SR, n_fft=512, tuning=tuning)
    expected = librosa.filters.chroma(sr=SR, n_fft=512, tuning=tuning)
    np.testing.assert_allclose(own, expected, atol=1e-6)


@pytest.mark.parametrize("mode", ["interp", "nearest"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_delta_agrees_with_librosa_at_the_edges(librosa: Any, mode: str, order: int) -> None:
    data = np.random.default_rng(3).standard_normal((3, 11)).astype(np.float32)
    own = cepstrum.delta(data, width=7, order=order, mode=mode)
    expected = librosa.feature.delta(data, width=7, order=order, mode=mode)
    np.testing.assert_allclose(own, expected, atol=1e-5)


REAL_CLIPS = ("CREMA-D", "RAVDESS", "TESS", "EMO-DB", "nEMO")


@pytest.mark.real
@pytest.mark.parametrize("corpus", REAL_CLIPS)
def test_features_of_real_voices_agree_with_librosa(
    librosa: Any, shared_data: Path, corpus: str
) -> None:
    import soundfile

    path = sorted((shared_data / corpus).rglob("*.opus"))[7]
    y, rate = soundfile.read(path, dtype="float32")
    assert rate == SR
    for name in TOLERANCE:
        _assert_close(OWN[name](y), _expected(librosa, name, y), name)
    _assert_same_contrast(librosa, y)
    _assert_same_pitch(pitch.yin(y, **YIN), librosa.yin(y, **YIN))
