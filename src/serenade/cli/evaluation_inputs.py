"""What evaluations read and write, checked and chosen before the work begins."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from serenade.corpora.splits import find_leaks
from serenade.errors import UsageError
from serenade.evaluation.adapted import ReferenceChoice
from serenade.evaluation.protocols import Fold, make_folds
from serenade.evaluation.training_leaks import (
    audio_digest,
    bundle_leaks,
    manifest_leaks,
    run_leaks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.protocols import FoldSet
    from serenade.model.spec import TrainingData


def check_paths(
    noise: Path | None, rir: Path | None, report: Path | None, output: Path | None
) -> None:
    """Find what would fail at the end before the work begins.

    Parameters
    ----------
    noise, rir : Path or None
        Folders to read.
    report, output : Path or None
        Files to write.

    Raises
    ------
    UsageError
        If one of them cannot be.
    """
    for folder in (noise, rir):
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; give one with audio files")
    for file in (report, output):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"{file} cannot be written: {file.parent} is not a folder")


def check_uses(
    *, stress: bool, stress_clips: int | None, noise: Path | None, rir: Path | None
) -> None:
    """Find options that nothing would use.

    Parameters
    ----------
    stress : bool
        Whether degraded clips are judged.
    stress_clips : int or None
        How many.
    noise, rir : Path or None
        Folders that they are degraded with.

    Raises
    ------
    UsageError
        If degraded clips are described and not judged.
    """
    options = {"--stress-clips": stress_clips, "--noise": noise, "--rir": rir}
    unused = [name for name, value in options.items() if value is not None]
    if unused and not stress:
        raise UsageError(f"--stress is needed for {' and '.join(unused)}; add it")


def choose_reference(
    n_clips: int | None, *, adapted: bool, stress: bool, seed: int
) -> ReferenceChoice | None:
    """Choose which of their own clips speakers are known by.

    Parameters
    ----------
    n_clips : int or None
        As for :class:`serenade.evaluation.adapted.ReferenceChoice`.
    adapted : bool
        Whether the model adapts to the speakers at all.
    stress : bool
        Whether degraded clips are judged as well.
    seed : int
        Of the drawing.

    Returns
    -------
    ReferenceChoice or None
        The choice; ``None`` to judge strangers.

    Raises
    ------
    UsageError
        If the arguments do not fit together.
    """
    if not adapted:
        if n_clips is not None:
            raise UsageError("--reference-clips belongs to --speaker-adapted; give it as well")
        return None
    if stress:
        raise UsageError("--stress judges strangers; evaluate --speaker-adapted by itself")
    return ReferenceChoice(n_clips, seed)


def choose_fold(
    utterances: Sequence[Utterance],
    split: str | None,
    protocol: str | None,
    fold: str | None,
    folds: Path | None,
    *,
    seed: int,
) -> Fold:
    """Choose the utterances to judge.

    Parameters
    ----------
    utterances : sequence of Utterance
        The manifest.
    split : str or None
        Only this part that the manifest gives.
    protocol, fold, folds
        Only the test part of this fold of this protocol, made from these published folds.
    seed : int
        Of protocols that draw.

    Returns
    -------
    Fold
        Its test part is what to judge, its name is for the result; without split and protocol
        the whole manifest.

    Raises
    ------
    UsageError
        If the arguments do not fit together or leave nothing to judge.
    """
    if split is not None and protocol is not None:
        raise UsageError("--split and --protocol choose the clips in two ways; give one of them")
    if protocol is not None:
        fold_set = make_folds(
            protocol, utterances, seed=seed, folds_path=folds, audio_digest=cache(audio_digest)
        )
        chosen = _one_fold(fold_set, fold)
        return replace(chosen, name=f"{protocol}, {chosen.name}")
    if fold is not None or folds is not None:
        raise UsageError("--fold and --folds belong to --protocol; give it as well")
    if split is None:
        return Fold("whole manifest", (), tuple(utterances), ())
    test = tuple(utterance for utterance in utterances if utterance.split == split)
    if not test:
        splits = sorted({utterance.split or "none" for utterance in utterances})
        raise UsageError(f"no utterance is in split {split!r}; there are {', '.join(splits)}")
    train = tuple(u for u in utterances if u.split is not None and u.split != split)
    leaks = find_leaks(train, test, audio_digest=audio_digest)
    return Fold(f"split {split}", train, test, tuple(leaks))


def known_leaks(
    chosen: Fold,
    trained_on: Path | None,
    run: Path | None,
    training_data: Sequence[TrainingData],
) -> tuple[str, ...] | None:
    """Tell what the clips share with the training data of a model.

    Parameters
    ----------
    chosen : Fold
        The clips to judge.
    trained_on : Path or None
        Manifest that the model was trained on.
    run : Path or None
        Training run of the model.
    training_data : sequence of TrainingData
        What the model says of itself, for where neither is given.

    Returns
    -------
    tuple of str or None
        One clause for each leak; ``None`` where the training data is not known.
    """
    if trained_on is None:
        test = chosen.test
        told = bundle_leaks(training_data, test) if run is None else run_leaks(run, test)
        return chosen.leaks or None if told is None else tuple(dict.fromkeys(chosen.leaks + told))
    leaks = chosen.leaks + manifest_leaks(trained_on, chosen.test)
    if run is not None:
        leaks += run_leaks(run, chosen.test) or ()
    return tuple(dict.fromkeys(leaks))


def _one_fold(fold_set: FoldSet, name: str | None) -> Fold:
    if name is not None:
        return fold_set.fold(name)
    if len(fold_set.folds) == 1:
        return fold_set.folds[0]
    names = ", ".join(repr(fold.name) for fold in fold_set.folds)
    raise UsageError(f"protocol {fold_set.protocol} has several folds; choose one: --fold {names}")
