"""Classical models from a recipe: the search for settings, and the run that ends in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serenade.training.cache import Progress, silent_progress
from serenade.training.classical import Search, search
from serenade.training.data import select, split
from serenade.training.feature_cache import cached_features
from serenade.training.vectors import LabelledVectors, label_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.training.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class ClassicalData:
    """What a classical model is trained on.

    Parameters
    ----------
    vectors : LabelledVectors
        One row per clip.
    utterances : tuple of Utterance
        The same clips.
    left_out : tuple of str
        One sentence for every clip whose audio cannot be used.
    """

    vectors: LabelledVectors
    utterances: tuple[Utterance, ...]
    left_out: tuple[str, ...]


def read_classical_data(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    *,
    cache: Path,
    progress: Progress = silent_progress,
) -> ClassicalData:
    """Compute the vectors of utterances as a recipe wants them.

    Parameters
    ----------
    recipe : Recipe
        Names the front end, the conditioning and the longest clip.
    utterances : sequence of Utterance
        All are used; see :func:`serenade.training.data.select`.
    cache : Path
        Folder of the feature cache.
    progress : callable
        Told about every clip.

    Returns
    -------
    ClassicalData
        Those whose audio can be used.

    Raises
    ------
    TrainingError
        If no clip can be used, a speaker is unknown, or there are fewer than two emotions.
    """
    vectors, usable, failed = cached_features(
        utterances,
        recipe.classical.front_end,
        recipe.conditioning,
        max_seconds=recipe.data.max_seconds,
        folder=cache,
        progress=progress,
    )
    return ClassicalData(
        vectors=label_vectors(vectors, usable),
        utterances=tuple(usable),
        left_out=tuple(f"{utterance.id}: {error}" for utterance, error in failed),
    )


def grid_search(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    *,
    cache: Path,
    grid: Mapping[str, Sequence[Any]] | None = None,
    progress: Progress = silent_progress,
) -> Search:
    """Search the settings of a recipe's classifier with folds that share no speaker.

    The speakers that the recipe holds back for validation take no part.

    Parameters
    ----------
    recipe : Recipe
        With a ``[classical]`` table.
    utterances : sequence of Utterance
        All there are; the recipe chooses from them.
    cache : Path
        Folder of the feature cache.
    grid : mapping of str to sequence, optional
        Values to try by setting, as scikit-learn names it; without it, those of
        :data:`serenade.training.classifiers.CLASSIFIERS`. A grid of one point gives one trial.
    progress : callable
        Told about every clip that is read.

    Returns
    -------
    Search
        Every trial with its folds, and the best settings, fitted on all training clips.

    Raises
    ------
    TrainingError
        If there is no such classifier or setting, or nothing can be trained.
    SplitError
        If a speaker is unknown.
    """
    train = split(select(utterances, recipe), recipe.split).train
    data = read_classical_data(recipe, train, cache=cache, progress=progress)
    options = recipe.classical
    return search(options.kind, data.vectors, grid=grid, n_folds=options.n_folds, seed=recipe.seed)
