"""Recipe files of several systems that share their data: one file, one recipe per variant.

::

    name = "four-corpora-classical"
    [data]
    corpora = ["TESS", "SAVEE"]
    [[variants]]
    name = "svm"
    classical.kind = "svm"
    [[variants]]
    name = "lstm"
    network.name = "lstm"

Every variant is a recipe with the keys of the file and, above these, its own. It is called by both
names, here ``four-corpora-classical-svm``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serenade.errors import RecipeError
from serenade.training.recipe_file import parse_recipe, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.training.recipe import Recipe

VARIANTS = "variants"

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names of variants: each names a folder."""


def read_recipes(path: str | Path, *, only: Sequence[str] = ()) -> dict[str, Recipe]:
    """Read all recipes of a file.

    Parameters
    ----------
    path : str or Path
        TOML file.
    only : sequence of str
        Names of the variants that are wanted; all if empty.

    Returns
    -------
    dict of str to Recipe
        By the name of the variant, in the order of the file. A file without variants gives its
        one recipe by the recipe's name.

    Raises
    ------
    RecipeError
        If the file cannot be read, a key or value is not allowed, or a variant is not there.
    """
    try:
        recipes = _parse_variants(read_table(path))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error
    missing = [name for name in only if name not in recipes]
    if missing:
        raise RecipeError(f"{path} has no variant {missing[0]!r}; it has {', '.join(recipes)}")
    return {name: recipe for name, recipe in recipes.items() if not only or name in only}


def _parse_variants(table: dict[str, Any]) -> dict[str, Recipe]:
    variants = table.pop(VARIANTS, None)
    if variants is None:
        recipe = parse_recipe(table)
        return {recipe.name: recipe}
    if not isinstance(variants, list) or not variants:
        raise RecipeError("'variants' must be tables, each under [[variants]]")
    family = parse_recipe(table).name
    recipes: dict[str, Recipe] = {}
    for number, variant in enumerate(variants):
        name = variant.get("name") if isinstance(variant, Mapping) else None
        if not isinstance(name, str) or name in recipes:
            raise RecipeError(f"'variants[{number}]' must have a name of its own, got {name!r}")
        if not PLAIN_NAME.fullmatch(name):
            raise RecipeError(
                f"'variants[{number}].name' names a folder, so it must be of letters, digits and _,"
                f" and after the first also - and ., got {name!r}"
            )
        own = {**variant, "name": f"{family}-{name}"}
        try:
            recipes[name] = parse_recipe(_merged(table, own))
        except RecipeError as error:
            raise RecipeError(f"variant {name!r}: {error}") from error
    return recipes


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay tables over tables, key by key."""
    merged = dict(below)
    for key, value in above.items():
        lower = below.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(lower, value) if both else value  # type: ignore[arg-type]
    return merged
