"""Recipes as TOML files: read and checked, and written for people to read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from serenade.errors import RecipeError
from serenade.training.recipe import Recipe
from serenade.training.recipe_checks import check_recipe
from serenade.training.recipe_tables import parse_table

ENCODER_NETWORKS = ("whisper", "backbone")
"""Networks whose initial weights are those of a pre-trained encoder."""


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : str or Path
        TOML file.

    Returns
    -------
    Recipe
        With defaults where the file is silent.

    Raises
    ------
    RecipeError
        If the file cannot be read, is not TOML, or a key or value is not allowed; the message
        names the key.
    """
    try:
        return parse_recipe(read_table(path))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def read_table(path: str | Path) -> dict[str, Any]:
    """Read a TOML file without looking at what it says.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its tables.

    Raises
    ------
    RecipeError
        If the file cannot be read or is not TOML; the message does not name the file.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"the file cannot be read ({error.strerror}); give a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"not a TOML file ({error})") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(
            "not a TOML file that can be read: a number is too long, or lists are nested too deep"
        ) from error


def with_encoder(recipe: Recipe, folder: Path) -> Recipe:
    """Take the pre-trained encoder from a folder, where a recipe starts from one.

    Parameters
    ----------
    recipe : Recipe
        May name the encoder by its name on the hub.
    folder : Path
        The same encoder on this machine.

    Returns
    -------
    Recipe
        With the folder in place of the name, for the network and for the teacher.

    Raises
    ------
    RecipeError
        If the recipe starts from no encoder.
    """
    network, teacher = recipe.network, recipe.teacher
    if network.name in ENCODER_NETWORKS:
        network = replace(network, initial_weights=str(folder))
    if teacher.initial_weights:
        teacher = replace(teacher, initial_weights=str(folder))
    if (network, teacher) == (recipe.network, recipe.teacher):
        raise RecipeError(f"the recipe {recipe.name!r} starts from no encoder; leave --encoder out")
    return replace(recipe, network=network, teacher=teacher)


def parse_recipe(table: Mapping[str, Any]) -> Recipe:
    """Turn tables into a recipe.

    Parameters
    ----------
    table : mapping
        As TOML or JSON gives it.

    Returns
    -------
    Recipe
        Checked.

    Raises
    ------
    RecipeError
        If a key or value is not allowed.
    """
    recipe = _with_fitting_windows(parse_table(Recipe, table), given=table.get("export", {}))
    check_recipe(recipe)
    return recipe


def _with_fitting_windows(recipe: Recipe, *, given: Mapping[str, Any]) -> Recipe:
    """Shorten the windows of a timeline that the file leaves open to what the clips have room for.

    A bundle that says nothing of them is read in the same way.
    """
    export = recipe.export
    window, step = export.timeline_window_seconds, export.timeline_step_seconds
    if "timeline_window_seconds" not in given:
        window = min(window, export.max_seconds)
    if "timeline_step_seconds" not in given:
        step = min(step, window)
    fitting = replace(export, timeline_window_seconds=window, timeline_step_seconds=step)
    return replace(recipe, export=fitting)


def write_recipe(path: Path, recipe: Recipe, *, comment: str) -> None:
    """Write a recipe with all its values, so that the file is the old or the whole new one.

    Parameters
    ----------
    path : Path
        TOML file to make or replace.
    recipe : Recipe
        :func:`read_recipe` gives the same back.
    comment : str
        Put at the head; may have several lines.

    Raises
    ------
    RecipeError
        If the file cannot be written.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    tables = {}
    for key, value in recipe.to_json().items():
        if isinstance(value, Mapping):
            tables[key] = value
        else:
            lines.append(f"{key} = {_text(value)}")
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_text(value)}" for key, value in table.items())]
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise RecipeError(f"{path}: the recipe cannot be written ({error.strerror})") from error


def _text(value: Any) -> str:  # noqa: ANN401 - any value of a recipe
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON and TOML write basic strings alike, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(inner) for inner in value) + "]"
    return repr(value)
