"""Functionals: what remains of a feature over time when its frames are summed up."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.errors import UsageError
from serenade.features.checks import as_matrix, as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.types import FloatArray

PERCENTILES = (5, 25, 50, 75, 95)
"""Percentiles that :func:`functionals` takes."""

STATISTICS = (
    "mean",
    "std",
    *(f"p{percentile}" for percentile in PERCENTILES),
    "range",
    "slope",
    "min",
    "max",
)
"""Names of the functionals, in their order."""


def functionals(
    matrix: npt.ArrayLike, *, names: Sequence[str], times_seconds: npt.ArrayLike
) -> tuple[FloatArray, tuple[str, ...]]:
    """Sum up each row of a feature matrix.

    Parameters
    ----------
    matrix : array_like of shape (n_coefficients, n_frames), real
        One feature per row.
    names : sequence of str
        Name of each row.
    times_seconds : array_like of shape (n_frames,)
        Time of each frame [s], finite, for the slope.

    Returns
    -------
    values : ndarray of shape (n_coefficients * len(STATISTICS),), float32
        Mean, standard deviation, percentiles (linear interpolation), range, slope of the
        least-squares line [per second; 0 for a single frame], minimum and maximum, row by row.
    value_names : tuple of str
        ``"<row>_<statistic>"`` of each value.

    Raises
    ------
    UsageError
        If names, times and matrix do not fit together, or times or matrix are unusable.
    """
    rows = as_matrix("matrix", matrix)
    as_numbers("times_seconds", times_seconds)
    times = np.asarray(times_seconds, dtype=np.float64)
    if len(names) != rows.shape[0] or times.shape != (rows.shape[1],):
        raise UsageError(
            f"a matrix of shape {rows.shape} needs one name per row and one time per frame,"
            f" got {len(names)} names and times of shape {times.shape}"
        )
    ordered = np.sort(rows, axis=1)
    lowest, highest = ordered[:, 0], ordered[:, -1]
    columns = [
        rows.mean(axis=1),
        rows.std(axis=1),
        *(_percentile(ordered, percentile) for percentile in PERCENTILES),
        highest - lowest,
        _slope(rows, times),
        lowest,
        highest,
    ]
    values = np.stack(columns, axis=1).astype(np.float32).ravel()
    return values, functional_names(tuple(names))


@lru_cache(maxsize=32)
def functional_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Name the values that :func:`functionals` gives.

    Parameters
    ----------
    names : tuple of str
        Name of each row.

    Returns
    -------
    tuple of str
        ``"<row>_<statistic>"`` of each value.
    """
    return tuple(f"{name}_{statistic}" for name in names for statistic in STATISTICS)


def _percentile(ordered: FloatArray, percentile: int) -> FloatArray:
    """Interpolate between the two values of each sorted row that enclose the percentile."""
    position = percentile / 100 * (ordered.shape[1] - 1)
    below = int(position)
    above = min(below + 1, ordered.shape[1] - 1)
    share = np.float32(position - below)
    return ordered[:, below] + share * (ordered[:, above] - ordered[:, below])


def _slope(rows: FloatArray, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred = times - times.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return np.zeros(rows.shape[0])
    slope: npt.NDArray[np.float64] = rows.astype(np.float64) @ centred / spread
    return slope
