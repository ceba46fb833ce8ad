"""TESS: an older and a younger actress say 200 words in a carrier phrase in seven emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "TESS"
RULE = "OAF_word_emotion or YAF_word_emotion"

_FILE = re.compile(
    r"(?P<speaker>OAF|YAF)_(?P<word>[a-z-]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)"
)
_EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
_AGES = {"OAF": 64, "YAF": 26}
_MISNAMED = {"OA_bite_neutral": "OAF_bite_neutral"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of TESS, whatever its sub-folders are called.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        Everything is in the file names, so the publisher's several spellings of the folders
        (``OAF_Pleasant_surprise``, ``YAF_pleasant_surprised``) do not matter.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    clip = _MISNAMED.get(path.stem, path.stem)
    match = _FILE.fullmatch(clip)
    if match is None:
        return None
    return Utterance(
        id=f"{NAME}/{clip}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex="female",
        language="en",
        statement=match["word"],
        age=_AGES[match["speaker"]],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Toronto Emotional Speech Set",
        speakers=2,
        clips=2800,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="CC BY-NC-ND 4.0",
        citation=(
            "M. K. Pichora-Fuller and K. Dupuis (2020). Toronto emotional speech set (TESS)."
            " Borealis, doi:10.5683/SP2/E8H2MF."
        ),
        url="https://doi.org/10.5683/SP2/E8H2MF",
        download=(
            RemoteFile(
                "https://borealisdata.ca/api/access/dataset/:persistentId/"
                "?persistentId=doi:10.5683/SP2/E8H2MF",
                "TESS.zip",
            ),
        ),
        notes=(
            "Two speakers who each say the same words in each emotion: any split that is not by"
            " speaker gives almost 100 %."
        ),
    ),
    scan=scan,
)
