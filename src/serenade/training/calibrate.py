"""Calibration on validation speakers: the temperature and the confidence below which to abstain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serenade.model.calibration import probabilities

TEMPERATURES = np.geomspace(0.25, 4.0, 161)
"""Candidates of :func:`fit_temperature`, 1.7 % apart."""

CONFIDENCES = np.arange(96) / 100.0
"""Candidates of :func:`abstention_threshold`."""


def fit_temperature(
    logits: npt.NDArray[np.float32], true: npt.NDArray[np.int64], groups: npt.NDArray[np.str_]
) -> float:
    """Find the temperature with the best likelihood, every corpus counting the same.

    Parameters
    ----------
    logits : ndarray of shape (n_clips, n_labels)
        Scores of clips that the network was not trained on.
    true : ndarray of shape (n_clips,), int64
        True labels as positions.
    groups : ndarray of shape (n_clips,)
        Corpus of every clip.

    Returns
    -------
    float
        In [0.25, 4].

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    weights = _corpus_weights(groups)
    losses = [
        float(-(weights * np.log(_true_probability(logits, true, temperature))).sum())
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def abstention_threshold(
    confidence: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.str_],
    *,
    precision: float,
) -> float:
    """Find the lowest confidence from which on answers are right often enough.

    Parameters
    ----------
    confidence : ndarray of shape (n_clips,)
        Probability of the answer, in [0, 1].
    right : ndarray of shape (n_clips,), bool
        Whether the answer is true.
    groups : ndarray of shape (n_clips,)
        Corpus of every clip; every corpus counts the same.
    precision : float
        Wanted share of right answers among those given, in (0, 1).

    Returns
    -------
    float
        In [0, 0.95]; the highest candidate if none is precise enough.
    """
    weights = _corpus_weights(groups)
    for threshold in CONFIDENCES:
        given = confidence >= threshold
        if given.any() and weights[given & right].sum() >= precision * weights[given].sum():
            return float(threshold)
    return float(CONFIDENCES[-1])


def _corpus_weights(groups: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[inverse] / counts.size)


def _true_probability(
    logits: npt.NDArray[np.float32], true: npt.NDArray[np.int64], temperature: float
) -> npt.NDArray[np.float64]:
    chosen = probabilities(logits, temperature=temperature)[np.arange(true.size), true]
    return np.maximum(chosen, 1e-12)
