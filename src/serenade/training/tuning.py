"""The search for better settings of a recipe, judged on speakers that training never hears.

Networks are searched with tree-structured Parzen estimators, and trials that do worse than the
median of the others after as many epochs are stopped. Classical models try every point of a grid
with folds that share no speaker.

The UAR of the best trial is the highest of many on the same validation speakers, so it is too good
to be reported: measure the recipe that comes out on speakers that the search never saw.

References
----------
J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for hyper-parameter optimization", NIPS
2011; T. Akiba et al., "Optuna: a next-generation hyperparameter optimization framework", KDD 2019.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from itertools import product
from typing import TYPE_CHECKING, Any

from optuna import TrialPruned

from serenade.errors import RecipeError, TrainingError
from serenade.training.checkpoint import load_checkpoint
from serenade.training.classical import search
from serenade.training.classical_run import read_classical_data
from serenade.training.classifiers import check_grid, grid_around
from serenade.training.clips import clips_digest
from serenade.training.data import select, split
from serenade.training.history import DivergedError
from serenade.training.recipe_file import write_recipe
from serenade.training.run import TrainingRun, train
from serenade.training.search_space import (
    NETWORK_SPACE,
    Choices,
    check_space,
    with_settings,
)
from serenade.training.study import TuningTrial, as_distributions, open_study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import optuna

    from serenade.corpora.manifest import Utterance
    from serenade.training.cache import Progress
    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe
    from serenade.training.search_space import SearchSpace, Setting

BEST_RECIPE_FILE = "best.toml"


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search found.

    Parameters
    ----------
    trials : tuple of TuningTrial
        All, in order; at least one.
    recipe : Recipe
        With the settings of the best.
    path : Path
        The same as a file for ``serenade train``.
    """

    trials: tuple[TuningTrial, ...]
    recipe: Recipe
    path: Path

    @property
    def best(self) -> TuningTrial:
        """The trial with the highest UAR; of equal ones the first."""
        return best_of(self.trials)


def best_of(trials: Sequence[TuningTrial]) -> TuningTrial:
    """Give the trial with the highest UAR.

    Parameters
    ----------
    trials : sequence of TuningTrial
        At least one.

    Returns
    -------
    TuningTrial
        Of equal ones the first.

    Raises
    ------
    TrainingError
        If training diverged in all of them.
    """
    best = max(trials, key=lambda trial: trial.score)
    if best.uar is None:
        raise TrainingError(
            f"training diverged in all {len(trials)} trials: the loss is not a number; search lower"
            " values of optimiser.learning_rate"
        )
    return best


def tune(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    space: SearchSpace,
    *,
    threads: int,
    on_epoch: Callable[[EpochRecord, int], None],
    on_trial: Callable[[TuningTrial, int], None],
    progress: Progress,
) -> Tuning:
    """Search better settings of a recipe, or go on where a killed search stopped.

    A search that is interrupted and started again tries the same settings, with the same results,
    as one that is not.

    Parameters
    ----------
    recipe : Recipe
        Of a network or a classical model. Whatever its split, trials are judged on speakers that
        are held back.
    utterances : sequence of Utterance
        All that may be used; the recipe chooses from them.
    run : TrainingRun
        Its folder holds ``trials.sqlite``, ``best.toml`` and a run folder per trial.
    space : SearchSpace
        What is tried; without a space of its own the usual one of the network or classifier.
    threads : int
        Threads of torch.
    on_epoch : callable
        Called with the record of each finished epoch and the number of epochs.
    on_trial : callable
        Called with each finished trial and the number of trials.
    progress : callable
        Told about every clip that is read.

    Returns
    -------
    Tuning
        All trials, those of earlier calls too.

    Raises
    ------
    RecipeError
        If the space does not fit the recipe.
    TrainingError
        If the folder holds another search, no speaker can be held back, or training diverged in
        all trials.
    SplitError
        If a speaker is unknown.
    """
    judged = replace(recipe, split=replace(recipe.split, kind="speaker"))
    if recipe.classical.kind:
        return _tune_classical(
            recipe, judged, utterances, run, space, on_trial=on_trial, progress=progress
        )
    searched = replace(space, space=space.space or NETWORK_SPACE)
    check_space(recipe, searched)
    parts = split(select(utterances, judged), judged.split)
    if not parts.validation:
        raise TrainingError(
            "trials are judged on speakers that are held back, and no corpus has one to spare;"
            " add speakers, or name fewer corpora in split.train_only"
        )
    distributions = as_distributions(recipe, searched.space)
    with open_study(run.folder, _identity(judged, searched, utterances), searched) as study:
        while len(trials := study.trials) < searched.trials:
            trial = study.ask(searched, distributions)
            tried = with_settings(judged, trial.params)
            folder = run.folder / "trials" / f"{len(trials) + 1:03d}"
            end = _train_trial(
                tried,
                utterances,
                replace(run, folder=folder),
                trial,
                threads=threads,
                on_epoch=on_epoch,
                progress=progress,
            )
            history = _history(folder)
            study.tell(
                trial,
                uar=None if end is _End.DIVERGED else _shipped(folder)["validation_uar"],
                epochs=len(history),
                stopped=end is _End.STOPPED,
                seconds=sum(epoch["seconds"] for epoch in history),
            )
            on_trial(study.trials[-1], searched.trials)
    return _finish(trials, with_settings(recipe, best_of(trials).settings), run.folder)


