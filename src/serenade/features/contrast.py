"""Spectral contrast: how far peaks rise above valleys, band by band."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import check_count, check_number, check_share
from serenade.features.mel import power_to_db
from serenade.features.spectrum import fft_frequencies, matching_n_fft, spectrogram

if TYPE_CHECKING:
    from serenade.types import FloatArray


def spectral_contrast(
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
    fmin: float = 200.0,
    n_bands: int = 6,
    quantile: float = 0.02,
    linear: bool = False,
) -> FloatArray:
    """Compute the spectral contrast.

    Parameters
    ----------
    y, sr, S, n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`serenade.features.descriptors.spectral_centroid`.
    fmin : float
        Upper edge of the first band [Hz], above 0; each further band is one octave wide.
    n_bands : int
        Number of octaves above `fmin`; the lower edge of the last one must lie below ``sr / 2``.
    quantile : float
        Share of the bins of a band that make its peak and its valley, in (0, 1).
    linear : bool
        Whether to give the difference of magnitudes instead of decibels.

    Returns
    -------
    ndarray of shape (n_bands + 1, n_frames), float32
        Contrast of each band [dB, unless `linear`].

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range, or a band holds no bin.

    References
    ----------
    D.-N. Jiang et al., "Music type classification by spectral contrast feature", ICME 2002.
    """
    check_count("n_bands", n_bands)
    check_share("quantile", quantile)
    check_number("sr", sr, above=0)
    check_number("fmin", fmin, above=0)
    if not n_bands - 1 < log2(sr / 2 / fmin):
        raise UsageError(
            f"bands must start below sr / 2 = {sr / 2:g} Hz, got fmin={fmin:g} Hz and"
            f" n_bands={n_bands}; lower one of them"
        )
    magnitude = spectrogram(
        y=y,
        S=S,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    frequencies = fft_frequencies(sr=sr, n_fft=matching_n_fft(magnitude.shape[0], n_fft=n_fft))
    valley = np.empty((n_bands + 1, magnitude.shape[1]), dtype=np.float32)
    peak = np.empty_like(valley)
    edges = [0.0, *(fmin * 2.0**octave for octave in range(n_bands + 1))]
    for band in range(n_bands + 1):
        first, stop = _bins_of_band(frequencies, edges, band)
        count = max(1, round(quantile * (stop - first)))
        # As in librosa, the last bin of a band belongs to the next one; only the last band has it.
        bins = magnitude[first : stop if band == n_bands else stop - 1]
        if bins.shape[0] == 0:
            raise UsageError(
                f"the band from {edges[band]:g} to {edges[band + 1]:g} Hz holds no bin;"
                " raise n_fft or fmin"
            )
        valley[band], peak[band] = _mean_extremes(bins, count)
    if linear:
        return peak - valley
    return power_to_db(peak) - power_to_db(valley)


def _bins_of_band(frequencies: FloatArray, edges: list[float], band: int) -> tuple[int, int]:
    """Give the first bin of a band and the one after its last; neighbours overlap by one bin."""
    first = int(np.searchsorted(frequencies, edges[band], side="left"))
    stop = int(np.searchsorted(frequencies, edges[band + 1], side="right"))
    if band == len(edges) - 2:
        stop = frequencies.shape[0]
    return (max(first - 1, 0) if band > 0 else first), stop


def _mean_extremes(bins: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Give the means of the `count` smallest and the `count` largest bins of every frame."""
    if count == 1:
        return bins.min(axis=0), bins.max(axis=0)
    ordered = np.sort(bins, axis=0)
    return ordered[:count].mean(axis=0), ordered[-count:].mean(axis=0)
