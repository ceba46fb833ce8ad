"""Measures that follow from counts of true against predicted emotions.

All take confusion matrices with any number of leading axes, so that the thousands of resamples
of a bootstrap interval are one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one emotion is told from the others.

    Parameters
    ----------
    emotion : str
        Canonical name.
    precision : float or None
        Share of the clips given this emotion that have it; ``None`` if none was given it.
    recall : float or None
        Share of the clips of this emotion that were recognised; ``None`` if there are none.
    f1 : float or None
        Harmonic mean of the two; ``None`` if the emotion is neither present nor predicted.
    support : int
        Number of clips of this emotion.
    """

    emotion: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


def confusion_matrix(true: IntArray, predicted: IntArray, *, n_labels: int) -> IntArray:
    """Count clips by true and predicted label.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,), int64
        Labels as positions in [0, `n_labels`).
    n_labels : int
        Number of labels.

    Returns
    -------
    ndarray of shape (n_labels, n_labels), int64
        Rows are the truth, columns the prediction.
    """
    flat = np.bincount(true * n_labels + predicted, minlength=n_labels * n_labels)
    return flat.reshape(n_labels, n_labels).astype(np.int64)


def recalls(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the recall of each label.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices.

    Returns
    -------
    ndarray of shape (..., k), float64
        In [0, 1]; NaN for a label without clips.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    return share(hits, confusion.sum(axis=-1))


def precisions(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the precision of each label.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices.

    Returns
    -------
    ndarray of shape (..., k), float64
        In [0, 1]; NaN for a label that was never predicted.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    return share(hits, confusion.sum(axis=-2))


def f1_scores(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the F1 of each label: twice the hits over clips present plus clips predicted.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices.

    Returns
    -------
    ndarray of shape (..., k), float64
        In [0, 1]; NaN for a label that is neither present nor predicted.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    return share(2.0 * hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def unweighted_average_recall(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the mean recall over the labels that have clips.

    Labels without clips are left out (they have no recall), as in scikit-learn's
    ``balanced_accuracy_score``.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices, each with at least one clip.

    Returns
    -------
    ndarray of shape (...), float64
        In [0, 1].
    """
    return _mean_of_known(recalls(confusion))


def macro_f1(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the mean F1 over the labels that are present or predicted.

    A label that was predicted but has no clips counts with 0, as in scikit-learn's
    ``f1_score(average="macro")``.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices, each with at least one clip.

    Returns
    -------
    ndarray of shape (...), float64
        In [0, 1].
    """
    return _mean_of_known(f1_scores(confusion))


def accuracy(confusion: npt.NDArray[Any]) -> Float64Array:
    """Give the share of clips that is right.

    Parameters
    ----------
    confusion : ndarray of shape (..., k, k)
        Confusion matrices, each with at least one clip.

    Returns
    -------
    ndarray of shape (...), float64
        In [0, 1].
    """
    hits = np.trace(confusion, axis1=-2, axis2=-1).astype(np.float64)
    return share(hits, confusion.sum(axis=(-2, -1)))


def class_scores(labels: Sequence[str], confusion: IntArray) -> tuple[ClassScore, ...]:
    """Give precision, recall, F1 and support of each label.

    Parameters
    ----------
    labels : sequence of str
        The k emotions.
    confusion : ndarray of shape (k, k), int64
        Confusion matrix.

    Returns
    -------
    tuple of ClassScore
        In the order of `labels`.
    """
    precision, recall, f1 = precisions(confusion), recalls(confusion), f1_scores(confusion)
    support = confusion.sum(axis=1)
    return tuple(
        ClassScore(
            emotion=label,
            precision=number_or_none(precision[i]),
            recall=number_or_none(recall[i]),
            f1=number_or_none(f1[i]),
            support=int(support[i]),
        )
        for i, label in enumerate(labels)
    )


def share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Float64Array:
    """Divide element by element, giving NaN where there is nothing to divide by.

    Parameters
    ----------
    part, whole : array_like of one shape
        Counts or sums; `whole` is not negative.

    Returns
    -------
    ndarray, float64
        `part` / `whole`.
    """
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    quotient: Float64Array = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def number_or_none(value: float) -> float | None:
    """Give a number as JSON can hold it.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    float or None
        ``None`` for NaN.
    """
    return None if np.isnan(value) else float(value)


def _mean_of_known(values: Float64Array) -> Float64Array:
    known = ~np.isnan(values)
    return share(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
