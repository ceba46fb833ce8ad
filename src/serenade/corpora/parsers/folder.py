"""A plain folder of sub-folders that are called like emotions, perhaps below train/ and test/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Dropped, ScanResult, audio_files
from serenade.corpora.manifest import Utterance
from serenade.emotions import parse_emotion
from serenade.errors import LabelError, ManifestError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Names of folders that say which part of a split their clips belong to."""


def scan_folder(
    root: Path,
    *,
    corpus: str | None = None,
    speaker_pattern: str | None = None,
    emotion_pattern: str | None = None,
    language: str | None = None,
) -> ScanResult:
    """Scan ``<emotion>/...`` or ``<split>/<emotion>/...``.

    Parameters
    ----------
    root : Path
        Folder that holds the emotion or split folders.
    corpus : str, optional
        Name to give to the corpus; the folder's own by default.
    speaker_pattern : str, optional
        Regular expression that is searched in the path below `root` (with ``/``); its group
        ``speaker``, or else its first group, is the speaker. Clips where it is not found
        are dropped. Without it all speakers are unknown.
    emotion_pattern : str, optional
        Likewise for the emotion, where file names hold it; folders then say nothing about it.
    language : str, optional
        ISO 639-1 code of all clips.

    Returns
    -------
    ScanResult
        A folder name that no vocabulary knows becomes a new emotion. Each id is corpus and path.

    Raises
    ------
    ManifestError
        If the folder cannot be read or gives no utterance.
    UsageError
        If a pattern is not a regular expression with a group.
    """
    speaker_of = _pattern(speaker_pattern, "speaker")
    emotion_of = _pattern(emotion_pattern, "emotion")
    corpus = corpus or root.resolve().name
    utterances: list[Utterance] = []
    dropped: list[Dropped] = []
    for path in audio_files(root):
        below = path.relative_to(root)
        split = SPLITS.get(below.parts[0].lower()) if len(below.parts) > 1 else None
        folders = below.parts[1:-1] if split else below.parts[:-1]
        speaker = _found(speaker_of, below.as_posix())
        if speaker_of is not None and speaker is None:
            dropped.append(Dropped(str(path), f"speaker pattern {speaker_pattern!r} not found"))
            continue
        name = _found(emotion_of, below.as_posix()) if emotion_of else next(iter(folders), None)
        if name is None:
            reason = (
                f"emotion pattern {emotion_pattern!r} not found"
                if emotion_of
                else ("lies in no emotion folder")
            )
            dropped.append(Dropped(str(path), reason))
            continue
        try:
            emotion = parse_emotion(name, allow_new=True)
        except LabelError:
            dropped.append(Dropped(str(path), f"{name!r} is not a word that can name an emotion"))
            continue
        utterances.append(
            Utterance(
                id=f"{corpus}/{below.as_posix()}",
                path=str(path),
                emotion=emotion,
                speaker=speaker,
                corpus=corpus,
                language=language,
                split=split,
            )
        )
    if not utterances:
        raise ManifestError(
            f"{root}: holds no labelled clip; expected <emotion>/*.wav or train/<emotion>/*.wav"
        )
    return ScanResult(tuple(utterances), tuple(dropped))


def _pattern(text: str | None, group: str) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(
            f"{group} pattern {text!r} is not a regular expression ({error})"
        ) from error
    if pattern.groups == 0:
        raise UsageError(f"{group} pattern {text!r} has no group; put (...) round the {group}")
    return pattern


def _found(pattern: re.Pattern[str] | None, text: str) -> str | None:
    match = None if pattern is None else pattern.search(text)
    if match is None:
        return None
    names = [name for name in ("speaker", "emotion") if name in match.re.groupindex]
    return match[names[0]] if names else match[1]
