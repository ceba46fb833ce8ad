"""Intervals that say how far a figure would move with other speakers.

Clips of one speaker are alike, so resampling clips makes intervals too narrow. Whole speakers are
resampled instead: each resample draws as many speakers as there are, with replacement. Confusion
matrices add up, so a resample is a weighted sum of the speakers' matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from serenade.evaluation.confusion import Float64Array, IntArray

    Statistic = Callable[[npt.NDArray[Any]], Float64Array]

RESAMPLES = 2000
"""Usual number of resamples."""

LEVEL = 0.95
"""Share of the resamples that lies within an interval."""

FEW_SPEAKERS = 8
"""Below this many speakers an interval is marked as rough."""

_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval.

    Parameters
    ----------
    value : float
        The figure on the clips as they are.
    low, high : float
        2.5th and 97.5th percentile of the resamples.
    unit : str
        What was resampled: ``"speakers"``, or ``"clips"`` where fewer than two speakers are known.
    n_units : int
        How many of them there are.
    """

    value: float
    low: float
    high: float
    unit: str
    n_units: int

    @property
    def caution(self) -> str | None:
        """What makes the interval less than it seems, or ``None``."""
        if self.unit == "clips":
            return "resampled by clip, as fewer than two speakers are known: too narrow"
        if self.n_units < FEW_SPEAKERS:
            return f"resampled over only {self.n_units} speakers: rough"
        return None

    def to_json(self) -> dict[str, Any]:
        """Give the interval as JSON types.

        Returns
        -------
        dict
            With the caution, where there is one.
        """
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": LEVEL,
            "resampled": self.unit,
            "units": self.n_units,
            "caution": self.caution,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Which clips are drawn together.

    Parameters
    ----------
    of_clip : ndarray of shape (n,), int64
        Unit of each clip, in [0, `count`).
    count : int
        Number of units.
    name : str
        ``"speakers"`` or ``"clips"``.
    """

    of_clip: IntArray
    count: int
    name: str


def resampling_units(speakers: Sequence[str | None]) -> Units:
    """Group clips by speaker, or take each by itself where fewer than two speakers are known.

    Parameters
    ----------
    speakers : sequence of str or None
        Speaker of each clip, unique across corpora. A clip of an unknown speaker is a unit of
        its own.

    Returns
    -------
    Units
        The groups.
    """
    known = {speaker for speaker in speakers if speaker is not None}
    if len(known) < 2:
        return Units(np.arange(len(speakers), dtype=np.int64), len(speakers), "clips")
    names = [f"clip {i}" if name is None else f"speaker {name}" for i, name in enumerate(speakers)]
    unique, of_clip = np.unique(names, return_inverse=True)
    return Units(of_clip.reshape(-1).astype(np.int64), int(unique.size), "speakers")


def interval(
    true: IntArray,
    predicted: IntArray,
    units: Units,
    statistic: Statistic,
    *,
    n_labels: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Give a figure that follows from the confusion matrix with its 95 % interval.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,), int64
        Labels as positions in [0, `n_labels`); at least one clip.
    units : Units
        From :func:`resampling_units`.
    statistic : callable
        Takes confusion matrices of shape (..., k, k) and gives figures of shape (...), such as
        :func:`serenade.evaluation.confusion.unweighted_average_recall`.
    n_labels : int
        Number of labels k.
    seed : int
        Of the random draws.
    resamples : int
        Number of resamples, at least 1.

    Returns
    -------
    Interval
        Percentile interval.

    Raises
    ------
    EvaluationError
        If there is no clip.

    References
    ----------
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13.
    """
    cells = _unit_cells(true, predicted, units, n_labels=n_labels)
    drawn = _resampled(cells, seed=seed, resamples=resamples)
    shape = (-1, n_labels, n_labels)
    values = statistic(drawn.reshape(shape))
    value = statistic(cells.sum(axis=0).reshape(n_labels, n_labels))
    return _percentiles(float(value), values, units)


