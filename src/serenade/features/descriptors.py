"""Level, zero crossings and the shape of the spectrum, one value per frame.

Every spectral descriptor takes samples (`y`) or a spectrogram (`S`), so that several of them can
share one transform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import LONGEST_FRAME, SMALLEST, check_count, check_number, check_share
from serenade.features.framing import continued, frame
from serenade.features.spectrum import (
    accumulate_rows,
    fft_frequencies,
    matching_n_fft,
    spectrogram,
)

if TYPE_CHECKING:
    from serenade.types import FloatArray

_SILENT_AMPLITUDE = 1e-10
"""Samples this close to zero have no sign."""


def rms(
    *,
    y: npt.ArrayLike | None = None,
    S: npt.ArrayLike | None = None,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
) -> FloatArray:
    """Compute the root-mean-square level.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point, optional
        Amplitude, nominally in [-1, 1]. Exactly one of `y` and `S` is given.
    S : array_like of shape (frame_length // 2 + 1, n_frames), real, optional
        Magnitude spectrogram; its window lowers the level.
    frame_length, hop_length, center, pad_mode
        As in :func:`serenade.features.framing.frame`.

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Level of each frame.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range, or `S` does not fit `frame_length`.
    """
    if y is not None and S is None:
        frames = frame(
            y,
            frame_length=frame_length,
            hop_length=hop_length,
            center=center,
            pad_mode=pad_mode,
        )
        energy = np.einsum("tn,tn->t", frames, frames)
        of_samples: FloatArray = np.sqrt(energy[None] / np.float32(frame_length))
        return of_samples
    magnitude = spectrogram(y=y, S=S)
    check_count("frame_length", frame_length, at_least=2, at_most=LONGEST_FRAME)
    if magnitude.shape[0] != frame_length // 2 + 1:
        raise UsageError(
            f"S must have frame_length // 2 + 1 = {frame_length // 2 + 1} bins,"
            f" got {magnitude.shape[0]}; give the frame_length that it was made with"
        )
    power = np.square(magnitude)
    power[0] *= 0.5
    if frame_length % 2 == 0:
        power[-1] *= 0.5
    mean_square = np.einsum("ft->t", power)[None] * np.float32(2 / frame_length**2)
    of_bins: FloatArray = np.sqrt(mean_square)
    return of_bins


def zero_crossing_rate(
    y: npt.ArrayLike,
    *,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
) -> FloatArray:
    """Compute the share of samples whose sign differs from the sample before.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point
        Amplitude, nominally in [-1, 1].
    frame_length, hop_length, center
        As in :func:`serenade.features.framing.frame`; centred frames hold the first and last
        sample beyond the ends.

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Rate in [0, 1].

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.
    """
    check_count("hop_length", hop_length)
    samples = continued(y, frame_length=frame_length, center=center, pad_mode="edge")
    negative = samples < -_SILENT_AMPLITUDE
    # int32, as a running sum of flags in int64 takes ten times as long
    crossings = np.cumsum(negative[1:] != negative[:-1], dtype=np.int32)
    # A frame counts the crossings between its own samples: frame_length - 1 pairs.
    until = np.concatenate([[0], crossings])
    first = np.arange(0, samples.shape[0] - frame_length + 1, hop_length)
    counts = until[first + frame_length - 1] - until[first]
    rate: FloatArray = (counts / frame_length).astype(np.float32)[None]
    return rate


def spectral_centroid(
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
) -> FloatArray:
    """Compute the mean frequency, weighted by magnitude.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point, optional
        Amplitude, nominally in [-1, 1]. Exactly one of `y` and `S` is given.
    sr : float
        Sample rate [Hz].
    S : array_like of shape (n_bins, n_frames), real, optional
        Magnitude spectrogram.
    n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`serenade.features.spectrum.spectrogram`.

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Frequency [Hz]; 0 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.

    References
    ----------
    A. Klapuri and M. Davy (editors), "Signal Processing Methods for Music Transcription",
    chapter 5, Springer, 2006.
    """
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
    frequencies = _frequencies(magnitude, sr=sr, n_fft=n_fft)
    centroid: FloatArray = (frequencies @ magnitude / _total(magnitude))[None]
    return centroid


def spectral_bandwidth(
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
    norm: bool = True,
    p: float = 2.0,
) -> FloatArray:
    """Compute how far the spectrum spreads round its centroid.

    Parameters
    ----------
    y, sr, S, n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`spectral_centroid`.
    norm : bool
        Whether the magnitudes of a frame are scaled to the sum 1.
    p : float
        Exponent of the distance from the centroid, above 0; 2 gives the standard deviation.

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Spread [Hz]; 0 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.
    """
    check_number("p", p, above=0)
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
    frequencies = _frequencies(magnitude, sr=sr, n_fft=n_fft)
    total = _total(magnitude)
    distance = frequencies[:, None] - frequencies @ magnitude / total
    distance = _raised(np.abs(distance, out=distance), p)
    spread: FloatArray = np.einsum("ft,ft->t", distance, magnitude)[None]
    if norm:
        spread /= total
    return np.power(spread, 1 / p, out=spread)


def spectral_rolloff(
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
    roll_percent: float = 0.85,
) -> FloatArray:
    """Compute the frequency below which a given share of the magnitude lies.

    Parameters
    ----------
    y, sr, S, n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`spectral_centroid`.
    roll_percent : float
        The share, in (0, 1).

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Frequency [Hz]; 0 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.
    """
    check_share("roll_percent", roll_percent)
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
    below = accumulate_rows(magnitude)
    bins = np.argmax(below >= np.float32(roll_percent) * below[-1], axis=0)
    rolloff: FloatArray = _frequencies(magnitude, sr=sr, n_fft=n_fft)[bins][None]
    return rolloff


def spectral_flatness(
    *,
    y: npt.ArrayLike | None = None,
    S: npt.ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    amin: float = 1e-10,
    power: float = 2.0,
) -> FloatArray:
    """Compute the geometric over the arithmetic mean of the spectrum: 1 for noise, 0 for a tone.

    Parameters
    ----------
    y, S, n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`spectral_centroid`.
    amin : float
        Smallest value told apart, at least 1e-38; less counts as this.
    power : float
        Exponent of the magnitude, above 0.

    Returns
    -------
    ndarray of shape (1, n_frames), float32
        Flatness in (0, 1]; 1 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.

    References
    ----------
    S. Dubnov, "Generalization of spectral flatness measure for non-Gaussian linear processes",
    IEEE Signal Processing Letters 11(8), 2004.
    """
    check_number("amin", amin, at_least=SMALLEST)
    check_number("power", power, above=0)
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
    raised = _raised(magnitude.copy(), power)
    np.maximum(raised, np.float32(amin), out=raised)
    # A product with equal weights is a mean without going through memory in strides.
    weights = np.full((1, raised.shape[0]), 1 / raised.shape[0], dtype=np.float32)
    arithmetic = weights @ raised
    geometric = np.exp(weights @ np.log(raised, out=raised))
    # Rounding could carry the flatness of silence above 1.
    flatness: FloatArray = np.minimum(geometric / arithmetic, np.float32(1.0))
    return flatness


def _frequencies(magnitude: FloatArray, *, sr: float, n_fft: int) -> FloatArray:
    return fft_frequencies(sr=sr, n_fft=matching_n_fft(magnitude.shape[0], n_fft=n_fft))


def _total(magnitude: FloatArray) -> FloatArray:
    """Sum over the bins, with 1 for silent frames, so that it can be divided by."""
    # A product with ones is a sum without going through memory in strides.
    total: FloatArray = np.ones(magnitude.shape[0], dtype=np.float32) @ magnitude
    total[total < np.finfo(np.float32).tiny] = 1.0
    return total


def _raised(values: FloatArray, exponent: float) -> FloatArray:
    """Raise to a power, in place; numpy squares three times as fast when it is told to."""
    if exponent == 2:
        return np.square(values, out=values)
    return np.power(values, exponent, out=values)
