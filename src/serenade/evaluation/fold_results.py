"""Result files of the folds of a benchmark: their names and what they depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serenade.errors import EvaluationError
from serenade.evaluation.readings import Labelling, choose_labelling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.emotions import LabelMap
    from serenade.evaluation.protocols import Fold, FoldSet

_CORPUS_BY_CORPUS = (
    "loso",
    "cross-corpus",
    "leave-corpus-out",
    "leave-language-out",
    "emobox",
    "emo-superb",
)
"""Protocols whose folds test different corpora, so that their figures are told by corpus."""


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
    seed : int
        Of the intervals.
    command : str or None
        Command line to repeat the benchmark.
    """

    title: str
    recipe_fingerprint: str
    labels: str = "corpus"
    label_map: LabelMap | None = None
    seed: int = 0
    command: str | None = None


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


def read_result(fold_set: FoldSet, fold: Fold, folder: Path, plan: BenchmarkPlan) -> dict[str, Any]:
    """Read the result of a fold.

    Parameters
    ----------
    fold_set : FoldSet
        All folds.
    fold : Fold
        One of them, which is finished.
    folder : Path
        Of the results.
    plan : BenchmarkPlan
        What is the same for all folds.

    Returns
    -------
    dict
        The content of its file.

    Raises
    ------
    EvaluationError
        If the result is missing or was made in another way.
    """
    path = folder / f"{file_name(fold.name)}.json"
    if not path.exists():
        raise EvaluationError(f"{path}: fold {fold.name!r} has no result yet; run the benchmark")
    return check_same(path, fold_fingerprint(fold_set, fold, plan))


def fold_fingerprint(fold_set: FoldSet, fold: Fold, plan: BenchmarkPlan) -> str:
    """Give a text that changes whenever the result of a fold would.

    Parameters
    ----------
    fold_set : FoldSet
        All folds.
    fold : Fold
        One of them.
    plan : BenchmarkPlan
        What is the same for all folds.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    parts = {
        "protocol": fold_set.protocol,
        "recipe": plan.recipe_fingerprint,
        "labelling": fold_labelling(fold_set, fold, plan).to_json(),
        "mode": "speaker-independent",
        "seed": plan.seed,
        "train": _clips(fold.train),
        "validation": _clips(fold.validation),
        "test": _clips(fold.test),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _clips(utterances: Sequence[Utterance]) -> list[list[str]]:
    return sorted([utterance.id, utterance.emotion] for utterance in utterances)


def check_same(path: Path, fingerprint: str) -> dict[str, Any]:
    """Read a result file that must have been made in a certain way.

    Parameters
    ----------
    path : Path
        The file.
    fingerprint : str
        From :func:`fold_fingerprint`.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    EvaluationError
        If it was made in another way, or is no result.
    """
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
