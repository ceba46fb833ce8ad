"""How well a model holds when recordings are bad.

Every condition judges the same clips, degraded in a way that depends only on the seed, the
condition and the id of the clip. A clip that the model refuses in a condition counts as wrong.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import AudioError, EvaluationError
from serenade.evaluation.bootstrap import (
    Interval,
    difference_interval,
    interval,
    resampling_units,
)
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.conditions import load_materials, make_conditions
from serenade.evaluation.confusion import accuracy, unweighted_average_recall
from serenade.evaluation.judge import Answer
from serenade.evaluation.readings import closed_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.conditions import Condition
    from serenade.evaluation.confusion import IntArray
    from serenade.evaluation.judge import Judge
    from serenade.evaluation.readings import Labelling
    from serenade.types import Waveform


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """How well a model does under one condition.

    Parameters
    ----------
    name, family : str
        Of the condition.
    uar, accuracy : Interval
        Of all clips, those refused counted as wrong.
    drop : Interval
        UAR less that of the clean clips, in pairs; below zero where the condition hurts.
    n_clips, n_refused : int
        Clips judged, and how many of them the model refused.
    """

    name: str
    family: str
    uar: Interval
    accuracy: Interval
    drop: Interval
    n_clips: int
    n_refused: int

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON types.

        Returns
        -------
        dict
            With all intervals.
        """
        return {
            "name": self.name,
            "family": self.family,
            "uar": self.uar.to_json(),
            "accuracy": self.accuracy.to_json(),
            "drop": self.drop.to_json(),
            "clips": self.n_clips,
            "refused": self.n_refused,
        }


def stress(
    recognizer: Judge,
    utterances: Sequence[Utterance],
    *,
    labelling: Labelling,
    seed: int,
    root: Path | None = None,
    noise_folder: Path | None = None,
    response_folder: Path | None = None,
    max_clips: int | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> tuple[ConditionResult, ...]:
    """Judge clips under every condition.

    Parameters
    ----------
    recognizer : Judge
        The model.
    utterances : sequence of Utterance
        The clips; those outside the labelling or unreadable are passed over.
    labelling : Labelling
        Which emotions to tell apart; results are of the closed reading.
    seed : int
        Of the choice of clips, the degradations and the intervals.
    root : Path, optional
        Folder that relative paths start from.
    noise_folder, response_folder : Path, optional
        Folders with real noises and impulse responses of rooms, searched with all below.
    max_clips : int, optional
        Judge about this many clips, as many of each emotion; all by default.
    workers : int
        Number of processes.
    progress : callable, optional
        Called with the name of each condition before it starts.

    Returns
    -------
    tuple of ConditionResult
        The clean clips first.

    Raises
    ------
    EvaluationError
        If no clip is left, or a folder holds no audio.
    """
    chosen = choose_clips(
        [u for u in utterances if labelling.truth(u) is not None],
        max_clips=max_clips,
        seed=seed,
    )
    readable = [u for u in chosen if _read(u, root) is not None]
    if not readable:
        raise EvaluationError("there is no readable clip to put under stress; check the manifest")
    materials = load_materials(
        readable,
        seed=seed,
        root=root,
        noise_folder=noise_folder,
        response_folder=response_folder,
    )
    true = np.array([labelling.labels.index(str(labelling.truth(u))) for u in readable])
    results: list[ConditionResult] = []
    clean: IntArray | None = None
    for condition in make_conditions(materials):
        if progress is not None:
            progress(condition.name)
        predicted = _judge_condition(
            recognizer, readable, condition, labelling, seed=seed, root=root, workers=workers
        )
        clean = predicted if clean is None else clean
        results.append(_measure(condition, readable, true, predicted, clean, labelling, seed))
    return tuple(results)


def choose_clips(
    utterances: Sequence[Utterance], *, max_clips: int | None, seed: int
) -> list[Utterance]:
    """Choose some clips, as many of each emotion as far as there are.

    Parameters
    ----------
    utterances : sequence of Utterance
        All clips.
    max_clips : int or None
        About how many to choose, at least one per emotion; ``None`` chooses all.
    seed : int
        Of the choice.

    Returns
    -------
    list of Utterance
        In the order given.
    """
    if max_clips is None or len(utterances) <= max_clips:
        return list(utterances)
    by_emotion: dict[str, list[str]] = {}
    for utterance in sorted(utterances, key=lambda u: zlib.crc32(f"{seed}/{u.id}".encode())):
        by_emotion.setdefault(utterance.emotion, []).append(utterance.id)
    share = max(max_clips // len(by_emotion), 1)
    kept = {clip for clips in by_emotion.values() for clip in clips[:share]}
    return [utterance for utterance in utterances if utterance.id in kept]


def _read(utterance: Utterance, root: Path | None) -> Waveform | None:
    try:
        return utterance_waveform(utterance, root)
    except AudioError:
        return None


def _judge_condition(
    recognizer: Judge,
    utterances: Sequence[Utterance],
    condition: Condition,
    labelling: Labelling,
    *,
    seed: int,
    root: Path | None,
    workers: int,
) -> IntArray:
    """Give the predicted label of each clip; the number of labels stands for a refusal."""

    def degraded() -> Iterator[Waveform]:
        for utterance in utterances:
            name = f"{condition.name}/{utterance.id}"
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            yield condition.apply(utterance, utterance_waveform(utterance, root), rng)

    outcomes = recognizer.predict_many(degraded(), workers=workers)
    predictions = [outcome.prediction for outcome in outcomes]
    predicted = np.full(len(utterances), len(labelling.labels), dtype=np.int64)
    heard = [i for i, prediction in enumerate(predictions) if prediction is not None]
    if heard:
        answers = [
            Answer(utterances[i], p.probabilities, p.abstained, p.duration_seconds, p.warnings)
            for i, p in enumerate(predictions)
            if p is not None
        ]
        predicted[heard] = closed_reading(answers, labelling).predicted
    return predicted


def _measure(
    condition: Condition,
    utterances: Sequence[Utterance],
    true: IntArray,
    predicted: IntArray,
    clean: IntArray,
    labelling: Labelling,
    seed: int,
) -> ConditionResult:
    units = resampling_units([utterance.speaker_key for utterance in utterances])
    n_answers = len(labelling.labels) + 1
    uar, right = (
        interval(true, predicted, units, statistic, n_labels=n_answers, seed=seed)
        for statistic in (unweighted_average_recall, accuracy)
    )
    return ConditionResult(
        name=condition.name,
        family=condition.family,
        uar=uar,
        accuracy=right,
        drop=difference_interval(
            true,
            clean,
            predicted,
            units,
            unweighted_average_recall,
            n_labels=n_answers,
            seed=seed,
        ),
        n_clips=len(utterances),
        n_refused=int((predicted == n_answers - 1).sum()),
    )
