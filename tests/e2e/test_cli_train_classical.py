"""``serenade train`` with classical recipes: bundles, one table, export again, folds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, read_manifest, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = """
name = "toy"
seed = 5
[data]
label_set = "4"
max_seconds = 2.0
[split]
validation_share = 0.34
[export]
description = "A toy."
licence = "none: made-up noise"
[[variants]]
name = "logistic"
classical.kind = "logistic-regression"
[[variants]]
name = "tree"
classical.kind = "decision-tree"
classical.n_folds = 2
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(0)
    utterances = []
    for number in range(36):
        emotion = ("anger", "sadness", "neutral")[number % 3]
        loudness = np.linspace(0.02, 0.2, 8_000) ** (1 + number % 3)
        path = folder / f"{number}.wav"
        soundfile.write(path, (rng.standard_normal(8_000) * loudness).astype(np.float32), 16_000)
        utterances.append(Utterance(path.stem, str(path), emotion, f"s{number // 12}", "toy"))
    write_manifest(folder / "toy.jsonl", utterances)
    (folder / "toy.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture
def train(serenade: Any, toy: Path) -> Any:
    def call(*arguments: object) -> Any:
        return serenade(
            *("train", toy / "toy.toml", "--manifest", toy / "toy.jsonl"),
            *("--output", toy / "run", "--cache", toy / "cache", *arguments),
        )

    return call


def test_every_variant_gives_a_bundle_and_all_give_one_table(
    train: Any, serenade: Any, toy: Path
) -> None:
    result = train()
    assert result.code == 0, result.err
    table = result.out[result.out.index("model ") :].splitlines()
    assert table[0].split()[:6] == ["model", "clips", "accuracy", "precision", "recall", "F1"]
    assert [line.split()[:2] for line in table[1:]] == [["logistic", "12"], ["tree", "12"]]
    for variant in ("logistic", "tree"):
        bundle = toy / "run" / variant / "bundle"
        spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
        assert spec["name"] == f"toy-{variant}"
        assert spec["labels"] == ["neutral", "sadness", "anger"]
        assert spec["metrics"]["validation_speakers"]["toy"]["speakers"] == 1
        predicted = serenade("predict", "--model", bundle, toy / "0.wav", "--format", "json")
        assert json.loads(predicted.out)["emotion"] == "anger"
    again = train("--variant", "tree")
    assert "searching" not in again.err
    assert "logistic" not in again.out
    exported = serenade(
        *("export", toy / "run" / "tree", "--manifest", toy / "toy.jsonl"),
        *("--cache", toy / "cache"),
    )
    assert exported.code == 0, exported.err
    assert str(toy / "run" / "tree" / "bundle") in exported.out


def test_a_variant_that_is_not_there_is_one_sentence(train: Any) -> None:
    result = train("--variant", "forest")
    assert result.code == 2
    assert "has no variant 'forest'; it has logistic, tree" in result.err
    assert result.err.count("\n") == 1


def test_a_classifier_that_is_not_there_is_one_sentence(train: Any, toy: Path) -> None:
    (toy / "toy.toml").write_text(RECIPE.replace('"decision-tree"', '"oak"'), encoding="utf-8")
    result = train("--variant", "tree", "--output", toy / "oak")
    (toy / "toy.toml").write_text(RECIPE, encoding="utf-8")
    assert result.code == 2
    assert "unknown classifier 'oak'; allowed are svm" in result.err


@pytest.mark.parametrize(
    ("wrong", "code", "rows"),
    [
        (['"logistic-regression"'], 1, ["tree"]),
        (['"logistic-regression"', '"decision-tree"'], 2, []),
    ],
)
def test_a_variant_that_fails_does_not_stop_the_others(
    train: Any, toy: Path, tmp_path: Path, wrong: list[str], code: int, rows: list[str]
) -> None:
    recipe = RECIPE
    for kind in wrong:
        recipe = recipe.replace(kind, '"oak"')
    (toy / "toy.toml").write_text(recipe, encoding="utf-8")
    result = train("--output", tmp_path / "run")
    (toy / "toy.toml").write_text(RECIPE, encoding="utf-8")
    assert result.code == code
    assert "error: variant 'logistic': unknown classifier 'oak'" in result.err
    table = result.out.partition("model ")[2].splitlines()[1:]
    assert [line.split()[0] for line in table] == rows
    assert (tmp_path / "run" / "tree" / "bundle").exists() == bool(rows)


def test_what_the_options_make_of_a_recipe_is_checked(
    train: Any, toy: Path, tmp_path: Path
) -> None:
    recipe = RECIPE.replace("validation_share = 0.34", "validation_share = 0.0")
    (toy / "toy.toml").write_text(recipe, encoding="utf-8")
    result = train("--variant", "tree", "--split", "random", "--output", tmp_path / "run")
    (toy / "toy.toml").write_text(RECIPE, encoding="utf-8")
    assert result.code == 2
    assert "split.validation_share must be above 0 and below 1" in result.err
    assert not (tmp_path / "run").exists()


def test_variants_that_were_judged_on_one_emotion_are_not_compared(
    train: Any, toy: Path, tmp_path: Path
) -> None:
    divided = [
        replace(u, split="validation" if u.emotion == "anger" and number > 24 else "train")
        for number, u in enumerate(read_manifest(toy / "toy.jsonl"))
    ]
    write_manifest(tmp_path / "divided.jsonl", divided)
    options = ("--manifest", tmp_path / "divided.jsonl", "--output", tmp_path / "run")
    result = train("--split", "folder", *options)
    assert result.code == 0, result.err
    for variant in ("logistic", "tree"):
        assert f"{variant} is not in the table of all: " in result.err
        assert str(tmp_path / "run" / variant / "bundle") in result.out
    assert "model " not in result.out


def test_a_benchmark_ranks_the_variants_over_the_same_folds(serenade: Any, toy: Path) -> None:
    result = serenade(
        *("benchmark", toy / "toy.toml", "--manifest", toy / "toy.jsonl", "--n-folds", 3),
        *("--output", toy / "bench", "--cache", toy / "cache", "--format", "json"),
    )
    assert result.code == 0, result.err
    summaries = json.loads(result.out)["results"]
    assert [summary["title"] for summary in summaries] == ["toy-logistic", "toy-tree"]
    assert all(not summary["leaks"] for summary in summaries)
    assert [summary["groups"][0]["pooled"]["clips"] for summary in summaries] == [36, 36]
