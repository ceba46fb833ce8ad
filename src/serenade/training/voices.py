"""Speakers in the training of classical models that adapt to a voice.

The vectors are put into units of the population, and every training clip is then judged by what is
known of its speaker from some other clips: sometimes none, sometimes a few, sometimes all. So one
classifier learns what to do with strangers and with voices that it knows well or hardly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.preprocessing import StandardScaler

from serenade.model.adaptation import Adaptation, SpeakerReference

if TYPE_CHECKING:
    from serenade.training.vectors import LabelledVectors
    from serenade.types import FloatArray

CLIPS_HEARD = (0, 4, 16, 64)
"""Numbers of other clips of its speaker that a training clip is judged with; drawn evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Mean and deviation of all training clips together.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n_values,), float32
        Of each value; the deviation is 1 where a value never changes.
    """

    mean: FloatArray
    deviation: FloatArray

    def embed(self, vectors: FloatArray) -> FloatArray:
        """Put vectors into units of the population.

        Parameters
        ----------
        vectors : ndarray of shape (n_clips, n_values), float32
            From a front end.

        Returns
        -------
        ndarray of shape (n_clips, n_values), float32
            The inner vectors of :mod:`serenade.model.adaptation`.
        """
        embedded: FloatArray = (vectors - self.mean) / self.deviation
        return embedded


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """How a classical model adapts to a speaker.

    Parameters
    ----------
    population : Population
        Gives the inner vectors.
    adaptation : Adaptation
        How far the clips of a speaker are trusted.
    """

    population: Population
    adaptation: Adaptation


def learn_population(vectors: FloatArray) -> Population:
    """Measure the population.

    Parameters
    ----------
    vectors : ndarray of shape (n_clips, n_values), float32
        Of all training clips.

    Returns
    -------
    Population
        Its mean and deviation.
    """
    scaler = StandardScaler().fit(vectors)
    return Population(scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32))


def adapt_to_some(data: LabelledVectors, adaptation: Adaptation, *, seed: int) -> LabelledVectors:
    """Judge every clip by what some other clips of its speaker tell of the voice.

    Parameters
    ----------
    data : LabelledVectors
        In units of the population.
    adaptation : Adaptation
        How far the clips of a speaker are trusted.
    seed : int
        Draws how many clips are heard, and which.

    Returns
    -------
    LabelledVectors
        The same clips.
    """
    rng = np.random.default_rng(seed)
    adapted = np.empty_like(data.vectors)
    for speaker in np.unique(data.speakers):
        own = np.flatnonzero(data.speakers == speaker)
        for clip in own:
            others = own[own != clip]
            n_heard = min(int(rng.choice(CLIPS_HEARD)), others.size)
            heard = rng.choice(others, n_heard, replace=False) if n_heard else others[:0]
            reference = _reference(data.vectors[heard], adaptation)
            adapted[clip] = (data.vectors[clip] - reference.mean) / reference.deviation
    return replace(data, vectors=adapted)


def _reference(embeddings: FloatArray, adaptation: Adaptation) -> SpeakerReference:
    wide = embeddings.astype(np.float64)
    return SpeakerReference(
        model="in training",
        adaptation=adaptation,
        n_clips=wide.shape[0],
        seconds=0.0,
        weight=float(wide.shape[0]),
        total=wide.sum(axis=0),
        squares=(wide**2).sum(axis=0),
    )
