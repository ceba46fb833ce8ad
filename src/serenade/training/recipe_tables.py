"""From tables, as TOML and JSON give them, to frozen dataclasses: every key and type is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from serenade.errors import RecipeError

T = TypeVar("T")


def parse_table(kind: type[T], table: Mapping[str, Any], path: str = "") -> T:
    """Turn a table into a dataclass.

    Parameters
    ----------
    kind : type
        Dataclass whose fields are the keys; tables may hold tables.
    table : mapping
        Keys and values.
    path : str
        What stands before the keys in messages, such as ``"network."``.

    Returns
    -------
    object of type `kind`
        With defaults where the table is silent.

    Raises
    ------
    RecipeError
        If a key is unknown or missing or a value has the wrong type.
    """
    hints = get_type_hints(kind)
    entries = fields(kind)  # type: ignore[arg-type]  # a dataclass
    names = {entry.name for entry in entries}
    for key in table:
        if key not in names:
            raise RecipeError(
                f"unknown key {path + key!r}; allowed here are {', '.join(sorted(names))}"
            )
    for entry in entries:
        needed = entry.default is MISSING and entry.default_factory is MISSING
        if needed and entry.name not in table:
            raise RecipeError(f"key {path + entry.name!r} is missing")
    values = {key: _value(hints[key], value, path + key) for key, value in table.items()}
    return kind(**values)


def _value(hint: Any, value: Any, path: str) -> Any:  # noqa: ANN401 - any type of the tables
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise RecipeError(f"{path!r} must be a table, got {value!r}")
        return parse_table(hint, value, f"{path}.")
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        inner = next(option for option in get_args(hint) if option is not type(None))
        return None if value is None or value == "none" else _value(inner, value, path)
    if origin is Literal:
        if value not in get_args(hint):
            raise RecipeError(f"{path!r} must be one of {get_args(hint)}, got {value!r}")
        return value
    if origin is tuple:
        return _tuple(hint, value, path)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise RecipeError(f"{path!r} must be a table, got {value!r}")
        return dict(value)
    allowed: tuple[type, ...] = (int, float) if hint is float else (hint,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and hint is not bool):
        raise RecipeError(f"{path!r} must be of type {hint.__name__}, got {value!r}")
    return float(cast("float", value)) if hint is float else value


def _tuple(hint: Any, value: Any, path: str) -> tuple[Any, ...]:  # noqa: ANN401 - any type of the tables
    kinds = get_args(hint)
    if not isinstance(value, list | tuple):
        raise RecipeError(f"{path!r} must be a list, got {value!r}")
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        raise RecipeError(f"{path!r} must hold {len(kinds)} values, got {len(value)}")
    return tuple(_value(kinds[0], entry, f"{path}[{i}]") for i, entry in enumerate(value))
