"""TurEV-DB: six amateur actors say single Turkish words in four emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "TurEV-DB"
RULE = "speaker_group_word (group kz angry, sk calm, mt happy, hl sad)"

_FILE = re.compile(r"(?P<speaker>\d{4})_(?P<group>kz|sk|mt|hl)_(?P<word>[a-z]+)(?P<take>\d?)")
_EMOTIONS = {"kz": "anger", "sk": "calm", "mt": "happiness", "hl": "sadness"}
_FOLDERS = {"angry": "kz", "calm": "sk", "happy": "mt", "sad": "hl"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of TurEV-DB.

    Parameters
    ----------
    root : Path
        Corpus folder.

    Returns
    -------
    ScanResult
        A clip whose folder names another emotion than its file is dropped.
    """
    return scan_names(root, corpus=NAME, parse=_parse, rule=RULE)


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None or _FOLDERS.get(path.parent.name.lower(), match["group"]) != match["group"]:
        return None
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["group"]],
        speaker=match["speaker"],
        corpus=NAME,
        language="tr",
        statement=match["word"],
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Turkish Emotion-Voice Database",
        speakers=6,
        clips=1735,
        labels=tuple(_EMOTIONS.values()),
        languages=("tr",),
        licence="CC BY-NC-ND 4.0",
        citation=(
            "S. F. Canpolat, Z. Ormanoglu and D. Zeyrek (2020). Turkish Emotion Voice Database"
            " (TurEV-DB). Proc. 1st Joint Workshop on Spoken Language Technologies for"
            " Under-resourced Languages (SLTU) and Collaboration and Computing for"
            " Under-Resourced Languages (CCURL), 368-375."
        ),
        url="https://github.com/Xeonen/TurEV-DB",
        download=(
            RemoteFile("https://github.com/Xeonen/TurEV-DB/archive/HEAD.zip", "TurEV-DB.zip"),
        ),
        notes="Single words of about one second; nothing is said about the speakers' sex.",
    ),
    scan=scan,
)
