"""What the recordings of a manifest are like: how long, how loud, how clean, and of whom."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from serenade.audio.quality import measure_quality
from serenade.corpora.statistics import UNKNOWN
from serenade.emotions import in_order
from serenade.errors import AudioError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.types import Quality, Waveform

DIMENSIONS: Mapping[str, Callable[[Utterance], str | None]] = {
    "corpus": lambda utterance: utterance.corpus,
    "emotion": lambda utterance: utterance.emotion,
    "sex": lambda utterance: utterance.sex,
    "language": lambda utterance: utterance.language,
    "speaker": lambda utterance: utterance.speaker_key,
}
"""What clips are grouped by, and how a clip tells its group."""

SILENT = "silent"
"""Name of the row of clips of digital silence, whose level is no number."""


@dataclass(frozen=True, slots=True)
class MeasuredClip:
    """An utterance and what its recording is like.

    Parameters
    ----------
    utterance : Utterance
        The clip.
    quality : Quality
        Of its audio as it was decoded.
    """

    utterance: Utterance
    quality: Quality


@dataclass(frozen=True, slots=True)
class ClipGroup:
    """What the clips of one group have in common.

    Parameters
    ----------
    name : str
        Of the group; :data:`serenade.corpora.statistics.UNKNOWN` where the manifest says nothing.
    clips, speakers : int
        How many; only known speakers are counted.
    hours : float
        Length of all clips [h].
    mean_seconds, shortest_seconds, longest_seconds : float
        Length of a clip [s].
    median_level_dbfs : float or None
        Root-mean-square level [dB relative to full scale]; ``None`` where all clips are silent.
    median_snr_db : float
        Signal-to-noise ratio [dB].
    """

    name: str
    clips: int
    speakers: int
    hours: float
    mean_seconds: float
    shortest_seconds: float
    longest_seconds: float
    median_level_dbfs: float | None
    median_snr_db: float


@dataclass(frozen=True, slots=True)
class Exploration:
    """What the recordings of a manifest are like.

    Parameters
    ----------
    clips : tuple of MeasuredClip
        All that could be read, in the order of the manifest.
    groups : mapping of str to tuple of ClipGroup
        By dimension; see :data:`DIMENSIONS`.
    durations, levels : mapping of str to int
        Clips by length and by level, in bins of rising value without gaps.
    failures : tuple of str
        One sentence for every clip that could not be read.
    """

    clips: tuple[MeasuredClip, ...]
    groups: Mapping[str, tuple[ClipGroup, ...]]
    durations: Mapping[str, int]
    levels: Mapping[str, int]
    failures: tuple[str, ...]

    def emotions_by(self, dimension: str) -> dict[str, dict[str, int]]:
        """Count the clips of each emotion in every group.

        Parameters
        ----------
        dimension : str
            Key of :data:`DIMENSIONS`.

        Returns
        -------
        dict of str to dict of str to int
            In the order of :attr:`groups`.
        """
        name_of = DIMENSIONS[dimension]
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for clip in self.clips:
            counts[name_of(clip.utterance) or UNKNOWN][clip.utterance.emotion] += 1
        return {group.name: dict(counts[group.name]) for group in self.groups[dimension]}

    def to_json(self) -> dict[str, Any]:
        """Give all tables as a JSON object.

        Returns
        -------
        dict
            Only JSON types; numbers are rounded to six decimals.
        """
        return {
            "schema": 1,
            "kind": "exploration",
            "clips": len(self.clips),
            "groups": {
                dimension: [_group_to_json(group) for group in groups]
                for dimension, groups in self.groups.items()
            },
            "emotions_by_speaker": self.emotions_by("speaker"),
            "durations": dict(self.durations),
            "levels": dict(self.levels),
            "failures": list(self.failures),
        }


def explore(
    utterances: Sequence[Utterance],
    *,
    read_audio: Callable[[Utterance], Waveform],
    progress: Callable[[int, int], None] | None = None,
) -> Exploration:
    """Listen to every clip of a manifest and sum up what is there.

    Parameters
    ----------
    utterances : sequence of Utterance
        All that are wanted.
    read_audio : callable
        Decodes the part of a file that an utterance means, raising
        :class:`~serenade.errors.AudioError` where it cannot.
    progress : callable, optional
        Told after each clip how many are done, and of how many.

    Returns
    -------
    Exploration
        Tables of all clips that could be read.

    Raises
    ------
    ManifestError
        If no clip could be read.
    """
    clips, failures = [], []
    for number, utterance in enumerate(utterances, start=1):
        try:
            clips.append(MeasuredClip(utterance, measure_quality(read_audio(utterance))))
        except AudioError as error:
            failures.append(f"{utterance.id}: {error}")
        if progress is not None:
            progress(number, len(utterances))
    if not clips:
        raise ManifestError(
            f"none of the {len(utterances)} clips can be read; the first says: {failures[0]}"
            if failures
            else "there is no clip to explore; give a manifest with one or more"
        )
    levels = [clip.quality.level_dbfs for clip in clips]
    heard = [level for level in levels if math.isfinite(level)]
    silent = {SILENT: len(levels) - len(heard)} if len(heard) < len(levels) else {}
    return Exploration(
        clips=tuple(clips),
        groups={dimension: _groups(clips, dimension) for dimension in DIMENSIONS},
        durations=_histogram([c.quality.duration_seconds for c in clips], width=1, unit="s"),
        levels=silent | _histogram(heard, width=6, unit="dBFS"),
        failures=tuple(failures),
    )


def choose_examples(clips: Sequence[MeasuredClip]) -> dict[str, MeasuredClip]:
    """Choose one typical clip for every emotion, as alike as possible in all but the emotion.

    Parameters
    ----------
    clips : sequence of MeasuredClip
        At least one.

    Returns
    -------
    dict of str to MeasuredClip
        By emotion, in their usual order. Where it can be, all have one speaker and one text: those
        that speak the most emotions. Among the clips that are left for an emotion it is the one of
        median length.
    """
    texts: dict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    speakers: dict[str | None, set[str]] = defaultdict(set)
    for clip in clips:
        utterance = clip.utterance
        texts[utterance.speaker_key, utterance.statement].add(utterance.emotion)
        speakers[utterance.speaker_key].add(utterance.emotion)
    speaker, text = min(texts, key=lambda key: (-len(texts[key]), -len(speakers[key[0]]), str(key)))
    chosen = {}
    for emotion in in_order({clip.utterance.emotion for clip in clips}):
        of_emotion = [clip for clip in clips if clip.utterance.emotion == emotion]
        of_speaker = [c for c in of_emotion if c.utterance.speaker_key == speaker]
        of_text = [c for c in of_speaker if c.utterance.statement == text]
        ordered = sorted(
            of_text or of_speaker or of_emotion,
            key=lambda clip: (clip.quality.duration_seconds, clip.utterance.id),
        )
        chosen[emotion] = ordered[(len(ordered) - 1) // 2]
    return chosen


def _groups(clips: Sequence[MeasuredClip], dimension: str) -> tuple[ClipGroup, ...]:
    members: dict[str, list[MeasuredClip]] = defaultdict(list)
    for clip in clips:
        members[DIMENSIONS[dimension](clip.utterance) or UNKNOWN].append(clip)
    names = in_order(members) if dimension == "emotion" else sorted(members)
    return tuple(_group(name, members[name]) for name in names)


def _group(name: str, clips: Sequence[MeasuredClip]) -> ClipGroup:
    seconds = [clip.quality.duration_seconds for clip in clips]
    levels = [c.quality.level_dbfs for c in clips if math.isfinite(c.quality.level_dbfs)]
    return ClipGroup(
        name=name,
        clips=len(clips),
        speakers=len({clip.utterance.speaker_key for clip in clips} - {None}),
        hours=sum(seconds) / 3600,
        mean_seconds=fmean(seconds),
        shortest_seconds=min(seconds),
        longest_seconds=max(seconds),
        median_level_dbfs=median(levels) if levels else None,
        median_snr_db=median(clip.quality.snr_db for clip in clips),
    )


def _histogram(values: Sequence[float], *, width: int, unit: str) -> dict[str, int]:
    """Count values in bins of whole limits, from the first that holds one to the last."""
    if not values:
        return {}
    counts = Counter(math.floor(value / width) for value in values)
    return {
        f"{place * width} to {(place + 1) * width} {unit}": counts[place]
        for place in range(min(counts), max(counts) + 1)
    }


def _group_to_json(group: ClipGroup) -> dict[str, Any]:
    level = group.median_level_dbfs
    return {
        "name": group.name,
        "clips": group.clips,
        "speakers": group.speakers,
        "hours": round(group.hours, 6),
        "mean_s": round(group.mean_seconds, 6),
        "shortest_s": round(group.shortest_seconds, 6),
        "longest_s": round(group.longest_seconds, 6),
        "median_level_dbfs": None if level is None else round(level, 6),
        "median_snr_db": round(group.median_snr_db, 6),
    }
