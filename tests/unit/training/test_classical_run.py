"""Classical models from recipes: searched, trained, exported and judged like networks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from serenade.corpora.manifest import read_manifest
from serenade.training.classical_run import grid_search
from serenade.training.data import split
from serenade.training.recipe import ClassicalRecipe

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.recipe import Recipe


@pytest.fixture
def svm_recipe(toy_recipe: Recipe) -> Recipe:
    return replace(toy_recipe, classical=ClassicalRecipe(kind="svm"))


def test_a_search_leaves_the_speakers_alone_that_the_recipe_holds_back(
    svm_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    found = grid_search(svm_recipe, utterances, cache=tmp_path)
    parts = split(utterances, svm_recipe.split)
    assert len(parts.validation) == 8
    assert found.pipeline.named_steps["scaler"].n_samples_seen_ == len(parts.train)
    assert [dict(trial.settings) for trial in found.trials] == [
        {"C": 1.0},
        {"C": 10.0},
        {"C": 100.0},
    ]
    assert len(found.trials[0].fold_uars) == 3
