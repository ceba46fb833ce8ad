"""A teacher: a pre-trained encoder that tells the network more about a clip than its label.

It gives two things, both about training clips alone. *Hints* are principal components of the
encoder's statistics over time; predicting them makes the network hear what a much larger one hears.
*Soft labels* are the answers of logistic regressions on these statistics, one per corpus, each
answer by a regression that was fitted without the clip's speaker: so they say how a clip sounds to
somebody who does not know the voice, and learning them does not teach the voices by heart.

References
----------
Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015.
Romero et al., "FitNets: hints for thin deep nets", ICLR 2015.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serenade.training.cache import cached_states
from serenade.training.networks import whisper
from serenade.training.recipe import NetworkRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from serenade.corpora.manifest import Utterance
    from serenade.training.batches import LabelledStates
    from serenade.training.cache import Progress
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe, TeacherRecipe
    from serenade.types import FloatArray

MAX_ITERATIONS = 300


def load_teacher(recipe: Recipe) -> SpeechNetwork | None:
    """Read the encoder that teaches.

    Parameters
    ----------
    recipe : Recipe
        Its `teacher` table names the encoder.

    Returns
    -------
    SpeechNetwork or None
        States are the statistics over time of the encoder's layers; ``None`` without a teacher.

    Raises
    ------
    RecipeError
        If the encoder cannot be read.
    """
    teacher = recipe.teacher
    if not teacher.initial_weights:
        return None
    encoder = NetworkRecipe(
        name="whisper",
        initial_weights=teacher.initial_weights,
        depth=teacher.depth,
        frozen_layers=teacher.depth,
        first_pooled=teacher.first_pooled,
        max_seconds=recipe.data.max_seconds,
    )
    return whisper.build(encoder, n_labels=2, table="teacher").eval()


def teach(
    clips: LabelledStates,
    utterances: Sequence[Utterance],
    recipe: Recipe,
    encoder: SpeechNetwork | None,
    *,
    cache: Path,
    progress: Progress,
) -> LabelledStates:
    """Add a teacher's hints and soft labels to training clips.

    Parameters
    ----------
    clips : LabelledStates
        Training clips.
    utterances : sequence of Utterance
        The same clips, in order.
    recipe : Recipe
        Its `teacher` table says what is taught.
    encoder : SpeechNetwork or None
        From :func:`load_teacher`; without one the clips stay as they are.
    cache : Path
        Folder of the state cache.
    progress : callable
        Told about every clip that is read.

    Returns
    -------
    LabelledStates
        The same states with hints and softened targets.
    """
    if encoder is None:
        return clips
    teacher = recipe.teacher
    states, _ = cached_states(
        encoder,
        utterances,
        recipe.conditioning,
        max_seconds=recipe.data.max_seconds,
        folder=cache,
        progress=progress,
    )
    statistics = np.stack([clip[:, 0] for clip in states]).astype(np.float32)
    targets = clips.targets.copy()
    groups = np.array(clips.groups)
    speakers = np.array([utterance.speaker_key or "" for utterance in utterances])
    for corpus in np.unique(groups):
        rows = np.flatnonzero(groups == corpus)
        answers = soft_labels(statistics[rows], clips.targets[rows], speakers[rows], teacher)
        targets[rows] = (1.0 - teacher.soft_share) * targets[rows] + teacher.soft_share * answers
    return replace(clips, targets=targets, hints=make_hints(statistics, teacher, recipe.seed))


def make_hints(statistics: FloatArray, teacher: TeacherRecipe, seed: int) -> FloatArray:
    """Give the principal components of statistics, each with zero mean and unit deviation.

    Parameters
    ----------
    statistics : ndarray of shape (n_clips, n_statistics)
        Of training clips.
    teacher : TeacherRecipe
        Number of components.
    seed : int
        Of the randomised decomposition.

    Returns
    -------
    ndarray of shape (n_clips, n_hints), float32
        At most as many components as there are clips or statistics.
    """
    n_hints = min(teacher.n_hints, *statistics.shape)
    components = PCA(n_hints, whiten=True, svd_solver="randomized", random_state=seed)
    standardised = StandardScaler().fit_transform(statistics)
    return np.asarray(components.fit_transform(standardised), dtype=np.float32)


def soft_labels(
    statistics: FloatArray,
    targets: npt.NDArray[np.float32],
    speakers: npt.NDArray[np.str_],
    teacher: TeacherRecipe,
) -> npt.NDArray[np.float32]:
    """Answer for every clip with a regression that has not heard its speaker.

    Parameters
    ----------
    statistics : ndarray of shape (n_clips, n_statistics)
        Of the clips of one corpus.
    targets : ndarray of shape (n_clips, n_labels)
        One-hot labels.
    speakers : ndarray of shape (n_clips,)
        Who speaks.
    teacher : TeacherRecipe
        Folds and penalty.

    Returns
    -------
    ndarray of shape (n_clips, n_labels), float32
        Probabilities; the labels themselves where there is only one speaker.
    """
    n_folds = min(teacher.n_folds, np.unique(speakers).size)
    if n_folds < 2:
        return targets
    classes = targets.argmax(axis=1)
    answers = np.zeros_like(targets)
    for known, unknown in GroupKFold(n_folds).split(statistics, classes, speakers):
        regression = make_pipeline(
            StandardScaler(),
            LogisticRegression(
                C=teacher.inverse_penalty, class_weight="balanced", max_iter=MAX_ITERATIONS
            ),
        )
        regression.fit(statistics[known], classes[known])
        answers[np.ix_(unknown, regression.classes_)] = regression.predict_proba(
            statistics[unknown]
        )
    return answers
