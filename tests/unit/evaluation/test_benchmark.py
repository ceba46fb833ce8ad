from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serenade.errors import EvaluationError
from serenade.evaluation.benchmark import run_folds
from serenade.evaluation.fold_results import BenchmarkPlan, file_name
from serenade.evaluation.protocols import Fold, FoldSet, make_folds

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.corpora.manifest import Utterance

Fake = Any
PLAN = BenchmarkPlan("dummy", "recipe-1", command="serenade benchmark …")


class DummyTrainer:
    def __init__(self, recognizer: Fake, *, stop_before: int | None = None) -> None:
        self.recognizer = recognizer
        self.stop_before = stop_before
        self.trained: list[str] = []

    def __call__(self, fold: Fold) -> Fake:
        if len(self.trained) == self.stop_before:
            raise KeyboardInterrupt
        self.trained.append(fold.name)
        return self.recognizer(model_id=f"dummy {fold.name}")


@pytest.fixture
def folds(utterances: list[Utterance]) -> FoldSet:
    return make_folds("speaker-kfold", utterances, n_folds=5)


def test_one_json_per_fold_and_a_summary(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path
) -> None:
    summary = run_folds(folds, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)
    assert {path.name for path in tmp_path.glob("*.json")} == {
        "summary.json",
        *(f"fold_{i}.json" for i in range(1, 6)),
    }
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    group = summary["groups"][0]
    uars = [fold["uar"] for fold in group["folds"]]
    assert group["mean_over_folds"]["uar"]["mean"] == pytest.approx(np.mean(uars))
    assert group["mean_over_folds"]["uar"]["standard_deviation"] == pytest.approx(
        np.std(uars, ddof=1)
    )
    assert group["pooled"]["clips"] == 200
    right = sum(round(fold["accuracy"] * fold["clips"]) for fold in group["folds"])
    assert group["pooled"]["accuracy"] == pytest.approx(right / 200)
    assert summary["mode"] == "speaker-independent"
    assert summary["leaks"] is False


def test_killed_benchmark_does_not_repeat_finished_folds(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path
) -> None:
    first = DummyTrainer(fake_recognizer, stop_before=2)
    with pytest.raises(KeyboardInterrupt):
        run_folds(folds, first, tmp_path, plan=PLAN)
    second = DummyTrainer(fake_recognizer)
    resumed = run_folds(folds, second, tmp_path, plan=PLAN)
    assert second.trained == ["fold 3", "fold 4", "fold 5"]
    whole = run_folds(folds, DummyTrainer(fake_recognizer), tmp_path / "other", plan=PLAN)
    assert resumed == whole


@pytest.mark.parametrize(
    "change", [{"recipe_fingerprint": "recipe-2"}, {"labels": "4"}, {"seed": 9}]
)
def test_results_of_another_recipe_are_refused(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path, change: dict[str, Any]
) -> None:
    run_folds(folds, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)
    with pytest.raises(EvaluationError, match="was made with another recipe"):
        run_folds(folds, DummyTrainer(fake_recognizer), tmp_path, plan=replace(PLAN, **change))


def test_damaged_result_is_one_clear_error(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path
) -> None:
    (tmp_path / "fold_1.json").write_text("{")
    with pytest.raises(EvaluationError, match="not the result of a fold"):
        run_folds(folds, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)


def test_a_file_in_the_place_of_the_folder_is_one_clear_error(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("here")
    for folder in (tmp_path / "file", tmp_path / "file" / "recipe"):
        with pytest.raises(EvaluationError, match=r"cannot be made \(.*choose another with"):
            run_folds(folds, DummyTrainer(fake_recognizer), folder, plan=PLAN)


def test_leaking_folds_say_so_in_every_file(
    utterances: list[Utterance], fake_recognizer: Fake, tmp_path: Path
) -> None:
    leaking = make_folds("random", utterances, n_folds=2)
    summary = run_folds(leaking, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)
    assert summary["leaks"] is True
    assert "their figures are too good" in summary["notes"][0]
    assert "speakers are in both parts" in summary["groups"][0]["leaks"][0]
    for i in (1, 2):
        fold = json.loads((tmp_path / f"fold_{i}.json").read_text())
        assert fold["setting"]["leak_statement"].startswith("THIS SPLIT LEAKS")


def test_corpora_are_summarised_apart(
    utterances: list[Utterance], fake_recognizer: Fake, tmp_path: Path
) -> None:
    crossed = make_folds("cross-corpus", utterances)
    summary = run_folds(crossed, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)
    assert [group["corpora"] for group in summary["groups"]] == [["TWO"], ["ONE"]]


def test_clips_tested_more_than_once_are_not_pooled(
    utterances: list[Utterance], fake_recognizer: Fake, tmp_path: Path
) -> None:
    three = [replace(u, corpus="SIX") if u.speaker in ("0", "1") else u for u in utterances]
    crossed = make_folds("cross-corpus", three)
    summary = run_folds(crossed, DummyTrainer(fake_recognizer), tmp_path, plan=PLAN)
    assert len(summary["groups"]) == 3
    assert all(group["pooled"] is None for group in summary["groups"])


def test_a_model_that_adapts_is_judged_both_ways_and_never_in_one_figure(
    folds: FoldSet, fake_recognizer: Fake, tmp_path: Path
) -> None:
    plain = run_folds(folds, DummyTrainer(fake_recognizer), tmp_path / "plain", plan=PLAN)
    assert "speaker_adapted" not in plain["groups"][0]
    adaptive = partial(fake_recognizer, adapts_to_speakers=True)
    summary = run_folds(folds, DummyTrainer(adaptive), tmp_path / "adaptive", plan=PLAN)
    strangers, adapted = summary["groups"][0], summary["groups"][0].pop("speaker_adapted")
    assert strangers == plain["groups"][0]
    assert strangers["mode"] == "speaker-independent"
    assert adapted["notes"] == [
        "adapted to each speaker with all of their test clips, without labels"
    ]
    assert [fold["name"] for fold in adapted["folds"]] == [f"fold {i}" for i in range(1, 6)]
    better = adapted["mean_over_folds"]["uar"]["mean"]
    assert better > strangers["mean_over_folds"]["uar"]["mean"] + 0.1
    assert adapted["pooled"]["clips"] == 200
    one = json.loads((tmp_path / "adaptive" / "fold_1.json").read_text())
    assert one["setting"]["mode"] == "speaker-independent"
    assert one["speaker_adapted"]["setting"]["mode"] == "speaker-adapted"
    again = run_folds(folds, DummyTrainer(adaptive), tmp_path / "adaptive", plan=PLAN)
    assert again["groups"][0]["speaker_adapted"] == adapted


def test_names_of_folds_become_different_safe_file_names() -> None:
    names = ["fold 1", "fold_1", "without ONE/1", "without ONE 1", "fold-1", "größer", "grösser"]
    made = [file_name(name) for name in names]
    assert made[0] == "fold_1"
    assert len(set(made)) == len(names)
    assert all(c.isascii() and (c.isalnum() or c in ".-_") for name in made for c in name)
