"""SUBESCO: twenty actors say ten Bangla sentences in seven emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "SUBESCO"
RULE = "X_NN_NAME_S_sentence_EMOTION_take (sex F or M, number of the speaker)"

_EMOTIONS = {
    "ANGRY": "anger",
    "DISGUST": "disgust",
    "FEAR": "fear",
    "HAPPY": "happiness",
    "NEUTRAL": "neutral",
    "SAD": "sadness",
    "SURPRISE": "surprise",
}
_FILE = re.compile(
    r"(?P<speaker>(?P<sex>[FM])_\d\d)_(?P<name>[A-Z]+)_S_(?P<sentence>\d+)_(?P<emotion>[A-Z]+)"
    r"_(?P<take>\d)"
)
_SEXES = {"F": "female", "M": "male"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of SUBESCO.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        The numbers of women and men both start at 01, so the sex is part of the speaker.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None or match["emotion"] not in _EMOTIONS:
        return None
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex=_SEXES[match["sex"]],
        language="bn",
        statement=match["sentence"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="SUST Bangla Emotional Speech Corpus",
        speakers=20,
        clips=7000,
        labels=tuple(_EMOTIONS.values()),
        languages=("bn",),
        licence="CC BY 4.0",
        citation=(
            "S. Sultana, M. S. Rahman, M. R. Selim and M. Z. Iqbal (2021). SUST Bangla Emotional"
            " Speech Corpus (SUBESCO): An audio-only emotional speech corpus for Bangla. PLoS ONE"
            " 16(4): e0250173."
        ),
        url="https://zenodo.org/records/4526477",
        download=(
            RemoteFile("https://zenodo.org/records/4526477/files/SUBESCO.zip", "SUBESCO.zip"),
        ),
        notes="All speakers say the same ten sentences, five times in each emotion.",
    ),
    scan=scan,
)
