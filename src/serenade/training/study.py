"""The memory of a search: every trial in one SQLite file, which survives being killed.

How the next settings are drawn depends on nothing but the seed and the trials that are finished.
So a search that was killed draws the settings of the trial that it lost once more, and that trial
goes on from its checkpoint.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from serenade.errors import TrainingError
from serenade.training.search_space import Choices, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from serenade.training.recipe import Recipe
    from serenade.training.search_space import Range, SearchSpace, Setting

STUDY_FILE = "trials.sqlite"
_IDENTITY = "search"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, slots=True)
class TuningTrial:
    """One try of a search.

    Parameters
    ----------
    number : int
        From 1.
    settings : mapping of str to value
        What was tried.
    uar : float or None
        Unweighted average recall on speakers that were held back, in [0, 1]: of the best epoch of
        a network, and the mean over folds of a classical model; ``None`` if training diverged.
    epochs : int
        Epochs that were trained; 0 for a classical model.
    stopped : bool
        Whether it was stopped early because others did better.
    seconds : float
        Time it took [s].
    """

    number: int
    settings: Mapping[str, Setting]
    uar: float | None
    epochs: int
    stopped: bool
    seconds: float

    @property
    def score(self) -> float:
        """The UAR, or -1 if training diverged: more is better."""
        return -1.0 if self.uar is None else self.uar

    def to_json(self) -> dict[str, Any]:
        """Give the trial as a JSON object.

        Returns
        -------
        dict
            Only JSON types; numbers are rounded to six decimals.
        """
        return {
            "trial": self.number,
            "uar": None if self.uar is None else round(self.uar, 6),
            "epochs": self.epochs,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
            "settings": dict(self.settings),
        }


class Study:
    """The trials of one search.

    Parameters
    ----------
    study : optuna.Study
        Opened by :func:`open_study`.
    """

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    @property
    def trials(self) -> tuple[TuningTrial, ...]:
        """All finished trials, in order."""
        finished = self._study.get_trials(deepcopy=False, states=_FINISHED)
        return tuple(
            TuningTrial(
                number=number,
                settings=trial.params,
                stopped=trial.state is TrialState.PRUNED and trial.user_attrs["uar"] is not None,
                **trial.user_attrs,
            )
            for number, trial in enumerate(finished, start=1)
        )

    def ask(
        self, space: SearchSpace, distributions: dict[str, BaseDistribution]
    ) -> optuna.trial.Trial:
        """Begin the next trial.

        Parameters
        ----------
        space : SearchSpace
            How to draw.
        distributions : dict of str to BaseDistribution
            What to draw; see :func:`as_distributions`.

        Returns
        -------
        optuna.trial.Trial
            With settings; to be told with :meth:`tell`.
        """
        for lost in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(lost.number, state=TrialState.FAIL)
        n_finished = len(self._study.get_trials(deepcopy=False, states=_FINISHED))
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=space.startup_trials, seed=space.seed * 100_003 + n_finished
        )
        return self._study.ask(distributions)

    def tell(
        self,
        trial: optuna.trial.Trial,
        *,
        uar: float | None,
        epochs: int,
        stopped: bool,
        seconds: float,
    ) -> None:
        """End a trial.

        One that diverged is kept as one that was stopped: the next settings are drawn away from it.

        Parameters
        ----------
        trial : optuna.trial.Trial
            From :meth:`ask`.
        uar, epochs, stopped, seconds
            As in :class:`TuningTrial`.
        """
        for name, value in (("uar", uar), ("epochs", epochs), ("seconds", seconds)):
            trial.set_user_attr(name, value)
        if stopped or uar is None:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, uar)

    def add(
        self,
        settings: Mapping[str, Setting],
        grid: Mapping[str, Sequence[Setting]],
        *,
        uar: float,
        seconds: float,
    ) -> None:
        """Note a trial that was done at one go.

        Parameters
        ----------
        settings : mapping of str to value
            What was tried.
        grid : mapping of str to sequence
            All values of each setting; the same for all trials of a search.
        uar, seconds : float
            As in :class:`TuningTrial`.
        """
        self._study.add_trial(
            optuna.create_trial(
                params=dict(settings),
                distributions={
                    name: CategoricalDistribution(values) for name, values in grid.items()
                },
                value=uar,
                user_attrs={"uar": uar, "epochs": 0, "seconds": seconds},
            )
        )


@contextmanager
def open_study(folder: Path, identity: Mapping[str, Any], space: SearchSpace) -> Iterator[Study]:
    """Open the memory of a search, or begin one.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    identity : mapping
        What must not change between two openings, as JSON types.
    space : SearchSpace
        When trials may be stopped early.

    Yields
    ------
    Study
        With the trials that are there.

    Raises
    ------
    TrainingError
        If the folder holds another search or cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / STUDY_FILE).absolute()}")
        study = optuna.create_study(
            study_name="serenade",
            storage=storage,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=space.startup_trials, n_warmup_steps=space.min_epochs
            ),
        )
    except (OSError, SQLAlchemyError) as error:
        raise TrainingError(
            f"{str(folder / STUDY_FILE)!r} cannot be used as the memory of a search;"
            " choose another folder with --output"
        ) from error
    try:
        text = json.dumps(identity, sort_keys=True)
        if study.user_attrs.setdefault(_IDENTITY, text) != text:
            raise TrainingError(
                f"{str(folder)!r} holds a search of another recipe, space or manifest (clips and"
                " labels count), or of an older version; choose another folder with --output"
            )
        study.set_user_attr(_IDENTITY, text)
        yield Study(study)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def as_distributions(
    recipe: Recipe, space: Mapping[str, Range | Choices]
) -> dict[str, BaseDistribution]:
    """Put a search space into the words of Optuna.

    Parameters
    ----------
    recipe : Recipe
        Tells which values are whole numbers.
    space : mapping of str to Range or Choices
        By path in the recipe.

    Returns
    -------
    dict of str to BaseDistribution
        By the same paths.
    """
    return {path: _as_distribution(recipe, path, values) for path, values in space.items()}


def _as_distribution(recipe: Recipe, path: str, values: Range | Choices) -> BaseDistribution:
    if isinstance(values, Choices):
        return CategoricalDistribution(values.choices)
    if is_whole(recipe, path):
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)
