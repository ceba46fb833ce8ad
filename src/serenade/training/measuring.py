"""Measuring a finished bundle on what was held back, and naming the figures by what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serenade.evaluation.evaluate import Evaluation, Setting, evaluate
from serenade.evaluation.readings import choose_labelling
from serenade.inference.recognizer import Recognizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from serenade.training.data import Parts


def measure(bundle: Path, parts: Parts, *, workers: int) -> dict[str, Evaluation]:
    """Evaluate a bundle on the held-back clips of each corpus by itself.

    Parameters
    ----------
    bundle : Path
        Folder.
    parts : Parts
        Of the run. Judged is the test folder if there is one, else the validation part. The
        emotions of a corpus are those of all parts: a speaker who acted only some of them must
        not make the task easier.
    workers : int
        Processes.

    Returns
    -------
    dict of str to Evaluation
        By corpus name, sorted.
    """
    recognizer = Recognizer.load(bundle)
    held_back = parts.test or parts.validation
    used = ("used for early stopping and calibration",)
    results = {}
    for name in sorted({utterance.corpus for utterance in held_back}):
        part = [utterance for utterance in held_back if utterance.corpus == name]
        whole = part + [utterance for utterance in parts.train if utterance.corpus == name]
        if len({utterance.emotion for utterance in whole}) < 2:
            continue  # nothing can be confused
        setting = Setting(
            model=recognizer.model_id,
            model_labels=recognizer.labels,
            model_checksum=None,
            protocol=f"{held_back_name(parts)} of the training run",
            leaks=parts.leaks,
            mode="speaker-independent",
            seed=0,
            command=None,
            notes=() if parts.test else used,
        )
        results[name] = evaluate(
            recognizer,
            part,
            labelling=choose_labelling("corpus", whole),
            setting=setting,
            workers=workers,
        )
    return results


def held_back_name(parts: Parts) -> str:
    """Name the clips that a bundle is measured on.

    Parameters
    ----------
    parts : Parts
        Of the run.

    Returns
    -------
    str
        ``"the test folder"``, ``"validation speakers"``, or clips where speakers are shared.
    """
    if parts.test:
        return "the test folder"
    return "validation clips, which leak" if parts.leaks else "validation speakers"


def measured(parts: Parts, results: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Give the figures of a bundle for its ``spec.json``, under a name that says what they are.

    Parameters
    ----------
    parts : Parts
        Of the run.
    results : mapping of str to Evaluation
        By corpus.

    Returns
    -------
    dict
        ``"validation_speakers"``, ``"validation_clips"`` or ``"test_folder"``, and the leaks.
    """
    key = "validation_clips" if parts.leaks else "validation_speakers"
    figures = {"test_folder" if parts.test else key: {n: headline(r) for n, r in results.items()}}
    return {**figures, "leaks": list(parts.leaks)} if parts.leaks else figures


def headline(result: Evaluation) -> dict[str, Any]:
    """Give the figures that a specification tells of a corpus.

    Parameters
    ----------
    result : Evaluation
        On held-back speakers.

    Returns
    -------
    dict
        JSON types; shares in [0, 1].
    """
    uar = result.closed.uar
    return {
        "clips": result.closed.metrics.n_clips,
        "speakers": result.n_speakers,
        "emotions": len(result.closed.metrics.labels),
        "uar": round(uar.value, 4),
        "uar_95": [round(uar.low, 4), round(uar.high, 4)],
        "accuracy": round(result.closed.accuracy.value, 4),
        "uar_open": round(result.open.uar.value, 4),
        "calibration_error": round(result.closed.metrics.calibration_error, 4),
        "calibration_error_open": round(result.open.metrics.calibration_error, 4),
    }
