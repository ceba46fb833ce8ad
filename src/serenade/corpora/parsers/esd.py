"""ESD: ten English and ten Mandarin speakers say 350 sentences in five emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ESD"
RULE = "SSSS_NNNNNN in a folder Angry, Happy, Neutral, Sad or Surprise (speaker, number)"

_FILE = re.compile(r"(?P<speaker>00(?:0[1-9]|1\d|20))_(?P<number>\d{6})")
_EMOTIONS = {
    "angry": "anger",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
_SPLITS = {"train": "train", "evaluation": "validation", "test": "test"}
_MEN = frozenset({4, 5, 6, 8, 10, 11, 12, 13, 14, 20})
_SENTENCES = 350


def scan(root: Path) -> ScanResult:
    """Scan the folder of ESD, with or without its folders train, evaluation and test.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        The publisher's split holds the same speakers in every part.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    split = _SPLITS.get(path.parent.name.lower())
    folder = path.parent.parent if split else path.parent
    emotion = _EMOTIONS.get(folder.name.lower())
    if match is None or emotion is None:
        return None
    speaker = int(match["speaker"])
    language = "zh" if speaker <= 10 else "en"
    sentence = (int(match["number"]) - 1) % _SENTENCES + 1
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=emotion,
        speaker=match["speaker"],
        corpus=NAME,
        sex="male" if speaker in _MEN else "female",
        language=language,
        statement=f"{language}-{sentence:03}",
        split=split,
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Emotional Speech Database",
        speakers=20,
        clips=35000,
        labels=tuple(_EMOTIONS.values()),
        languages=("zh", "en"),
        licence="free for research after accepting its terms",
        citation=(
            "K. Zhou, B. Sisman, R. Liu and H. Li (2022). Emotional voice conversion: Theory,"
            " databases and ESD. Speech Communication 137: 1-18."
        ),
        url="https://hltsingapore.github.io/ESD/",
        registration=(
            "accept the terms and follow the link at https://hltsingapore.github.io/ESD/download.html,"
            " then unpack the archive"
        ),
        notes="Each speaker says the same sentences in every emotion; the split shares speakers.",
    ),
    scan=scan,
)
