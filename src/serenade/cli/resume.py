"""Going on with an output file that an earlier run left, perhaps in the middle of a line."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from serenade.cli.outputs import Done, Format
from serenade.cli.records import csv_columns
from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class _Row(NamedTuple):
    """A whole line of an output."""

    path: str
    model: str | None
    """Who predicted; nobody where the recording failed."""


def recover(path: Path, form: Format, *, labels: Sequence[str], model: str) -> Done:
    """Tell which recordings an output holds, and cut an unfinished last line off.

    Parameters
    ----------
    path : Path
        The output of an earlier run; it need not exist.
    form : Format
        JSONL or CSV.
    labels : sequence of str
        Emotions of the model of this run.
    model : str
        Its name and version.

    Returns
    -------
    Done
        What need not be done again.

    Raises
    ------
    UsageError
        If the file is something else or of another model; it is not changed then.
    """
    try:
        if not path.exists():
            return Done(set(), 0)
        if not path.is_file():
            raise UsageError(f"{path} is not a file that --resume can go on with; give another one")
        size = _complete_bytes(path, quoted=form is Format.CSV)
        rows = (
            _csv_rows(path, size, csv_columns(labels))
            if form is Format.CSV
            else _jsonl_rows(path, size)
        )
        failed = {}
        for row in rows:
            if row.model not in (None, model):
                raise UsageError(
                    f"{path} holds predictions of {row.model} and this run would add those of"
                    f" {model}; give the same --model or another --output"
                )
            failed[row.path] = row.model is None
        os.truncate(path, size)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be gone on with ({error.strerror}); give another --output"
        ) from error
    return Done(set(failed), sum(failed.values()))


def _jsonl_rows(path: Path, size: int) -> Iterator[_Row]:
    try:
        for line in _lines(path, size):
            record = json.loads(line)
            # the JSONL of a timeline has a path and a model as well
            if "error" not in record and "emotion" not in record:
                raise _foreign(path)
            yield _Row(record["path"], None if "error" in record else record["model"])
    except (ValueError, KeyError, TypeError):
        raise _foreign(path) from None


def _csv_rows(path: Path, size: int, columns: list[str]) -> Iterator[_Row]:
    try:
        rows = csv.reader(_lines(path, size), strict=True)
        if next(rows, columns) != columns:
            raise _foreign(path)
        for row in rows:
            cells = dict(zip(columns, row, strict=True))
            yield _Row(cells["path"], None if cells["error"] else cells["model"])
    except (csv.Error, ValueError):
        raise _foreign(path) from None


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
