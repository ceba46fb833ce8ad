"""What the windows of one recording say together."""

from __future__ import annotations

import math

import numpy as np

from serenade.inference.overlap import WindowScore
from serenade.types import Quality

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
        self._intensity: float | None = None
        self._weight = 0.0
        self._seconds = 0.0
        self._power = 0.0
        self._clipping = 0.0
        self._snr = 0.0
        self._speech = 0.0

    def add(self, score: WindowScore, quality: Quality) -> None:
        """Add a window.

        Parameters
        ----------
        score : WindowScore
            What the model says; its weight is not used.
        quality : Quality
            Measured on the window as recorded.
        """
        weight = max(quality.speech_share, LEAST_WEIGHT)
        seconds = quality.duration_seconds
        self._probabilities += weight * score.probabilities
        if score.intensity is not None:
            self._intensity = (self._intensity or 0.0) + weight * score.intensity
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
    def score(self) -> WindowScore:
        """What the windows say together, with the sum of their weights."""
        intensity = None if self._intensity is None else self._intensity / self._weight
        return WindowScore(self._probabilities / self._weight, intensity, self._weight)

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
