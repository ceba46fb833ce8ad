"""From a manifest to what the training loop eats: the split, the targets and the cached states."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.decode import decode
from serenade.corpora.registry import CORPORA
from serenade.corpora.splits import (
    check_disjoint,
    check_speakers_known,
    find_leaks,
    random_split,
    speaker_split,
)
from serenade.emotions import LABEL_SETS, LabelSet
from serenade.errors import SerenadeError, SplitError, TrainingError
from serenade.evaluation.noises import noise_paths
from serenade.training.batches import LabelledStates
from serenade.training.cache import Progress, cached_states, frozen_states

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe, SplitRecipe
    from serenade.types import FloatArray

INTENSITIES: Mapping[str, float] = {
    "low": 0.0,
    "normal": 0.0,
    "medium": 0.5,
    "high": 1.0,
    "strong": 1.0,
}
"""Intensity that is learnt for each word that a corpus says it with."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The utterances of a run.

    Parameters
    ----------
    train, validation : tuple of Utterance
        What is learnt from, and what chooses the best epoch and calibrates; it may be empty.
    test : tuple of Utterance
        What is only judged, at the end; empty unless the manifest names such clips.
    leaks : tuple of str
        What training shares with the others, one clause each; empty if proven disjoint.
    """

    train: tuple[Utterance, ...]
    validation: tuple[Utterance, ...]
    test: tuple[Utterance, ...] = ()
    leaks: tuple[str, ...] = ()


def select(utterances: Sequence[Utterance], recipe: Recipe) -> list[Utterance]:
    """Keep the corpora and emotions that a recipe names.

    Parameters
    ----------
    utterances : sequence of Utterance
        All there are.
    recipe : Recipe
        Names corpora and label set.

    Returns
    -------
    list of Utterance
        In order.

    Raises
    ------
    TrainingError
        If a corpus of the recipe is not there or fewer than two emotions are left.
    """
    there = {utterance.corpus for utterance in utterances}
    missing = sorted(set(recipe.data.corpora) - there)
    if missing:
        raise TrainingError(
            f"the recipe wants corpus {missing[0]!r}, the manifest holds {', '.join(sorted(there))}"
        )
    wanted = set(recipe.data.corpora) or there
    labels = label_set(recipe)
    chosen = [u for u in utterances if u.corpus in wanted and u.emotion in labels]
    emotions = {u.emotion for u in chosen}
    if not emotions:
        raise TrainingError(
            f"no utterance has one of the emotions {', '.join(labels)}; check the manifest"
        )
    if len(emotions) == 1:
        raise TrainingError(
            f"{chosen[0].emotion} is the only emotion that can be learnt from, and a model tells at"
            " least two apart; check the manifest"
        )
    return chosen


def split(utterances: Sequence[Utterance], recipe: SplitRecipe) -> Parts:
    """Divide utterances as a recipe says, and tell what the parts share.

    Parameters
    ----------
    utterances : sequence of Utterance
        Those that the recipe chooses.
    recipe : SplitRecipe
        Kind of split and share of validation.

    Returns
    -------
    Parts
        Of the kind ``"speaker"``, the parts are proven to share no speaker.

    Raises
    ------
    SplitError
        If a speaker must be known and is not, the manifest names no clips to train on, or
        ``train_only`` names a corpus that is in neither the manifest nor the registry.
    """
    at_hand = {utterance.corpus for utterance in utterances}
    for name in recipe.train_only:
        if name not in at_hand and name not in CORPORA:
            raise SplitError(
                f"split.train_only names the corpus {name!r}, which is unknown; the manifest has"
                f" {', '.join(sorted(at_hand))}"
            )
    if recipe.kind == "random":
        train, validation = random_split(
            utterances, validation_share=recipe.validation_share, seed=recipe.seed
        )
        return Parts(tuple(train), tuple(validation), leaks=tuple(find_leaks(train, validation)))
    if recipe.kind == "folder":
        return _folder_parts(utterances)
    return _speaker_parts(utterances, recipe)


def _folder_parts(utterances: Sequence[Utterance]) -> Parts:
    train, validation, test = (
        tuple(utterance for utterance in utterances if utterance.split == name)
        for name in ("train", "validation", "test")
    )
    if not train:
        raise SplitError(
            "no utterance of the manifest has the split 'train'; put the clips into folders train/"
            " and test/, or choose another split.kind"
        )
    return Parts(train, validation, test, tuple(find_leaks(train, validation + test)))


def _speaker_parts(utterances: Sequence[Utterance], recipe: SplitRecipe) -> Parts:
    """Hold speakers back and prove that no speaker is on both sides.

    A corpus of one speaker, and those that the recipe names, stay in training as a whole; the
    validation part is empty if that leaves none.
    """
    check_speakers_known(utterances)
    speakers: dict[str, set[str | None]] = defaultdict(set)
    for utterance in utterances:
        speakers[utterance.corpus].add(utterance.speaker)
    spared = {corpus for corpus, names in speakers.items() if len(names) < 2}
    spared |= set(recipe.train_only)
    divided: list[Utterance] = []
    kept: list[Utterance] = []
    for utterance in utterances:
        (kept if utterance.corpus in spared else divided).append(utterance)
    if not divided:
        return Parts(tuple(kept), ())
    train, validation = speaker_split(
        divided, validation_share=recipe.validation_share, seed=recipe.seed
    )
    check_disjoint([*train, *kept], validation)
    return Parts((*train, *kept), tuple(validation))


def label_clips(
    utterances: Sequence[Utterance],
    network: SpeechNetwork,
    recipe: Recipe,
    known: dict[str, set[str]],
    *,
    cache: Path,
    progress: Progress,
) -> tuple[LabelledStates, list[tuple[Utterance, SerenadeError]]]:
    """Give states and targets of utterances.

    Parameters
    ----------
    utterances : sequence of Utterance
        What is trained on or validated with.
    network : SpeechNetwork
        Its frozen stage makes the states.
    recipe : Recipe
        Conditioning, label set and longest clip.
    known : dict of str to set of str
        Emotions of each corpus; the others take no part in the loss of its clips.
    cache : Path
        Folder of the state cache.
    progress : callable
        Told about every clip.

    Returns
    -------
    clips : LabelledStates
        Those whose audio can be used.
    failed : list of (Utterance, SerenadeError)
        The others.

    Raises
    ------
    TrainingError
        If there are utterances but none of them can be used.
    """
    states, failed = cached_states(
        network,
        utterances,
        recipe.conditioning,
        max_seconds=recipe.data.max_seconds,
        folder=cache,
        progress=progress,
    )
    bad = {utterance.id for utterance, _ in failed}
    usable = [utterance for utterance in utterances if utterance.id not in bad]
    if failed and not usable:
        raise TrainingError(
            f"none of the {len(utterances)} clips can be used; the first says: {failed[0][1]}"
        )
    labels = label_set(recipe)
    targets = np.zeros((len(usable), len(labels)), np.float32)
    allowed = np.zeros((len(usable), len(labels)), np.bool_)
    for row, utterance in enumerate(usable):
        targets[row, labels.index(utterance.emotion)] = 1.0
        for emotion in known[utterance.corpus]:
            allowed[row, labels.index(emotion)] = True
    groups = [utterance.corpus for utterance in usable]
    intensity = np.array([INTENSITIES.get(u.intensity or "", np.nan) for u in usable], np.float32)
    return LabelledStates(states, targets, allowed, groups, intensity), failed


def emotions_by_corpus(utterances: Sequence[Utterance]) -> dict[str, set[str]]:
    """List the emotions of each corpus.

    Parameters
    ----------
    utterances : sequence of Utterance
        All of them.

    Returns
    -------
    dict of str to set of str
        Emotions by corpus name.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for utterance in utterances:
        known[utterance.corpus].add(utterance.emotion)
    return dict(known)


