"""Training and judging over all folds of a protocol, one result file per fold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import EvaluationError
from serenade.evaluation.evaluate import Setting, measure_reading, summarise
from serenade.evaluation.judge import judge, read_answers
from serenade.evaluation.readings import Labelling, choose_labelling, closed_reading, left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.emotions import LabelMap
    from serenade.evaluation.judge import Answer, Judge
    from serenade.evaluation.protocols import Fold, FoldSet

    Trainer = Callable[[Fold], Judge]


_CORPUS_BY_CORPUS = ("loso", "cross-corpus", "leave-corpus-out", "emobox", "emo-superb")
"""Protocols whose folds test one corpus each, so that their figures are told by corpus."""


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """What is the same for all folds.

    Parameters
    ----------
    title : str
        Name of what is trained, for example that of the recipe.
    recipe_fingerprint : str
        Changes whenever the trained models would; finished folds of another fingerprint are
        refused.
    labels : str
        Name of the label set, or ``"corpus"``.
    label_map : LabelMap or None
        As in :func:`serenade.evaluation.readings.choose_labelling`.
    mode : str
        One of :data:`serenade.evaluation.evaluate.MODES`.
    seed : int
        Of the intervals.
    command : str or None
        Command line to repeat the benchmark.
    """

    title: str
    recipe_fingerprint: str
    labels: str = "corpus"
    label_map: LabelMap | None = None
    mode: str = "speaker-independent"
    seed: int = 0
    command: str | None = None


def run_folds(
    fold_set: FoldSet,
    train: Trainer,
    folder: Path,
    *,
    plan: BenchmarkPlan,
    root: Path | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train on each fold and judge its test part.

    Each fold leaves ``<fold>.json`` and ``<fold>.predictions.jsonl`` in the folder. Folds whose
    result is there are not done again, so that a benchmark that was killed goes on.

    Parameters
    ----------
    fold_set : FoldSet
        What to train and test on.
    train : callable
        Takes a fold and gives a trained recogniser.
    folder : Path
        Of the results; made if need be.
    plan : BenchmarkPlan
        What is the same for all folds.
    root : Path, optional
        Folder that relative paths of utterances start from.
    workers : int
        Number of processes that judge.
    progress : callable, optional
        Called with a line of text when a fold starts, is skipped or ends.

    Returns
    -------
    dict
        The summary, also written to ``summary.json``; see :func:`summarise_folds`.

    Raises
    ------
    EvaluationError
        If the folder holds folds that were made in another way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    say = progress or _say_nothing
    for fold in fold_set.folds:
        result_file = folder / f"{file_name(fold.name)}.json"
        if result_file.exists():
            _check_same(result_file, _fold_fingerprint(fold_set, fold, plan))
            say(f"{fold.name}: already done")
            continue
        say(f"{fold.name}: {len(fold.train)} clips to train on, {len(fold.test)} to test")
        result = _run_fold(fold_set, fold, train(fold), folder, plan, root, workers)
        _write_whole(result_file, result)
        say(f"{fold.name}: UAR {result['headline']['uar']['value']:.3f}")
    summary = summarise_folds(fold_set, folder, plan=plan)
    _write_whole(folder / "summary.json", summary)
    return summary


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
        standard deviation, and the figures of all test clips pooled, where each is tested once.

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
        "mode": plan.mode,
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


def tested_corpora(fold_set: FoldSet, fold: Fold) -> tuple[str, ...]:
    """Name the corpora whose test clips are measured together with those of a fold.

    Parameters
    ----------
    fold_set : FoldSet
        All folds.
    fold : Fold
        One of them.

    Returns
    -------
    tuple of str
        Those of the fold where the protocol tests corpora one by one, else those of all folds.
    """
    folds = [fold] if fold_set.protocol in _CORPUS_BY_CORPUS else fold_set.folds
    return tuple(sorted({utterance.corpus for one in folds for utterance in one.test}))


def file_name(fold_name: str) -> str:
    """Turn the name of a fold into one that every file system takes.

    Parameters
    ----------
    fold_name : str
        Any text.

    Returns
    -------
    str
        Letters, digits and ``.-_``; different for different names.
    """
    if all(c.isascii() and (c.isalnum() or c in ".- ") for c in fold_name):
        return fold_name.replace(" ", "_")
    plain = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "_" for c in fold_name)
    return f"{plain}_{hashlib.sha256(fold_name.encode()).hexdigest()[:8]}"


def fold_labelling(fold_set: FoldSet, fold: Fold, plan: BenchmarkPlan) -> Labelling:
    """Choose the emotions of a fold: the same for all folds that test the same corpora.

    Parameters
    ----------
    fold_set : FoldSet
        All folds.
    fold : Fold
        One of them.
    plan : BenchmarkPlan
        With the name of the label set.

    Returns
    -------
    Labelling
        The choice.
    """
    corpora = tested_corpora(fold_set, fold)
    tested = [
        utterance
        for other in fold_set.folds
        if tested_corpora(fold_set, other) == corpora
        for utterance in other.test
    ]
    return choose_labelling(plan.labels, tested, label_map=plan.label_map)


def _run_fold(
    fold_set: FoldSet,
    fold: Fold,
    recognizer: Judge,
    folder: Path,
    plan: BenchmarkPlan,
    root: Path | None,
    workers: int,
) -> dict[str, Any]:
    labelling = fold_labelling(fold_set, fold, plan)
    predictions_file = folder / f"{file_name(fold.name)}.predictions.jsonl"
    # Predictions of a fold that did not end are those of another training run.
    predictions_file.unlink(missing_ok=True)
    wanted = [u for u in fold.test if labelling.truth(u) is not None]
    judgement = judge(
        recognizer, wanted, root=root, workers=workers, predictions_file=predictions_file
    )
    evaluation = summarise(
        judgement,
        labelling=labelling,
        setting=Setting(
            model=recognizer.model_id,
            model_labels=recognizer.labels,
            protocol=f"{fold_set.protocol}, {fold.name}",
            leaks=fold.leaks,
            mode=plan.mode,
            seed=plan.seed,
            command=plan.command,
            notes=(f"{fold.missing} clips of the fold are not at hand",) if fold.missing else (),
        ),
        left_out=left_out(fold.test, labelling),
    )
    return {
        **evaluation.to_json(),
        "fold": fold.name,
        "train_clips": len(fold.train),
        "fingerprint": _fold_fingerprint(fold_set, fold, plan),
    }


def _summarise_group(
    fold_set: FoldSet,
    corpora: tuple[str, ...],
    folds: Sequence[Fold],
    folder: Path,
    plan: BenchmarkPlan,
) -> dict[str, Any]:
    results = [_read_result(fold_set, fold, folder, plan) for fold in folds]
    figures = {
        figure: [result["readings"]["closed"][figure] for result in results]
        for figure in ("uar", "accuracy", "macro_f1")
    }
    return {
        "corpora": list(corpora),
        "mode": plan.mode,
        "leaks": sorted({leak for fold in folds for leak in fold.leaks}),
        "folds": [
            {
                "name": fold.name,
                "clips": result["clips"],
                "failed": result["failed"],
                "uar": result["readings"]["closed"]["uar"],
                "accuracy": result["readings"]["closed"]["accuracy"],
                "macro_f1": result["readings"]["closed"]["macro_f1"],
            }
            for fold, result in zip(folds, results, strict=True)
        ],
        "mean_over_folds": {
            figure: {
                "mean": float(np.mean(values)),
                "standard_deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            }
            for figure, values in figures.items()
        },
        "pooled": _pooled(fold_set, folds, results, folder, plan),
    }


def _pooled(
    fold_set: FoldSet,
    folds: Sequence[Fold],
    results: Sequence[dict[str, Any]],
    folder: Path,
    plan: BenchmarkPlan,
) -> dict[str, Any] | None:
    """Measure the test clips of all folds as one, unless some are tested more than once."""
    tested = [utterance.id for fold in folds for utterance in fold.test]
    if len(set(tested)) < len(tested):
        return None
    answers: list[Answer] = []
    for fold, result in zip(folds, results, strict=True):
        path = folder / f"{file_name(fold.name)}.predictions.jsonl"
        answers += read_answers(path, fold.test, result["setting"]["model"]).values()
    labelling = fold_labelling(fold_set, folds[0], plan)
    return measure_reading(closed_reading(answers, labelling), seed=plan.seed).to_json()


def _read_result(
    fold_set: FoldSet, fold: Fold, folder: Path, plan: BenchmarkPlan
) -> dict[str, Any]:
    path = folder / f"{file_name(fold.name)}.json"
    if not path.exists():
        raise EvaluationError(f"{path}: fold {fold.name!r} has no result yet; run the benchmark")
    return _check_same(path, _fold_fingerprint(fold_set, fold, plan))


def _fold_fingerprint(fold_set: FoldSet, fold: Fold, plan: BenchmarkPlan) -> str:
    parts = {
        "protocol": fold_set.protocol,
        "recipe": plan.recipe_fingerprint,
        "labelling": fold_labelling(fold_set, fold, plan).to_json(),
        "mode": plan.mode,
        "seed": plan.seed,
        "train": _clips(fold.train),
        "validation": _clips(fold.validation),
        "test": _clips(fold.test),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _clips(utterances: Sequence[Utterance]) -> list[list[str]]:
    return sorted([utterance.id, utterance.emotion] for utterance in utterances)


def _check_same(path: Path, fingerprint: str) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        same = result["fingerprint"] == fingerprint
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path}: not the result of a fold; delete it") from error
    if not same:
        raise EvaluationError(
            f"{path}: was made with another recipe, label set, seed or set of clips;"
            " give another folder or delete this one"
        )
    return dict(result)


def _write_whole(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(
        json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    part.replace(path)


def _say_nothing(_: str) -> None:
    """Take the place of a progress callback."""
