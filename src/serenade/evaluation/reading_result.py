"""The measures of one reading, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serenade.evaluation.bootstrap import interval, resampling_units
from serenade.evaluation.confusion import accuracy, macro_f1, unweighted_average_recall
from serenade.evaluation.metrics import measure

if TYPE_CHECKING:
    from serenade.evaluation.bootstrap import Interval
    from serenade.evaluation.metrics import Metrics
    from serenade.evaluation.readings import Reading


@dataclass(frozen=True, slots=True, eq=False)
class ReadingResult:
    """The measures of one reading.

    Parameters
    ----------
    reading : Reading
        What was measured.
    metrics : Metrics
        Every measure.
    uar, accuracy, macro_f1 : Interval
        The three headline measures with their intervals.
    """

    reading: Reading
    metrics: Metrics
    uar: Interval
    accuracy: Interval
    macro_f1: Interval

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON types.

        Returns
        -------
        dict
            Measures and intervals.
        """
        return {
            **self.metrics.to_json(),
            "intervals": {
                "uar": self.uar.to_json(),
                "accuracy": self.accuracy.to_json(),
                "macro_f1": self.macro_f1.to_json(),
            },
        }


def measure_reading(reading: Reading, *, seed: int) -> ReadingResult:
    """Measure one reading with intervals.

    Parameters
    ----------
    reading : Reading
        At least one clip.
    seed : int
        Of the resampling.

    Returns
    -------
    ReadingResult
        All measures.
    """
    units = resampling_units(reading.speakers)
    n_labels = len(reading.labels)
    uar, right, f1 = (
        interval(reading.true, reading.predicted, units, statistic, n_labels=n_labels, seed=seed)
        for statistic in (unweighted_average_recall, accuracy, macro_f1)
    )
    return ReadingResult(
        reading=reading,
        metrics=measure(reading.labels, reading.true, reading.probabilities),
        uar=uar,
        accuracy=right,
        macro_f1=f1,
    )
