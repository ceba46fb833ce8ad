"""Recipes: what is allowed, and what a mistake is told."""

from __future__ import annotations

import json
import math
import re
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
        ({"name": " "}, "^name must be one line of text"),
        ({"name": "../x"}, r"name must be one line of text without / and \\, .* got '\.\./x'"),
        ({"name": "a\nb"}, "name must be one line of text"),
        ({"name": ".."}, "name must be one line of text"),
    ],
)
def test_a_mistake_is_named_with_its_key(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(table)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("data.max_seconds", 1e-6, "0.1 or more"),
        ("conditioning.trim_below_db", -5.0, "in (0, 80]"),
        ("conditioning.trim_below_db", 0.0, "in (0, 80]"),
        ("conditioning.trim_padding_seconds", -0.1, "in [0, 60]"),
        ("conditioning.level_dbfs", 500.0, "in [-80, 0]"),
        ("conditioning.level_dbfs", -5000.0, "in [-80, 0]"),
        ("augmentation.tempo", -0.3, "in [0, 0.5)"),
        ("augmentation.tempo", 0.5, "in [0, 0.5)"),
        ("augmentation.pitch", 2.0, "in [0, 0.5)"),
        ("augmentation.gain_db", -3.0, "in [0, 60]"),
        ("augmentation.gain_db", 1e9, "in [0, 60]"),
        ("augmentation.snr_db", [-500.0, 5.0], "in [-60, 120]"),
        ("augmentation.shortest_seconds", 0.0, "above 0"),
        ("augmentation.time_masks", -1, "in [0, 100]"),
        ("augmentation.frequency_masks", 10**8, "in [0, 100]"),
        ("augmentation.mixup", -1.0, "0 or more"),
        ("network.width", 10**9, "in [1, 4096]"),
        ("network.depth", 100_000, "in [1, 64]"),
        ("network.dense", [8, 10**9], "in [1, 4096]"),
        ("network.dropout", 1.0, "in [0, 1)"),
        ("network.encoder_dropout", 1.0, "in [0, 1)"),
        ("network.frozen_layers", -1, "0 or more"),
        ("network.first_pooled", -3, "0 or more"),
        ("teacher.first_pooled", -1, "0 or more"),
        ("teacher.hint_weight", -1.0, "0 or more"),
        ("optimiser.min_steps", -1, "0 or more"),
        ("optimiser.weight_decay", -1.0, "0 or more"),
        ("optimiser.encoder_rate", 0.0, "in (0, 1]"),
        ("optimiser.layer_decay", 0.0, "in (0, 1]"),
        ("optimiser.warmup_share", 1.0, "in [0, 1)"),
        ("optimiser.plateau_factor", 0.0, "in (0, 1)"),
        ("optimiser.plateau_factor", 1.0, "in (0, 1)"),
        ("optimiser.focal_gamma", -2.0, "0 or more"),
        ("optimiser.label_smoothing", 1.0, "in [0, 1)"),
        ("optimiser.average_decay", 1.0, "in [0, 1)"),
        ("optimiser.gradient_norm", -1.0, "0 or more"),
        ("optimiser.patience", -2, "0 or more"),
        ("export.max_seconds", 1e-6, "0.1 or more"),
        ("export.prior_clips", -5.0, "0 or more"),
        ("export.min_seconds", 20.0, "from 0.001 up to max_seconds (8)"),
        ("export.hop_seconds", 50.0, "from 0.001 up to max_seconds (8)"),
        ("export.sure_from_seconds", -1.0, "0 or more"),
        ("export.timeline_window_seconds", 0.0, "from 0.001 up to max_seconds (8)"),
        ("export.timeline_window_seconds", 50.0, "from 0.001 up to max_seconds (8)"),
        ("export.timeline_step_seconds", 0.0, "from 0.001 up to timeline_window_seconds (2)"),
        ("export.timeline_step_seconds", 5.0, "from 0.001 up to timeline_window_seconds (2)"),
    ],
)
def test_a_number_out_of_its_range_is_refused(key: str, value: object, allowed: str) -> None:
    table, name = key.split(".")
    with pytest.raises(RecipeError, match=re.escape(f"{key} must be {allowed}, got ")):
        parse_recipe({"name": "x", table: {name: value}})


def test_the_ends_of_a_range_are_allowed_where_they_belong_to_it() -> None:
    for table in (
        {"network": {"dropout": 0.0, "width": 1}, "augmentation": {"gain_db": 60.0, "mixup": 0.0}},
        {"optimiser": {"average_decay": 0.0, "layer_decay": 1.0, "warmup_share": 0.0}},
        {"conditioning": {"trim_below_db": 80.0, "level_dbfs": 0.0}, "data": {"max_seconds": 0.1}},
    ):
        parse_recipe({"name": "x", **table})


@pytest.mark.parametrize(
    ("export", "window", "step"),
    [
        ({}, 2.0, 1.0),
        ({"max_seconds": 1.5, "hop_seconds": 0.75}, 1.5, 1.0),
        ({"max_seconds": 0.5, "hop_seconds": 0.5}, 0.5, 0.5),
        ({"timeline_window_seconds": 0.5}, 0.5, 0.5),
        ({"timeline_window_seconds": 3.0}, 3.0, 1.0),
    ],
)
def test_windows_of_a_timeline_that_the_file_leaves_open_fit_the_bundle(
    export: dict[str, float], window: float, step: float
) -> None:
    recipe = parse_recipe({"name": "x", "export": export})
    assert recipe.export.timeline_window_seconds == window
    assert recipe.export.timeline_step_seconds == step


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


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 3000 + "]" * 3000, "seed = " + "9" * 5000], ids=["lists", "digits"]
)
def test_a_file_beyond_all_bounds_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f'name = "x"\n{text}\n', encoding="utf-8")
    with pytest.raises(RecipeError, match=r"r\.toml: not a TOML file that can be read"):
        read_recipe(path)


def test_every_shipped_recipe_can_be_read(repository: Path) -> None:
    recipes = sorted((repository / "recipes").rglob("*.toml"))
    assert recipes
    for path in recipes:
        assert all(recipe.name.startswith(path.stem) for recipe in read_recipes(path).values())
