"""A table of clips: CSV or TSV with a header, or the tables that audformat writes."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Dropped, ScanResult
from serenade.corpora.manifest import SEXES, Utterance, utterance_of
from serenade.corpora.parsers.folder import SPLIT_NAMES
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename"),
    "emotion": ("emotion", "label"),
    "id": ("id",),
    "speaker": ("speaker", "speaker_id"),
    "corpus": ("corpus",),
    "start": ("start", "start_seconds"),
    "stop": ("end", "stop", "stop_seconds"),
    "sex": ("sex", "gender"),
    "language": ("language",),
    "intensity": ("intensity",),
    "statement": ("statement", "sentence"),
    "split": ("split",),
    "age": ("age",),
}
"""What each column may be called, in any case; the first two are required, others are ignored."""

_EMPTY = frozenset({"", "na", "n/a", "nan", "nat", "none", "null"})
_SEX = {"f": "female", "m": "male", "w": "female"}
_TIMEDELTA = re.compile(
    r"(?:(?P<days>\d+) days? )?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d+)?)"
)


class _RowError(Exception):
    """A row cannot be used."""


def scan_table(path: Path, *, corpus: str | None = None, language: str | None = None) -> ScanResult:
    """Read a table of clips.

    Parameters
    ----------
    path : Path
        CSV with commas, or semicolons or tabs where the header has them. Audio paths that are
        relative start at the table's folder. Times are seconds or ``0 days 00:00:01.5``.
    corpus : str, optional
        Name of the corpus where the table has no such column; that of the file by default.
    language : str, optional
        ISO 639-1 code where the table has no such column.

    Returns
    -------
    ScanResult
        Rows that cannot be used are dropped with their line and reason.

    Raises
    ------
    ManifestError
        If the file cannot be read, lacks a required column or holds no usable row.
    """
    defaults = {"corpus": corpus or path.stem, "language": language}
    utterances: dict[str, Utterance] = {}
    dropped: list[Dropped] = []
    for line, row in _read_rows(path):
        try:
            utterance = _utterance(row, path.parent, defaults)
        except _RowError as error:
            dropped.append(Dropped(f"{path}, line {line}", str(error)))
            continue
        if utterance.id in utterances:
            dropped.append(Dropped(f"{path}, line {line}", f"id {utterance.id!r} was used before"))
        else:
            utterances[utterance.id] = utterance
    if not utterances:
        reason = f"; {dropped[0].path}: {dropped[0].reason}" if dropped else ""
        raise ManifestError(f"{path}: holds no usable row{reason}")
    return ScanResult(tuple(utterances.values()), tuple(dropped))


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Give line number and the filled cells of every row, by our name of the column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            lines.seek(0)
            reader = csv.reader(lines, delimiter=_delimiter(header), strict=True)
            names = _known_columns(next(reader, []), path)
            return [
                (
                    reader.line_num,
                    {
                        name: cell.strip()
                        for name, cell in zip(names, cells, strict=False)
                        if name and cell.strip().lower() not in _EMPTY
                    },
                )
                for cells in reader
                if cells
            ]
    except OSError as error:
        raise ManifestError(f"{path}: the table cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path}: not a CSV or TSV file in UTF-8 ({error})") from error


def _delimiter(header: str) -> str:
    return next((mark for mark in "\t;" if mark in header), ",")


def _known_columns(header: list[str], path: Path) -> list[str | None]:
    ours = {spelling: name for name, spellings in COLUMNS.items() for spelling in spellings}
    names = [ours.get(title.strip().lower()) for title in header]
    for required in ("path", "emotion"):
        if names.count(required) != 1:
            raise ManifestError(
                f"{path}: needs exactly one column called {' or '.join(COLUMNS[required])},"
                f" but its header is {', '.join(header) or 'empty'}"
            )
    return names


def _utterance(
    row: Mapping[str, str], folder: Path, defaults: Mapping[str, str | None]
) -> Utterance:
    if "path" not in row or "emotion" not in row:
        raise _RowError("path or emotion is empty")
    corpus = row.get("corpus") or str(defaults["corpus"])
    whole = "start" not in row and "stop" not in row
    part = "" if whole else f"#{row.get('start')}-{row.get('stop')}"
    values = {
        "id": row.get("id") or f"{corpus}/{row['path']}{part}",
        "path": row["path"],
        "emotion": row["emotion"],
        "speaker": row.get("speaker"),
        "corpus": corpus,
        "start_seconds": _seconds(row, "start"),
        "stop_seconds": _seconds(row, "stop"),
        "sex": _sex(row),
        "language": row.get("language") or defaults["language"],
        "intensity": row.get("intensity"),
        "statement": row.get("statement"),
        "split": _split(row),
        "age": _age(row),
    }
    try:
        return utterance_of(values, folder=folder, where="the row")
    except ManifestError as error:
        raise _RowError(str(error)) from error


def _sex(row: Mapping[str, str]) -> str | None:
    if "sex" not in row:
        return None
    sex = _SEX.get(row["sex"].lower(), row["sex"].lower())
    return sex if sex in SEXES else None


def _split(row: Mapping[str, str]) -> str | None:
    """Give the part of a split under our name; an unknown one is told of by the manifest's rule."""
    return SPLIT_NAMES.get(row["split"].lower(), row["split"]) if "split" in row else None


def _age(row: Mapping[str, str]) -> int | None:
    if "age" not in row:
        return None
    try:
        return int(float(row["age"]))
    except (ValueError, OverflowError) as error:
        raise _RowError(f"age {row['age']!r} is not a number of years") from error


def _seconds(row: Mapping[str, str], column: str) -> float | None:
    if column not in row:
        return None
    text = row[column]
    match = _TIMEDELTA.fullmatch(text)
    if match:
        days, hours = int(match["days"] or 0), int(match["hours"])
        return ((days * 24 + hours) * 60 + int(match["minutes"])) * 60 + float(match["seconds"])
    try:
        return float(text)
    except ValueError as error:
        raise _RowError(f"{column} {text!r} is neither seconds nor 0 days 00:00:01.5") from error