class _End(Enum):
    """How the training of a trial ended."""

    DONE = auto()
    STOPPED = auto()
    DIVERGED = auto()


def _train_trial(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    trial: optuna.trial.Trial,
    *,
    threads: int,
    on_epoch: Callable[[EpochRecord, int], None],
    progress: Progress,
) -> _End:
    """Train, and tell how it ended."""

    def follow(record: EpochRecord, n_epochs: int) -> None:
        on_epoch(record, n_epochs)
        _report(trial, asdict(record))

    try:
        for epoch in _history(run.folder):
            _report(trial, epoch)
        train(recipe, utterances, run, threads=threads, on_epoch=follow, progress=progress)
    except TrialPruned:
        return _End.STOPPED
    except DivergedError:
        return _End.DIVERGED
    return _End.DONE


def _report(trial: optuna.trial.Trial, epoch: Mapping[str, Any]) -> None:
    trial.report(epoch["validation_uar"], epoch["epoch"])
    if trial.should_prune():
        raise TrialPruned


def _history(folder: Path) -> list[dict[str, Any]]:
    """Epochs of a trial so far; none of a new one."""
    path = folder / "last.safetensors"
    if not path.exists():
        return []
    history: list[dict[str, Any]] = load_checkpoint(path)[1]["history"]
    return history


def _shipped(folder: Path) -> dict[str, Any]:
    """Record of the epoch whose weights a run would ship."""
    return load_checkpoint(folder / "best.safetensors")[1]


def _tune_classical(
    recipe: Recipe,
    judged: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    space: SearchSpace,
    *,
    on_trial: Callable[[TuningTrial, int], None],
    progress: Progress,
) -> Tuning:
    grid = _grid(recipe, space)
    points = [dict(zip(grid, point, strict=True)) for point in product(*grid.values())]
    train_part = split(select(utterances, judged), judged.split).train
    data = read_classical_data(judged, train_part, cache=run.cache, progress=progress).vectors
    options = recipe.classical
    with open_study(run.folder, _identity(judged, space, utterances), space) as study:
        for settings in points[len(study.trials) :]:
            started = time.monotonic()
            point = {name: (value,) for name, value in {**options.settings, **settings}.items()}
            found = search(
                options.kind, data, grid=point, n_folds=options.n_folds, seed=recipe.seed
            ).trials
            if not found:
                raise TrainingError(
                    "settings are judged on speakers that are held back, and there is only"
                    f" {data.speakers[0]!r}; add speakers"
                )
            study.add(settings, grid, uar=found[0].uar, seconds=time.monotonic() - started)
            on_trial(study.trials[-1], len(points))
        trials = study.trials
    settings = {**options.settings, **best_of(trials).settings}
    classical = replace(options, settings=settings)
    return _finish(trials, replace(recipe, classical=classical), run.folder)


def _grid(recipe: Recipe, space: SearchSpace) -> dict[str, Sequence[Setting]]:
    """Values of each setting of a classical recipe that is searched."""
    grid: dict[str, Sequence[Setting]] = {}
    for name, values in space.space.items():
        if not isinstance(values, Choices):
            raise RecipeError(
                f"'space.{name}' must be {{choices}}: a classical recipe tries all points of a grid"
            )
        grid[name] = values.choices
    grid = grid or grid_around(recipe.classical.kind, recipe.classical.settings)
    check_grid(recipe.classical.kind, grid)
    return grid


def _identity(
    recipe: Recipe, space: SearchSpace, utterances: Sequence[Utterance]
) -> dict[str, Any]:
    """Give what must be the same when a search goes on; it may be prolonged."""
    return {
        "recipe": recipe.to_json(),
        "space": asdict(replace(space, trials=0)),
        "clips": clips_digest(select(utterances, recipe)),
    }


def _finish(trials: tuple[TuningTrial, ...], recipe: Recipe, folder: Path) -> Tuning:
    tuning = Tuning(trials, recipe, folder / BEST_RECIPE_FILE)
    write_recipe(
        tuning.path,
        recipe,
        comment=(
            f"Best of {len(trials)} trials of `serenade tune`: UAR {100 * tuning.best.score:.1f} %"
            " on the speakers that chose it.\nThat is too good: measure it on others."
        ),
    )
    return tuning
