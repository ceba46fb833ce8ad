"""Going on with an output file that an earlier run left, perhaps in the middle of a line."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def recover_jsonl(path: Path) -> set[str]:
    """Tell which recordings a JSONL output holds, and cut an unfinished last line off.

    Parameters
    ----------
    path : Path
        The output of an earlier run; it need not exist.

    Returns
    -------
    set of str
        The ``path`` of each line.

    Raises
    ------
    UsageError
        If the file is something else; it is not changed then.
    """
    if not path.exists():
        return set()
    size = _complete_bytes(path, quoted=False)
    try:
        done = {json.loads(line)["path"] for line in _lines(path, size)}
    except (ValueError, KeyError, TypeError):
        raise _foreign(path) from None
    os.truncate(path, size)
    return done


def recover_csv(path: Path, columns: list[str]) -> set[str]:
    """Tell which recordings a CSV output holds, and cut an unfinished last row off.

    Parameters
    ----------
    path : Path
        The output of an earlier run; it need not exist.
    columns : list of str
        The header that this run would write, with ``path`` first.

    Returns
    -------
    set of str
        The ``path`` of each row.

    Raises
    ------
    UsageError
        If the file has another header; it is not changed then.
    """
    if not path.exists():
        return set()
    size = _complete_bytes(path, quoted=True)
    try:
        rows = csv.reader(_lines(path, size), strict=True)
        if next(rows, columns) != columns:
            raise _foreign(path)
        done = {row[0] for row in rows}
    except (csv.Error, ValueError, IndexError):
        raise _foreign(path) from None
    os.truncate(path, size)
    return done


def _complete_bytes(path: Path, *, quoted: bool) -> int:
    """Give the length of the file up to the end of its last whole line or CSV record."""
    complete = position = 0
    in_quotes = False
    with path.open("rb") as file:
        for line in file:
            position += len(line)
            if quoted and line.count(b'"') % 2:
                in_quotes = not in_quotes
            if line.endswith(b"\n") and not in_quotes:
                complete = position
    return complete


def _lines(path: Path, size: int) -> Iterator[str]:
    """Give the lines of the first `size` bytes of a file."""
    position = 0
    with path.open("rb") as file:
        while position < size:
            line = file.readline()
            position += len(line)
            yield line.decode("utf-8")


def _foreign(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not an output of serenade predict in this format with this model, so it cannot"
        " be gone on with; give another --output"
    )
