"""The manifest: one utterance per line of a JSONL file, read and written.

In memory the path of an utterance can always be opened from the current process. In the file it
is relative to the manifest's folder where the audio lies below that folder, and absolute
otherwise, so a manifest that lies beside its audio can be moved together with it.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from serenade.emotions import parse_emotion
from serenade.errors import LabelError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SEXES: tuple[str, ...] = ("female", "male")
"""Values of :attr:`Utterance.sex`."""

SPLITS: tuple[str, ...] = ("train", "validation", "test")
"""Values of :attr:`Utterance.split`."""

INTENSITIES: tuple[str, ...] = ("low", "medium", "high", "normal", "strong")
"""Values of :attr:`Utterance.intensity` that the parsers give.

CREMA-D says low, medium and high; RAVDESS normal and strong; CaFE low and strong. The scales are
the publishers' own and are not comparable between corpora. ``None`` where nothing is said.
"""

_OPTIONAL_TEXTS = ("speaker", "sex", "language", "intensity", "statement", "split")
_LANGUAGE = re.compile("[a-z]{2,3}")
_LONGEST_SECONDS = 1_000_000_000
_REQUIRED_TEXTS = ("id", "path", "emotion", "corpus")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled stretch of speech.

    Parameters
    ----------
    id : str
        Unique within a manifest, for example ``"RAVDESS/03-01-01-01-01-01-01"``.
    path : str
        Audio file that can be opened.
    emotion : str
        Canonical name, or a new name that a corpus or a user's folders bring.
    speaker : str or None
        Unique within the corpus; ``None`` where it is not known who speaks.
    corpus : str
        Name of the corpus.
    start_seconds, stop_seconds : float or None
        Part of the file that is meant [s]; ``None`` for its beginning and its end.
    sex : str or None
        One of :data:`SEXES`.
    language : str or None
        ISO 639-1 code, for example ``"en"``.
    intensity : str or None
        Strength of the emotion as the publisher names it; see :data:`INTENSITIES`.
    statement : str or None
        Name of the text that is spoken, unique within the corpus.
    split : str or None
        Part of a split given by the publisher or by folders; one of :data:`SPLITS`.
    age : int or None
        Of the speaker [years].
    """

    id: str
    path: str
    emotion: str
    speaker: str | None
    corpus: str
    start_seconds: float | None = None
    stop_seconds: float | None = None
    sex: str | None = None
    language: str | None = None
    intensity: str | None = None
    statement: str | None = None
    split: str | None = None
    age: int | None = None

    @property
    def speaker_key(self) -> str | None:
        """Name of the speaker that is unique across corpora; ``None`` where it is unknown."""
        return None if self.speaker is None else f"{self.corpus}/{self.speaker}"


_KEYS = tuple(field.name for field in fields(Utterance))


def read_manifest(path: str | Path) -> list[Utterance]:
    """Read a manifest.

    Parameters
    ----------
    path : str or Path
        JSONL file. Empty lines are passed over.

    Returns
    -------
    list of Utterance
        In the order of the file; relative paths are resolved against the manifest's folder.

    Raises
    ------
    ManifestError
        If the file cannot be read, holds no utterance, an id occurs twice, or a line is not an
        utterance; the message names file and line.
    """
    path = Path(path)
    utterances: list[Utterance] = []
    line_of: dict[str, int] = {}
    for number, line in manifest_lines(path):
        utterance = parse_line(line, folder=path.parent, where=f"{path}, line {number}")
        if utterance.id in line_of:
            raise ManifestError(
                f"{path}, line {number}: id {utterance.id!r} was already used in line"
                f" {line_of[utterance.id]}; every utterance needs its own id"
            )
        line_of[utterance.id] = number
        utterances.append(utterance)
    if not utterances:
        raise ManifestError(f"{path}: holds no utterance; write one JSON object per line")
    return utterances


def manifest_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a manifest that hold something.

    Parameters
    ----------
    path : Path
        JSONL file.

    Yields
    ------
    number : int
        Of the line, from 1.
    line : str
        Its text.

    Raises
    ------
    ManifestError
        If the file cannot be read as UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise ManifestError(
            f"{path}: the manifest cannot be read ({error.strerror}); give a JSONL file"
        ) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 text; a manifest is a JSONL file") from error


def parse_line(line: str, *, folder: Path, where: str) -> Utterance:
    """Turn one line of a manifest into an utterance.

    Parameters
    ----------
    line : str
        One JSON object.
    folder : Path
        Relative audio paths start here.
    where : str
        File and line, as error messages name them.

    Returns
    -------
    Utterance
        With a path that can be opened and a canonical emotion.

    Raises
    ------
    ManifestError
        If the line is not a JSON object, or as :func:`utterance_of`.
    """
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:
        raise ManifestError(
            f"{where}: not JSON ({error.msg}, column {error.colno}); write one object per line"
        ) from error
    except (ValueError, RecursionError):
        raise ManifestError(
            f"{where}: holds a number that is too long or brackets that are too deep; write one"
            f" object per line with the keys {', '.join(_REQUIRED_TEXTS)}"
        ) from None
    if not isinstance(values, dict):
        raise ManifestError(f"{where}: holds {type(values).__name__} where an object is expected")
    return utterance_of(values, folder=folder, where=where)


