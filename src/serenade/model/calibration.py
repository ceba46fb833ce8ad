"""From logits to calibrated probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from serenade.types import FloatArray


def probabilities(logits: FloatArray, *, temperature: float) -> npt.NDArray[np.float64]:
    """Give the softmax of logits that are divided by a temperature.

    Parameters
    ----------
    logits : ndarray of shape (n, n_labels), float32
        Finite scores; log-probabilities do as well.
    temperature : float
        Above 1 softens, below 1 sharpens; above 0.

    Returns
    -------
    ndarray of shape (n, n_labels), float64
        Rows that sum to 1.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017.
    """
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    exponentials = np.exp(scaled)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
