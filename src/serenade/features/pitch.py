"""Fundamental frequency and voicing, by YIN."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import check_band, check_count
from serenade.features.fourier import power_spectrum_blocks
from serenade.features.framing import continued, count_frames, put_frames_in_columns
from serenade.features.spectrum import accumulate_rows

if TYPE_CHECKING:
    from serenade.types import FloatArray

_SILENT_MEAN_SQUARE = 1e-10
"""Frames below this level (-100 dB relative to full scale) count as unvoiced."""

_N_FOLDS = 3
"""How often the bins of a power spectrum are halved; sizes of transforms are multiples of 64."""


def yin(
    y: npt.ArrayLike,
    *,
    fmin: float,
    fmax: float,
    sr: float,
    frame_length: int = 2048,
    hop_length: int | None = None,
    trough_threshold: float = 0.1,
    center: bool = True,
    pad_mode: str = "constant",
) -> FloatArray:
    """Estimate the fundamental frequency of every frame, voiced or not.

    Parameters
    ----------
    y, fmin, fmax, sr, frame_length, hop_length, trough_threshold, center, pad_mode
        As in :func:`yin_with_voicing`.

    Returns
    -------
    ndarray of shape (n_frames,), float32
        Frequency [Hz], about in [`fmin`, `fmax`]; without meaning in unvoiced frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.
    """
    f0, _ = yin_with_voicing(
        y,
        fmin=fmin,
        fmax=fmax,
        sr=sr,
        frame_length=frame_length,
        hop_length=hop_length,
        trough_threshold=trough_threshold,
        center=center,
        pad_mode=pad_mode,
    )
    return f0


def yin_with_voicing(
    y: npt.ArrayLike,
    *,
    fmin: float,
    fmax: float,
    sr: float,
    frame_length: int = 2048,
    hop_length: int | None = None,
    trough_threshold: float = 0.1,
    center: bool = True,
    pad_mode: str = "constant",
) -> tuple[FloatArray, FloatArray]:
    """Estimate fundamental frequency and how periodic each frame is.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point
        Amplitude, nominally in [-1, 1].
    fmin, fmax : float
        Range of the search [Hz]; a period of `fmin` must fit into the frame, and `fmax` lies below
        ``sr / 2``.
    sr : float
        Sample rate [Hz].
    frame_length : int
        Length of a frame [samples]; two or more periods of `fmin` are good.
    hop_length : int, optional
        Distance between frames [samples]; a quarter of `frame_length` by default.
    trough_threshold : float
        The first period whose normalised difference lies below this is taken.
    center, pad_mode
        As in :func:`serenade.features.framing.frame`.

    Returns
    -------
    f0 : ndarray of shape (n_frames,), float32
        Frequency [Hz], without meaning in unvoiced frames.
    voicing : ndarray of shape (n_frames,), float32
        One minus the normalised difference at the period found, in [0, 1]: near 1 for a steady
        voice, below 0.6 for most noise, 0 in silent frames.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.

    References
    ----------
    A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music",
    J. Acoust. Soc. Am. 111(4), 2002. Details (difference function, interpolation) as in librosa.
    """
    check_band(fmin, fmax, sr)
    if not trough_threshold > 0:
        raise UsageError(f"trough_threshold must be above 0, got {trough_threshold!r}")
    hop_length = max(1, frame_length // 4) if hop_length is None else hop_length
    check_count("hop_length", hop_length)
    samples = continued(y, frame_length=frame_length, center=center, pad_mode=pad_mode)
    if fmin == 0 or sr / fmin > frame_length - 1:
        raise UsageError(
            f"one period of fmin={fmin:g} Hz must fit into frame_length={frame_length} samples;"
            " raise one of them"
        )
    shortest, longest = int(sr // fmax), min(int(np.ceil(sr / fmin)), frame_length - 1)
    if longest - shortest < 2:
        raise UsageError(
            f"fmin={fmin:g} and fmax={fmax:g} Hz leave fewer than three periods to choose from;"
            " widen the range"
        )
    correlation = _doubled_autocorrelation(
        samples, frame_length=frame_length, hop_length=hop_length, longest=longest
    )
    silent = correlation[0] < 2 * _SILENT_MEAN_SQUARE * frame_length
    squares = np.empty((longest, correlation.shape[1]), dtype=np.float32)
    boxcar = np.ones(longest, dtype=np.float32)
    put_frames_in_columns(squares, np.square(samples), boxcar, hop_length=hop_length)
    difference = _normalised_difference(correlation, squares, shortest=shortest)
    chosen = _choose_troughs(difference, threshold=trough_threshold)
    shift, depth = _refine(difference, chosen)
    f0 = (sr / (shortest + chosen + shift)).astype(np.float32)
    return f0, np.where(silent, np.float32(0.0), np.clip(1 - depth, 0.0, 1.0))


def _normalised_difference(
    correlation: FloatArray, squares: FloatArray, *, shortest: int
) -> FloatArray:
    """Give the cumulative mean normalised difference function.

    Parameters
    ----------
    correlation : ndarray of shape (longest + 1, n_frames), float32
        Of :func:`_doubled_autocorrelation`; overwritten.
    squares : ndarray of shape (longest, n_frames), float32
        The first samples of every frame, squared.
    shortest : int
        First period wanted [samples].

    Returns
    -------
    ndarray of shape (longest - shortest + 1, n_frames), float32
        One row per period.
    """
    longest = squares.shape[0]
    difference = np.subtract(correlation[0], correlation[1:], out=correlation[1:])
    difference -= accumulate_rows(squares)
    running = accumulate_rows(difference)[shortest - 1 :]
    running /= np.arange(shortest, longest + 1, dtype=np.float32)[:, None]
    running += np.finfo(np.float32).tiny
    normalised: FloatArray = difference[shortest - 1 :]
    normalised /= running
    return normalised


def _doubled_autocorrelation(
    samples: FloatArray, *, frame_length: int, hop_length: int, longest: int
) -> FloatArray:
    """Correlate each frame with itself at lags from 0 to `longest`, through its power spectrum.

    The inverse transform is a sum of cosines. Bins that mirror each other at a quarter of the
    sample rate have cosines that are opposite at odd lags and equal at even ones. So they are
    subtracted for the odd lags and added for the even ones, for which half of the bins remain; and
    those can be halved again for every other even lag.
    """
    # Long enough that no lag wraps round, and a multiple of 64, which transforms fast.
    n_fft = 64 * -(-(frame_length + longest) // 64)
    *tables, last_table = _lag_cosines(n_fft, longest)
    boxcar = np.ones(frame_length, dtype=np.float32)
    n_frames = count_frames(samples, frame_length=frame_length, hop_length=hop_length)
    correlation = np.empty((longest + 1, n_frames), dtype=np.float32)
    for block, power in power_spectrum_blocks(samples, boxcar, hop_length=hop_length, n_fft=n_fft):
        power[0] *= 0.5
        power[-1] *= 0.5
        step = 1
        for table in tables:
            half = power.shape[0] // 2
            mirrored = power[:half:-1]
            correlation[step :: 2 * step, block] = table @ (power[:half] - mirrored)
            power[:half] += mirrored
            power = power[: half + 1]
            step *= 2
        correlation[::step, block] = last_table @ power
    return correlation


@lru_cache(maxsize=32)
def _lag_cosines(n_fft: int, longest: int) -> tuple[FloatArray, ...]:
    """Make the inverse transforms of a power spectrum.

    The first table is for odd lags, the next for odd multiples of 2, and so on; the last one is for
    the multiples of a power of 2 that remain.
    """
    lags = np.arange(longest + 1)
    tables = []
    step, half = 1, n_fft // 4
    for _ in range(_N_FOLDS):
        tables.append(_cosines(lags[step :: 2 * step], half, n_fft))
        step, half = 2 * step, half // 2
    return *tables, _cosines(lags[::step], 2 * half + 1, n_fft)


def _cosines(lags: npt.NDArray[np.intp], n_bins: int, n_fft: int) -> FloatArray:
    angles = 2 * np.pi / n_fft * (np.outer(lags, np.arange(n_bins)) % n_fft)
    table: FloatArray = (4 / n_fft * np.cos(angles)).astype(np.float32)
    return table


def _choose_troughs(difference: FloatArray, *, threshold: float) -> npt.NDArray[np.intp]:
    """Give the row of the first trough below the threshold, or of the minimum where none is."""
    falls = difference[1:] < difference[:-1]
    deep = difference < threshold
    deep[0] &= difference[0] < difference[1]
    deep[1:] &= falls
    deep[1:-1] &= ~falls[1:]
    first: npt.NDArray[np.intp] = np.argmax(deep, axis=0)
    without = np.flatnonzero(~deep[first, np.arange(first.shape[0])])
    first[without] = np.argmin(difference[:, without], axis=0)
    return first


def _refine(difference: FloatArray, chosen: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Fit a parabola round the chosen rows: its offset in rows, and the value at the row itself."""
    columns = np.arange(difference.shape[1])
    inner = np.clip(chosen, 1, difference.shape[0] - 2)
    before, at, after = (difference[inner + step, columns] for step in (-1, 0, 1))
    slope = (after - before) / 2
    curvature = after + before - 2 * at
    flat = (np.abs(slope) >= np.abs(curvature)) | (inner != chosen)
    shift = np.where(flat, np.float32(0.0), -slope / np.where(flat, np.float32(1.0), curvature))
    return shift, difference[chosen, columns]
