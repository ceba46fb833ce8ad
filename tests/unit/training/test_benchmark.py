"""Benchmarks: each fold is trained once, on its own training speakers, and judged as a bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from serenade.corpora.manifest import read_manifest
from serenade.errors import SplitError
from serenade.evaluation.benchmark import run_folds
from serenade.evaluation.fold_results import BenchmarkPlan
from serenade.evaluation.protocols import make_folds
from serenade.training.benchmark import FoldTrainer, recipe_fingerprint
from serenade.training.cache import silent_progress
from serenade.training.run import read_run_speakers

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe


def _trainer(
    recipe: Recipe, folder: Path, epochs: list[int], also_train: tuple[Utterance, ...] = ()
) -> FoldTrainer:
    def count(record: EpochRecord, n_epochs: int) -> None:
        epochs.append(record.epoch)

    return FoldTrainer(
        recipe=replace(recipe, optimiser=replace(recipe.optimiser, epochs=1)),
        folder=folder / "runs",
        also_train=also_train,
        noise=None,
        cache=folder / "cache",
        threads=1,
        on_epoch=count,
        progress=silent_progress,
        log=lambda text: None,
    )


def test_every_fold_is_judged_by_a_bundle_that_never_heard_its_speakers(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    fold_set = make_folds("speaker-kfold", read_manifest(toy_manifest), n_folds=2)
    epochs: list[int] = []
    plan = BenchmarkPlan(title="toy", recipe_fingerprint=recipe_fingerprint(toy_recipe, ()))
    summary = run_folds(fold_set, _trainer(toy_recipe, tmp_path, epochs), tmp_path, plan=plan)
    assert len(summary["groups"][0]["folds"]) == 2
    for fold in fold_set.folds:
        run = tmp_path / "runs" / fold.name.replace(" ", "_")
        speakers = read_run_speakers(run)
        tested = {utterance.speaker_key for utterance in fold.test}
        assert not tested & {*speakers["train"], *speakers["validation"]}
    again = run_folds(fold_set, _trainer(toy_recipe, tmp_path, epochs), tmp_path, plan=plan)
    assert epochs == [1, 1]
    assert again == summary


def test_joint_training_on_a_test_speaker_is_refused(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    fold = make_folds("speaker-kfold", utterances, n_folds=2).folds[0]
    trainer = _trainer(toy_recipe, tmp_path, [], also_train=fold.test[:1])
    with pytest.raises(SplitError, match="toy/"):
        trainer(fold)


def test_the_fingerprint_follows_recipe_and_joined_corpora(
    toy_recipe: Recipe, toy_manifest: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    prints = {
        recipe_fingerprint(toy_recipe, ()),
        recipe_fingerprint(replace(toy_recipe, seed=9), ()),
        recipe_fingerprint(toy_recipe, utterances[:1]),
        recipe_fingerprint(toy_recipe, [replace(utterances[0], emotion="joy")]),
    }
    assert len(prints) == 4
