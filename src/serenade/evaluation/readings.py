"""Two readings of a model that knows other emotions than a corpus.

``closed``
    Only the emotions of the label set can be answered: the others' probabilities are set aside and
    the rest is scaled to sum to 1. This is what a model trained on that set would have to do, so
    it is the reading to compare with published figures.
``open``
    Every emotion of the model can be answered, as a user of the model sees it. An answer outside
    the label set is wrong.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.corpora.labels import label_map_for
from serenade.emotions import IDENTITY, LABEL_SETS, LabelMap, in_order
from serenade.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.confusion import Float64Array, IntArray
    from serenade.evaluation.judge import Answer


@dataclass(frozen=True, slots=True)
class Labelling:
    """Which emotions are told apart and how the names of corpus and model become them.

    Parameters
    ----------
    name : str
        ``"corpus"`` or the name of one of :data:`serenade.emotions.LABEL_SETS`.
    labels : tuple of str
        The emotions of the closed reading.
    label_map : LabelMap
        Applied to the truth and to the model's emotions alike; probabilities of merged emotions
        add up.
    """

    name: str
    labels: tuple[str, ...]
    label_map: LabelMap

    def truth(self, utterance: Utterance) -> str | None:
        """Give the true emotion in this labelling.

        Parameters
        ----------
        utterance : Utterance
            With the emotion that the corpus gives.

        Returns
        -------
        str or None
            ``None`` where the utterance is left out.
        """
        emotion = self.label_map.apply(utterance.emotion)
        return emotion if emotion in self.labels else None

    def to_json(self) -> dict[str, object]:
        """Give the labelling as JSON types.

        Returns
        -------
        dict
            Name, labels, and every renaming and dropping.
        """
        return {
            "name": self.name,
            "labels": list(self.labels),
            "map": self.label_map.name,
            "renamed": dict(self.label_map.renamed),
            "dropped": sorted(self.label_map.dropped),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Truth and probabilities of the clips that were judged, ready to be measured.

    Parameters
    ----------
    name : str
        ``"closed"`` or ``"open"``.
    labels : tuple of str
        The k emotions that can be answered.
    answers : tuple of Answer
        The n clips.
    true : ndarray of shape (n,), int64
        True emotions as positions in `labels`.
    probabilities : ndarray of shape (n, k), float64
        Rows sum to 1.
    """

    name: str
    labels: tuple[str, ...]
    answers: tuple[Answer, ...]
    true: IntArray
    probabilities: Float64Array

    @property
    def predicted(self) -> IntArray:
        """Most probable emotion of each clip as a position in `labels`."""
        predicted: IntArray = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def confidence(self) -> Float64Array:
        """Probability of the most probable emotion of each clip."""
        confidence: Float64Array = self.probabilities.max(axis=1)
        return confidence

    @property
    def speakers(self) -> list[str | None]:
        """Speaker of each clip, unique across corpora."""
        return [answer.utterance.speaker_key for answer in self.answers]

    def where(self, keep: npt.NDArray[np.bool_]) -> Reading:
        """Give the reading of some of the clips.

        Parameters
        ----------
        keep : ndarray of shape (n,), bool
            The clips to keep.

        Returns
        -------
        Reading
            With the same labels.
        """
        answers = tuple(answer for answer, kept in zip(self.answers, keep, strict=True) if kept)
        return Reading(self.name, self.labels, answers, self.true[keep], self.probabilities[keep])


def choose_labelling(
    name: str, utterances: Iterable[Utterance], *, label_map: LabelMap | None = None
) -> Labelling:
    """Choose the emotions to tell apart.

    Parameters
    ----------
    name : str
        ``"corpus"`` for the emotions that the utterances have, or a name in
        :data:`serenade.emotions.LABEL_SETS`.
    utterances : iterable of Utterance
        What is evaluated.
    label_map : LabelMap, optional
        How names change. Without it, nothing changes for ``"corpus"``, and a set has its own
        map (:mod:`serenade.corpora.labels`). Emotions outside the set are left out.

    Returns
    -------
    Labelling
        The choice.

    Raises
    ------
    EvaluationError
        If the name is unknown or fewer than two emotions are left.
    """
    if name != "corpus" and name not in LABEL_SETS:
        raise EvaluationError(
            f"unknown label set {name!r}; allowed are corpus, {', '.join(LABEL_SETS)}"
        )
    wanted = None if name == "corpus" else LABEL_SETS[name].labels
    if label_map is None:
        label_map = IDENTITY if name == "corpus" else label_map_for(name)
    mapped = {label_map.apply(utterance.emotion) for utterance in utterances}
    present = in_order(emotion for emotion in mapped if emotion is not None)
    labels = present if wanted is None else wanted
    if len([label for label in present if label in labels]) < 2:
        raise EvaluationError(
            f"the utterances have the emotions {', '.join(present) or 'none'}, of which fewer than"
            f" two are in label set {name!r}; choose another set or another manifest"
        )
    return Labelling(name, labels, label_map)


