"""Classical models from a recipe: the search for settings, and the run that ends in a bundle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from serenade.features.frontends import get_front_end
from serenade.model.adaptation import Adaptation
from serenade.model.bundle import write_checksums
from serenade.model.spec import read_spec, write_spec
from serenade.training.cache import Progress, silent_progress
from serenade.training.card import write_card
from serenade.training.classical import Search, search, train_classical
from serenade.training.classical_export import PARITY_METRIC, export_classical
from serenade.training.classifiers import get_kind, grid_around
from serenade.training.data import select, split
from serenade.training.feature_cache import cached_features
from serenade.training.measuring import held_back_name, measure, measured
from serenade.training.package import Packaged, training_data
from serenade.training.run import claim, read_run_speakers
from serenade.training.vectors import LabelledVectors, label_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.training.recipe import Recipe
    from serenade.training.run import TrainingRun

N_PARITY_CLIPS = 200


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
        :data:`serenade.training.classifiers.CLASSIFIERS` where the recipe does not fix them. A
        grid of one point gives one trial.
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
    grid = grid_around(options.kind, options.settings) if grid is None else grid
    return search(options.kind, data.vectors, grid=grid, n_folds=options.n_folds, seed=recipe.seed)


def build_classical_bundle(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    *,
    progress: Progress,
    log: Callable[[str], None],
) -> Path:
    """Search, fit, calibrate and export a classifier, unless the run folder holds it already.

    Parameters
    ----------
    recipe : Recipe
        With a ``[classical]`` table.
    utterances : sequence of Utterance
        All are trained on; none is held back but in the folds of search and calibration.
    run : TrainingRun
        Where to read and write; its folder is claimed, see :func:`serenade.training.run.claim`.
    progress : callable
        Told about every clip that is read.
    log : callable
        Told what is being done.

    Returns
    -------
    Path
        The bundle, ``run.folder / "bundle"``.

    Raises
    ------
    TrainingError
        If there is no such classifier, nothing can be trained, or ONNX differs from scikit-learn.
    """
    folder = run.folder / "bundle"
    if (folder / "spec.json").exists():
        return folder
    data = read_classical_data(recipe, utterances, cache=run.cache, progress=progress)
    for sentence in data.left_out:
        log(f"left out {sentence}")
    options = recipe.classical
    log(f"searching and fitting {options.kind} on {len(data.utterances)} clips")
    model = train_classical(
        options.kind,
        data.vectors,
        grid=grid_around(options.kind, options.settings),
        n_folds=options.n_folds,
        answer_precision=recipe.export.answer_precision,
        seed=recipe.seed,
        adaptation=_adaptation(recipe, n_values=data.vectors.vectors.shape[1]),
    )
    log("exporting to ONNX")
    every = max(1, len(data.utterances) // N_PARITY_CLIPS)
    export_classical(
        model,
        folder,
        name=recipe.name,
        front_end=options.front_end,
        conditioning=recipe.conditioning,
        export=recipe.export,
        training_data=training_data(data.utterances),
        metrics={},
        check_vectors=data.vectors.vectors[::every],
    )
    return folder


def _adaptation(recipe: Recipe, *, n_values: int) -> Adaptation | None:
    if not recipe.classical.adapts:
        return None
    return Adaptation(n_values, recipe.export.prior_clips, recipe.export.prior_clips_deviation)


def package_classical(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    *,
    workers: int,
    progress: Progress,
    log: Callable[[str], None],
) -> Packaged:
    """Train a classifier into a bundle, measure it on the speakers held back, and write its card.

    Parameters
    ----------
    recipe, run, progress, log
        As in :func:`build_classical_bundle`.
    utterances : sequence of Utterance
        All that may be used; the recipe chooses from them and holds speakers back.
    workers : int
        Processes for the measurement.

    Returns
    -------
    Packaged
        The bundle is ``run.folder / "bundle"``.

    Raises
    ------
    TrainingError
        As :func:`build_classical_bundle`, or as :func:`serenade.training.run.claim`.
    SplitError
        If a speaker is unknown.
    """
    get_kind(recipe.classical.kind)  # a wrong recipe must not claim the folder
    get_front_end(recipe.classical.front_end)
    parts = split(select(utterances, recipe), recipe.split)
    claim(run.folder, recipe, parts)
    folder = build_classical_bundle(recipe, parts.train, run, progress=progress, log=log)
    log(f"measuring the bundle on {held_back_name(parts)}")
    results = measure(folder, parts, workers=workers)
    spec = read_spec(folder / "spec.json")
    spec = replace(spec, metrics={**spec.metrics, **measured(parts, results)})
    write_spec(spec, folder / "spec.json")
    write_card(folder / "CARD.md", spec, recipe, read_run_speakers(run.folder), results)
    write_checksums(folder)
    return Packaged(folder, float(spec.metrics[PARITY_METRIC]), results)
