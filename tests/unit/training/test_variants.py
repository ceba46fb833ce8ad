"""Recipe files with variants: one recipe each, with the shared keys below its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serenade.errors import RecipeError
from serenade.training.recipe_file import parse_recipe, read_recipe
from serenade.training.variants import read_recipes

if TYPE_CHECKING:
    from pathlib import Path

SHARED = """
name = "pair"
[data]
corpora = ["TESS"]
max_seconds = 3
[optimiser]
epochs = 7
"""
TWO = """
[[variants]]
name = "svm"
classical.kind = "svm"
[[variants]]
name = "small"
data.max_seconds = 2.0
network.width = 16
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_variant_has_the_shared_keys_and_its_own_above_them(tmp_path: Path) -> None:
    recipes = read_recipes(write(tmp_path, SHARED + TWO))
    shared = {"data": {"corpora": ["TESS"], "max_seconds": 3}, "optimiser": {"epochs": 7}}
    assert recipes == {
        "svm": parse_recipe({"name": "pair-svm", **shared, "classical": {"kind": "svm"}}),
        "small": parse_recipe(
            {
                "name": "pair-small",
                **shared,
                "data": {"corpora": ["TESS"], "max_seconds": 2.0},
                "network": {"width": 16},
            }
        ),
    }


def test_a_file_without_variants_is_one_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, SHARED)
    assert read_recipes(path) == {"pair": read_recipe(path)}


def test_some_variants_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path, SHARED + TWO)
    assert list(read_recipes(path, only=["small"])) == ["small"]
    with pytest.raises(RecipeError, match=r"no variant 'big'; it has svm, small"):
        read_recipes(path, only=["big"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants = 3", r"r\.toml: 'variants' must be tables"),
        ("variants = []", "'variants' must be tables"),
        ("[[variants]]\nnetwork.width = 3", r"'variants\[0\]' must have a name of its own"),
        (TWO + "[[variants]]\nname = 'svm'", r"'variants\[2\]' must have a name of its own"),
        ("[[variants]]\nname = 'a'\nnet = 1", "variant 'a': unknown key 'net'"),
        ("[[variants]]\nname = '../evil'", r"'variants\[0\].name' names a folder, .*evil'"),
        ("[[variants]]\nname = ''", r"'variants\[0\].name' names a folder, so it must"),
        ("[[variants]]\nname = '.'", r"'variants\[0\].name' names a folder, so it must"),
    ],
)
def test_a_mistake_in_a_variant_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    first, _, rest = SHARED.partition("[data]")
    with pytest.raises(RecipeError, match=message):
        read_recipes(write(tmp_path, first + text + "\n[data]" + rest))
