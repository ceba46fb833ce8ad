"""SAVEE: four men say TIMIT sentences; letters before the number say the emotion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "SAVEE"
RULE = "SP_eNN, or eNN in a folder SP (speaker DC, JE, JK or KL; emotion a d f h n sa su; number)"

_SPEAKER = re.compile(r"DC|JE|JK|KL")
_FILE = re.compile(r"(?:(?P<speaker>DC|JE|JK|KL)_)?(?P<emotion>a|d|f|h|n|sa|su)(?P<number>[0-3]\d)")
_EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}


def scan(root: Path) -> ScanResult:
    """Scan the folder of SAVEE: all clips in one folder, or one folder per speaker.

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
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None:
        return None
    speaker = match["speaker"] or path.parent.name
    if _SPEAKER.fullmatch(speaker) is None:
        return None
    statement = f"{match['emotion']}{match['number']}"
    return Utterance(
        id=f"{NAME}/{speaker}_{statement}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=speaker,
        corpus=NAME,
        sex="male",
        language="en",
        statement=statement,
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Surrey Audio-Visual Expressed Emotion database",
        speakers=4,
        clips=480,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="free for research after registration, no redistribution",
        citation=(
            "S. Haq and P. J. B. Jackson (2010). Multimodal Emotion Recognition. In W. Wang (ed.),"
            " Machine Audition: Principles, Algorithms and Systems, IGI Global, 398-423."
        ),
        url="http://kahlan.eps.surrey.ac.uk/savee/",
        registration=(
            "register at http://kahlan.eps.surrey.ac.uk/savee/Register.html, then unpack"
            " AudioData.zip from the address that you are sent"
        ),
        notes="Four men, all native speakers of British English.",
    ),
    scan=scan,
)
