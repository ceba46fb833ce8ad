"""The trainer of a benchmark: what `serenade benchmark` does with each fold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.corpora.splits import check_disjoint
from serenade.evaluation.fold_results import file_name
from serenade.inference.recognizer import Recognizer
from serenade.training.classical_run import build_classical_bundle
from serenade.training.clips import describe_clips
from serenade.training.data import Parts, select
from serenade.training.package import build_bundle
from serenade.training.run import TrainingRun, claim, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.protocols import Fold
    from serenade.training.cache import Progress
    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class FoldTrainer:
    """Trains a recipe on a fold and opens the bundle, so that the product is what is judged.

    The speakers that the recipe holds back for early stopping and calibration are taken from the
    fold's training part, never from its test part. A classical model needs none: it is tuned and
    calibrated on training speakers held out in turn.

    Parameters
    ----------
    recipe : Recipe
        Trained anew for every fold.
    folder : Path
        Holds one run folder per fold; a fold that was interrupted goes on.
    also_train : tuple of Utterance
        Joined to the training part of every fold, for joint training on other corpora; they may
        share no speaker with a test part.
    noise : Path or None
        Folder of noise recordings for augmentation.
    cache : Path
        Folder of the state cache, shared by all folds.
    threads : int
        Threads of torch.
    on_epoch : callable
        Called with the record of each finished epoch and the number of epochs.
    progress : callable
        Told about every clip that is read.
    log : callable
        Told what is being done.
    """

    recipe: Recipe
    folder: Path
    also_train: tuple[Utterance, ...]
    noise: Path | None
    cache: Path
    threads: int
    on_epoch: Callable[[EpochRecord, int], None]
    progress: Progress
    log: Callable[[str], None]

    def __call__(self, fold: Fold) -> Recognizer:
        """Train on a fold.

        Parameters
        ----------
        fold : Fold
            Its test part is not looked at.

        Returns
        -------
        Recognizer
            With the bundle of the fold.

        Raises
        ------
        SplitError
            If `also_train` shares a speaker with the test part.
        TrainingError
            If the fold cannot be trained, or its run folder holds a model of other clips.
        """
        if self.also_train:
            check_disjoint(self.also_train, fold.test)
        utterances = [*fold.train, *fold.validation, *self.also_train]
        run = TrainingRun(self.folder / file_name(fold.name), noise=self.noise, cache=self.cache)
        if self.recipe.classical.kind:
            return Recognizer.load(self._train_classical(utterances, run))
        left_out = train(
            self.recipe,
            utterances,
            run,
            threads=self.threads,
            on_epoch=self.on_epoch,
            progress=self.progress,
        )
        for sentence in left_out:
            self.log(f"left out {sentence}")
        bundle, _ = build_bundle(run, utterances, progress=self.progress, log=self.log)
        return Recognizer.load(bundle)

    def _train_classical(self, utterances: Sequence[Utterance], run: TrainingRun) -> Path:
        chosen = select(utterances, self.recipe)
        claim(run.folder, self.recipe, Parts(tuple(chosen), ()))
        return build_classical_bundle(
            self.recipe, chosen, run, progress=self.progress, log=self.log
        )


def recipe_fingerprint(recipe: Recipe, also_train: Sequence[Utterance]) -> str:
    """Give a text that changes whenever the trained models would.

    Parameters
    ----------
    recipe : Recipe
        What is trained.
    also_train : sequence of Utterance
        What joins the training part of every fold.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    content = json.dumps([recipe.to_json(), describe_clips(also_train)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