def difference_interval(
    true: IntArray,
    predicted_a: IntArray,
    predicted_b: IntArray,
    units: Units,
    statistic: Statistic,
    *,
    n_labels: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Give the figure of B less that of A, both resampled together.

    Parameters
    ----------
    true, predicted_a, predicted_b : ndarray of shape (n,), int64
        Labels of the same clips.
    units : Units
        From :func:`resampling_units`.
    statistic : callable
        As in :func:`interval`.
    n_labels : int
        Number of labels.
    seed : int
        Of the random draws.
    resamples : int
        Number of resamples, at least 1.

    Returns
    -------
    Interval
        Of the paired difference; above zero where B is better.

    Raises
    ------
    EvaluationError
        If there is no clip.
    """
    cells_a = _unit_cells(true, predicted_a, units, n_labels=n_labels)
    cells_b = _unit_cells(true, predicted_b, units, n_labels=n_labels)
    drawn = _resampled(np.hstack([cells_a, cells_b]), seed=seed, resamples=resamples)
    shape = (-1, 2, n_labels, n_labels)
    values = statistic(drawn.reshape(shape))
    both = np.stack([cells_a.sum(axis=0), cells_b.sum(axis=0)]).reshape(2, n_labels, n_labels)
    value_a, value_b = statistic(both)
    return _percentiles(float(value_b - value_a), values[:, 1] - values[:, 0], units)


def independent_difference(
    a: tuple[IntArray, IntArray, Units],
    b: tuple[IntArray, IntArray, Units],
    statistic: Statistic,
    *,
    n_labels: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Give the figure of one group of clips less that of another, each resampled by itself.

    Parameters
    ----------
    a, b : tuple of (true, predicted, units)
        The two groups, as in :func:`interval`; the difference is that of B less that of A.
    statistic : callable
        As in :func:`interval`.
    n_labels : int
        Number of labels.
    seed : int
        Of the random draws.
    resamples : int
        Number of resamples, at least 1.

    Returns
    -------
    Interval
        Named after the group with fewer units.

    Raises
    ------
    EvaluationError
        If a group has no clip.
    """
    values, drawn_values = [], []
    for offset, (true, predicted, units) in enumerate((a, b)):
        cells = _unit_cells(true, predicted, units, n_labels=n_labels)
        drawn = _resampled(cells, seed=seed + offset, resamples=resamples)
        drawn_values.append(statistic(drawn.reshape(-1, n_labels, n_labels)))
        values.append(float(statistic(cells.sum(axis=0).reshape(n_labels, n_labels))))
    by_clip = [units for *_, units in (a, b) if units.name == "clips"]
    rougher = by_clip[0] if by_clip else min(a[2], b[2], key=lambda units: units.count)
    return _percentiles(values[1] - values[0], drawn_values[1] - drawn_values[0], rougher)


def _unit_cells(true: IntArray, predicted: IntArray, units: Units, *, n_labels: int) -> IntArray:
    """Give the flattened confusion matrix of every unit, shape (units, k * k)."""
    if true.size == 0:
        raise EvaluationError("there is no clip to resample; give at least one prediction")
    cells = n_labels * n_labels
    flat = np.bincount(
        units.of_clip * cells + true * n_labels + predicted, minlength=units.count * cells
    )
    return flat.reshape(units.count, cells).astype(np.int64)


def _resampled(cells: IntArray, *, seed: int, resamples: int) -> Float64Array:
    """Sum the units drawn in every resample, shape (resamples, cells)."""
    rng = np.random.default_rng(seed)
    count = cells.shape[0]
    block = max(_DRAWS_AT_ONCE // count, 1)
    sums = []
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(count, size=(rows, count))
        places = drawn + np.arange(rows)[:, None] * count
        times = np.bincount(places.reshape(-1), minlength=rows * count).reshape(rows, count)
        sums.append(times.astype(np.float64) @ cells.astype(np.float64))
    return np.concatenate(sums)


def _percentiles(value: float, values: Float64Array, units: Units) -> Interval:
    outside = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(values, [outside, 1.0 - outside])
    return Interval(value, float(low), float(high), units.name, units.count)
