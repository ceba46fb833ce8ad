"""What a recipe must keep to beyond the types of its values."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from serenade.emotions import LABEL_SETS
from serenade.errors import RecipeError
from serenade.model.version import VERSION_FORM, is_version
from serenade.model.windowing import Windowing, find_fault
from serenade.training.networks.registry import NETWORKS
from serenade.training.recipe_ranges import check_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.training.recipe import ExportRecipe, Recipe

_SEEDS = 2**32
"""numpy and torch take as many."""


def check_recipe(recipe: Recipe) -> None:
    """Refuse values that are out of range or contradict each other.

    Parameters
    ----------
    recipe : Recipe
        Of the right types.

    Raises
    ------
    RecipeError
        Names the key, what is allowed and what was given.
    """
    _check_name(recipe.name)
    for name, value in _numbers(recipe, ""):
        if not math.isfinite(value):
            raise RecipeError(f"{name} must be a finite number, got {value}")
    for name, seed in (("seed", recipe.seed), ("split.seed", recipe.split.seed)):
        if not 0 <= seed < _SEEDS:
            raise RecipeError(f"{name} must be from 0 to {_SEEDS - 1}, got {seed}")
    if recipe.data.label_set not in LABEL_SETS:
        raise RecipeError(
            f"data.label_set {recipe.data.label_set!r} must be one of {', '.join(LABEL_SETS)}"
        )
    if recipe.network.name not in NETWORKS:
        raise RecipeError(
            f"network.name {recipe.network.name!r} must be one of {', '.join(NETWORKS)}"
        )
    check_ranges(recipe)
    if recipe.split.kind == "random" and recipe.split.validation_share in (0.0, 1.0):
        raise RecipeError(
            "split.validation_share must be above 0 and below 1 where split.kind is 'random', got"
            f" {recipe.split.validation_share}"
        )
    lowest, highest = recipe.augmentation.snr_db
    if lowest > highest:
        raise RecipeError(f"augmentation.snr_db must rise, got {lowest} and {highest}")
    longest = max(recipe.data.max_seconds, recipe.export.max_seconds)
    pretrained = recipe.network.name in ("whisper", "backbone")
    if pretrained and longest > recipe.network.max_seconds:
        raise RecipeError(
            f"network.max_seconds {recipe.network.max_seconds} must be at least"
            f" data.max_seconds and export.max_seconds, {longest}"
        )
    if not is_version(recipe.export.version):
        raise RecipeError(f"export.version must be {VERSION_FORM}, got {recipe.export.version!r}")
    for name in ("description", "licence"):
        if not getattr(recipe.export, name).strip():
            raise RecipeError(f"export.{name} must not be empty; leave it out if there is none")
    if recipe.export.int8 and recipe.export.float16:
        raise RecipeError("export.int8 and export.float16 exclude each other; choose one")
    _check_windows(recipe.export)


def _check_name(name: str) -> None:
    """Refuse names that no folder can have: a benchmark has one for each recipe."""
    if not name.strip(". ") or not name.isprintable() or "/" in name or "\\" in name:
        raise RecipeError(
            f"name must be one line of text without / and \\, as folders are called by it,"
            f" got {name!r}"
        )


def _check_windows(export: ExportRecipe) -> None:
    """Refuse windows that the bundle at the end of the training would refuse."""
    fault = find_fault(
        Windowing(
            min_seconds=export.min_seconds,
            max_seconds=export.max_seconds,
            hop_seconds=export.hop_seconds,
            sure_from_seconds=export.sure_from_seconds,
            timeline_window_seconds=export.timeline_window_seconds,
            timeline_step_seconds=export.timeline_step_seconds,
        )
    )
    if fault is not None:
        raise RecipeError(f"export.{fault.key} must be {fault.allowed}, got {fault.value}")


def _numbers(part: object, prefix: str) -> Iterator[tuple[str, float]]:
    """Give every number of a recipe with its key."""
    if isinstance(part, float):
        yield prefix, part
    elif isinstance(part, tuple):
        for value in part:
            yield from _numbers(value, prefix)
    elif is_dataclass(part):
        for field in fields(part):
            name = f"{prefix}.{field.name}" if prefix else field.name
            yield from _numbers(getattr(part, field.name), name)
