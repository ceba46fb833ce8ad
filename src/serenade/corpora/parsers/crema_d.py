"""CREMA-D: 91 actors of many ages and origins say twelve sentences."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, RemoteFile, RemoteIndex, ScanResult, scan_names
from serenade.corpora.manifest import Utterance
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "CREMA-D"
RULE = "AAAA_SSS_EMO_LL (actor, sentence, emotion, level)"
DEMOGRAPHICS = ("VideoDemographics.csv", "cremad_speakers.csv")
"""Tables of the actors' ages; looked for in the corpus folder and beside it."""

_FILE = re.compile(
    r"(?P<actor>10\d\d)_(?P<sentence>[A-Z]{3})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)"
    r"_(?P<level>LO|MD|HI|XX|X)"
)
_EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}
# fmt: off
_WOMEN = frozenset((
    "1002", "1003", "1004", "1006", "1007", "1008", "1009", "1010", "1012", "1013",
    "1018", "1020", "1021", "1024", "1025", "1028", "1029", "1030", "1037", "1043",
    "1046", "1047", "1049", "1052", "1053", "1054", "1055", "1056", "1058", "1060",
    "1061", "1063", "1072", "1073", "1074", "1075", "1076", "1078", "1079", "1082",
    "1084", "1089", "1091",
))
# fmt: on

_TWO_LABELS = "the same audio is published under two labels, {}, and none can be trusted"
DEFECTS = {
    f"{NAME}/1076_MTI_SAD_XX": "digital silence",
    f"{NAME}/1013_WSI_DIS_XX": _TWO_LABELS.format("disgust and sadness"),
    f"{NAME}/1013_WSI_SAD_XX": _TWO_LABELS.format("disgust and sadness"),
    f"{NAME}/1017_IWW_ANG_XX": _TWO_LABELS.format("anger and fear"),
    f"{NAME}/1017_IWW_FEA_XX": _TWO_LABELS.format("anger and fear"),
}
"""Utterances that are dropped."""


def scan(root: Path) -> ScanResult:
    """Scan the folder of CREMA-D.

    Parameters
    ----------
    root : Path
        The publisher's folder, or its ``AudioWAV``.

    Returns
    -------
    ScanResult
        With ages where one of :data:`DEMOGRAPHICS` is found; the intensity is ``None`` for the
        level XX, which means that none was asked for.

    Raises
    ------
    ManifestError
        If the folder holds no clip or a table of the actors cannot be read.
    """
    found = scan_names(root, corpus=NAME, parse=_parse, rule=RULE, defects=DEFECTS)
    ages = _read_ages(root)
    return replace(
        found,
        utterances=tuple(
            replace(utterance, age=ages.get(str(utterance.speaker)))
            for utterance in found.utterances
        ),
    )


def _parse(path: Path) -> Utterance | None:
    match = _FILE.fullmatch(path.stem)
    if match is None or not 1001 <= int(match["actor"]) <= 1091:
        return None
    return Utterance(
        id=f"{NAME}/{path.stem}",
        path=str(path),
        emotion=_EMOTIONS[match["emotion"]],
        speaker=match["actor"],
        corpus=NAME,
        sex="female" if match["actor"] in _WOMEN else "male",
        language="en",
        intensity=_LEVELS.get(match["level"]),
        statement=match["sentence"],
    )


def _read_ages(root: Path) -> dict[str, int]:
    for table in (folder / name for folder in (root, root.parent) for name in DEMOGRAPHICS):
        if table.is_file():
            try:
                with table.open(encoding="utf-8-sig", newline="") as lines:
                    return {row["ActorID"]: int(row["Age"]) for row in csv.DictReader(lines)}
            except (OSError, KeyError, ValueError, TypeError) as error:
                raise ManifestError(
                    f"{table}: cannot be read as a table with the columns ActorID and Age;"
                    " mend it or move it away"
                ) from error
    return {}


_REPOSITORY = "CheyneyComputerScience/CREMA-D/master"

CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Crowd-sourced Emotional Multimodal Actors Dataset",
        speakers=91,
        clips=7442,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="ODbL 1.0, contents DbCL 1.0",
        citation=(
            "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova and R. Verma (2014)."
            " CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on"
            " Affective Computing 5(4): 377-390."
        ),
        url="https://github.com/CheyneyComputerScience/CREMA-D",
        download=(
            RemoteFile(
                f"https://raw.githubusercontent.com/{_REPOSITORY}/VideoDemographics.csv",
                "VideoDemographics.csv",
            ),
            RemoteIndex(
                table=RemoteFile(
                    f"https://raw.githubusercontent.com/{_REPOSITORY}/SentenceFilenames.csv",
                    "SentenceFilenames.csv",
                ),
                column="Filename",
                url=f"https://media.githubusercontent.com/media/{_REPOSITORY}/AudioWAV/{{}}.wav",
                name="AudioWAV/{}.wav",
            ),
        ),
        notes=(
            "The label is the emotion that the actor was asked for; listeners who only hear the"
            " voice agree with it in about four of ten clips."
        ),
    ),
    scan=scan,
)
