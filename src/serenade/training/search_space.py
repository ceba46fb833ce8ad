"""What a search may change in a recipe, and how long it searches: read from one TOML file.

::

    trials = 20

    [space]
    "optimiser.learning_rate" = { low = 3e-4, high = 1e-2, log = true }
    "network.width" = { choices = [64, 128] }

A key is the path of a value in the recipe, or for a classical recipe the name of a setting of its
classifier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from serenade.errors import RecipeError
from serenade.training.recipe_file import parse_recipe, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.recipe import Recipe

SEARCHABLE = ("augmentation", "conditioning", "network", "optimiser", "teacher")
"""Tables of a recipe that a search may change; with others, trials could not be compared."""

Setting = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers between two.

    Parameters
    ----------
    low, high : float
        Both are included.
    log : bool
        Whether equal ratios are equally likely, not equal differences; `low` is then above 0.
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values by name.

    Parameters
    ----------
    choices : tuple of str, int, float or bool
        At least one.
    """

    choices: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What is searched, and for how long.

    Parameters
    ----------
    trials : int
        How many settings of a network are tried. A classical recipe tries all.
    startup_trials : int
        So many trials run to their end and are drawn at random, before others learn from them.
    min_epochs : int
        No trial is stopped early before so many epochs.
    seed : int
        Of the settings that are drawn.
    space : mapping of str to Range or Choices
        By path in the recipe, or by setting of the classifier.
    """

    trials: int = 20
    startup_trials: int = 5
    min_epochs: int = 3
    seed: int = 0
    space: Mapping[str, Range | Choices] = field(default_factory=dict)


NETWORK_SPACE: Mapping[str, Range | Choices] = {
    "optimiser.learning_rate": Range(3e-4, 1e-2, log=True),
    "optimiser.weight_decay": Range(1e-3, 0.1, log=True),
    "optimiser.label_smoothing": Range(0.0, 0.2),
    "optimiser.balance": Range(0.0, 1.0),
    "network.dropout": Range(0.0, 0.5),
}
"""What is searched for a network where no file says it."""


def read_search_space(path: Path) -> SearchSpace:
    """Read a search space.

    Parameters
    ----------
    path : Path
        TOML file.

    Returns
    -------
    SearchSpace
        With defaults where the file is silent.

    Raises
    ------
    RecipeError
        If the file cannot be read, or a key or value is not allowed.
    """
    try:
        return _parse(read_table(path))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def with_settings(recipe: Recipe, settings: Mapping[str, Setting]) -> Recipe:
    """Put settings into a recipe.

    Parameters
    ----------
    recipe : Recipe
        Not changed.
    settings : mapping of str to value
        By path, such as ``"network.dropout"``.

    Returns
    -------
    Recipe
        Checked.

    Raises
    ------
    RecipeError
        If a path or value is not allowed.
    """
    table = recipe.to_json()
    for path, value in settings.items():
        group, _, key = path.partition(".")
        if group not in SEARCHABLE or key not in table[group]:
            known = (f"{name}.{inner}" for name in SEARCHABLE for inner in table[name])
            raise RecipeError(f"{path!r} cannot be searched; allowed are {', '.join(known)}")
        table[group][key] = value
    return parse_recipe(table)


def check_space(recipe: Recipe, space: SearchSpace) -> None:
    """Check that every value of a search space may stand in a recipe.

    Parameters
    ----------
    recipe : Recipe
        What is searched.
    space : SearchSpace
        For networks.

    Raises
    ------
    RecipeError
        If a path or a limit is not allowed; the message names it.
    """
    for path, values in space.space.items():
        ends = values.choices if isinstance(values, Choices) else _limits(recipe, path, values)
        for value in ends:
            with_settings(recipe, {path: value})


def is_whole(recipe: Recipe, path: str) -> bool:
    """Tell whether a value of a recipe is a whole number.

    Parameters
    ----------
    recipe : Recipe
        Holds the value.
    path : str
        Such as ``"network.depth"``.

    Returns
    -------
    bool
        False for truth values.
    """
    group, _, key = path.partition(".")
    value = recipe.to_json().get(group, {}).get(key)
    return isinstance(value, int) and not isinstance(value, bool)


def _limits(recipe: Recipe, path: str, values: Range) -> tuple[float, float]:
    if not is_whole(recipe, path):
        return values.low, values.high
    if values.low != int(values.low) or values.high != int(values.high):
        raise RecipeError(
            f"{path!r} is a whole number, so its limits must be, got {values.low} to {values.high}"
        )
    return int(values.low), int(values.high)


def _parse(table: Mapping[str, Any]) -> SearchSpace:
    allowed = [entry.name for entry in fields(SearchSpace)]
    numbers = dict(table)
    space = numbers.pop("space", {})
    for key, value in numbers.items():
        if key not in allowed:
            raise RecipeError(f"unknown key {key!r}; allowed here are {', '.join(allowed)}")
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RecipeError(f"{key!r} must be a whole number of at least 0, got {value!r}")
    if not isinstance(space, Mapping):
        raise RecipeError(f"'space' must be a table, got {space!r}")
    parsed = {path: _values(path, values) for path, values in _flat(space).items()}
    found = SearchSpace(**numbers, space=parsed)
    if found.trials < 1:
        raise RecipeError(f"'trials' must be at least 1, got {found.trials}")
    return found


def _flat(space: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Allow ``[space.network]`` with ``dropout = …`` beside ``"network.dropout" = …``."""
    found: dict[str, Any] = {}
    for key, value in space.items():
        is_table = isinstance(value, Mapping) and not {"low", "choices"} & value.keys()
        found |= _flat(value, f"{above}{key}.") if is_table else {f"{above}{key}": value}
    return found


def _values(path: str, values: object) -> Range | Choices:
    if isinstance(values, Mapping) and values.keys() == {"choices"}:
        return _choices(path, values["choices"])
    if not isinstance(values, Mapping) or not {"low", "high"} <= values.keys() <= {
        "low",
        "high",
        "log",
    }:
        raise RecipeError(
            f"'space.{path}' must be {{low, high}}, {{low, high, log}} or {{choices}},"
            f" got {values!r}"
        )
    low, high, log = values["low"], values["high"], values.get("log", False)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high)):
        raise RecipeError(f"'space.{path}' must have numbers as limits, got {low!r} and {high!r}")
    if not (abs(low) < math.inf and abs(high) < math.inf):
        raise RecipeError(f"'space.{path}' must have finite limits, got {low} and {high}")
    if not low < high:
        raise RecipeError(f"'space.{path}' must have low below high, got {low} and {high}")
    if not isinstance(log, bool) or (log and low <= 0):
        raise RecipeError(f"'space.{path}' with log = true needs low above 0, got {low}")
    return Range(float(low), float(high), log)


def _choices(path: str, choices: object) -> Choices:
    if not isinstance(choices, list) or not choices:
        raise RecipeError(f"'space.{path}.choices' must be a list of one or more, got {choices!r}")
    for choice in choices:
        if not isinstance(choice, str | int | float | bool):
            raise RecipeError(
                f"'space.{path}.choices' must hold texts, numbers or truth values, got {choice!r}"
            )
    return Choices(tuple(choices))
