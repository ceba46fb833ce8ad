"""Training and judging over all folds of a protocol, one result file per fold."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from serenade.errors import EvaluationError
from serenade.evaluation.adapted import ReferenceChoice
from serenade.evaluation.benchmark_summary import adapted_title, summarise_folds
from serenade.evaluation.evaluate import Setting, evaluate
from serenade.evaluation.fold_results import (
    check_same,
    file_name,
    fold_fingerprint,
    fold_labelling,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serenade.evaluation.fold_results import BenchmarkPlan
    from serenade.evaluation.judge import Judge
    from serenade.evaluation.protocols import Fold, FoldSet

    Trainer = Callable[[Fold], Judge]


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
    result is there are not done again, so that a benchmark that was killed goes on. Where the
    trained model adapts to speakers, it is judged once more with the speakers' own test clips as
    reference, which the result holds under ``speaker_adapted``.

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
        The summary, also written to ``summary.json``; see
        :func:`serenade.evaluation.benchmark_summary.summarise_folds`.

    Raises
    ------
    EvaluationError
        If the folder holds folds that were made in another way, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(
            f"the folder {str(folder)!r} cannot be made ({error.strerror});"
            " choose another with --output"
        ) from error
    say = progress or _say_nothing
    for fold in fold_set.folds:
        result_file = folder / f"{file_name(fold.name)}.json"
        if result_file.exists():
            check_same(result_file, fold_fingerprint(fold_set, fold, plan))
            say(f"{fold.name}: already done")
            continue
        say(f"{fold.name}: {len(fold.train)} clips to train on, {len(fold.test)} to test")
        result = _run_fold(fold_set, fold, train(fold), folder, plan, root, workers)
        _write_whole(result_file, result)
        say(f"{fold.name}: UAR {_uar(result)}")
    summary = summarise_folds(fold_set, folder, plan=plan)
    _write_whole(folder / "summary.json", summary)
    return summary


def _run_fold(
    fold_set: FoldSet,
    fold: Fold,
    recognizer: Judge,
    folder: Path,
    plan: BenchmarkPlan,
    root: Path | None,
    workers: int,
) -> dict[str, Any]:
    judge_fold = partial(
        _judge_fold, fold_set, fold, recognizer, folder, plan=plan, root=root, workers=workers
    )
    result = {
        **judge_fold(None),
        "fold": fold.name,
        "train_clips": len(fold.train),
        "fingerprint": fold_fingerprint(fold_set, fold, plan),
    }
    if recognizer.adapts_to_speakers:
        result["speaker_adapted"] = judge_fold(ReferenceChoice())
    return result


def _judge_fold(
    fold_set: FoldSet,
    fold: Fold,
    recognizer: Judge,
    folder: Path,
    adapted_by: ReferenceChoice | None,
    *,
    plan: BenchmarkPlan,
    root: Path | None,
    workers: int,
) -> dict[str, Any]:
    """Judge the test part, its speakers as strangers or known from their own clips."""
    title = fold.name if adapted_by is None else adapted_title(fold)
    predictions_file = folder / f"{file_name(title)}.predictions.jsonl"
    # Predictions of a fold that did not end are those of another training run.
    predictions_file.unlink(missing_ok=True)
    notes = [f"{fold.missing} clips of the fold are not at hand"] if fold.missing else []
    if adapted_by is not None:
        notes.append(adapted_by.describe())
    return evaluate(
        recognizer,
        fold.test,
        labelling=fold_labelling(fold_set, fold, plan),
        setting=Setting(
            model=recognizer.model_id,
            model_labels=recognizer.labels,
            protocol=f"{fold_set.protocol}, {fold.name}",
            leaks=fold.leaks,
            mode="speaker-independent" if adapted_by is None else "speaker-adapted",
            seed=plan.seed,
            command=plan.command,
            notes=tuple(notes),
        ),
        root=root,
        workers=workers,
        predictions_file=predictions_file,
        adapted_by=adapted_by,
    ).to_json()


def _uar(result: dict[str, Any]) -> str:
    uar = f"{result['headline']['uar']['value']:.3f}"
    if "speaker_adapted" not in result:
        return uar
    adapted = result["speaker_adapted"]["headline"]["uar"]["value"]
    return f"{uar}, speaker-adapted {adapted:.3f}"


def _write_whole(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(
        json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    part.replace(path)


def _say_nothing(_: str) -> None:
    """Take the place of a progress callback."""
