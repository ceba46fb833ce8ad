"""Search spaces, and recipes that are written as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serenade.errors import RecipeError
from serenade.training.recipe import (
    ClassicalRecipe,
    DataRecipe,
    ExportRecipe,
    OptimiserRecipe,
    Recipe,
)
from serenade.training.recipe_file import read_recipe, write_recipe
from serenade.training.search_space import (
    NETWORK_SPACE,
    Choices,
    Range,
    SearchSpace,
    check_space,
    read_search_space,
    with_settings,
)
from serenade.types import Conditioning

if TYPE_CHECKING:
    from pathlib import Path

SPACE = """
trials = 7
[space]
"optimiser.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
[space.network]
depth = { low = 1, high = 3 }
name = { choices = ["conv_attention"] }
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_space_is_read_with_its_defaults(tmp_path: Path) -> None:
    assert read_search_space(_write(tmp_path, SPACE)) == SearchSpace(
        trials=7,
        startup_trials=5,
        min_epochs=3,
        seed=0,
        space={
            "optimiser.learning_rate": Range(1e-4, 1e-2, log=True),
            "network.depth": Range(1, 3),
            "network.name": Choices(("conv_attention",)),
        },
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trial = 3", "unknown key 'trial'"),
        ("trials = 0", "'trials' must be at least 1, got 0"),
        ("seed = true", "'seed' must be a whole number"),
        ("space = 3", "'space' must be a table"),
        ('space."network.depth" = 3', r"'space.network.depth' must be \{low, high\}"),
        ("space.a = { low = 1 }", r"'space.a' must be \{low, high\}"),
        ("space.a = { low = 2, high = 1 }", "must have low below high, got 2 and 1"),
        ("space.a = { low = 1, high = inf }", "must have finite limits, got 1 and inf"),
        ("space.a = { low = 'x', high = 1 }", "must have numbers as limits"),
        ("space.a = { low = 0, high = 1, log = true }", "needs low above 0, got 0"),
        ("space.a = { choices = [] }", "must be a list of one or more"),
        ("space.a = { choices = [[1]] }", "must hold texts, numbers or truth values"),
    ],
)
def test_a_wrong_space_is_one_clear_error(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_search_space(_write(tmp_path, line))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"network.dropuot": Range(0, 1)}, "'network.dropuot' cannot be searched; allowed are"),
        ({"split.seed": Range(0, 9)}, "'split.seed' cannot be searched"),
        ({"network.dropout": Range(0.0, 1.5)}, r"network.dropout must be in \[0, 1\), got 1.5"),
        ({"network.depth": Range(1.0, 2.5)}, "is a whole number, so its limits must be"),
        ({"network.features": Choices(("mel",))}, "'network.features' must be one of"),
    ],
)
def test_a_space_that_does_not_fit_the_recipe_is_found_before_the_search(
    space: dict[str, Range | Choices], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        check_space(Recipe("toy"), SearchSpace(space=space))


def test_the_usual_space_fits_every_recipe() -> None:
    check_space(Recipe("toy"), SearchSpace(space=NETWORK_SPACE))


def test_settings_change_nothing_else() -> None:
    recipe = Recipe("toy", seed=3)
    changed = with_settings(recipe, {"optimiser.learning_rate": 0.5, "network.depth": 4})
    assert changed.optimiser.learning_rate == 0.5
    assert changed.network.depth == 4
    assert with_settings(changed, {"optimiser.learning_rate": 2e-3, "network.depth": 2}) == recipe


def test_a_recipe_that_was_written_is_read_back(tmp_path: Path) -> None:
    recipe = Recipe(
        "toy",
        data=DataRecipe(corpora=("TESS", "Ämter"), label_set="4"),
        conditioning=Conditioning(trim_below_db=None),
        classical=ClassicalRecipe(kind="svm", settings={"C": 10.0, "kernel": "rbf"}),
        optimiser=OptimiserRecipe(learning_rate=1e-5, class_weights=True),
        export=ExportRecipe(description='A "toy"\nof two \\ lines\x7f.'),
    )
    path = tmp_path / "best.toml"
    write_recipe(path, recipe, comment="Two\nlines.")
    assert read_recipe(path) == recipe
    assert path.read_text(encoding="utf-8").startswith('# Two\n# lines.\nname = "toy"\n')


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the recipe cannot be written"):
        write_recipe(tmp_path / "no" / "best.toml", Recipe("toy"), comment="")
