"""Checks of what the functions of this room are given: one rule, one sentence, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import AudioError, UsageError

if TYPE_CHECKING:
    from serenade.types import FloatArray

LOUDEST = 1e9
"""Largest amplitude of a sample: its powers and their sums are still finite in float32."""

_LARGEST = float(np.finfo(np.float32).max)
SMALLEST = 1e-38
"""Limits of numbers in float32, in which features are computed."""

LONGEST_FRAME = 2**20
MOST_BANDS = 2**14
_LARGEST_COUNT = 2**24
"""What is larger is a slip, and would take more memory than any machine has."""


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
        If `y` is empty, not one-dimensional, not floating point, not finite or above
        :data:`LOUDEST`.
    """
    try:
        given = np.asarray(y)
    except ValueError as error:
        raise AudioError("samples must be one channel, got lists of different lengths") from error
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
    if not np.abs(samples).max() <= LOUDEST:
        raise AudioError(
            f"samples must be finite and at most {LOUDEST:g} in size, got NaN, infinite or larger"
            " values; decode the file anew"
        )
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
    given = _as_real(name, values)
    if given.ndim != 2 or given.size == 0:
        raise UsageError(
            f"{name} must have shape (n_rows, n_frames) with one frame or more, got {given.shape}"
        )
    return _as_finite(name, given)


def as_numbers(name: str, values: npt.ArrayLike) -> FloatArray:
    """Give numbers of any shape as a float32 array that is known to be usable.

    Parameters
    ----------
    name : str
        What the numbers are called in the message.
    values : array_like, real
        Any numbers, at least one.

    Returns
    -------
    ndarray, float32
        In the shape of `values`, copied only where the type differs.

    Raises
    ------
    UsageError
        If `values` is empty, not real or not finite.
    """
    given = _as_real(name, values)
    if given.size == 0:
        raise UsageError(f"{name} must hold one number or more, got shape {given.shape}")
    return _as_finite(name, given)


def _as_real(name: str, values: npt.ArrayLike) -> npt.NDArray[np.generic]:
    try:
        given = np.asarray(values)
    except ValueError as error:
        raise UsageError(f"{name} must be an array, got lists of different lengths") from error
    if given.dtype.kind not in "fiu":
        raise UsageError(
            f"{name} must hold real numbers, got {given.dtype}; take the magnitude of complex ones"
        )
    return given


def _as_finite(name: str, given: npt.NDArray[np.generic]) -> FloatArray:
    with np.errstate(over="ignore"):
        numbers = given.astype(np.float32, copy=False)
    if not np.isfinite(numbers).all():
        raise UsageError(f"{name} must be finite, got NaN or infinite values")
    return numbers


def check_count(name: str, value: int, *, at_least: int = 1, at_most: int = _LARGEST_COUNT) -> None:
    """Check that a parameter is a whole number and neither too small nor too large.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : int
        Its value.
    at_least, at_most : int
        Smallest and largest value allowed.

    Raises
    ------
    UsageError
        If it is not.
    """
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < at_least:
        raise UsageError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    if value > at_most:
        raise UsageError(f"{name} must be at most {at_most}, got {value!r}")


def check_number(
    name: str, value: float, *, above: float = -np.inf, at_least: float = -np.inf
) -> None:
    """Check that a parameter is a real number, finite and large enough.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        Its value.
    above, at_least : float
        Lower limits, which are not allowed and allowed themselves.

    Raises
    ------
    UsageError
        If it is not.
    """
    is_real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not is_real or not abs(value) <= _LARGEST:
        raise UsageError(f"{name} must be a finite number, got {value!r:.60}")
    if value <= above:
        raise UsageError(f"{name} must be above {above:g}, got {value!r}")
    if value < at_least:
        raise UsageError(f"{name} must be at least {at_least:g}, got {value!r}")


def check_share(name: str, value: float) -> None:
    """Check that a parameter is a share that is neither nothing nor all.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : float
        Its value.

    Raises
    ------
    UsageError
        If it is not.
    """
    check_number(name, value)
    if not 0 < value < 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value!r}")


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
        If not ``0 <= fmin < fmax <= sr / 2``, or one is no finite number.
    """
    for name, value in (("sr", sr), ("fmin", fmin), ("fmax", fmax)):
        check_number(name, value)
    if not 0 <= fmin < fmax <= sr / 2:
        raise UsageError(
            f"frequencies must satisfy 0 <= fmin < fmax <= sr / 2 = {sr / 2:g} Hz,"
            f" got fmin={fmin:g} and fmax={fmax:g}"
        )
