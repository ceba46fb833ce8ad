"""Short-time Fourier transform and spectrograms."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import LONGEST_FRAME, as_spectrogram, check_count, check_number
from serenade.features.fourier import ComplexArray, complex_spectrum, power_spectrum_blocks
from serenade.features.framing import continued, count_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serenade.types import FloatArray

WINDOWS: Mapping[str, tuple[float, ...]] = {
    "hann": (0.5, -0.5),
    "hamming": (0.54, -0.46),
    "blackman": (0.42, -0.5, 0.08),
    "boxcar": (1.0,),
}
"""Windows by name, as the weights of their cosines."""

_ROWS_PER_GROUP = 16


def stft(
    y: npt.ArrayLike,
    *,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> ComplexArray:
    """Compute the short-time Fourier transform.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point
        Amplitude, nominally in [-1, 1].
    n_fft : int
        Length of a frame and of its transform [samples], at least 2.
    hop_length : int, optional
        Distance between frames [samples]; a quarter of `win_length` by default.
    win_length : int, optional
        Length of the window [samples], at most `n_fft`, in the middle of the frame; `n_fft` by
        default.
    window : str
        One of :data:`WINDOWS`, periodic.
    center : bool
        Whether frame ``t`` is centred on sample ``t * hop_length``, which continues the signal by
        ``n_fft // 2`` samples on either side; otherwise it starts there.
    pad_mode : str
        One of :data:`serenade.features.framing.PAD_MODES`; used when `center` is true.

    Returns
    -------
    ndarray of shape (n_fft // 2 + 1, n_frames), complex64
        ``n_frames`` is ``1 + n_samples // hop_length`` for centred frames and an even `n_fft`.

    Raises
    ------
    AudioError
        If the samples are unusable, or too few for one frame that is not centred.
    UsageError
        If a parameter is out of range.

    References
    ----------
    J. B. Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier
    transform", IEEE Trans. Acoust. Speech Signal Process. 25(3), 1977.
    """
    weights = _checked_window(window, win_length, n_fft)
    if hop_length is None:
        hop_length = max(1, (n_fft if win_length is None else win_length) // 4)
    check_count("hop_length", hop_length)
    samples = continued(y, frame_length=n_fft, center=center, pad_mode=pad_mode)
    return complex_spectrum(samples, weights, hop_length=hop_length, n_fft=n_fft)


def spectrogram(
    *,
    y: npt.ArrayLike | None = None,
    S: npt.ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 1.0,
) -> FloatArray:
    """Compute a magnitude or power spectrogram, or check one that exists already.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point, optional
        Amplitude, nominally in [-1, 1]. Exactly one of `y` and `S` is given.
    S : array_like of shape (n_bins, n_frames), real, optional
        A spectrogram of the wanted power, which is returned as it is; all other parameters are
        then without effect.
    n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`stft`.
    power : float
        Exponent of the magnitude, above 0: 1 for magnitude, 2 for power.

    Returns
    -------
    ndarray of shape (n_bins, n_frames), float32
        The spectrogram.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range, or not exactly one of `y` and `S` is given.
    """
    n_bins, n_frames, blocks = spectrogram_blocks(
        y=y,
        S=S,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
        power=power,
    )
    if y is None:
        return next(blocks)[1]
    whole = np.empty((n_bins, n_frames), dtype=np.float32)
    for block, values in blocks:
        whole[:, block] = values
    return whole


def spectrogram_blocks(
    *,
    y: npt.ArrayLike | None,
    S: npt.ArrayLike | None,
    n_fft: int,
    hop_length: int,
    win_length: int | None,
    window: str,
    center: bool,
    pad_mode: str,
    power: float,
) -> tuple[int, int, Iterator[tuple[slice, FloatArray]]]:
    """Give :func:`spectrogram` in parts, for callers that need no more than one at a time.

    Parameters
    ----------
    y, S, n_fft, hop_length, win_length, window, center, pad_mode, power
        As in :func:`spectrogram`.

    Returns
    -------
    n_bins, n_frames : int
        Shape of the whole.
    blocks : iterator of (slice, ndarray of shape (n_bins, n_frames_of_block), float32)
        Which frames, and their part of the spectrogram; a given `S` is one block. Neighbours may
        overlap.

    Raises
    ------
    AudioError, UsageError
        As in :func:`spectrogram`.
    """
    if S is not None and y is None:
        given = as_spectrogram(S)
        return given.shape[0], given.shape[1], iter([(slice(0, given.shape[1]), given)])
    if S is not None or y is None:
        raise UsageError("give exactly one of y (samples) and S (a spectrogram)")
    check_number("power", power, above=0)
    weights = _checked_window(window, win_length, n_fft)
    check_count("hop_length", hop_length)
    samples = continued(y, frame_length=n_fft, center=center, pad_mode=pad_mode)
    squared = power_spectrum_blocks(samples, weights, hop_length=hop_length, n_fft=n_fft)
    blocks = ((block, _from_squared(values, power)) for block, values in squared)
    n_frames = count_frames(samples, frame_length=n_fft, hop_length=hop_length)
    return n_fft // 2 + 1, n_frames, blocks


def _from_squared(squared: FloatArray, power: float) -> FloatArray:
    """Raise magnitudes to a power, given their squares, which are overwritten."""
    if power == 2:
        return squared
    if power == 1:
        return np.sqrt(squared, out=squared)
    return np.power(squared, power / 2, out=squared)


def get_window(window: str, *, win_length: int) -> FloatArray:
    """Give a periodic window.

    Parameters
    ----------
    window : str
        One of :data:`WINDOWS`.
    win_length : int
        Length [samples], at least 1.

    Returns
    -------
    ndarray of shape (win_length,), float32
        Weights in [0, 1]; a single one is 1.

    Raises
    ------
    UsageError
        If the window is unknown or its length is out of range.

    References
    ----------
    F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier
    transform", Proc. IEEE 66(1), 1978.
    """
    check_count("win_length", win_length, at_most=LONGEST_FRAME)
    _check_window(window)
    if win_length == 1:
        return np.ones(1, dtype=np.float32)
    phase = 2 * np.pi / win_length * np.arange(win_length)
    terms = [weight * np.cos(k * phase) for k, weight in enumerate(WINDOWS[window])]
    # The terms of Blackman's window add up to a little less than 0 where it begins.
    weights: FloatArray = np.clip(np.sum(terms, axis=0), 0.0, 1.0).astype(np.float32)
    return weights


def _check_window(window: str) -> None:
    if not isinstance(window, str) or window not in WINDOWS:
        raise UsageError(f"window must be one of {', '.join(WINDOWS)}, got {window!r}")


def fft_frequencies(*, sr: float, n_fft: int) -> FloatArray:
    """Give the frequency of every bin of a transform.

    Parameters
    ----------
    sr : float
        Sample rate [Hz].
    n_fft : int
        Size of the transform.

    Returns
    -------
    ndarray of shape (n_fft // 2 + 1,), float32
        Frequencies from 0 to ``sr / 2`` [Hz].

    Raises
    ------
    UsageError
        If a parameter is out of range.
    """
    check_count("n_fft", n_fft, at_least=2, at_most=LONGEST_FRAME)
    check_number("sr", sr, above=0)
    return (np.arange(n_fft // 2 + 1) * (sr / n_fft)).astype(np.float32)


def accumulate_rows(values: FloatArray) -> FloatArray:
    """Sum up the rows to each row: :func:`numpy.cumsum` down the columns.

    numpy goes down column by column, in strides through memory. Here groups of rows are
    multiplied by a triangle of ones, and get the sum of the groups above added.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_frames), float32
        Any numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_frames), float32
        Row ``n`` is the sum of the rows up to ``n``.
    """
    n_rows, n_frames = values.shape
    n_groups, n_left = divmod(n_rows, _ROWS_PER_GROUP)
    triangle = _triangle_of_ones()
    if n_groups == 0:
        return triangle[:n_left, :n_left] @ values
    sums = np.empty_like(values)
    stop = n_rows - n_left
    groups = sums[:stop].reshape(n_groups, _ROWS_PER_GROUP, n_frames)
    np.matmul(triangle, values[:stop].reshape(groups.shape), out=groups)
    np.matmul(triangle[:n_left, :n_left], values[stop:], out=sums[stop:])
    above = accumulate_rows(groups[:, -1])
    groups[1:] += above[:-1, None]
    sums[stop:] += above[-1]
    return sums


@lru_cache(maxsize=1)
def _triangle_of_ones() -> FloatArray:
    triangle = np.tri(_ROWS_PER_GROUP, dtype=np.float32)
    triangle.flags.writeable = False
    return triangle


def matching_n_fft(n_bins: int, *, n_fft: int) -> int:
    """Give the size of the transform behind a spectrogram.

    Parameters
    ----------
    n_bins : int
        Rows of the spectrogram.
    n_fft : int
        The size that the caller assumes.

    Returns
    -------
    int
        `n_fft` where it fits the rows, otherwise the even size that does, as in librosa.

    Raises
    ------
    UsageError
        If `n_fft` is out of range.
    """
    check_count("n_fft", n_fft, at_least=2, at_most=LONGEST_FRAME)
    return n_fft if n_fft // 2 + 1 == n_bins else 2 * (n_bins - 1)


def _checked_window(window: str, win_length: int | None, n_fft: int) -> FloatArray:
    check_count("n_fft", n_fft, at_least=2, at_most=LONGEST_FRAME)
    win_length = n_fft if win_length is None else win_length
    check_count("win_length", win_length)
    _check_window(window)
    if win_length > n_fft:
        raise UsageError(f"win_length must be at most n_fft={n_fft}, got {win_length}")
    return _centred_window(window, win_length, n_fft)


@lru_cache(maxsize=32)
def _centred_window(window: str, win_length: int, n_fft: int) -> FloatArray:
    before = (n_fft - win_length) // 2
    weights = np.zeros(n_fft, dtype=np.float32)
    weights[before : before + win_length] = get_window(window, win_length=win_length)
    weights.flags.writeable = False
    return weights
