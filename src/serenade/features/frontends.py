"""Front ends: named recipes that turn a waveform into one vector of fixed length."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from serenade.errors import AudioError, UsageError
from serenade.features.cepstrum import delta, mfcc
from serenade.features.chroma import chroma_stft
from serenade.features.contrast import spectral_contrast
from serenade.features.descriptors import (
    rms,
    spectral_bandwidth,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    zero_crossing_rate,
)
from serenade.features.functionals import functional_names, functionals
from serenade.features.mel import log_mel
from serenade.features.pitch import yin_with_voicing
from serenade.features.spectrum import spectrogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.types import FloatArray, Waveform

_SEMITONES_FROM_HZ = 27.5
"""Pitch is counted in semitones above A0."""


@dataclass(frozen=True, slots=True)
class FunctionalsConfig:
    """What a front end computes; two equal configurations give equal vectors.

    Parameters
    ----------
    name : str
        Name of the front end.
    version : int
        Raised whenever the same parameters come to give other values.
    sample_rate : int
        Sample rate of the waveforms [Hz].
    n_fft, hop_length : int
        Length of and distance between frames [samples].
    n_mels : int
        Number of mel bands.
    fmin, fmax : float
        Range of the mel bands [Hz].
    n_mfcc : int
        Number of cepstral coefficients.
    delta_orders : tuple of int
        Orders of the derivatives of the cepstral coefficients.
    descriptors : bool
        Whether log-mel bands, level, zero crossings, spectral shape, chroma and pitch are added.
    f0_fmin, f0_fmax : float
        Range of the fundamental frequency [Hz].
    f0_frame_length : int
        Length of the frames of the pitch search [samples].
    voicing_threshold : float
        Frames whose voicing lies above this are voiced, in [0, 1].
    """

    name: str
    version: int = 1
    sample_rate: int = 16_000
    n_fft: int = 512
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 0.0
    fmax: float = 8_000.0
    n_mfcc: int = 13
    delta_orders: tuple[int, ...] = (1, 2)
    descriptors: bool = False
    f0_fmin: float = 65.0
    f0_fmax: float = 500.0
    f0_frame_length: int = 1024
    voicing_threshold: float = 0.7

    @property
    def fingerprint(self) -> str:
        """Hash over everything that the values depend on, for the keys of caches."""
        canonical = json.dumps(asdict(self), sort_keys=True)
        return sha256(canonical.encode()).hexdigest()[:16]


FRONT_ENDS: Mapping[str, FunctionalsConfig] = {
    "mfcc": FunctionalsConfig(name="mfcc"),
    "full": FunctionalsConfig(name="full", n_mfcc=20, descriptors=True),
}
"""Front ends by name."""


def get_front_end(name: str) -> FunctionalsConfig:
    """Give a front end by its name.

    Parameters
    ----------
    name : str
        One of :data:`FRONT_ENDS`.

    Returns
    -------
    FunctionalsConfig
        The configuration.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in FRONT_ENDS:
        raise UsageError(f"front end must be one of {', '.join(FRONT_ENDS)}, got {name!r}")
    return FRONT_ENDS[name]


