"""EMO-DB: ten actors say ten German sentences in seven emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "EMO-DB"
RULE = "ssTTTEv (speaker, text, emotion W L E A F T N, version)"

_FILE = re.compile(
    r"(?P<speaker>03|08|09|1[0-6])(?P<text>[ab]\d\d)(?P<emotion>[WLEAFTN])(?P<version>[a-z])"
)
_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
_SPEAKERS = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}
"""Sex and age of each speaker."""


def scan(root: Path) -> ScanResult:
    """Scan the folder of EMO-DB.

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
    if match is None:
        return None
    sex, age = _SPEAKERS[match["speaker"]]
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex=sex,
        language="de",
        statement=match["text"],
        age=age,
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Berlin Database of Emotional Speech",
        speakers=10,
        clips=535,
        labels=tuple(_EMOTIONS.values()),
        languages=("de",),
        licence="none stated; free for research",
        citation=(
            "F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier and B. Weiss (2005). A Database"
            " of German Emotional Speech. Proc. Interspeech, 1517-1520."
        ),
        url="http://emodb.bilderbar.info/",
        download=(RemoteFile("http://emodb.bilderbar.info/download/download.zip", "emodb.zip"),),
        notes=(
            "Only clips that 80 % of the listeners recognised were published, so emotions and"
            " speakers are unevenly filled."
        ),
    ),
    scan=scan,
)
