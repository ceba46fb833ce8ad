"""ShEMO: Persian speech from radio plays, 87 speakers, six emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ShEMO"
RULE = "XNNENN (sex F or M, speaker, emotion A F H N S W, number)"

_FILE = re.compile(r"(?P<speaker>(?P<sex>[FM])\d\d)(?P<emotion>[AFHNSW])(?P<number>\d\d)")
_EMOTIONS = {
    "A": "anger",
    "F": "fear",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
    "W": "surprise",
}
_SEXES = {"F": "female", "M": "male"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of ShEMO.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        Each clip is another text, so the statement is not given.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None:
        return None
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        corpus=NAME,
        sex=_SEXES[match["sex"]],
        language="fa",
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Sharif Emotional Speech Database",
        speakers=87,
        clips=3000,
        labels=tuple(_EMOTIONS.values()),
        languages=("fa",),
        licence="none stated; free for academic use",
        citation=(
            "O. Mohamad Nezami, P. Jamshid Lou and M. Karami (2019). ShEMO: a large-scale validated"
            " database for Persian speech emotion detection. Language Resources and Evaluation 53:"
            " 1-16."
        ),
        url="https://github.com/mansourehk/ShEMO",
        registration=(
            "follow the links of https://github.com/mansourehk/ShEMO to male.zip and female.zip by"
            " hand (the copies in the repository are damaged) and unpack both"
        ),
        notes="Fear has only 38 clips; anger and neutral make up two thirds.",
    ),
    scan=scan,
)
