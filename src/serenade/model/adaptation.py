"""Adaptation to a speaker: what is known of a voice from its unlabelled speech.

The graph of a model that adapts has two more inputs with defaults, ``reference_mean`` and
``reference_deviation``, float32 (n_embedding,), and one more output, ``embedding``, float32
(batch, n_embedding): the inner vector of each clip in units of the population, in which all
training speakers together have mean 0 and deviation 1. Its last layers judge
``(embedding - reference_mean) / reference_deviation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from serenade.errors import UsageError
from serenade.types import HeardSpeech

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray

    Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-6
"""By so much a sum of clips may differ from the same clips summed in another order."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How a model adapts to a speaker.

    Parameters
    ----------
    n_embedding : int
        Length of the inner vector, 1 or more.
    prior_clips : float
        The mean of a speaker counts as if so many clips of the population's mean had been heard as
        well; 0 or more.
    prior_clips_deviation : float
        The same for the deviation; above 0, so that one clip gives a deviation.
    """

    n_embedding: int
    prior_clips: float
    prior_clips_deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerReference:
    """What a model knows of one speaker.

    References of one model add up: ``a + b`` is what is known from both, ``a - b`` what is left
    without the part `b`, which `a` must hold.

    Parameters
    ----------
    model : str
        Name and version of the model; another one cannot use it.
    adaptation : Adaptation
        How that model adapts.
    n_clips : int
        How many clips, or windows of long recordings, were heard.
    seconds : float
        How much sound they hold [s].
    weight : float
        How many clips they count for; less than `n_clips` where windows overlap.
    total, squares : ndarray of shape (n_embedding,), float64
        Weighted sums of their inner vectors and of the squares of these.
    """

    model: str
    adaptation: Adaptation
    n_clips: int
    seconds: float
    weight: float
    total: Floats
    squares: Floats

    @classmethod
    def empty(cls, model: str, adaptation: Adaptation) -> Self:
        """Know nothing: mean 0 and deviation 1.

        Parameters
        ----------
        model : str
            Name and version of the model.
        adaptation : Adaptation
            How it adapts.

        Returns
        -------
        SpeakerReference
            Of no clips.
        """
        zeros = np.zeros(adaptation.n_embedding)
        return cls(model, adaptation, 0, 0.0, 0.0, zeros, zeros)

    def with_clip(self, embedding: FloatArray, *, seconds: float, weight: float = 1.0) -> Self:
        """Hear one more clip.

        Parameters
        ----------
        embedding : ndarray of shape (n_embedding,), float32
            Its inner vector.
        seconds : float
            Its length [s].
        weight : float
            How many clips it counts for.

        Returns
        -------
        SpeakerReference
            With the clip.
        """
        vector = embedding.astype(np.float64)
        clip = type(self)(
            self.model, self.adaptation, 1, seconds, weight, weight * vector, weight * vector**2
        )
        return self + clip

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, SpeakerReference):
            return NotImplemented
        self._check_same(other)
        return type(self)(
            self.model,
            self.adaptation,
            self.n_clips + other.n_clips,
            self.seconds + other.seconds,
            self.weight + other.weight,
            self.total + other.total,
            self.squares + other.squares,
        )

    def __sub__(self, other: Self) -> Self:
        if not isinstance(other, SpeakerReference):
            return NotImplemented
        self._check_same(other)
        left = type(self)(
            self.model,
            self.adaptation,
            self.n_clips - other.n_clips,
            self.seconds - other.seconds,
            self.weight - other.weight,
            self.total - other.total,
            self.squares - other.squares,
        )
        if min(left.n_clips, left.seconds, left.weight) < -_ROUNDING:
            raise UsageError(
                f"a speaker reference of {self.n_clips} clips ({self.seconds:.3f} s) does not hold"
                f" one of {other.n_clips} ({other.seconds:.3f} s); take away only what was added"
            )
        return left

    @property
    def mean(self) -> FloatArray:
        """Mean of the speaker, shrunk towards the population's: shape (n_embedding,), float32."""
        return self._mean.astype(np.float32)

    @property
    def deviation(self) -> FloatArray:
        """Deviation about that mean, shrunk towards 1: shape (n_embedding,), float32.

        It is taken about the shrunk mean and not about that of the clips, which it would be too
        small about: with two clips by half.
        """
        prior = self.adaptation.prior_clips_deviation
        mean = self._mean
        about_mean = self.squares - 2.0 * mean * self.total + self.weight * mean**2
        variance = (np.maximum(about_mean, 0.0) + prior) / (self.weight + prior)
        return np.sqrt(variance).astype(np.float32)

    @property
    def heard(self) -> HeardSpeech:
        """How much was heard, as predictions tell it."""
        return HeardSpeech(self.n_clips, self.seconds)

    @property
    def _mean(self) -> Floats:
        if self.weight <= 0.0:
            return np.zeros_like(self.total)
        return self.total / (self.weight + self.adaptation.prior_clips)

    def _check_same(self, other: Self) -> None:
        if (self.model, self.adaptation) != (other.model, other.adaptation):
            raise UsageError(
                f"speaker references of {self.model} and {other.model} do not go together;"
                " make both with one model"
            )
