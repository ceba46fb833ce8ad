"""Classical models from recipes: searched, trained, exported and judged like networks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import precision_score

from serenade.corpora.manifest import read_manifest, write_manifest
from serenade.corpora.splits import find_leaks
from serenade.errors import SerenadeError, TrainingError
from serenade.evaluation.benchmark import run_folds
from serenade.evaluation.fold_results import BenchmarkPlan
from serenade.evaluation.metrics import measure
from serenade.evaluation.protocols import make_folds
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.training.benchmark import FoldTrainer, recipe_fingerprint
from serenade.training.cache import silent_progress
from serenade.training.classical_run import grid_search, package_classical
from serenade.training.comparison import comparison_row, macro_precision
from serenade.training.data import split
from serenade.training.recipe import ClassicalRecipe
from serenade.training.run import TrainingRun, read_run_speakers

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.package import Packaged
    from serenade.training.recipe import Recipe


@pytest.fixture
def svm_recipe(toy_recipe: Recipe) -> Recipe:
    return replace(toy_recipe, classical=ClassicalRecipe(kind="svm"))


def package(recipe: Recipe, manifest: Path, folder: Path, log: list[str]) -> Packaged:
    return package_classical(
        recipe,
        read_manifest(manifest),
        TrainingRun(folder / "run", noise=None, cache=folder / "cache"),
        workers=1,
        progress=silent_progress,
        log=log.append,
    )


def test_a_search_leaves_the_speakers_alone_that_the_recipe_holds_back(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    found = grid_search(svm_recipe, utterances, cache=tmp_path)
    parts = split(utterances, svm_recipe.split)
    assert len(parts.validation) == 8
    assert found.pipeline.named_steps["scaler"].n_samples_seen_ == len(parts.train)
    assert [trial.settings["C"] for trial in found.trials] == [1.0, 10.0, 100.0]
    assert len(found.trials[0].fold_uars) == 3


def test_a_recipe_becomes_a_bundle_with_a_card_measured_on_unseen_speakers(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    packaged = package(svm_recipe, toy_manifest, tmp_path, [])
    bundle = open_bundle(packaged.folder)
    assert bundle.spec.name == "toy"
    assert bundle.spec.labels.labels == ("sadness", "anger")
    assert packaged.parity < 1e-4
    assert bundle.spec.metrics["validation_speakers"]["toy"]["speakers"] == 1
    assert len(bundle.spec.metrics["search"]) == 3
    assert "svm (C = " in bundle.card
    assert "log-mel" not in bundle.card
    assert "epoch" not in bundle.card
    speakers = read_run_speakers(tmp_path / "run")
    assert not set(speakers["train"]) & set(speakers["validation"])
    assert packaged.results["toy"].closed.uar.value > 0.9
    clip = read_manifest(toy_manifest)[0]
    assert Recognizer.load(packaged.folder).predict(clip.path).emotion == clip.emotion


@pytest.mark.parametrize("wrong", [{"kind": "oak"}, {"front_end": "ear"}])
def test_a_wrong_name_leaves_the_folder_to_the_right_recipe(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path, wrong: dict[str, str]
) -> None:
    classical = replace(svm_recipe.classical, **wrong)  # type: ignore[arg-type]
    with pytest.raises(SerenadeError, match=next(iter(wrong.values()))):
        package(replace(svm_recipe, classical=classical), toy_manifest, tmp_path, [])
    assert not (tmp_path / "run").exists()


def test_a_finished_classifier_is_not_trained_again(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    first: list[str] = []
    again: list[str] = []
    before = package(svm_recipe, toy_manifest, tmp_path, first)
    model = (before.folder / "model.onnx").stat().st_mtime_ns
    after = package(svm_recipe, toy_manifest, tmp_path, again)
    assert (after.folder / "model.onnx").stat().st_mtime_ns == model
    assert after.parity == before.parity
    assert any("searching" in line for line in first)
    assert not any("searching" in line for line in again)
    other = replace(svm_recipe, classical=ClassicalRecipe(kind="decision-tree"))
    with pytest.raises(TrainingError, match="another recipe"):
        package(other, toy_manifest, tmp_path, [])


def test_a_finished_classifier_is_not_taken_for_one_of_other_labels_or_clips(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    package(svm_recipe, toy_manifest, tmp_path, [])
    utterances = read_manifest(toy_manifest)
    swapped = {"anger": "sadness", "sadness": "anger"}
    relabelled = [replace(u, emotion=swapped.get(u.emotion, u.emotion)) for u in utterances]
    for other in (relabelled, utterances[1:]):
        manifest = tmp_path / "other.jsonl"
        write_manifest(manifest, other)
        with pytest.raises(TrainingError, match="another recipe or manifest"):
            package(svm_recipe, manifest, tmp_path, [])


def test_no_fold_is_judged_by_a_model_of_another_division(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    plan = BenchmarkPlan("toy", recipe_fingerprint(svm_recipe, ()))
    first = make_folds("random", utterances, n_folds=2, seed=0)
    other = make_folds("random", utterances, n_folds=2, seed=1)
    run_folds(first, _trainer(svm_recipe, tmp_path, []), tmp_path, plan=plan)
    for result in tmp_path.glob("*.json"):
        result.unlink()
    with pytest.raises(TrainingError, match="another recipe or manifest"):
        run_folds(other, _trainer(svm_recipe, tmp_path, []), tmp_path, plan=plan)
    log: list[str] = []
    run_folds(first, _trainer(svm_recipe, tmp_path, log), tmp_path, plan=plan)
    assert not any("searching" in line for line in log), "a fold's own model was trained again"


def _trainer(recipe: Recipe, folder: Path, log: list[str]) -> FoldTrainer:
    return FoldTrainer(
        recipe=recipe,
        folder=folder / "runs",
        also_train=(),
        noise=None,
        cache=folder / "cache",
        threads=1,
        on_epoch=lambda record, n_epochs: None,
        progress=silent_progress,
        log=log.append,
    )


def test_every_fold_of_a_benchmark_has_a_classifier_that_never_heard_its_speakers(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    fold_set = make_folds("speaker-kfold", read_manifest(toy_manifest), n_folds=2)
    log: list[str] = []
    trainer = _trainer(svm_recipe, tmp_path, log)
    plan = BenchmarkPlan("toy", recipe_fingerprint(svm_recipe, ()))
    summary = run_folds(fold_set, trainer, tmp_path, plan=plan)
    assert summary["leaks"] is False
    assert summary["groups"][0]["pooled"]["clips"] == 32
    for fold in fold_set.folds:
        assert find_leaks(fold.train, fold.test) == []
        speakers = read_run_speakers(tmp_path / "runs" / fold.name.replace(" ", "_"))
        assert speakers["train"] == sorted({str(u.speaker_key) for u in fold.train})
        assert speakers["validation"] == []
    assert sum("on 16 clips" in line for line in log) == 2


def test_the_table_measures_the_clips_of_all_corpora_as_one(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    result = package(svm_recipe, toy_manifest, tmp_path, []).results["toy"]
    row = comparison_row("svm", {"one": result, "other": result})
    assert row.clips == 2 * result.closed.metrics.n_clips
    assert row.accuracy == pytest.approx(result.closed.accuracy.value)
    assert row.recall == pytest.approx(result.closed.uar.value)
    assert row.f1 == pytest.approx(result.closed.macro_f1.value)


def test_the_precision_of_the_table_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 3, 90)
    answers = np.where(rng.random(90) < 0.6, true, rng.integers(0, 3, 90))
    classes = measure(("neutral", "sadness", "anger"), true, np.eye(3)[answers]).classes
    expected = precision_score(true, answers, average="macro")
    assert macro_precision(classes) == pytest.approx(expected)
