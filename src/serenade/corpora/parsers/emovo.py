"""EMOVO: six actors say fourteen Italian sentences in seven emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "EMOVO"
RULE = "emo-spk-text (emotion neu dis gio pau rab sor tri; speaker f1 to m3; text)"

_FILE = re.compile(
    r"(?P<emotion>neu|dis|gio|pau|rab|sor|tri)-(?P<speaker>[fm][1-3])-(?P<text>[a-z]\d)"
)
_EMOTIONS = {
    "neu": "neutral",
    "dis": "disgust",
    "gio": "happiness",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
_SEXES = {"f": "female", "m": "male"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of EMOVO.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        Everything is in the file names.
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
        sex=_SEXES[match["speaker"][0]],
        language="it",
        statement=match["text"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="EMOVO Corpus: an Italian Emotional Speech Database",
        speakers=6,
        clips=588,
        labels=tuple(_EMOTIONS.values()),
        languages=("it",),
        licence="free for research",
        citation=(
            "G. Costantini, I. Iaderola, A. Paoloni and M. Todisco (2014). EMOVO Corpus: an Italian"
            " Emotional Speech Database. Proc. LREC 2014, 3501-3504."
        ),
        url="http://voice.fub.it/activities/corpora/emovo/index.html",
        registration=(
            "download emovo.zip by hand from http://voice.fub.it/activities/corpora/emovo/index.html,"
            " or ask the authors where that page is gone, and unpack it"
        ),
        notes="Some sentences make no sense on purpose.",
    ),
    scan=scan,
)
