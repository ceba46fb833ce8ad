"""nEMO: nine actors say ninety Polish sentences in six emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "nEMO"
RULE = "SPK_emotion_sentence"

_FILE = re.compile(
    r"(?P<speaker>[A-Z]{2}0)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)"
    r"_(?P<sentence>[1-9]\d?)"
)
_EMOTIONS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}
_SPEAKERS = {
    "EB0": ("female", 27),
    "IC0": ("female", 28),
    "KD0": ("female", 28),
    "KS0": ("male", 23),
    "MK0": ("female", 23),
    "MP0": ("male", 24),
    "SM0": ("male", 24),
    "TP0": ("male", 26),
    "WR0": ("male", 23),
}
"""Sex and age of each speaker, as in the publisher's data.tsv."""


def scan(root: Path) -> ScanResult:
    """Scan the folder of nEMO.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        With sex and age of the speakers as published.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None or match["speaker"] not in _SPEAKERS:
        return None
    sex, age = _SPEAKERS[match["speaker"]]
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex=sex,
        language="pl",
        statement=match["sentence"],
        age=age,
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="nEMO: Dataset of Emotional Speech in Polish",
        speakers=9,
        clips=4481,
        labels=tuple(_EMOTIONS.values()),
        languages=("pl",),
        licence="CC BY-NC-SA 4.0",
        citation=(
            "I. Christop (2024). nEMO: Dataset of Emotional Speech in Polish. Proc. LREC-COLING"
            " 2024, 12111-12116."
        ),
        url="https://github.com/amu-cai/nEMO",
        download=(RemoteFile("https://github.com/amu-cai/nEMO/archive/HEAD.zip", "nEMO.zip"),),
        notes="All speakers say the same ninety sentences in every emotion.",
    ),
    scan=scan,
)