def functional_vector(
    waveform: Waveform, config: FunctionalsConfig
) -> tuple[FloatArray, tuple[str, ...]]:
    """Turn a waveform of any length into one vector.

    Parameters
    ----------
    waveform : Waveform
        At least one sample, up to :data:`serenade.features.checks.LOUDEST` in size, at the sample
        rate of the configuration.
    config : FunctionalsConfig
        What to compute.

    Returns
    -------
    values : ndarray of shape (n_values,), float32
        Finite. Without a voiced frame the functionals of the pitch are 0.
    names : tuple of str
        Name of each value; the same for every waveform.

    Raises
    ------
    AudioError
        If the samples are unusable or have another sample rate.
    """
    if waveform.sample_rate != config.sample_rate:
        raise AudioError(
            f"front end {config.name!r} takes {config.sample_rate} Hz,"
            f" got {waveform.sample_rate} Hz; resample the audio first"
        )
    power = spectrogram(
        y=waveform.samples, n_fft=config.n_fft, hop_length=config.hop_length, power=2.0
    )
    level = log_mel(
        sr=config.sample_rate,
        S=power,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
    )
    times = np.arange(power.shape[1]) * (config.hop_length / config.sample_rate)
    rows = _cepstral_rows(level, config)
    if not config.descriptors:
        return functionals(
            np.concatenate(list(rows.values())), names=_row_names(rows), times_seconds=times
        )
    rows |= {"log_mel": level} | _descriptor_rows(waveform.samples, power, config)
    values, names = functionals(
        np.concatenate(list(rows.values())), names=_row_names(rows), times_seconds=times
    )
    pitch_values, pitch_names = _pitch_functionals(waveform.samples, config)
    return np.concatenate([values, pitch_values]), names + pitch_names


def _cepstral_rows(level: FloatArray, config: FunctionalsConfig) -> dict[str, FloatArray]:
    cepstrum = mfcc(sr=config.sample_rate, S=level, n_mfcc=config.n_mfcc)
    rows = {"mfcc": cepstrum}
    for order in config.delta_orders:
        # "nearest" takes clips that are shorter than the window of the derivative.
        rows[f"mfcc_delta{order}"] = delta(cepstrum, order=order, mode="nearest")
    return rows


def _descriptor_rows(
    samples: FloatArray, power: FloatArray, config: FunctionalsConfig
) -> dict[str, FloatArray]:
    sr, n_fft, hop_length = config.sample_rate, config.n_fft, config.hop_length
    magnitude = np.sqrt(power)
    return {
        "rms": rms(y=samples, frame_length=n_fft, hop_length=hop_length),
        "zero_crossing_rate": zero_crossing_rate(
            samples, frame_length=n_fft, hop_length=hop_length
        ),
        "spectral_centroid": spectral_centroid(sr=sr, S=magnitude, n_fft=n_fft),
        "spectral_bandwidth": spectral_bandwidth(sr=sr, S=magnitude, n_fft=n_fft),
        "spectral_rolloff": spectral_rolloff(sr=sr, S=magnitude, n_fft=n_fft),
        "spectral_flatness": spectral_flatness(S=magnitude),
        "spectral_contrast": spectral_contrast(sr=sr, S=magnitude, n_fft=n_fft),
        "chroma": chroma_stft(sr=sr, S=power, n_fft=n_fft, tuning=0.0),
    }


def _pitch_functionals(
    samples: FloatArray, config: FunctionalsConfig
) -> tuple[FloatArray, tuple[str, ...]]:
    """Sum up the pitch of the voiced frames, and add the share of those."""
    f0, voicing = yin_with_voicing(
        samples,
        fmin=config.f0_fmin,
        fmax=config.f0_fmax,
        sr=config.sample_rate,
        frame_length=config.f0_frame_length,
        hop_length=config.hop_length,
    )
    voiced = np.flatnonzero(voicing > config.voicing_threshold)
    names = functional_names(("f0_semitones",))
    values = np.zeros(len(names), dtype=np.float32)
    if voiced.size > 0:
        semitones = 12 * np.log2(f0[voiced] / _SEMITONES_FROM_HZ)
        times = voiced * (config.hop_length / config.sample_rate)
        values, _ = functionals(semitones[None], names=["f0_semitones"], times_seconds=times)
    summary = np.array([voicing.mean(), voiced.size / voicing.size], dtype=np.float32)
    return np.concatenate([values, summary]), (*names, "voicing_mean", "voiced_share")


def _row_names(rows: Mapping[str, FloatArray]) -> Sequence[str]:
    """Name every row: the feature and its number from 0, or just the feature if it has one row."""
    return [
        name if matrix.shape[0] == 1 else f"{name}_{row:02d}"
        for name, matrix in rows.items()
        for row in range(matrix.shape[0])
    ]