def utterance_of(values: Mapping[str, object], *, folder: Path, where: str) -> Utterance:
    """Check what is said of one utterance.

    Parameters
    ----------
    values : mapping of str to JSON value
        By the keys of a manifest; ``None`` is as good as a key that is not there.
    folder, where
        As in :func:`parse_line`.

    Returns
    -------
    Utterance
        With a path that can be opened and a canonical emotion.

    Raises
    ------
    ManifestError
        If a key is unknown or missing, or a value is not allowed.
    """
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise ManifestError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(_KEYS)}")
    required = {key: _text(values, key, where) for key in _REQUIRED_TEXTS}
    optional = {
        key: None if values.get(key) is None else _text(values, key, where)
        for key in _OPTIONAL_TEXTS
    }
    if optional["sex"] is not None and optional["sex"] not in SEXES:
        raise ManifestError(f"{where}: sex {optional['sex']!r} must be female, male or null")
    if optional["split"] is not None and optional["split"] not in SPLITS:
        raise ManifestError(
            f"{where}: split {optional['split']!r:.60} must be {', '.join(SPLITS)} or null"
        )
    if optional["language"] is not None and _LANGUAGE.fullmatch(optional["language"]) is None:
        raise ManifestError(
            f"{where}: language {optional['language']!r:.60} must be an ISO 639 code, like en"
        )
    try:
        emotion = parse_emotion(required["emotion"], allow_new=True)
    except LabelError as error:
        raise ManifestError(
            f"{where}: emotion {required['emotion']!r} is not a word; use letters, digits and _"
        ) from error
    start, stop = _interval(values, where)
    return Utterance(
        id=required["id"],
        path=str(folder / required["path"]),
        emotion=emotion,
        speaker=optional["speaker"],
        corpus=required["corpus"],
        start_seconds=start,
        stop_seconds=stop,
        sex=optional["sex"],
        language=optional["language"],
        intensity=optional["intensity"],
        statement=optional["statement"],
        split=optional["split"],
        age=_age(values, where),
    )


def write_manifest(path: str | Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, so that the file is either the old or the whole new one.

    Parameters
    ----------
    path : str or Path
        JSONL file to make or replace.
    utterances : iterable of Utterance
        Written in this order; keys that are ``None`` are left out.

    Raises
    ------
    ManifestError
        If the file cannot be written.
    """
    path = Path(path)
    folder = _absolute(path.parent)
    lines = [_dump(_to_json(utterance, folder)) for utterance in utterances]
    try:
        _replace_text(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise ManifestError(f"{path}: the manifest cannot be written ({error.strerror})") from error


def _to_json(utterance: Utterance, folder: Path) -> dict[str, object]:
    values = {key: getattr(utterance, key) for key in _KEYS}
    audio = _absolute(Path(utterance.path))
    values["path"] = (
        audio.relative_to(folder).as_posix() if audio.is_relative_to(folder) else str(audio)
    )
    return {key: value for key, value in values.items() if value is not None}


def _absolute(path: Path) -> Path:
    """Make a path absolute and keep links, so that a folder of links stays a folder."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links


def _dump(values: dict[str, object]) -> str:
    """Write readable JSON, escaped only where a file name is not text."""
    line = json.dumps(values, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(values)
    return line


def _replace_text(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as part:
        try:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).chmod(0o644)
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise


def _text(values: Mapping[str, object], key: str, where: str) -> str:
    if key not in values:
        raise ManifestError(
            f"{where}: key {key!r} is missing; required are {', '.join(_REQUIRED_TEXTS)}"
        )
    value = values[key]
    if not isinstance(value, str) or not value:
        raise ManifestError(f"{where}: {key} must be a text that is not empty, got {value!r:.60}")
    if "\0" in value:
        raise ManifestError(f"{where}: {key} holds a NUL character, which no name can have")
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:
        raise ManifestError(
            f"{where}: {key} {value!r:.60} holds half a character (a lone surrogate); write it anew"
        ) from error
    return value


def _interval(values: Mapping[str, object], where: str) -> tuple[float | None, float | None]:
    start = _seconds(values, "start_seconds", where)
    stop = _seconds(values, "stop_seconds", where)
    if stop is not None and stop <= (start or 0.0):
        raise ManifestError(
            f"{where}: stop_seconds {stop} must lie after start_seconds {start or 0.0}"
        )
    return start, stop


def _seconds(values: Mapping[str, object], key: str, where: str) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ManifestError(f"{where}: {key} must be a number of seconds, got {value!r}")
    if not 0 <= value <= _LONGEST_SECONDS:
        raise ManifestError(
            f"{where}: {key} must be finite and not negative, at most {_LONGEST_SECONDS:,},"
            f" got {value!r:.60}"
        )
    return float(value)


def _age(values: Mapping[str, object], where: str) -> int | None:
    value = values.get("age")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 130:
        raise ManifestError(f"{where}: age must be whole years from 0 to 130, got {value!r}")
    return value
