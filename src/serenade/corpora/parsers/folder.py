"""A plain folder of sub-folders that are called like emotions, perhaps below train/ and test/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Dropped, ScanResult, audio_files
from serenade.corpora.manifest import utterance_of
from serenade.emotions import parse_emotion
from serenade.errors import LabelError, ManifestError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from serenade.corpora.manifest import Utterance

SPLIT_NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "dev": "validation",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""What the parts of a split are called, as folders or in tables, in lower case, and our name."""


def scan_folder(
    root: Path,
    *,
    corpus: str | None = None,
    language: str | None = None,
    speaker_pattern: str | None = None,
    emotion_pattern: str | None = None,
) -> ScanResult:
    """Scan ``<emotion>/...`` or ``<split>/<emotion>/...``.

    Parameters
    ----------
    root : Path
        Folder that holds the emotion or the split folders.
    corpus : str, optional
        Name to give to the corpus; that of the folder by default.
    language : str, optional
        ISO 639-1 code of all clips.
    speaker_pattern : str, optional
        Regular expression that is searched in the path below `root`, written with ``/``. Its
        first group is the speaker. Clips where it is not found are dropped. Without it every
        speaker is unknown.
    emotion_pattern : str, optional
        Likewise for the emotion, where the file names hold it and not the folders.

    Returns
    -------
    ScanResult
        A name that no vocabulary knows becomes a new emotion. Each id is corpus and path.

    Raises
    ------
    ManifestError
        If the folder cannot be read or gives no utterance.
    UsageError
        If a pattern is not a regular expression with a group.
    """
    speaker_of = _compiled(speaker_pattern, "speaker")
    emotion_of = _compiled(emotion_pattern, "emotion")
    corpus = corpus or root.resolve().name
    utterances: list[Utterance] = []
    dropped: list[Dropped] = []
    for path in audio_files(root):
        below = path.relative_to(root)
        split = SPLIT_NAMES.get(below.parts[0].lower()) if len(below.parts) > 1 else None
        folders = below.parts[1 if split else 0 : -1]
        name = _search(emotion_of, below) if emotion_of else next(iter(folders), None)
        emotion = _emotion(name)
        speaker = _search(speaker_of, below)
        if emotion is None:
            where = f"{emotion_pattern!r} finds" if emotion_of else "its folder names"
            dropped.append(Dropped(str(path), f"{where} no emotion"))
            continue
        if speaker is None and speaker_of is not None:
            dropped.append(Dropped(str(path), f"{speaker_pattern!r} finds no speaker"))
            continue
        values = {
            "id": f"{corpus}/{below.as_posix()}",
            "path": below.as_posix(),
            "emotion": emotion,
            "speaker": speaker,
            "corpus": corpus,
            "language": language,
            "split": split,
        }
        try:
            utterances.append(utterance_of(values, folder=root, where="the clip"))
        except ManifestError as error:
            dropped.append(Dropped(str(path), str(error)))
    if not utterances:
        expected = "expected <emotion>/*.wav or train/<emotion>/*.wav"
        reason = f"{dropped[0].path}: {dropped[0].reason}" if dropped else expected
        raise ManifestError(f"{root}: holds no labelled clip; {reason}")
    return ScanResult(tuple(utterances), tuple(dropped))


def _compiled(pattern: str | None, meaning: str) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"the {meaning} pattern {pattern!r} is not a regular expression ({error})"
        ) from error
    if compiled.groups == 0:
        raise UsageError(f"the {meaning} pattern {pattern!r} needs (...) round the {meaning}")
    return compiled


def _search(pattern: re.Pattern[str] | None, below: Path) -> str | None:
    match = pattern.search(below.as_posix()) if pattern else None
    return (match[1] or None) if match else None


def _emotion(name: str | None) -> str | None:
    try:
        return None if name is None else parse_emotion(name, allow_new=True)
    except LabelError:
        return None
