"""Files of JSON lines that a killed run leaves whole but for their last line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from serenade.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_START = b'{"schema": '


def read_lines(path: Path) -> list[Any]:
    """Read the lines that earlier runs wrote.

    Parameters
    ----------
    path : Path
        The file; a last line that was not written to its end is cut off.

    Returns
    -------
    list of JSON values
        One for each line; empty if there is no file.

    Raises
    ------
    EvaluationError
        If the file cannot be read, or has lines of another kind; it is not changed then.
    """
    try:
        if not path.exists():
            return []
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        half = content[whole:]
        if half[: len(_START)] != _START[: len(half)]:
            raise foreign_line(path, content.count(b"\n") + 1)
        values = []
        for number, line in enumerate(content[:whole].split(b"\n")[:-1], start=1):
            try:
                values.append(json.loads(line.decode("utf-8")))
            except (ValueError, RecursionError) as error:
                raise foreign_line(path, number) from error
        if half:
            os.truncate(path, whole)
    except OSError as error:
        raise _unusable(path, error) from error
    return values


def foreign_line(path: Path, number: int) -> EvaluationError:
    """Give the error of a line that no run wrote.

    Parameters
    ----------
    path : Path
        The file.
    number : int
        Of the line, from 1.

    Returns
    -------
    EvaluationError
        To be raised.
    """
    return EvaluationError(
        f"{path}, line {number}: not a line that serenade evaluate wrote;"
        " give another file or delete this one"
    )


class LineWriter:
    """Appends lines to a file as they come.

    Parameters
    ----------
    path : Path
        The file; its folder is made if need be.

    Raises
    ------
    EvaluationError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        except OSError as error:
            raise _unusable(path, error) from error

    def write(self, version: int, values: Mapping[str, Any]) -> None:
        """Append a line, readable but where a file name is not text.

        Parameters
        ----------
        version : int
            Of the layout of the lines.
        values : mapping of str to JSON value
            What the line holds.
        """
        line = {"schema": version, **values}
        try:
            text = json.dumps(line, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            text = json.dumps(line).encode()
        self._file.write(text + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unusable(path: Path, error: OSError) -> EvaluationError:
    return EvaluationError(
        f"{path}: the predictions cannot be kept there ({error.strerror}); give another file"
    )
