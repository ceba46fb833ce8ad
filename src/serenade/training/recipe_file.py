"""Recipes written as TOML, for people to read and ``serenade train`` to take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serenade.errors import RecipeError

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.recipe import Recipe


def write_recipe(path: Path, recipe: Recipe, *, comment: str) -> None:
    """Write a recipe with all its values, so that the file is the old or the whole new one.

    Parameters
    ----------
    path : Path
        TOML file to make or replace.
    recipe : Recipe
        :func:`serenade.training.recipe.read_recipe` gives the same back.
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
