"""Whether a model serves some people worse than others.

Groups are compared on the emotions that all of them have, as the recall of an emotion that only
one group shows would be mistaken for a difference between people. Errors are not alike either: a
wrong answer that the model is sure of does more harm, so its share is told for each group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.evaluation.bootstrap import Interval, independent_difference, resampling_units
from serenade.evaluation.breakdown import Group, measure_group
from serenade.evaluation.confusion import unweighted_average_recall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serenade.evaluation.judge import Answer
    from serenade.evaluation.readings import Reading

CONFIDENT = 0.8
"""From this confidence on, an error counts as a confident one."""

AGE_EDGES_YEARS = (30, 45, 60)
"""Borders between the age groups [years]."""


@dataclass(frozen=True, slots=True)
class FairnessGroup:
    """How one group of people is served.

    Parameters
    ----------
    group : Group
        UAR and accuracy with intervals.
    confident_error_share : float
        Share of the clips that is wrong with a confidence of :data:`CONFIDENT` or more.
    """

    group: Group
    confident_error_share: float


@dataclass(frozen=True, slots=True)
class FairnessDimension:
    """The groups along one dimension and the distance between best and worst.

    Parameters
    ----------
    name : str
        For example ``"sex"``.
    emotions : tuple of str
        The emotions that all groups have; only their clips are compared.
    groups : tuple of FairnessGroup
        By name.
    best, worst : str
        The groups with the highest and the lowest UAR.
    gap : Interval
        UAR of the best less that of the worst. Best and worst were picked after the fact, so with
        many groups a gap is to be expected by chance alone.
    """

    name: str
    emotions: tuple[str, ...]
    groups: tuple[FairnessGroup, ...]
    best: str
    worst: str
    gap: Interval

    def to_json(self) -> dict[str, Any]:
        """Give the dimension as JSON types.

        Returns
        -------
        dict
            Groups and gap.
        """
        return {
            "dimension": self.name,
            "emotions": list(self.emotions),
            "groups": [
                {
                    **member.group.to_json(),
                    "confident_error_share": member.confident_error_share,
                }
                for member in self.groups
            ],
            "best": self.best,
            "worst": self.worst,
            "gap": self.gap.to_json(),
        }


def measure_fairness(reading: Reading, *, seed: int) -> tuple[FairnessDimension, ...]:
    """Compare groups of people by sex, language, age and speaker.

    Parameters
    ----------
    reading : Reading
        What was judged.
    seed : int
        Of the intervals.

    Returns
    -------
    tuple of FairnessDimension
        Those with two or more groups that share two or more emotions; clips of an unknown group
        are left out.
    """
    dimensions = []
    for name, group_of in _DIMENSIONS.items():
        names = np.array([group_of(answer) or "" for answer in reading.answers])
        known = reading.where(names != "")
        dimension = _compare(name, known, names[names != ""], seed=seed)
        if dimension is not None:
            dimensions.append(dimension)
    return tuple(dimensions)


def confident_error_share(reading: Reading) -> float:
    """Give the share of the clips that is wrong and sure of it.

    Parameters
    ----------
    reading : Reading
        At least one clip.

    Returns
    -------
    float
        In [0, 1].
    """
    wrong = reading.predicted != reading.true
    return float((wrong & (reading.confidence >= CONFIDENT)).mean())


def age_group(age: int | None) -> str | None:
    """Name the range that an age falls into.

    Parameters
    ----------
    age : int or None
        Age [years].

    Returns
    -------
    str or None
        For example ``"30 to 44"``; ``None`` where the age is not known.
    """
    if age is None:
        return None
    place = int(np.searchsorted(AGE_EDGES_YEARS, age, side="right"))
    if place == 0:
        return f"0 to {AGE_EDGES_YEARS[0] - 1}"
    if place == len(AGE_EDGES_YEARS):
        return f"{AGE_EDGES_YEARS[-1]} and over"
    return f"{AGE_EDGES_YEARS[place - 1]} to {AGE_EDGES_YEARS[place] - 1}"


_DIMENSIONS: Mapping[str, Callable[[Answer], str | None]] = {
    "sex": lambda answer: answer.utterance.sex,
    "language": lambda answer: answer.utterance.language,
    "age": lambda answer: age_group(answer.utterance.age),
    "speaker": lambda answer: answer.utterance.speaker_key,
}


def _compare(
    name: str, reading: Reading, names: np.ndarray[Any, np.dtype[np.str_]], *, seed: int
) -> FairnessDimension | None:
    unique = sorted(set(names.tolist()))
    if len(unique) < 2:
        return None
    shared = set.intersection(*(set(reading.true[names == one].tolist()) for one in unique))
    if len(shared) < 2:
        return None
    comparable = np.isin(reading.true, sorted(shared))
    members = {one: reading.where(comparable & (names == one)) for one in unique}
    groups = tuple(
        FairnessGroup(measure_group(member, name=one, seed=seed), confident_error_share(member))
        for one, member in members.items()
    )
    ranked = sorted(groups, key=lambda member: member.group.uar.value)
    worst, best = ranked[0].group.name, ranked[-1].group.name
    gap = independent_difference(
        (members[worst].true, members[worst].predicted, resampling_units(members[worst].speakers)),
        (members[best].true, members[best].predicted, resampling_units(members[best].speakers)),
        unweighted_average_recall,
        n_labels=len(reading.labels),
        seed=seed,
    )
    emotions = tuple(reading.labels[label] for label in sorted(shared))
    return FairnessDimension(name, emotions, groups, best, worst, gap)
