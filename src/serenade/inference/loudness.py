"""How loud the parts of a long recording are, and what that says about their quality."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.types import Quality

if TYPE_CHECKING:
    from serenade.types import FloatArray

_CLIPPED_FROM = 0.999
"""Resampling and averaging move clipped samples a little off full scale."""

_SNR_RANGE_DB = (-20.0, 100.0)

_NOISE_HOPS = 16
"""The noise is the mean of so many hops without speech; older ones may be another background."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Sums over some samples.

    Parameters
    ----------
    n_samples : int
        How many.
    energy : float
        Sum of their squares.
    n_clipped : int
        How many are at or beyond full scale.
    """

    n_samples: int = 0
    energy: float = 0.0
    n_clipped: int = 0

    def __add__(self, other: Loudness) -> Loudness:
        return Loudness(
            self.n_samples + other.n_samples,
            self.energy + other.energy,
            self.n_clipped + other.n_clipped,
        )

    @property
    def power(self) -> float:
        """Mean square."""
        return self.energy / self.n_samples


def measure_loudness(samples: FloatArray) -> Loudness:
    """Measure some samples.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        As decoded.

    Returns
    -------
    Loudness
        Their sums.
    """
    return Loudness(
        n_samples=samples.size,
        energy=float(np.dot(samples, samples)),
        n_clipped=int(np.count_nonzero(np.abs(samples) >= _CLIPPED_FROM)),
    )


class Noise:
    """The background, known from the latest hops in which nobody talks."""

    def __init__(self) -> None:
        self._hops: deque[Loudness] = deque(maxlen=_NOISE_HOPS)

    def push(self, loudness: Loudness) -> None:
        """Add a hop without speech.

        Parameters
        ----------
        loudness : Loudness
            Measured on it.
        """
        self._hops.append(loudness)

    def quality_of(self, speech: Loudness, *, duration_seconds: float) -> Quality:
        """Give the quality of speech over this background.

        Parameters
        ----------
        speech : Loudness
            Measured on the speech; at least one sample.
        duration_seconds : float
            Its length [s].

        Returns
        -------
        Quality
            With the best signal-to-noise ratio as long as no background was heard.
        """
        noise = sum(self._hops, Loudness())
        return Quality(
            duration_seconds=duration_seconds,
            level_dbfs=_decibels(speech.power),
            clipping_share=speech.n_clipped / speech.n_samples,
            snr_db=_snr_db(speech.power, noise.power if noise.n_samples else 0.0),
            speech_share=1.0,
        )


def _snr_db(power: float, noise: float) -> float:
    lowest, highest = _SNR_RANGE_DB
    if power <= noise:
        return lowest
    ratio_db = _decibels(power - noise) - _decibels(noise)
    return min(max(ratio_db, lowest), highest)


def _decibels(power: float) -> float:
    return 10.0 * math.log10(power) if power > 0 else -math.inf
