"""Recipes: what is allowed, and what a mistake is told."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from serenade.errors import RecipeError
from serenade.training.recipe import Recipe
from serenade.training.recipe_file import parse_recipe, read_recipe
from serenade.training.variants import read_recipes

if TYPE_CHECKING:
    from pathlib import Path


def test_silent_keys_have_the_documented_defaults() -> None:
    assert parse_recipe({"name": "x"}) == Recipe(name="x")


def test_a_recipe_survives_json() -> None:
    recipe = parse_recipe({"name": "x", "data": {"corpora": ["TESS"], "max_seconds": 3}})
    assert parse_recipe(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert recipe.data.max_seconds == 3.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "key 'name' is missing"),
        ({"name": "x", "optimizer": {}}, "unknown key 'optimizer'"),
        ({"name": "x", "data": {"corpus": []}}, "unknown key 'data.corpus'"),
        ({"name": "x", "data": {"label_set": "5"}}, "data.label_set '5' must be one of"),
        ({"name": "x", "network": {"name": "lstmm"}}, "network.name 'lstmm' must be one of"),
        ({"name": "x", "data": {"corpora": "TESS"}}, "'data.corpora' must be a list"),
        ({"name": "x", "data": {"corpora": [1]}}, r"'data.corpora\[0\]' must be of type str"),
        ({"name": "x", "seed": True}, "'seed' must be of type int"),
        ({"name": "x", "data": 3}, "'data' must be a table"),
        ({"name": "x", "augmentation": {"snr_db": [1.0]}}, "must hold 2 values"),
        ({"name": "x", "augmentation": {"noise": 1.5}}, r"augmentation.noise must be in \[0, 1\]"),
        ({"name": "x", "optimiser": {"epochs": 0}}, "optimiser.epochs must be above 0"),
        ({"name": "x", "optimiser": {"precision": "fp8"}}, "must be one of"),
        ({"name": "x", "classical": {"n_folds": 1}}, "classical.n_folds must be 2 or more"),
        ({"name": "x", "seed": -1}, "^seed must be from 0 to 4294967295, got -1"),
        ({"name": "x", "split": {"seed": 10**20}}, "split.seed must be from 0"),
        ({"name": "x", "data": {"max_seconds": math.inf}}, "data.max_seconds must be a finite"),
        ({"name": "x", "augmentation": {"gain_db": math.inf}}, "gain_db must be a finite number"),
        ({"name": "x", "augmentation": {"snr_db": [20.0, 0.0]}}, "snr_db must rise, got 20.0"),
        (
            {"name": "x", "split": {"kind": "random", "validation_share": 0.0}},
            "split.validation_share must be above 0 and below 1",
        ),
        (
            {"name": "x", "export": {"min_seconds": 20.0}},
            "export.min_seconds must be at most export.max_seconds, 8.0, got 20.0",
        ),
        ({"name": "x", "export": {"hop_seconds": 50.0}}, "export.hop_seconds must be at most"),
    ],
)
def test_a_mistake_is_named_with_its_key(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(table)


def test_none_switches_a_conditioning_step_off() -> None:
    recipe = parse_recipe({"name": "x", "conditioning": {"trim_below_db": "none"}})
    assert recipe.conditioning.trim_below_db is None


def test_a_file_that_is_no_toml_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"r\.toml: not a TOML file"):
        read_recipe(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(tmp_path / "missing.toml")


def test_every_shipped_recipe_can_be_read(repository: Path) -> None:
    recipes = sorted((repository / "recipes").rglob("*.toml"))
    assert recipes
    for path in recipes:
        assert all(recipe.name.startswith(path.stem) for recipe in read_recipes(path).values())
