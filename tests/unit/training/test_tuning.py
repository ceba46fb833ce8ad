"""The search for better settings: interrupted or not, it tries and finds the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from serenade.cli.tune_output import TrialFormat, trials_text, write_trials
from serenade.corpora.manifest import read_manifest
from serenade.errors import RecipeError, TrainingError
from serenade.training.recipe import ClassicalRecipe, SplitRecipe
from serenade.training.recipe_file import read_recipe
from serenade.training.run import TrainingRun
from serenade.training.search_space import Choices, Range, SearchSpace
from serenade.training.tuning import tune

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe
    from serenade.training.study import TuningTrial
    from serenade.training.tuning import Tuning

SPACE = SearchSpace(
    trials=4,
    startup_trials=2,
    min_epochs=1,
    space={
        "optimiser.learning_rate": Range(1e-5, 1e-2, log=True),
        "network.depth": Range(1, 2),
        "optimiser.class_weights": Choices((False, True)),
    },
)


@pytest.fixture(scope="module")
def utterances(toy_manifest: Path) -> list[Utterance]:
    return read_manifest(toy_manifest)


@pytest.fixture(scope="module")
def recipe(toy_recipe: Recipe) -> Recipe:
    return replace(
        toy_recipe,
        split=SplitRecipe(kind="random", validation_share=0.25),
        optimiser=replace(toy_recipe.optimiser, epochs=3),
    )


@pytest.fixture(scope="module")
def svm(toy_recipe: Recipe) -> Recipe:
    return replace(toy_recipe, classical=ClassicalRecipe(kind="svm", n_folds=2))


def _tune(
    recipe: Recipe,
    utterances: list[Utterance],
    folder: Path,
    space: SearchSpace = SPACE,
    *,
    on_epoch: Callable[[EpochRecord, int], None] = lambda _record, _n: None,
    on_trial: Callable[[TuningTrial, int], None] = lambda _trial, _n: None,
) -> Tuning:
    run = TrainingRun(folder, noise=None, cache=folder.parent / "cache")
    return tune(
        recipe,
        utterances,
        run,
        space,
        threads=1,
        on_epoch=on_epoch,
        on_trial=on_trial,
        progress=lambda _what, _done, _total: None,
    )


def _without_times(tuning: Tuning) -> list[TuningTrial]:
    return [replace(trial, seconds=0.0) for trial in tuning.trials]


@pytest.fixture(scope="module")
def whole(
    recipe: Recipe, utterances: list[Utterance], tmp_path_factory: pytest.TempPathFactory
) -> Tuning:
    return _tune(recipe, utterances, tmp_path_factory.mktemp("tuning") / "whole")


def test_the_best_trial_becomes_a_recipe_with_the_split_that_it_had(
    whole: Tuning, recipe: Recipe
) -> None:
    assert [trial.number for trial in whole.trials] == [1, 2, 3, 4]
    assert whole.best.uar == max(trial.score for trial in whole.trials)
    best = read_recipe(whole.path)
    assert best == whole.recipe
    assert best.optimiser.learning_rate == whole.best.settings["optimiser.learning_rate"]
    assert best.network.depth == whole.best.settings["network.depth"]
    assert best.split == recipe.split


def test_trials_are_judged_on_speakers_that_are_held_back(whole: Tuning) -> None:
    from serenade.training.run import read_run_recipe, read_run_speakers

    folder = whole.path.parent / "trials" / "001"
    assert read_run_recipe(folder).split.kind == "speaker"
    speakers = read_run_speakers(folder)
    assert not set(speakers["train"]) & set(speakers["validation"])


def test_an_interrupted_search_tries_and_finds_the_same(
    whole: Tuning, recipe: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    n_epochs = 0

    def interrupt(_record: EpochRecord, _n_epochs: int) -> None:
        nonlocal n_epochs
        n_epochs += 1
        if n_epochs in (2, 5):
            raise KeyboardInterrupt

    folder = tmp_path / "broken"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            _tune(recipe, utterances, folder, on_epoch=interrupt)
    finished = _tune(recipe, utterances, folder, on_epoch=interrupt)
    assert _without_times(finished) == _without_times(whole)
    assert n_epochs == sum(trial.epochs for trial in whole.trials), "an epoch was trained twice"


def test_a_finished_search_can_be_prolonged_but_not_changed(
    whole: Tuning, recipe: Recipe, utterances: list[Utterance]
) -> None:
    folder = whole.path.parent
    seen: list[int] = []
    longer = _tune(
        recipe,
        utterances,
        folder,
        replace(SPACE, trials=5),
        on_trial=lambda trial, _n: seen.append(trial.number),
    )
    assert seen == [5]
    assert _without_times(longer)[:4] == _without_times(whole)
    for other, clips in ((replace(recipe, seed=9), utterances), (recipe, utterances[1:])):
        with pytest.raises(TrainingError, match="another recipe, space or manifest"):
            _tune(other, clips, folder)


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(
    recipe: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    rates = SearchSpace(
        trials=6, startup_trials=6, space={"optimiser.learning_rate": Choices((1e30, 1e-3))}
    )
    short = replace(recipe, optimiser=replace(recipe.optimiser, epochs=1))
    found = _tune(short, utterances, tmp_path / "search", rates)
    failed = [trial for trial in found.trials if trial.uar is None]
    assert 0 < len(failed) < len(found.trials) == 6
    assert {trial.settings["optimiser.learning_rate"] for trial in failed} == {1e30}
    assert not any(trial.stopped for trial in failed)
    assert found.recipe.optimiser.learning_rate == 1e-3
    for form in TrialFormat:
        assert trials_text(found.trials, form)
    assert "diverged" in trials_text(found.trials, TrialFormat.TEXT)
    assert write_trials(found, tmp_path / "search", title="toy", space=rates) == ()


def test_a_search_in_which_all_trials_diverge_gives_no_recipe(
    recipe: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    rates = SearchSpace(trials=2, space={"optimiser.learning_rate": Choices((1e30,))})
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"diverged in all 2 trials: .* lower values of"):
            _tune(recipe, utterances, tmp_path / "search", rates)
    assert not (tmp_path / "search" / "best.toml").exists()


def test_a_file_that_is_no_search_is_one_clear_error(
    recipe: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "trials.sqlite").write_text("no database" * 99)
    with pytest.raises(TrainingError, match="cannot be used as the memory of a search"):
        _tune(recipe, utterances, tmp_path)


def test_a_corpus_of_one_speaker_is_refused(
    recipe: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    alone = [utterance for utterance in utterances if utterance.speaker == "a"]
    with pytest.raises(TrainingError, match="no corpus has one to spare"):
        _tune(recipe, alone, tmp_path / "run")


def test_a_classical_recipe_tries_its_whole_grid_and_goes_on_where_it_was(
    svm: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    space = SearchSpace(space={"C": Choices((0.01, 1.0)), "tol": Choices((1e-3, 1e-2))})
    folder = tmp_path / "svm"

    def interrupt(trial: TuningTrial, _n_trials: int) -> None:
        if trial.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _tune(svm, utterances, folder, space, on_trial=interrupt)
    relabelled = [replace(utterances[0], emotion="fear"), *utterances[1:]]
    with pytest.raises(TrainingError, match="another recipe, space or manifest"):
        _tune(svm, relabelled, folder, space)
    rest: list[int] = []
    found = _tune(
        svm, utterances, folder, space, on_trial=lambda trial, n: rest.extend((trial.number, n))
    )
    assert rest == [4, 4]
    assert [dict(trial.settings) for trial in found.trials] == [
        {"C": c, "tol": tol} for c in (0.01, 1.0) for tol in (1e-3, 1e-2)
    ]
    assert read_recipe(found.path).classical.settings == found.best.settings


def test_the_grid_of_a_classifier_is_tried_where_no_space_is_given(
    svm: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    found = _tune(svm, utterances, tmp_path / "svm", SearchSpace())
    assert [dict(trial.settings) for trial in found.trials] == [
        {"C": c} for c in (1.0, 10.0, 100.0)
    ]


def test_wrong_settings_of_a_classifier_are_one_clear_error(
    svm: Recipe, utterances: list[Utterance], tmp_path: Path
) -> None:
    cases = (
        ({"C": Range(1, 2)}, RecipeError, "must be {choices}"),
        ({"depth": Choices((1,))}, TrainingError, "svm has no setting 'depth'"),
        ({"C": Choices((-1.0,))}, TrainingError, "svm cannot be fitted with .*'C' parameter"),
    )
    for space, kind, message in cases:
        with pytest.raises(kind, match=message):
            _tune(svm, utterances, tmp_path / "svm", SearchSpace(space=space))
