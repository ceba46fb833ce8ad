"""Reading of ``spec.json`` key by key, with the path of whatever is wrong."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from serenade.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Table:
    """A JSON object whose keys are taken one by one, so that what is left over is unknown.

    Every method raises a `ModelError` that names the path of what is missing or wrong.

    Parameters
    ----------
    data : object
        What a JSON parser gave.
    path : str
        Where it is, for example ``"windowing"``; empty for the whole file.
    """

    def __init__(self, data: object, path: str) -> None:
        self._path = path
        if not isinstance(data, dict):
            refuse(path or "the file", data, "an object")
        self._left: dict[str, Any] = dict(data)

    def text(self, key: str) -> str:
        """Take a text that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value or not _is_whole(value):
            refuse(self._join(key), value, "text that is not empty")
        return value

    def integer(self, key: str) -> int:
        """Take a whole number."""
        value = self._take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(self._join(key), value, "a whole number")
        return value

    def number(self, key: str) -> float:
        """Take a finite number."""
        value = self._take(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not _finite(value):
            refuse(self._join(key), value, "a finite number")
        return float(value)

    def number_or_null(self, key: str) -> float | None:
        """Take a finite number, or ``null``."""
        if self._left.get(key, 0) is None:
            del self._left[key]
            return None
        return self.number(key)

    def number_or(self, key: str, default: float) -> float:
        """Take a finite number, or the default where there is no such key."""
        return self.number(key) if key in self._left else default

    def boolean(self, key: str) -> bool:
        """Take true or false."""
        value = self._take(key)
        if not isinstance(value, bool):
            refuse(self._join(key), value, "true or false")
        return value

    def boolean_or(self, key: str, *, default: bool) -> bool:
        """Take true or false, or the default where there is no such key."""
        return self.boolean(key) if key in self._left else default

    def array(self, key: str) -> list[Any]:
        """Take an array, whose items the caller checks."""
        value = self._take(key)
        if not isinstance(value, list):
            refuse(self._join(key), value, "an array")
        return value

    def table(self, key: str) -> Table:
        """Take an object."""
        return Table(self._take(key), self._join(key))

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def rest(self) -> Mapping[str, Any]:
        """Take every key that is left, in a table that may hold anything."""
        rest, self._left = self._left, {}
        return MappingProxyType(rest)

    def finish(self) -> None:
        """Refuse what was not taken."""
        for key in self._left:
            raise ModelError(f"spec.json: unknown key {self._join(key)}; export the bundle anew")

    def _take(self, key: str) -> Any:  # noqa: ANN401 - any JSON value; the caller checks it
        if key not in self._left:
            raise ModelError(f"spec.json: missing key {self._join(key)}; export the bundle anew")
        return self._left.pop(key)

    def _join(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _is_whole(text: str) -> bool:
    """Whether a text can be written: JSON can hold half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def refuse(path: str, value: object, allowed: str) -> NoReturn:
    """Refuse a value.

    Parameters
    ----------
    path : str
        Where it is, for example ``"labels[1]"``.
    value : object
        What was found.
    allowed : str
        What may be there.

    Raises
    ------
    ModelError
        Always.
    """
    raise ModelError(f"spec.json: {path} must be {allowed}, got {value!r:.80}")
