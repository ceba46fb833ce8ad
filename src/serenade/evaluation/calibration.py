"""Whether the probabilities can be believed: calibration, Brier score and abstention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.evaluation.confusion import number_or_none, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.evaluation.confusion import Float64Array, IntArray

CALIBRATION_BINS = 15
"""Number of equal-width bins of the expected calibration error."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One point of the calibration curve.

    Parameters
    ----------
    low, high : float
        The bin holds the confidences in (`low`, `high`].
    count : int
        Number of clips in the bin.
    confidence : float or None
        Their mean confidence; ``None`` in an empty bin.
    accuracy : float or None
        Share of them that was right; ``None`` in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """What is left when the model abstains below a confidence.

    Parameters
    ----------
    threshold : float
        Lowest confidence that still gets an answer.
    coverage : float
        Share of the clips that get one, in (0, 1].
    accuracy : float
        Share of those that is right.
    """

    threshold: float
    coverage: float
    accuracy: float


def calibration_curve(true: IntArray, probabilities: Float64Array) -> tuple[CalibrationBin, ...]:
    """Compare the confidence with the share that is right, in bins of equal width.

    Parameters
    ----------
    true : ndarray of shape (n,), int64
        True labels as positions.
    probabilities : ndarray of shape (n, k), float64
        Probabilities.

    Returns
    -------
    tuple of CalibrationBin
        :data:`CALIBRATION_BINS` bins over (0, 1], the empty ones too.
    """
    confidence = np.minimum(probabilities.max(axis=1), 1.0)
    right = probabilities.argmax(axis=1) == true
    edges = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)
    bins = np.searchsorted(edges[1:-1], confidence, side="left")
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    mean_confidence = share(np.bincount(bins, confidence, CALIBRATION_BINS), counts)
    mean_right = share(np.bincount(bins, right, CALIBRATION_BINS), counts)
    return tuple(
        CalibrationBin(
            low=float(edges[i]),
            high=float(edges[i + 1]),
            count=int(counts[i]),
            confidence=number_or_none(mean_confidence[i]),
            accuracy=number_or_none(mean_right[i]),
        )
        for i in range(CALIBRATION_BINS)
    )


def calibration_error(calibration: Sequence[CalibrationBin]) -> float:
    """Give the expected calibration error of a calibration curve.

    Parameters
    ----------
    calibration : sequence of CalibrationBin
        The curve; at least one bin holds clips.

    Returns
    -------
    float
        Mean distance of confidence and accuracy, weighted by the clips in the bins; in [0, 1].

    References
    ----------
    M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015; C. Guo et al., "On calibration of modern neural networks",
    ICML 2017.
    """
    total = sum(point.count for point in calibration)
    gaps = (
        point.count * abs(point.confidence - point.accuracy)
        for point in calibration
        if point.confidence is not None and point.accuracy is not None
    )
    return sum(gaps) / total


def brier_score(true: IntArray, probabilities: Float64Array) -> float:
    """Give the mean squared distance between the probabilities and the truth.

    Parameters
    ----------
    true : ndarray of shape (n,), int64
        True labels as positions.
    probabilities : ndarray of shape (n, k), float64
        Probabilities.

    Returns
    -------
    float
        Summed over the labels, as Brier defined it; in [0, 2].

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78(1), 1950.
    """
    target = np.eye(probabilities.shape[1])[true]
    return float(np.square(probabilities - target).sum(axis=1).mean())


def coverage_curve(true: IntArray, probabilities: Float64Array) -> tuple[CoveragePoint, ...]:
    """Give the accuracy of the most confident clips, from few of them to all.

    Parameters
    ----------
    true : ndarray of shape (n,), int64
        True labels as positions.
    probabilities : ndarray of shape (n, k), float64
        Probabilities.

    Returns
    -------
    tuple of CoveragePoint
        At steps of about 5 % of the clips, with rising coverage; the last point holds all.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == true
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    sums = np.cumsum(right[order])
    steps = np.unique(np.ceil(np.linspace(0.05, 1.0, 20) * true.size).astype(np.int64))
    # A threshold cannot part clips of equal confidence, so each step takes all its ties along.
    kept = np.unique(np.searchsorted(-sorted_confidence, -sorted_confidence[steps - 1], "right"))
    return tuple(
        CoveragePoint(
            threshold=float(sorted_confidence[n - 1]),
            coverage=float(n / true.size),
            accuracy=float(sums[n - 1] / n),
        )
        for n in kept
    )