def closed_reading(answers: Sequence[Answer], labelling: Labelling) -> Reading:
    """Read answers as if only the emotions of the labelling could be given.

    Where a model gives all of them no probability at all, they share it alike.

    Parameters
    ----------
    answers : sequence of Answer
        Of one model.
    labelling : Labelling
        The emotions.

    Returns
    -------
    Reading
        Of the answers whose truth is in the labelling.

    Raises
    ------
    EvaluationError
        If no answer is left, or the model knows none of the emotions.
    """
    kept, true = _truth(answers, labelling)
    sums = _merged(kept, labelling, labelling.labels)
    totals = sums.sum(axis=1, keepdims=True)
    if not totals.any():
        raise EvaluationError(
            f"the model knows none of the emotions {', '.join(labelling.labels)};"
            " choose another label set"
        )
    known = sums.any(axis=0)
    even = np.broadcast_to(known / known.sum(), sums.shape)
    probabilities = np.where(totals > 0, sums / np.where(totals > 0, totals, 1.0), even)
    return Reading("closed", labelling.labels, kept, true, probabilities)


def open_reading(answers: Sequence[Answer], labelling: Labelling) -> Reading:
    """Read answers as the model gives them, with all of its emotions.

    Parameters
    ----------
    answers : sequence of Answer
        Of one model.
    labelling : Labelling
        The emotions of the truth.

    Returns
    -------
    Reading
        Of the answers whose truth is in the labelling; its labels are those of the labelling,
        then the model's others.

    Raises
    ------
    EvaluationError
        If no answer is left.
    """
    kept, true = _truth(answers, labelling)
    own = {labelling.label_map.apply(name) or name for name in kept[0].probabilities}
    labels = labelling.labels + in_order(own - set(labelling.labels))
    sums = _merged(kept, labelling, labels)
    return Reading("open", labels, kept, true, sums / sums.sum(axis=1, keepdims=True))


def left_out(utterances: Iterable[Utterance], labelling: Labelling) -> dict[str, int]:
    """Count the utterances whose emotion is not in a labelling.

    Parameters
    ----------
    utterances : iterable of Utterance
        What was to be evaluated.
    labelling : Labelling
        The emotions.

    Returns
    -------
    dict
        Clips by the emotion that the corpus gives.
    """
    return dict(
        sorted(Counter(u.emotion for u in utterances if labelling.truth(u) is None).items())
    )


def _truth(answers: Sequence[Answer], labelling: Labelling) -> tuple[tuple[Answer, ...], IntArray]:
    pairs = [(answer, labelling.truth(answer.utterance)) for answer in answers]
    kept = tuple(answer for answer, emotion in pairs if emotion is not None)
    if not kept:
        raise EvaluationError(
            "no clip is left to measure: all failed or have emotions outside the label set"
            f" {', '.join(labelling.labels)}"
        )
    true = [labelling.labels.index(emotion) for _, emotion in pairs if emotion is not None]
    return kept, np.array(true, dtype=np.int64)


def _merged(answers: Sequence[Answer], labelling: Labelling, labels: Sequence[str]) -> Float64Array:
    """Add up the model's probabilities by label; what is in none of them is left aside."""
    model_labels = list(answers[0].probabilities)
    columns: Mapping[str, int] = {label: i for i, label in enumerate(labels)}
    merge = np.zeros((len(model_labels), len(labels)))
    for row, name in enumerate(model_labels):
        label = labelling.label_map.apply(name) or name
        if label in columns:
            merge[row, columns[label]] = 1.0
    given = np.array([[answer.probabilities[name] for name in model_labels] for answer in answers])
    return given @ merge
