"""ASED: 65 volunteers say Amharic sentences in five emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ASED"
RULE = "EN-SS-RR-XX-PP (emotion n1 f2 h3 s4 a5, sentence, repetition, sex, speaker)"

_FILE = re.compile(
    r"(?P<emotion>n1|f2|h3|s4|a5)-(?P<sentence>0[1-7])-(?P<repetition>\d\d)-(?P<sex>0[12])"
    r"-(?P<speaker>\d\d)"
)
_EMOTIONS = {
    "n1": "neutral",
    "f2": "fear",
    "h3": "happiness",
    "s4": "sadness",
    "a5": "anger",
}
_SEXES = {"01": "female", "02": "male"}

DEFECTS = {
    f"{NAME}/n1-07-02-02-53": "the same recording as n1-07-01-02-53",
    f"{NAME}/h3-01-02-02-08": "the same recording as h3-01-01-02-08",
    f"{NAME}/s4-03-02-01-23": "the same recording as s4-03-01-01-23",
    f"{NAME}/a5-07-02-02-63": "the same recording as a5-07-01-02-63",
}
"""Utterances that are dropped."""


def scan(root: Path) -> ScanResult:
    """Scan the folder of ASED.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        The statement is emotion and number, for the same number is another sentence in another
        emotion.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE, defects=DEFECTS)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem.lower())
    if match is None:
        return None
    return Utterance(
        id=f"{NAME}/{match[0]}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex=_SEXES[match["sex"]],
        language="am",
        statement=f"{match['emotion']}-{match['sentence']}",
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Amharic Speech Emotion Dataset",
        speakers=65,
        clips=2474,
        labels=tuple(_EMOTIONS.values()),
        languages=("am",),
        licence="none stated",
        citation=(
            "E. A. Retta, E. Almekhlafi, R. Sutcliffe, M. Mhamed, H. Ali and J. Feng (2023). A New"
            " Amharic Speech Emotion Dataset and Classification Benchmark. ACM Transactions on"
            " Asian and Low-Resource Language Information Processing 22(1)."
        ),
        url="https://github.com/Ethio2021/ASED_V1",
        download=(RemoteFile("https://github.com/Ethio2021/ASED_V1/archive/HEAD.zip", "ASED.zip"),),
        notes=(
            "25 of the 27 sentences occur with one emotion only, so a model can learn the text;"
            " a few speakers are named with both sexes."
        ),
    ),
    scan=scan,
)
