"""Chroma: the energy of the twelve pitch classes, and the tuning that they are counted from."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import LONGEST_FRAME, MOST_BANDS, check_count, check_number
from serenade.features.spectrum import fft_frequencies, matching_n_fft, spectrogram

if TYPE_CHECKING:
    from serenade.types import FloatArray

_A0_HZ = 440.0 / 16
"""Octaves are counted from here."""

_CENTRE_OCTAVE, _OCTAVE_WIDTH = 5.0, 2.0
"""Where the filters weigh most, and the standard deviation of that weight [octaves]."""

_TUNING_STEPS = 100
"""Resolution of the tuning: parts of one chroma bin."""


def chroma_filter_bank(
    *, sr: float, n_fft: int, n_chroma: int = 12, tuning: float = 0.0
) -> FloatArray:
    """Make the filters that gather the bins of a spectrum by pitch class.

    Parameters
    ----------
    sr : float
        Sample rate [Hz].
    n_fft : int
        Size of the transform, at least 2.
    n_chroma : int
        Number of pitch classes per octave, at least 1.
    tuning : float
        Deviation from A = 440 Hz [chroma bins], at most an octave.

    Returns
    -------
    ndarray of shape (n_chroma, n_fft // 2 + 1), float32
        Weights. The first class is C where `n_chroma` is a multiple of 12; otherwise it lies
        ``3 * (n_chroma // 12)`` classes above A, as in librosa. Read-only, as it is shared between
        calls.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    References
    ----------
    D. P. W. Ellis, "Chroma feature analysis and synthesis", Columbia University, 2007.
    """
    check_count("n_fft", n_fft, at_least=2, at_most=LONGEST_FRAME)
    check_count("n_chroma", n_chroma, at_most=MOST_BANDS)
    check_number("sr", sr, above=0)
    check_number("tuning", tuning)
    if abs(tuning) > n_chroma:
        raise UsageError(f"tuning must be at most an octave, {n_chroma} bins, got {tuning!r}")
    return _chroma_filter_bank(float(sr), n_fft, n_chroma, float(tuning))


@lru_cache(maxsize=32)
def _chroma_filter_bank(sr: float, n_fft: int, n_chroma: int, tuning: float) -> FloatArray:
    frequencies = np.arange(1, n_fft) * (sr / n_fft)
    position = n_chroma * np.log2(frequencies / (_A0_HZ * 2.0 ** (tuning / n_chroma)))
    # 0 Hz has no pitch: it is put one and a half octaves below the first bin.
    position = np.concatenate([[position[0] - 1.5 * n_chroma], position])
    width = np.append(np.maximum(np.diff(position), 1.0), 1.0)

    half = round(n_chroma / 2)
    distance = position - np.arange(n_chroma)[:, None]
    distance = np.remainder(distance + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.sqrt(np.sum(weights**2, axis=0))
    weights *= np.exp(-0.5 * ((position / n_chroma - _CENTRE_OCTAVE) / _OCTAVE_WIDTH) ** 2)
    from_a_to_c = -3 * (n_chroma // 12)
    weights = np.roll(weights, from_a_to_c, axis=0)[:, : n_fft // 2 + 1]
    bank = np.ascontiguousarray(weights, dtype=np.float32)
    bank.flags.writeable = False
    return bank


def chroma_stft(
    *,
    y: npt.ArrayLike | None = None,
    sr: float,
    S: npt.ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    tuning: float | None = None,
    n_chroma: int = 12,
) -> FloatArray:
    """Compute a chromagram whose largest value is 1 in every frame.

    Parameters
    ----------
    y, sr, n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`serenade.features.spectrum.spectrogram`. Exactly one of `y` and `S` is given.
    S : array_like of shape (n_bins, n_frames), real, optional
        Power spectrogram.
    tuning : float or None
        Deviation from A = 440 Hz [chroma bins]; ``None`` estimates it, which suits music. Speech
        has no tuning: give 0.
    n_chroma : int
        Number of pitch classes, at least 1.

    Returns
    -------
    ndarray of shape (n_chroma, n_frames), float32
        Energy relative to the strongest class, in [0, 1]; 0 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.
    """
    power = spectrogram(
        y=y,
        S=S,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
        power=2.0,
    )
    n_fft = matching_n_fft(power.shape[0], n_fft=n_fft)
    if tuning is None:
        tuning = estimate_tuning(S=power, sr=sr, n_fft=n_fft, bins_per_octave=n_chroma)
    bank = chroma_filter_bank(sr=sr, n_fft=n_fft, n_chroma=n_chroma, tuning=tuning)
    chroma: FloatArray = bank @ power
    strongest = chroma.max(axis=0)
    strongest[strongest < np.finfo(np.float32).tiny] = 1.0
    chroma /= strongest
    return chroma


def estimate_tuning(
    *, S: npt.ArrayLike, sr: float, n_fft: int = 2048, bins_per_octave: int = 12
) -> float:
    """Estimate how far the strongest spectral peaks lie from the equal-tempered scale.

    Parameters
    ----------
    S : array_like of shape (n_bins, n_frames), real
        Magnitude or power spectrogram.
    sr : float
        Sample rate [Hz].
    n_fft : int
        Size of the transform behind `S`.
    bins_per_octave : int
        Number of steps of the scale.

    Returns
    -------
    float
        The most frequent deviation, in [-0.5, 0.5) steps; 0 where there is no peak.

    Raises
    ------
    UsageError
        If a parameter is out of range.
    """
    check_count("bins_per_octave", bins_per_octave, at_most=MOST_BANDS)
    spectrum = spectrogram(S=S)
    n_fft = matching_n_fft(spectrum.shape[0], n_fft=n_fft)
    pitches, magnitudes = _spectral_peaks(spectrum, sr=sr, n_fft=n_fft)
    if pitches.size == 0:
        return 0.0
    strong = pitches[magnitudes >= np.median(magnitudes)]
    deviation = np.mod(bins_per_octave * np.log2(strong / _A0_HZ), 1.0)
    deviation[deviation >= 0.5] -= 1.0
    edges = np.linspace(-0.5, 0.5, _TUNING_STEPS + 1)
    counts, _ = np.histogram(deviation, edges)
    return float(edges[np.argmax(counts)])


def _spectral_peaks(
    spectrum: FloatArray, *, sr: float, n_fft: int
) -> tuple[npt.NDArray[np.float64], FloatArray]:
    """Find the peaks from 150 to 4000 Hz, with parabolic interpolation: frequencies and heights."""
    frequencies = fft_frequencies(sr=sr, n_fft=n_fft)
    loud = np.where(spectrum > 0.1 * spectrum.max(axis=0), spectrum, 0.0)
    inner = loud[1:-1]
    is_peak = (inner > loud[:-2]) & (inner >= loud[2:])
    audible = (frequencies >= 150.0) & (frequencies < min(4000.0, sr / 2))
    bins, frames = np.nonzero(is_peak & audible[1:-1, None])
    bins += 1
    before, at, after = (spectrum[bins + step, frames] for step in (-1, 0, 1))
    slope = (after - before) / 2
    curvature = after + before - 2 * at
    steep = np.abs(slope) >= np.abs(curvature)
    shift = np.where(steep, 0.0, -slope / np.where(steep, 1.0, curvature))
    pitches = (bins + shift) * np.float64(sr / n_fft)
    return pitches.astype(np.float64), (at + 0.5 * slope * shift).astype(np.float32)
