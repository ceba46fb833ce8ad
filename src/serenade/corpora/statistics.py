"""What a manifest holds: how many utterances, speakers and hours, and of what."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.emotions import EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from serenade.corpora.manifest import Utterance

UNKNOWN = "unknown"
"""How a value that a manifest does not give is counted."""


@dataclass(frozen=True, slots=True)
class CorpusStatistics:
    """Counts of one corpus.

    Parameters
    ----------
    corpus : str
        Its name.
    utterances : int
        How many.
    speakers : int
        How many are known.
    hours : float or None
        Length of all utterances [h]; ``None`` where durations were not asked for.
    emotions, sexes, languages, intensities, splits : mapping of str to int
        Utterances by value; values that are not given are counted as :data:`UNKNOWN`.
    per_speaker : mapping of str to mapping of str to int
        Utterances by emotion, for every known speaker.
    """

    corpus: str
    utterances: int
    speakers: int
    hours: float | None
    emotions: Mapping[str, int]
    sexes: Mapping[str, int]
    languages: Mapping[str, int]
    intensities: Mapping[str, int]
    splits: Mapping[str, int]
    per_speaker: Mapping[str, Mapping[str, int]]


def describe(
    utterances: Iterable[Utterance],
    *,
    seconds_of: Callable[[Utterance], float] | None = None,
) -> list[CorpusStatistics]:
    """Count what a manifest holds.

    Parameters
    ----------
    utterances : iterable of Utterance
        Of any corpora.
    seconds_of : callable, optional
        Gives the length of an utterance [s], for example from the header of its file.

    Returns
    -------
    list of CorpusStatistics
        One per corpus, by name.
    """
    by_corpus: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_corpus[utterance.corpus].append(utterance)
    return [
        _describe_corpus(corpus, members, seconds_of)
        for corpus, members in sorted(by_corpus.items())
    ]


def _describe_corpus(
    corpus: str,
    utterances: list[Utterance],
    seconds_of: Callable[[Utterance], float] | None,
) -> CorpusStatistics:
    speakers = sorted({u.speaker for u in utterances if u.speaker is not None})
    return CorpusStatistics(
        corpus=corpus,
        utterances=len(utterances),
        speakers=len(speakers),
        hours=None if seconds_of is None else sum(map(seconds_of, utterances)) / 3600,
        emotions=_by_emotion(utterances),
        sexes=_count(u.sex for u in utterances),
        languages=_count(u.language for u in utterances),
        intensities=_count(u.intensity for u in utterances),
        splits=_count(u.split for u in utterances),
        per_speaker={
            speaker: _by_emotion([u for u in utterances if u.speaker == speaker])
            for speaker in speakers
        },
    )


def _by_emotion(utterances: list[Utterance]) -> dict[str, int]:
    """Count in the usual order of the emotions, new ones last."""
    counts = Counter(utterance.emotion for utterance in utterances)
    usual = {emotion: counts[emotion] for emotion in EMOTIONS if emotion in counts}
    return usual | {emotion: counts[emotion] for emotion in sorted(counts.keys() - usual.keys())}


def _count(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value or UNKNOWN for value in values).items()))