def label_set(recipe: Recipe) -> LabelSet:
    """Give the label set of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Names it.

    Returns
    -------
    LabelSet
        In the order of the network's outputs.
    """
    return LABEL_SETS[recipe.data.label_set]


def noise_states(folder: Path | None, network: SpeechNetwork) -> list[FloatArray]:
    """Read a folder of noise recordings as states.

    Parameters
    ----------
    folder : Path or None
        Searched recursively; ``None`` for no recordings.
    network : SpeechNetwork
        Its frozen stage makes the states.

    Returns
    -------
    list of ndarray of shape (n_channels, n_frames), float32
        Sorted by path.

    Raises
    ------
    TrainingError
        If the folder holds no audio.
    """
    return [
        frozen_states(network, decode(path).samples).astype(np.float32)
        for path in noises_to_learn(folder)
    ]


def noises_to_learn(folder: Path | None) -> list[Path]:
    """List the noise recordings of a folder that are not kept for tests.

    Parameters
    ----------
    folder : Path or None
        Searched recursively; ``None`` for no recordings.

    Returns
    -------
    list of Path
        Sorted.

    Raises
    ------
    TrainingError
        If there is no such folder or it holds no audio.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {str(folder)!r} of noises; correct --noise")
    paths = noise_paths(folder, "train")
    if not paths:
        raise TrainingError(f"the noise folder {str(folder)!r} holds no audio")
    return paths
