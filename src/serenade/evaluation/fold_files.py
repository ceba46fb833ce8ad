"""Reading published folds: EmoBox's JSONL layout and CSV lists of names.

References
----------
Z. Ma et al., "EmoBox: Multilingual multi-corpus speech emotion recognition toolkit and benchmark",
INTERSPEECH 2024. H. Wu et al., "EMO-SUPERB: An in-depth look at speech emotion recognition", 2024.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from serenade.errors import SplitError

_EMOBOX_FILE = re.compile(r"(?P<corpus>[a-z0-9]+)_(?P<part>train|valid|test)_fold_(?P<fold>\d+)")
_PART_NAMES = {
    "train": "train",
    "development": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True, slots=True)
class FoldNames:
    """The clips of one published fold, by file name without extension.

    Parameters
    ----------
    corpus : str
        In lower case without hyphens, for example ``"cremad"``.
    fold : str
        Number of the fold.
    train : tuple of str or None
        ``None`` where the rest of the corpus is meant.
    validation, test : tuple of str
        The other parts.
    """

    corpus: str
    fold: str
    train: tuple[str, ...] | None
    validation: tuple[str, ...]
    test: tuple[str, ...]


def read_fold_names(path: Path) -> list[FoldNames]:
    """Read published folds.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``fold, part, file`` and perhaps ``corpus`` (without it, the
        corpus is CREMA-D, as in EMO-SUPERB); or a folder that holds files as EmoBox has them,
        ``<corpus>/fold_<k>/<corpus>_<part>_fold_<k>.jsonl``.

    Returns
    -------
    list of FoldNames
        In the order of corpus and fold.

    Raises
    ------
    SplitError
        If nothing is found there or a line is not as described.
    """
    rows = _folder_rows(path) if path.is_dir() else _csv_rows(path)
    parts: dict[tuple[str, str], dict[str, list[str]]] = {}
    for corpus, fold, part, name in rows:
        parts.setdefault((corpus, fold), {}).setdefault(part, []).append(name)
    if not parts:
        raise SplitError(f"{path}: holds no folds; give EmoBox's data folder or a CSV of folds")
    return [
        FoldNames(
            corpus,
            fold,
            train=tuple(named["train"]) if "train" in named else None,
            validation=tuple(named.get("validation", ())),
            test=tuple(named.get("test", ())),
        )
        for (corpus, fold), named in sorted(parts.items())
    ]


def _csv_rows(path: Path) -> list[tuple[str, str, str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            if not {"fold", "part", "file"} <= set(columns):
                raise SplitError(
                    f"{path}: has the columns {', '.join(columns)}; fold, part and file are needed"
                )
            return [
                (
                    row.get("corpus") or "cremad",
                    _cell(row, "fold", where := f"{path}, line {reader.line_num}"),
                    _part(_cell(row, "part", where), path),
                    _cell(row, "file", where),
                )
                for row in reader
            ]
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise SplitError(f"{path}: not UTF-8 text; the folds are a CSV file") from error
    except csv.Error as error:
        raise SplitError(f"{path}: not a CSV file of folds ({error})") from error


def _cell(row: dict[str, str | None], column: str, where: str) -> str:
    value = row[column]
    if value is None:
        raise SplitError(f"{where}: has no {column}; fold, part and file are needed")
    return value


def _unreadable(path: Path, error: OSError) -> SplitError:
    return SplitError(f"{path}: the folds cannot be read ({error.strerror})")


def _part(name: str, path: Path) -> str:
    if name not in _PART_NAMES:
        raise SplitError(f"{path}: unknown part {name!r}; allowed are {', '.join(_PART_NAMES)}")
    return _PART_NAMES[name]


def _folder_rows(folder: Path) -> list[tuple[str, str, str, str]]:
    rows = []
    for path in sorted(folder.rglob("*.jsonl")):
        match = _EMOBOX_FILE.fullmatch(path.stem)
        if match is None:
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise _unreadable(path, error) from error
        except UnicodeDecodeError as error:
            raise SplitError(f"{path}: not UTF-8 text; EmoBox's folds are JSONL files") from error
        for number, line in enumerate(lines, start=1):
            try:
                name = PurePosixPath(json.loads(line)["wav"]).stem
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise SplitError(
                    f'{path}, line {number}: not a clip as EmoBox writes it, with a "wav" path'
                ) from error
            rows.append((match["corpus"], match["fold"], _part(match["part"], path), name))
    return rows
