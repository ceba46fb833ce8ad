"""RAVDESS: 24 actors speak and sing two sentences; seven numbers in the file name say how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "RAVDESS"
RULE = "03-CC-EE-II-SS-RR-AA (03 audio only, channel, emotion, intensity, statement, take, actor)"

_FILE = re.compile(
    r"03-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<statement>0[12])-(?P<take>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)
_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_INTENSITIES = {"01": "normal", "02": "strong"}

DEFECTS = {
    f"{NAME}/03-01-03-01-02-02-07": "the same recording as 03-01-03-01-02-01-07",
}
"""Utterances that are dropped."""


def scan(root: Path) -> ScanResult:
    """Scan the folder of RAVDESS, speech or song or both, with or without actor folders.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        Sung clips have ``03-02-`` in their id.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE, defects=DEFECTS)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None:
        return None
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["actor"],
        corpus=NAME,
        sex="male" if int(match["actor"]) % 2 else "female",
        language="en",
        intensity=_INTENSITIES[match["intensity"]],
        statement=match["statement"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Ryerson Audio-Visual Database of Emotional Speech and Song",
        speakers=24,
        clips=2452,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="CC BY-NC-SA 4.0",
        citation=(
            "S. R. Livingstone and F. A. Russo (2018). The Ryerson Audio-Visual Database of"
            " Emotional Speech and Song (RAVDESS). PLoS ONE 13(5): e0196391."
        ),
        url="https://zenodo.org/records/1188976",
        download=(
            RemoteFile(
                "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
                "Audio_Speech_Actors_01-24.zip",
                size_bytes=208_468_073,
                digest="md5:bc696df654c87fed845eb13823edef8a",
            ),
            RemoteFile(
                "https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip",
                "Audio_Song_Actors_01-24.zip",
                size_bytes=225_505_317,
                digest="md5:5411230427d67a21e18aa4d466e6d1b9",
            ),
        ),
        notes=(
            "1,440 spoken and 1,012 sung clips (actor 18 does not sing; song has no disgust and"
            " no surprise); all speakers say the same two sentences."
        ),
    ),
    scan=scan,
)
