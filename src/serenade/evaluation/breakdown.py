"""Results by corpus, emotion, speaker, sex, language, intensity and duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.evaluation.bootstrap import Interval, interval, resampling_units
from serenade.evaluation.confusion import (
    accuracy,
    confusion_matrix,
    unweighted_average_recall,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serenade.evaluation.judge import Answer
    from serenade.evaluation.readings import Reading

UNKNOWN = "unknown"
"""Name of the group of clips for which nothing is known."""

DURATION_EDGES_SECONDS = (1.0, 2.0, 3.0, 5.0)
"""Borders between the groups of clips by length [s]."""


@dataclass(frozen=True, slots=True)
class Group:
    """Results on the clips that have one thing in common.

    Parameters
    ----------
    name : str
        What they have in common, for example ``"female"``.
    n_clips, n_speakers : int
        Size; speakers whose name is known.
    uar, accuracy : Interval
        With intervals resampled within the group.
    n_emotions : int
        Emotions that have clips. UAR of groups with different emotions cannot be compared.
    """

    name: str
    n_clips: int
    n_speakers: int
    uar: Interval
    accuracy: Interval
    n_emotions: int

    def to_json(self) -> dict[str, Any]:
        """Give the group as JSON types.

        Returns
        -------
        dict
            With both intervals.
        """
        return {
            "name": self.name,
            "clips": self.n_clips,
            "speakers": self.n_speakers,
            "emotions": self.n_emotions,
            "uar": self.uar.to_json(),
            "accuracy": self.accuracy.to_json(),
        }


def break_down(reading: Reading, *, seed: int) -> dict[str, tuple[Group, ...]]:
    """Measure the clips of every group of every dimension.

    Parameters
    ----------
    reading : Reading
        What was judged.
    seed : int
        Of the intervals.

    Returns
    -------
    dict of str to tuple of Group
        By dimension; a dimension about which nothing is known is left out.
    """
    groups: dict[str, tuple[Group, ...]] = {}
    for dimension, name_of in DIMENSIONS.items():
        names = [name_of(answer) for answer in reading.answers]
        if any(name is not None for name in names):
            groups[dimension] = measure_groups(reading, names, seed=seed)
    emotions = [reading.labels[label] for label in reading.true]
    groups["emotion"] = measure_groups(reading, emotions, seed=seed)
    return groups


def measure_groups(reading: Reading, names: list[str | None], *, seed: int) -> tuple[Group, ...]:
    """Measure clips group by group.

    Parameters
    ----------
    reading : Reading
        The n clips.
    names : list of str or None
        Group of each clip; ``None`` where it is unknown.
    seed : int
        Of the intervals.

    Returns
    -------
    tuple of Group
        In the order of the names; the unknown last.
    """
    filled = np.array([UNKNOWN if name is None else name for name in names])
    ordered = sorted(set(filled.tolist()), key=lambda name: (name == UNKNOWN, name))
    return tuple(
        measure_group(reading.where(filled == name), name=name, seed=seed) for name in ordered
    )


def measure_group(reading: Reading, *, name: str, seed: int) -> Group:
    """Measure all clips of a reading as one group.

    Parameters
    ----------
    reading : Reading
        At least one clip.
    name : str
        Of the group.
    seed : int
        Of the intervals.

    Returns
    -------
    Group
        UAR and accuracy with intervals.
    """
    speakers = reading.speakers
    units = resampling_units(speakers)
    n_labels = len(reading.labels)
    predicted = reading.predicted
    confusion = confusion_matrix(reading.true, predicted, n_labels=n_labels)
    uar, right = (
        interval(reading.true, predicted, units, statistic, n_labels=n_labels, seed=seed)
        for statistic in (unweighted_average_recall, accuracy)
    )
    return Group(
        name=name,
        n_clips=len(reading.answers),
        n_speakers=len({speaker for speaker in speakers if speaker is not None}),
        uar=uar,
        accuracy=right,
        n_emotions=int((confusion.sum(axis=1) > 0).sum()),
    )


def duration_group(duration_seconds: float) -> str:
    """Name the range that a length falls into.

    Parameters
    ----------
    duration_seconds : float
        Length of a clip [s].

    Returns
    -------
    str
        For example ``"1 to 2 s"``.
    """
    place = int(np.searchsorted(DURATION_EDGES_SECONDS, duration_seconds, side="right"))
    if place == 0:
        return f"0 to {DURATION_EDGES_SECONDS[0]:g} s"
    if place == len(DURATION_EDGES_SECONDS):
        return f"{DURATION_EDGES_SECONDS[-1]:g} s and more"
    return f"{DURATION_EDGES_SECONDS[place - 1]:g} to {DURATION_EDGES_SECONDS[place]:g} s"


DIMENSIONS: Mapping[str, Callable[[Answer], str | None]] = {
    "corpus": lambda answer: answer.utterance.corpus,
    "speaker": lambda answer: answer.utterance.speaker_key,
    "sex": lambda answer: answer.utterance.sex,
    "language": lambda answer: answer.utterance.language,
    "intensity": lambda answer: answer.utterance.intensity,
    "duration": lambda answer: duration_group(answer.duration_seconds),
}
"""What clips are grouped by, beside their emotion."""
