"""Checks of what the functions of this room are given: one rule, one sentence, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import AudioError, UsageError

if TYPE_CHECKING:
    from serenade.types import FloatArray


def as_samples(y: npt.ArrayLike) -> FloatArray:
    """Give samples as a contiguous float32 array that is known to be usable.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point
        Amplitude, nominally in [-1, 1].

    Returns
    -------
    ndarray of shape (n_samples,), float32
        The samples, copied only where the type or layout differs.

    Raises
    ------
    AudioError
        If `y` is empty, not one-dimensional, not floating point or not finite.
    """
    given = np.asarray(y)
    if given.dtype.kind != "f":
        raise AudioError(
            f"samples must be floating point in [-1, 1], got {given.dtype};"
            " divide integers by their full scale"
        )
    if given.ndim != 1 or given.size == 0:
        raise AudioError(
            "samples must be one channel with at least one sample, shape (n_samples,),"
            f" got shape {given.shape}"
        )
    with np.errstate(over="ignore"):
        samples = np.ascontiguousarray(given, dtype=np.float32)
    if not np.isfinite(samples).all():
        raise AudioError("samples must be finite, got NaN or infinite values; decode the file anew")
    return samples


def as_spectrogram(S: npt.ArrayLike) -> FloatArray:
    """Give a magnitude or power spectrogram as a float32 array that is known to be usable.

    Parameters
    ----------
    S : array_like of shape (n_bins, n_frames), real
        Magnitude or power, not negative.

    Returns
    -------
    ndarray of shape (n_bins, n_frames), float32
        The spectrogram, copied only where the type differs.

    Raises
    ------
    UsageError
        If `S` is not a real, finite, non-negative matrix with at least two bins and one frame.
    """
    values = as_matrix("S", S)
    if values.shape[0] < 2 or not values.min() >= 0:
        raise UsageError(
            "S must be a spectrogram of two or more bins without negative values,"
            f" got shape {values.shape} with a minimum of {values.min():g}"
        )
    return values


def as_matrix(name: str, values: npt.ArrayLike) -> FloatArray:
    """Give a feature matrix as a float32 array that is known to be usable.

    Parameters
    ----------
    name : str
        What the matrix is called in the message.
    values : array_like of shape (n_coefficients, n_frames), real
        Any numbers.

    Returns
    -------
    ndarray of shape (n_coefficients, n_frames), float32
        The matrix, copied only where the type differs.

    Raises
    ------
    UsageError
        If `values` is not a real, finite matrix with at least one row and one column.
    """
    given = np.asarray(values)
    if given.dtype.kind not in "fiu":
        raise UsageError(f"{name} must hold real numbers, got {given.dtype}; take its magnitude")
    if given.ndim != 2 or given.size == 0:
        raise UsageError(
            f"{name} must have shape (n_rows, n_frames) with one frame or more, got {given.shape}"
        )
    matrix = given.astype(np.float32, copy=False)
    if not np.isfinite(matrix).all():
        raise UsageError(f"{name} must be finite, got NaN or infinite values")
    return matrix


def check_count(name: str, value: int, *, at_least: int = 1) -> None:
    """Check that a parameter is a whole number and large enough.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : int
        Its value.
    at_least : int
        Smallest value allowed.

    Raises
    ------
    UsageError
        If it is not.
    """
    if not isinstance(value, (int, np.integer)) or value < at_least:
        raise UsageError(f"{name} must be a whole number of at least {at_least}, got {value!r}")


def check_band(fmin: float, fmax: float, sr: float) -> None:
    """Check that a frequency range lies below half the sample rate.

    Parameters
    ----------
    fmin, fmax : float
        Limits [Hz].
    sr : float
        Sample rate [Hz].

    Raises
    ------
    UsageError
        If not ``0 <= fmin < fmax <= sr / 2``.
    """
    if not 0 <= fmin < fmax <= sr / 2:
        raise UsageError(
            f"frequencies must satisfy 0 <= fmin < fmax <= sr / 2 = {sr / 2:g} Hz,"
            f" got fmin={fmin:g} and fmax={fmax:g}"
        )
