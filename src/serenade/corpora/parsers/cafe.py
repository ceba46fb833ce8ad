"""CaFE: twelve actors say six Canadian French sentences in seven emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "CaFE"
RULE = "SS-E-I-P (speaker, emotion C D J N P S T, intensity 1 or 2, sentence)"

_FILE = re.compile(
    r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<intensity>[12])-(?P<sentence>[1-6])"
)
_EMOTIONS = {
    "C": "anger",
    "D": "disgust",
    "J": "happiness",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}
_INTENSITIES = {"1": "low", "2": "strong"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of CaFE.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        Neutral has no intensity.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None:
        return None
    emotion = _EMOTIONS[match["emotion"]]
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=emotion,
        speaker=match["speaker"],
        corpus=NAME,
        sex="male" if int(match["speaker"]) % 2 else "female",
        language="fr",
        intensity=None if emotion == "neutral" else _INTENSITIES[match["intensity"]],
        statement=match["sentence"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Canadian French Emotional speech dataset",
        speakers=12,
        clips=936,
        labels=tuple(_EMOTIONS.values()),
        languages=("fr",),
        licence="CC BY-NC-SA 4.0",
        citation=(
            "P. Gournay, O. Lahaie and R. Lefebvre (2018). A Canadian French Emotional Speech"
            " Dataset. Proc. 9th ACM Multimedia Systems Conference, 399-402."
        ),
        url="https://zenodo.org/records/1478765",
        download=(
            RemoteFile("https://zenodo.org/records/1478765/files/CaFE_48k.zip", "CaFE_48k.zip"),
        ),
        notes="All speakers say the same six sentences; two intensities except for neutral.",
    ),
    scan=scan,
)
