"""What the windows of one recording say together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from serenade.types import Quality

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_WEIGHT = 0.01
"""Weight of a window without speech, so that a recording without any is judged by all it has."""


class WindowAverage:
    """Running averages over the windows of a recording, in constant memory.

    Probabilities and intensity are weighted by the share of speech in each window, quality by its
    length.

    Parameters
    ----------
    n_labels : int
        Number of emotions.
    """

    def __init__(self, n_labels: int) -> None:
        self._probabilities = np.zeros(n_labels)
        self._intensity = 0.0
        self._weight = 0.0
        self._seconds = 0.0
        self._power = 0.0
        self._clipping = 0.0
        self._snr = 0.0
        self._speech = 0.0

    def add(
        self, probabilities: npt.NDArray[np.float64], intensity: float | None, quality: Quality
    ) -> None:
        """Add a window.

        Parameters
        ----------
        probabilities : ndarray of shape (n_labels,), float64
            What the model says, summing to 1.
        intensity : float or None
            Strength of the emotion, in [0, 1].
        quality : Quality
            Measured on the window as recorded.
        """
        weight = max(quality.speech_share, LEAST_WEIGHT)
        seconds = quality.duration_seconds
        self._probabilities += weight * probabilities
        self._intensity += weight * (intensity or 0.0)
        self._weight += weight
        self._seconds += seconds
        self._power += seconds * 10 ** (quality.level_dbfs / 10)
        self._clipping += seconds * quality.clipping_share
        self._snr += seconds * quality.snr_db
        self._speech += seconds * quality.speech_share

    @property
    def is_empty(self) -> bool:
        """Whether no window was added."""
        return self._weight == 0.0

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probability of each emotion; sums to 1."""
        return self._probabilities / self._weight

    @property
    def intensity(self) -> float:
        """Strength of the emotion, in [0, 1]; 0 if the model does not tell it."""
        return self._intensity / self._weight

    def quality(self, duration_seconds: float) -> Quality:
        """Give the quality of the recording.

        Parameters
        ----------
        duration_seconds : float
            Length of the whole recording [s].

        Returns
        -------
        Quality
            Averages; the level is that of the mean power.
        """
        power = self._power / self._seconds
        return Quality(
            duration_seconds=duration_seconds,
            level_dbfs=10 * math.log10(power) if power > 0 else -math.inf,
            clipping_share=self._clipping / self._seconds,
            snr_db=self._snr / self._seconds,
            speech_share=self._speech / self._seconds,
        )
