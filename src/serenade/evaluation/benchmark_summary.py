"""The results of all folds of a benchmark, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.evaluation.adapted import ReferenceChoice
from serenade.evaluation.breakdown import break_down
from serenade.evaluation.fold_results import (
    file_name,
    fold_labelling,
    read_result,
    tested_corpora,
)
from serenade.evaluation.judge import read_answers
from serenade.evaluation.reading_result import measure_reading
from serenade.evaluation.readings import closed_reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.evaluation.fold_results import BenchmarkPlan
    from serenade.evaluation.judge import Answer
    from serenade.evaluation.protocols import Fold, FoldSet

_FIGURES = ("uar", "accuracy", "macro_f1")


def adapted_title(fold: Fold) -> str:
    """Name the predictions of a fold that were adapted to its test speakers.

    Parameters
    ----------
    fold : Fold
        A fold.

    Returns
    -------
    str
        For :func:`serenade.evaluation.fold_results.file_name`.
    """
    return f"{fold.name} speaker-adapted"


def summarise_folds(fold_set: FoldSet, folder: Path, *, plan: BenchmarkPlan) -> dict[str, Any]:
    """Put the results of all folds together, by the corpora that they test.

    Parameters
    ----------
    fold_set : FoldSet
        The folds; all of them are finished.
    folder : Path
        Of the results.
    plan : BenchmarkPlan
        What is the same for all folds.

    Returns
    -------
    dict
        JSON types: for each set of tested corpora the figures of the folds, their mean and
        standard deviation, and the figures of all test clips pooled, where each is tested once,
        also by speaker, sex, language and so on; the same under ``speaker_adapted`` where the
        models adapt to speakers.

    Raises
    ------
    EvaluationError
        If a result is missing or was made in another way.
    """
    groups: dict[tuple[str, ...], list[Fold]] = {}
    for fold in fold_set.folds:
        groups.setdefault(tested_corpora(fold_set, fold), []).append(fold)
    return {
        "schema": 1,
        "kind": "benchmark",
        "title": plan.title,
        "protocol": fold_set.protocol,
        "mode": "speaker-independent",
        "labels": plan.labels,
        "seed": plan.seed,
        "command": plan.command,
        "notes": list(fold_set.notes),
        "leaks": any(fold.leaks for fold in fold_set.folds),
        "groups": [
            _summarise_group(fold_set, corpora, folds, folder, plan)
            for corpora, folds in groups.items()
        ],
    }


def _summarise_group(
    fold_set: FoldSet,
    corpora: tuple[str, ...],
    folds: Sequence[Fold],
    folder: Path,
    plan: BenchmarkPlan,
) -> dict[str, Any]:
    results = [read_result(fold_set, fold, folder, plan) for fold in folds]
    adapted = [result["speaker_adapted"] for result in results if "speaker_adapted" in result]
    summary = {
        "corpora": list(corpora),
        "mode": "speaker-independent",
        "leaks": sorted({leak for fold in folds for leak in fold.leaks}),
        **_figures(folds, results),
        "pooled": _pooled(fold_set, folds, results, folder, plan, adapted=False),
    }
    if len(adapted) == len(folds):
        summary["speaker_adapted"] = {
            "notes": [ReferenceChoice().describe()],
            **_figures(folds, adapted),
            "pooled": _pooled(fold_set, folds, adapted, folder, plan, adapted=True),
        }
    return summary


def _figures(folds: Sequence[Fold], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give the figures of the folds, and their mean and standard deviation."""
    closed = [result["readings"]["closed"] for result in results]
    values = {figure: [reading[figure] for reading in closed] for figure in _FIGURES}
    return {
        "folds": [
            {
                "name": fold.name,
                "clips": result["clips"],
                "failed": result["failed"],
                **{figure: reading[figure] for figure in _FIGURES},
            }
            for fold, result, reading in zip(folds, results, closed, strict=True)
        ],
        "mean_over_folds": {
            figure: {
                "mean": float(np.mean(numbers)),
                "standard_deviation": float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None,
            }
            for figure, numbers in values.items()
        },
    }


def _pooled(
    fold_set: FoldSet,
    folds: Sequence[Fold],
    results: Sequence[dict[str, Any]],
    folder: Path,
    plan: BenchmarkPlan,
    *,
    adapted: bool,
) -> dict[str, Any] | None:
    """Measure the test clips of all folds as one, unless some are tested more than once."""
    tested = [utterance.id for fold in folds for utterance in fold.test]
    if len(set(tested)) < len(tested):
        return None
    answers: list[Answer] = []
    for fold, result in zip(folds, results, strict=True):
        title = adapted_title(fold) if adapted else fold.name
        answers += read_answers(
            folder / f"{file_name(title)}.predictions.jsonl",
            fold.test,
            result["setting"]["model"],
            adapted_by=ReferenceChoice() if adapted else None,
        ).values()
    reading = closed_reading(answers, fold_labelling(fold_set, folds[0], plan))
    groups = break_down(reading, seed=plan.seed)
    return {
        **measure_reading(reading, seed=plan.seed).to_json(),
        "breakdown": {name: [group.to_json() for group in groups[name]] for name in groups},
    }
