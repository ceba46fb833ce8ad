"""Two models on the same clips: how much better is one, and is that more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import EvaluationError
from serenade.evaluation.bootstrap import difference_interval, interval, resampling_units
from serenade.evaluation.confusion import accuracy, unweighted_average_recall
from serenade.evaluation.readings import closed_reading, open_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.evaluation.bootstrap import Interval
    from serenade.evaluation.evaluate import Setting
    from serenade.evaluation.judge import Answer, Judgement
    from serenade.evaluation.readings import Labelling, Reading

_STATISTICS = {"uar": unweighted_average_recall, "accuracy": accuracy}


@dataclass(frozen=True, slots=True)
class Difference:
    """How one figure of two models differs on one group of clips.

    Parameters
    ----------
    reading : str
        ``"closed"`` or ``"open"``.
    group : str
        Name of a corpus, or ``"all"``.
    figure : str
        ``"uar"`` or ``"accuracy"``.
    n_clips : int
        Clips that both models judged.
    a, b : Interval
        The figure of each model.
    difference : Interval
        That of B less that of A, resampled in pairs.
    """

    reading: str
    group: str
    figure: str
    n_clips: int
    a: Interval
    b: Interval
    difference: Interval

    @property
    def verdict(self) -> str:
        """Which model is better, as far as the interval tells."""
        if self.difference.low > 0:
            return "B is better"
        if self.difference.high < 0:
            return "A is better"
        return "no difference shown"

    def to_json(self) -> dict[str, Any]:
        """Give the difference as JSON types.

        Returns
        -------
        dict
            With the verdict.
        """
        return {
            "reading": self.reading,
            "group": self.group,
            "figure": self.figure,
            "clips": self.n_clips,
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "difference": self.difference.to_json(),
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All differences of two models.

    Parameters
    ----------
    setting_a, setting_b : Setting
        How each was measured.
    labelling : Labelling
        Which emotions were told apart.
    differences : tuple of Difference
        By reading, group and figure.
    n_left_out : int
        Clips that only one model, or none, could judge.
    """

    setting_a: Setting
    setting_b: Setting
    labelling: Labelling
    differences: tuple[Difference, ...]
    n_left_out: int

    def to_json(self) -> dict[str, Any]:
        """Give the comparison as JSON types.

        Returns
        -------
        dict
            The content of a result file.
        """
        return {
            "schema": 1,
            "kind": "comparison",
            "a": self.setting_a.to_json(),
            "b": self.setting_b.to_json(),
            "labelling": self.labelling.to_json(),
            "left_out": self.n_left_out,
            "differences": [difference.to_json() for difference in self.differences],
        }


def compare(
    judgement_a: Judgement,
    judgement_b: Judgement,
    *,
    labelling: Labelling,
    setting_a: Setting,
    setting_b: Setting,
) -> Comparison:
    """Compare what two models answered to the same utterances.

    Parameters
    ----------
    judgement_a, judgement_b : Judgement
        Answers of the models; only clips that both answered count.
    labelling : Labelling
        Which emotions to tell apart.
    setting_a, setting_b : Setting
        How each was measured; the seed of `setting_a` draws the intervals.

    Returns
    -------
    Comparison
        Of all clips together and of each corpus.

    Raises
    ------
    EvaluationError
        If there is no clip that both answered.
    """
    answers_a, answers_b = _answered_by_both(judgement_a.answers, judgement_b.answers)
    total = len(judgement_a.answers) + len(judgement_a.failures)
    differences: list[Difference] = []
    for read in (closed_reading, open_reading):
        reading_a, reading_b = read(answers_a, labelling), read(answers_b, labelling)
        corpora = np.array([answer.utterance.corpus for answer in reading_a.answers])
        groups = [("all", np.ones(corpora.size, dtype=bool))]
        groups += [(str(name), corpora == name) for name in np.unique(corpora)]
        for group, keep in groups if len(groups) > 2 else groups[:1]:
            pair = (reading_a.where(keep), reading_b.where(keep))
            differences += _differences(group, *pair, seed=setting_a.seed)
    return Comparison(setting_a, setting_b, labelling, tuple(differences), total - len(answers_a))


def _answered_by_both(
    answers_a: Sequence[Answer], answers_b: Sequence[Answer]
) -> tuple[list[Answer], list[Answer]]:
    by_id_a = {answer.utterance.id: answer for answer in answers_a}
    by_id_b = {answer.utterance.id: answer for answer in answers_b}
    shared = [name for name in by_id_a if name in by_id_b]
    if not shared:
        raise EvaluationError("there is no clip that both models could judge; check the manifest")
    return [by_id_a[name] for name in shared], [by_id_b[name] for name in shared]


def _differences(group: str, a: Reading, b: Reading, *, seed: int) -> list[Difference]:
    labels = a.labels + tuple(label for label in b.labels if label not in a.labels)
    place_in = [labels.index(label) for label in b.labels]
    predicted_b = np.array(place_in, dtype=np.int64)[b.predicted]
    units = resampling_units(a.speakers)
    n_labels = len(labels)
    return [
        Difference(
            reading=a.name,
            group=group,
            figure=figure,
            n_clips=len(a.answers),
            a=interval(a.true, a.predicted, units, statistic, n_labels=n_labels, seed=seed),
            b=interval(a.true, predicted_b, units, statistic, n_labels=n_labels, seed=seed),
            difference=difference_interval(
                a.true, a.predicted, predicted_b, units, statistic, n_labels=n_labels, seed=seed
            ),
        )
        for figure, statistic in _STATISTICS.items()
    ]
