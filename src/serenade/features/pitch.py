"""Fundamental frequency and voicing, by YIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import check_band, check_count, check_number
from serenade.features.fourier import autocorrelation
from serenade.features.framing import continued, put_frames_in_columns
from serenade.features.spectrum import accumulate_rows

if TYPE_CHECKING:
    from serenade.types import FloatArray

_SILENT_MEAN_SQUARE = 1e-10
"""Frames below this level (-100 dB relative to full scale) count as unvoiced."""


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
    check_number("trough_threshold", trough_threshold, above=0)
    samples = continued(y, frame_length=frame_length, center=center, pad_mode=pad_mode)
    hop_length = max(1, frame_length // 4) if hop_length is None else hop_length
    check_count("hop_length", hop_length)
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
    correlation = autocorrelation(
        samples, frame_length=frame_length, hop_length=hop_length, longest=longest
    )
    silent = correlation[0] < _SILENT_MEAN_SQUARE * frame_length
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
        Of each frame with itself; overwritten.
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
    difference *= 2
    difference -= accumulate_rows(squares)
    running = accumulate_rows(difference)[shortest - 1 :]
    running /= np.arange(shortest, longest + 1, dtype=np.float32)[:, None]
    running += np.finfo(np.float32).tiny
    normalised: FloatArray = difference[shortest - 1 :]
    normalised /= running
    return normalised


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
