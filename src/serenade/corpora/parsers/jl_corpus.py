"""JL-Corpus: four actors say New Zealand English sentences in ten emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "JL-Corpus"
RULE = "sexN_emotion_sentence_session, for example female1_angry_10a_1"

_EMOTIONS = {
    "angry": "anger",
    "anxious": "anxiety",
    "apologetic": "apology",
    "assertive": "assertiveness",
    "concerned": "concern",
    "encouraging": "encouragement",
    "excited": "excitement",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
}
_FILE = re.compile(
    r"(?P<speaker>(?P<sex>female|male)[12])_(?P<emotion>[a-z]+)_(?P<sentence>\d+[ab])"
    r"_(?P<session>[12])"
)


def scan(root: Path) -> ScanResult:
    """Scan the folder of JL-Corpus.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        With the five primary and the five secondary emotions.
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
        sex=match["sex"],
        language="en",
        statement=match["sentence"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="JL-Corpus: New Zealand English emotional speech",
        speakers=4,
        clips=2400,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="CC0 1.0",
        citation=(
            "J. James, L. Tian and C. I. Watson (2018). An Open Source Emotional Speech Corpus for"
            " Human Robot Interaction Applications. Proc. Interspeech, 2768-2772."
        ),
        url="https://www.kaggle.com/datasets/tli725/jl-corpus",
        registration=(
            "download the archive with a Kaggle account from"
            " https://www.kaggle.com/datasets/tli725/jl-corpus and unpack it"
        ),
        notes="Half of the clips carry secondary emotions that no other corpus has.",
    ),
    scan=scan,
)
