"""Mel-frequency cepstral coefficients and their changes over time."""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import as_matrix, check_count, check_number
from serenade.features.mel import log_mel

if TYPE_CHECKING:
    from serenade.types import FloatArray


def mfcc(
    *,
    y: npt.ArrayLike | None = None,
    sr: float,
    S: npt.ArrayLike | None = None,
    n_mfcc: int = 20,
    dct_type: int = 2,
    lifter: float = 0.0,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    mel_norm: str | None = "slaney",
) -> FloatArray:
    """Compute mel-frequency cepstral coefficients.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point, optional
        Amplitude, nominally in [-1, 1]. Exactly one of `y` and `S` is given.
    sr : float
        Sample rate [Hz].
    S : array_like of shape (n_mels, n_frames), real, optional
        Log-mel spectrogram [dB].
    n_mfcc : int
        Number of coefficients, from 1 to the number of mel bands.
    dct_type : {2, 3}
        Type of the orthonormal discrete cosine transform.
    lifter : float
        Length of the cepstral lifter, at least 0; 0 leaves the coefficients alone.
    n_fft, hop_length, win_length, window, center, pad_mode
        As in :func:`serenade.features.spectrum.stft`.
    n_mels, fmin, fmax, htk, mel_norm
        As `n_mels`, `fmin`, `fmax`, `htk`, `norm` of
        :func:`serenade.features.mel.mel_filter_bank`.

    Returns
    -------
    ndarray of shape (n_mfcc, n_frames), float32
        Coefficients; the first is the level.

    Raises
    ------
    AudioError
        If the samples are unusable.
    UsageError
        If a parameter is out of range.

    References
    ----------
    S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences", IEEE Trans. Acoust. Speech Signal Process.
    28(4), 1980. Lifter: B.-H. Juang et al., IEEE Trans. Acoust. Speech Signal Process. 35(7), 1987.
    """
    if (y is None) == (S is None):
        raise UsageError("give exactly one of y (samples) and S (a log-mel spectrogram)")
    if S is not None:
        level = as_matrix("S", S)
    else:
        level = log_mel(
            y=y,
            sr=sr,
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=win_length,
            window=window,
            center=center,
            pad_mode=pad_mode,
            n_mels=n_mels,
            fmin=fmin,
            fmax=fmax,
            htk=htk,
            norm=mel_norm,
        )
    check_count("n_mfcc", n_mfcc)
    if n_mfcc > level.shape[0]:
        raise UsageError(f"n_mfcc must be at most the {level.shape[0]} mel bands, got {n_mfcc}")
    if dct_type not in (2, 3):
        raise UsageError(f"dct_type must be 2 or 3, got {dct_type!r}")
    check_number("lifter", lifter, at_least=0)
    coefficients: FloatArray = _cosines(n_mfcc, level.shape[0], dct_type) @ level
    if lifter > 0:
        lift = 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_mfcc + 1) / lifter)
        coefficients *= lift.astype(np.float32)[:, None]
    return coefficients


@lru_cache(maxsize=32)
def _cosines(n_mfcc: int, n_mels: int, dct_type: int) -> FloatArray:
    """Make the first rows of the orthonormal transform; type 3 is the transpose of type 2."""
    order = np.arange(n_mels)
    square = np.sqrt(2 / n_mels) * np.cos(np.pi / n_mels * np.outer(order, order + 0.5))
    square[0] /= np.sqrt(2)
    rows = square if dct_type == 2 else square.T
    matrix = np.ascontiguousarray(rows[:n_mfcc], dtype=np.float32)
    matrix.flags.writeable = False
    return matrix


def delta(
    data: npt.ArrayLike, *, width: int = 9, order: int = 1, mode: str = "interp"
) -> FloatArray:
    """Estimate how features change over time.

    A polynomial of degree `order` is fitted to `width` frames round each frame; its derivative of
    that order is the result.

    Parameters
    ----------
    data : array_like of shape (n_coefficients, n_frames), real
        Features.
    width : int
        Number of frames, odd, at least 3 and above `order`.
    order : int
        Order of the derivative, at least 1: 1 for the slope, 2 for the curvature.
    mode : {"interp", "nearest"}
        What happens in the first and last ``width // 2`` frames: ``"interp"`` evaluates the
        polynomial of the nearest complete window and needs `width` frames, ``"nearest"`` holds
        the features of the first and last frame and takes any number of frames.

    Returns
    -------
    ndarray of shape (n_coefficients, n_frames), float32
        Derivative with respect to the frame number.

    Raises
    ------
    UsageError
        If a parameter is out of range, or there are fewer than `width` frames for ``"interp"``.

    References
    ----------
    A. Savitzky and M. J. E. Golay, "Smoothing and differentiation of data by simplified least
    squares procedures", Analytical Chemistry 36(8), 1964.
    """
    features = as_matrix("data", data)
    check_count("width", width, at_least=3)
    check_count("order", order)
    if width % 2 == 0 or width <= order:
        raise UsageError(f"width must be odd and above order={order}, got {width}")
    if mode not in ("interp", "nearest"):
        raise UsageError(f'mode must be "interp" or "nearest", got {mode!r}')
    half, n_frames = width // 2, features.shape[1]
    if mode == "nearest":
        return _slide(np.pad(features, ((0, 0), (half, half)), mode="edge"), width, order)
    if n_frames < width:
        raise UsageError(
            f'{n_frames} frames are too few for width={width} and mode="interp";'
            ' use mode="nearest" or a smaller width'
        )
    # The derivative whose order is the degree of the polynomial is the same all over the window.
    return np.pad(_slide(features, width, order), ((0, 0), (half, half)), mode="edge")


def _slide(features: FloatArray, width: int, order: int) -> FloatArray:
    """Apply the fit at every position where the window is complete."""
    weights = _derivative_weights(width, order)
    n_windows = features.shape[1] - width + 1
    total: FloatArray = weights[0] * features[:, :n_windows]
    term = np.empty_like(total)
    for start in range(1, width):
        total += np.multiply(features[:, start : start + n_windows], weights[start], out=term)
    return total


@lru_cache(maxsize=32)
def _derivative_weights(width: int, order: int) -> FloatArray:
    """Fit a polynomial to a window: the weight of each frame in its derivative."""
    offsets = np.arange(width, dtype=np.float64) - width // 2
    fit = np.linalg.pinv(np.vander(offsets, order + 1, increasing=True))
    weights: FloatArray = (factorial(order) * fit[order]).astype(np.float32)
    weights.flags.writeable = False
    return weights
