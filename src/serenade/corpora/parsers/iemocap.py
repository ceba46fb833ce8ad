"""IEMOCAP: ten actors in five sessions of dialogue; the labels are in text files beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Card, Corpus, Dropped, ScanResult, audio_files, files_with
from serenade.corpora.manifest import Utterance
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "IEMOCAP"

_TURN = re.compile(
    r"(?P<dialogue>Ses(?P<session>0[1-5])[FM]_(?:impro|script)\w+)_(?P<speaker>[FM])[X\d]{2}\d"
)
_LABEL = re.compile(
    r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<turn>\w+)\t(?P<emotion>[a-z]{3})\t\[.*\]", re.MULTILINE
)
_EMOTIONS = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excitement",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "sad": "sadness",
    "sur": "surprise",
}
_UNUSABLE = {
    "xxx": "the listeners did not agree on an emotion",
    "oth": "the listeners heard an emotion that the corpus has no name for",
}
_SEXES = {"F": "female", "M": "male"}


def scan(root: Path) -> ScanResult:
    """Scan the folder of IEMOCAP.

    Parameters
    ----------
    root : Path
        Holds ``Session1`` to ``Session5``, or some of them, with the turns below
        ``sentences/wav`` and the labels below ``dialog/EmoEvaluation``.

    Returns
    -------
    ScanResult
        The speaker is session and sex. (The sex in the dialogue's name is that of the actor who
        wore the motion capture markers, not of the speaker.)

    Raises
    ------
    ManifestError
        If there is no label file or no labelled turn.
    """
    labels = _read_labels(root)
    utterances: list[Utterance] = []
    dropped: list[Dropped] = []
    for path in audio_files(root):
        turn = _TURN.fullmatch(path.stem)
        label = labels.get(path.stem)
        if turn is None:
            dropped.append(Dropped(str(path), "not a turn: the name is that of a dialogue"))
        elif label is None:
            dropped.append(Dropped(str(path), "no line of EmoEvaluation names this turn"))
        elif label in _UNUSABLE:
            dropped.append(Dropped(str(path), _UNUSABLE[label]))
        elif label not in _EMOTIONS:
            dropped.append(Dropped(str(path), f"EmoEvaluation has an unknown label {label!r}"))
        else:
            utterances.append(
                Utterance(
                    id=f"{NAME}/{path.stem}",
                    path=str(path),
                    emotion=_EMOTIONS[label],
                    speaker=f"{turn['session']}{turn['speaker']}",
                    corpus=NAME,
                    sex=_SEXES[turn["speaker"]],
                    language="en",
                )
            )
    if not utterances:
        raise ManifestError(f"{root}: holds no labelled turn of IEMOCAP below sentences/wav")
    return ScanResult(tuple(sorted(utterances, key=lambda u: u.id)), tuple(dropped))


def _read_labels(root: Path) -> dict[str, str]:
    """Give the label of every turn from the files directly in the folders EmoEvaluation."""
    files = sorted(
        file for file in files_with(root, (".txt",)) if file.parent.name == "EmoEvaluation"
    )
    if not files:
        raise ManifestError(
            f"{root}: holds no dialog/EmoEvaluation/*.txt; give the folder of IEMOCAP that holds"
            " Session1 to Session5"
        )
    labels: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ManifestError(f"{file}: cannot be read ({error.strerror})") from error
        labels.update((match["turn"], match["emotion"]) for match in _LABEL.finditer(text))
    return labels


CORPUS = Corpus(
    name=NAME,
    card=Card(
        title="Interactive Emotional Dyadic Motion Capture database",
        speakers=10,
        clips=10039,
        labels=tuple(_EMOTIONS.values()),
        languages=("en",),
        licence="research licence after application, no redistribution",
        citation=(
            "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee"
            " and S. S. Narayanan (2008). IEMOCAP: Interactive emotional dyadic motion capture"
            " database. Language Resources and Evaluation 42: 335-359."
        ),
        url="https://sail.usc.edu/iemocap/",
        registration=(
            "send the release form of https://sail.usc.edu/iemocap/iemocap_release.htm, then"
            " unpack the archive from the address that you are sent"
        ),
        notes=(
            "Labels are votes of listeners; about a quarter of the turns has no majority and is"
            " dropped. Most papers use four classes with excitement counted as happiness."
        ),
    ),
    scan=scan,
)
