"""URDU: 400 clips of Urdu talk shows in four emotions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, ScanResult, scan_names
from serenade.corpora.manifest import Utterance

if TYPE_CHECKING:
    from pathlib import Path

NAME = "URDU"
RULE = "SXn_Fn_En (sex F or M and number of the speaker, file, emotion A H N S)"

_FILE = re.compile(r"(?P<speaker>S(?P<sex>[FM])\d+)_F\d+_(?P<emotion>[AHNS])\d+")
_EMOTIONS = {"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"}
_SEXES = {"F": "female", "M": "male"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of URDU.

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
        language="ur",
    )


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="URDU: Urdu-language speech emotion database",
        speakers=38,
        clips=400,
        labels=tuple(_EMOTIONS.values()),
        languages=("ur",),
        licence="none stated",
        citation=(
            "S. Latif, A. Qayyum, M. Usman and J. Qadir (2018). Cross Lingual Speech Emotion"
            " Recognition: Urdu vs. Western Languages. Proc. International Conference on Frontiers"
            " of Information Technology, 88-93."
        ),
        url="https://github.com/siddiquelatif/URDU-Dataset",
        download=(
            RemoteFile(
                "https://github.com/siddiquelatif/URDU-Dataset/archive/HEAD.zip", "URDU.zip"
            ),
        ),
        notes="Unscripted speech from talk shows, 27 men and 11 women.",
    ),
    scan=scan,
)
