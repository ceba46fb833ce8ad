"""The vocabulary of emotions: canonical names, aliases, label sets and maps between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happiness",
    "sadness",
    "anger",
    "fear",
    "disgust",
    "surprise",
    "boredom",
)
"""Canonical names, in the order in which results are shown."""

ALIASES: Mapping[str, str] = {
    "angry": "anger",
    "ang": "anger",
    "mad": "anger",
    "bored": "boredom",
    "calmness": "calm",
    "disgusted": "disgust",
    "dis": "disgust",
    "excited": "excitement",
    "afraid": "fear",
    "fea": "fear",
    "fearful": "fear",
    "scared": "fear",
    "frustrated": "frustration",
    "hap": "happiness",
    "happy": "happiness",
    "joy": "happiness",
    "joyful": "happiness",
    "neu": "neutral",
    "normal": "neutral",
    "ps": "surprise",
    "pleasant_surprise": "surprise",
    "pleasant_surprised": "surprise",
    "surprised": "surprise",
    "sur": "surprise",
    "sad": "sadness",
    "sadful": "sadness",
}
"""Other spellings, in lower case with underscores, and the canonical name of each."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def parse_emotion(text: str, *, allow_new: bool = False) -> str:
    """Give the canonical name of an emotion.

    Parameters
    ----------
    text : str
        A name in any case; spaces and hyphens count as underscores.
    allow_new : bool
        Accept a name that is neither canonical nor an alias, as a corpus or a user's folders
        may bring one.

    Returns
    -------
    str
        Canonical name in lower case.

    Raises
    ------
    LabelError
        If the name is unknown and `allow_new` is false, or is not a word.

    Examples
    --------
    >>> parse_emotion("Pleasant Surprise")
    'surprise'
    """
    name = re.sub(r"[\s\-]+", "_", text.strip().lower())
    name = ALIASES.get(name, name)
    if name in EMOTIONS or (allow_new and _NAME.fullmatch(name)):
        return name
    raise LabelError(
        f"unknown emotion {text!r}; known are {', '.join(EMOTIONS)} and their usual aliases"
    )


def in_order(emotions: Iterable[str]) -> tuple[str, ...]:
    """Order emotions as results show them: the canonical ones first, others by name.

    Parameters
    ----------
    emotions : iterable of str
        Names; a repeated one counts once.

    Returns
    -------
    tuple of str
        Without repetition.
    """
    names = set(emotions)
    return tuple(e for e in EMOTIONS if e in names) + tuple(sorted(names - set(EMOTIONS)))


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The emotions that a model tells apart, in the order of its outputs.

    Parameters
    ----------
    labels : tuple of str
        At least two different names.

    Raises
    ------
    LabelError
        If there are fewer than two names or one occurs twice.
    """

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise LabelError(
                f"a label set needs two or more different emotions, got {list(self.labels)}"
            )

    def index(self, emotion: str) -> int:
        """Give the position of an emotion.

        Parameters
        ----------
        emotion : str
            Canonical name.

        Returns
        -------
        int
            Position in [0, len(self)).

        Raises
        ------
        LabelError
            If the set does not hold the emotion.
        """
        if emotion not in self.labels:
            raise LabelError(
                f"emotion {emotion!r} is not in the label set {', '.join(self.labels)}"
            )
        return self.labels.index(emotion)

    def __contains__(self, emotion: object) -> bool:
        return emotion in self.labels

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)


LABEL_SETS: Mapping[str, LabelSet] = {
    "4": LabelSet(("neutral", "happiness", "sadness", "anger")),
    "6": LabelSet(("neutral", "happiness", "sadness", "anger", "fear", "disgust")),
    "7": LabelSet(("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise")),
    "8": LabelSet(
        ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
    ),
    "9": LabelSet(EMOTIONS),
}
"""Usual label sets by name."""


@dataclass(frozen=True, slots=True)
class LabelMap:
    """How emotions of one vocabulary become those of another.

    Parameters
    ----------
    name : str
        Written into every result that used the map.
    renamed : mapping of str to str
        Emotions that become another one; all others keep their name.
    dropped : frozenset of str
        Emotions whose utterances are left out.
    """

    name: str
    renamed: Mapping[str, str]
    dropped: frozenset[str] = frozenset()

    def apply(self, emotion: str) -> str | None:
        """Give the new name of an emotion, or ``None`` where it is dropped.

        Parameters
        ----------
        emotion : str
            Canonical name.

        Returns
        -------
        str or None
            The name in the target vocabulary.
        """
        if emotion in self.dropped:
            return None
        return self.renamed.get(emotion, emotion)


IDENTITY = LabelMap("as labelled", {})
"""The map that changes nothing."""
