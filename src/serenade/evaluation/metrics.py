"""How good a set of predictions is: recall, precision, F1, calibration and ranking.

The headline is the unweighted average recall (UAR): the mean over the emotions of the share of
clips of that emotion that were recognised. Chance is one over the number of emotions, however
uneven the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import EvaluationError
from serenade.evaluation.calibration import (
    CalibrationBin,
    brier_score,
    calibration_curve,
    calibration_error,
)
from serenade.evaluation.confusion import (
    ClassScore,
    accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    unweighted_average_recall,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from serenade.evaluation.confusion import Float64Array, IntArray

SUM_TOLERANCE = 1e-3
"""How far the probabilities of a clip may be from a sum of 1: single precision, not a mistake."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Every measure of one set of predictions; see :func:`measure`.

    Parameters
    ----------
    labels : tuple of str
        The emotions, in the order of rows and columns of `confusion`.
    n_clips : int
        Number of clips measured.
    uar : float
        Unweighted average recall, in [0, 1].
    accuracy : float
        Share of the clips that is right, in [0, 1].
    macro_f1 : float
        Mean F1 over the emotions that are present or predicted, in [0, 1].
    calibration_error : float
        Expected calibration error of the highest probability, in [0, 1].
    brier : float
        Mean squared distance between probabilities and truth, in [0, 2].
    roc_auc : float or None
        Mean one-versus-rest area under the ROC curve, in [0, 1]; ``None`` if only one emotion
        is present.
    classes : tuple of ClassScore
        One per label.
    confusion : ndarray of shape (n_labels, n_labels), int64
        Clips by true emotion (row) and predicted emotion (column).
    calibration : tuple of CalibrationBin
        The calibration curve.
    """

    labels: tuple[str, ...]
    n_clips: int
    uar: float
    accuracy: float
    macro_f1: float
    calibration_error: float
    brier: float
    roc_auc: float | None
    classes: tuple[ClassScore, ...]
    confusion: IntArray
    calibration: tuple[CalibrationBin, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the measures as JSON types.

        Returns
        -------
        dict
            Full precision; confusion as nested lists.
        """
        return {
            "labels": list(self.labels),
            "clips": self.n_clips,
            "uar": self.uar,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "expected_calibration_error": self.calibration_error,
            "brier": self.brier,
            "roc_auc_ovr_macro": self.roc_auc,
            "classes": [
                {
                    "emotion": score.emotion,
                    "precision": score.precision,
                    "recall": score.recall,
                    "f1": score.f1,
                    "support": score.support,
                }
                for score in self.classes
            ],
            "confusion": self.confusion.tolist(),
            "calibration": [
                {
                    "low": point.low,
                    "high": point.high,
                    "count": point.count,
                    "confidence": point.confidence,
                    "accuracy": point.accuracy,
                }
                for point in self.calibration
            ],
        }


def measure(labels: Sequence[str], true: npt.ArrayLike, probabilities: npt.ArrayLike) -> Metrics:
    """Measure predictions against the truth.

    Parameters
    ----------
    labels : sequence of str
        The k emotions, in the order of the columns of `probabilities`.
    true : array_like of shape (n,), int
        Position in `labels` of the true emotion of each clip.
    probabilities : array_like of shape (n, k)
        Probability of every emotion for each clip; rows sum to 1.

    Returns
    -------
    Metrics
        All measures.

    Raises
    ------
    EvaluationError
        If there is no clip, shapes do not fit, or a value is out of range.
    """
    names = tuple(labels)
    truth, chances = check_predictions(true, probabilities, n_labels=len(names))
    confusion = confusion_matrix(truth, chances.argmax(axis=1), n_labels=len(names))
    calibration = calibration_curve(truth, chances)
    return Metrics(
        labels=names,
        n_clips=int(truth.size),
        uar=float(unweighted_average_recall(confusion)),
        accuracy=float(accuracy(confusion)),
        macro_f1=float(macro_f1(confusion)),
        calibration_error=calibration_error(calibration),
        brier=brier_score(truth, chances),
        roc_auc=roc_auc(truth, chances),
        classes=class_scores(names, confusion),
        confusion=confusion,
        calibration=calibration,
    )


def check_predictions(
    true: npt.ArrayLike, probabilities: npt.ArrayLike, *, n_labels: int
) -> tuple[IntArray, Float64Array]:
    """Convert truth and probabilities to arrays and refuse what cannot be measured.

    Parameters
    ----------
    true : array_like of shape (n,), int
        True labels as positions.
    probabilities : array_like of shape (n, n_labels)
        Probabilities; rows sum to 1.
    n_labels : int
        Number of labels, at least 2.

    Returns
    -------
    true : ndarray of shape (n,), int64
    probabilities : ndarray of shape (n, n_labels), float64

    Raises
    ------
    EvaluationError
        If there is no clip, shapes do not fit, or a value is out of range.
    """
    truth = np.asarray(true)
    chances = np.asarray(probabilities, dtype=np.float64)
    if n_labels < 2:
        raise EvaluationError(f"metrics need two or more labels, got {n_labels}")
    if truth.ndim != 1 or chances.shape != (truth.shape[0], n_labels):
        raise EvaluationError(
            f"truth of shape {truth.shape} and probabilities of shape {chances.shape} do not fit"
            f" {n_labels} labels; expected (n,) and (n, {n_labels})"
        )
    if truth.shape[0] == 0:
        raise EvaluationError("there is no clip to measure; give at least one prediction")
    if not np.issubdtype(truth.dtype, np.integer):
        raise EvaluationError(f"true labels must be integers, got {truth.dtype}")
    if truth.min() < 0 or truth.max() >= n_labels:
        raise EvaluationError(
            f"true labels must lie in [0, {n_labels}), got {truth.min()} to {truth.max()}"
        )
    if not np.isfinite(chances).all() or chances.min() < 0:
        raise EvaluationError("probabilities must be finite and not negative; give no logits")
    off = float(np.abs(chances.sum(axis=1) - 1.0).max())
    if off > SUM_TOLERANCE:
        raise EvaluationError(
            f"the probabilities of a clip must sum to 1, got a sum that is off by {off:.3g}"
        )
    return truth.astype(np.int64), chances


def roc_auc(true: IntArray, probabilities: Float64Array) -> float | None:
    """Give the mean one-versus-rest area under the ROC curve.

    The area is the chance that a clip of the label gets a higher probability for it than a clip
    of another label (ties count half); the mean is over the labels that have clips.

    Parameters
    ----------
    true : ndarray of shape (n,), int64
        True labels as positions.
    probabilities : ndarray of shape (n, k), float64
        Probabilities.

    Returns
    -------
    float or None
        In [0, 1]; ``None`` if only one label has clips, so that there is nothing to rank.
    """
    present = np.unique(true)
    if present.size < 2:
        return None
    areas = [_binary_auc(true == label, probabilities[:, label]) for label in present]
    return float(np.mean(areas))


def _binary_auc(positive: npt.NDArray[np.bool_], score: Float64Array) -> float:
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2.0
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    rank_sum = float(mean_rank[inverse.reshape(-1)][positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2.0) / (n_positive * n_negative)
