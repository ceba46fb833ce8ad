"""Several models of one recipe file in one table, all measured on the same clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.evaluation.reading_result import measure_reading
from serenade.evaluation.readings import choose_labelling, closed_reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serenade.evaluation.confusion import ClassScore
    from serenade.evaluation.evaluate import Evaluation


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """What one model reaches on the clips of all corpora together.

    Parameters
    ----------
    name : str
        Of the variant.
    clips : int
        How many were measured.
    accuracy : float
        Share of the clips that are right, in [0, 1].
    precision, recall, f1 : float
        Mean over the emotions, in [0, 1]; the recall is the UAR.
    """

    name: str
    clips: int
    accuracy: float
    precision: float
    recall: float
    f1: float


def comparison_row(name: str, results: Mapping[str, Evaluation]) -> ComparisonRow:
    """Measure the clips of all corpora as one.

    Parameters
    ----------
    name : str
        Of the model.
    results : mapping of str to Evaluation
        By corpus; at least one.

    Returns
    -------
    ComparisonRow
        Among the emotions of all corpora.
    """
    answers = [answer for result in results.values() for answer in result.closed.reading.answers]
    labelling = choose_labelling("corpus", [answer.utterance for answer in answers])
    metrics = measure_reading(closed_reading(answers, labelling), seed=0).metrics
    return ComparisonRow(
        name=name,
        clips=metrics.n_clips,
        accuracy=metrics.accuracy,
        precision=macro_precision(metrics.classes),
        recall=metrics.uar,
        f1=metrics.macro_f1,
    )


def macro_precision(classes: Iterable[ClassScore]) -> float:
    """Average the precision over the emotions that occur.

    Parameters
    ----------
    classes : iterable of ClassScore
        Of one reading.

    Returns
    -------
    float
        In [0, 1]; an emotion that was never answered counts as 0.
    """
    present = [score.precision or 0.0 for score in classes if score.support]
    return float(np.mean(present))
