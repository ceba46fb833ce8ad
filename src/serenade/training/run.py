"""A training run: a recipe and utterances go in, a run folder with checkpoints comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from serenade.errors import RecipeError, TrainingError
from serenade.training.augment import MelAugmenter, mel_centres
from serenade.training.batches import keep
from serenade.training.cache import silent_progress
from serenade.training.clips import clips_digest
from serenade.training.copies import with_copies
from serenade.training.data import (
    Parts,
    emotions_by_corpus,
    label_clips,
    label_set,
    noise_states,
    noises_to_learn,
    select,
    split,
)
from serenade.training.fit import EpochRecord, Fit
from serenade.training.networks.base import load_head
from serenade.training.networks.registry import build_network
from serenade.training.processes import ALONE, Processes
from serenade.training.recipe_file import parse_recipe
from serenade.training.teacher import load_teacher, teach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.batches import Augmenter
    from serenade.training.cache import Progress
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe

RECIPE_FILE = "recipe.json"
SPLIT_FILE = "split.json"
RESULTS = ("last.safetensors", "best.safetensors", "bundle")
"""What a run folder holds as soon as something has been learnt."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where a run lives and what it reads.

    Parameters
    ----------
    folder : Path
        Holds ``recipe.json``, ``split.json``, ``metrics.jsonl`` and the checkpoints.
    noise : Path or None
        Folder of noise recordings for augmentation.
    cache : Path
        Folder of the state cache.
    """

    folder: Path
    noise: Path | None
    cache: Path


def train(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    *,
    threads: int,
    on_epoch: Callable[[EpochRecord, int], None],
    progress: Progress,
    processes: Processes = ALONE,
) -> list[str]:
    """Train a recipe, or go on where a killed run stopped.

    A run that is interrupted and started again gives the same weights as one that is not: every
    epoch draws from generators seeded with the recipe's seed and its own number.

    Parameters
    ----------
    recipe : Recipe
        Everything that decides the result.
    utterances : sequence of Utterance
        All that may be used; the recipe chooses from them and holds speakers back.
    run : TrainingRun
        Where to read and write.
    threads : int
        Threads of torch.
    on_epoch : callable
        Called with the record of each finished epoch and the number of epochs.
    progress : callable
        Told about every clip that is read.
    processes : Processes
        Who trains along; only the main process writes, and calls `on_epoch` and `progress`.

    Returns
    -------
    list of str
        One sentence for every clip that was left out.

    Raises
    ------
    TrainingError
        If the folder holds a run of another recipe, the noise folder holds no audio, or nothing can
        be trained.
    SplitError
        If a speaker is unknown.
    """
    torch.set_num_threads(threads)
    noises_to_learn(run.noise)  # an empty folder is refused at once, and where no noise is wanted
    chosen = select(utterances, recipe)
    parts = split(chosen, recipe.split)
    # A wrong recipe, or an encoder that cannot be read, must not claim the folder.
    network = new_network(recipe).to(processes.device)
    teacher = load_teacher(recipe)
    if processes.is_main:
        claim(run.folder, recipe, parts)
    else:
        progress = silent_progress
    known = emotions_by_corpus(chosen)
    with processes.one_first():
        clips, failed = label_clips(
            parts.train, network, recipe, known, cache=run.cache, progress=progress
        )
        held_out, also_failed = label_clips(
            parts.validation, network, recipe, known, cache=run.cache, progress=progress
        )
        unusable = {utterance.id for utterance, _ in failed}
        usable = [utterance for utterance in parts.train if utterance.id not in unusable]
        taught = teach(clips, usable, recipe, teacher, cache=run.cache, progress=progress)
        taught = with_copies(
            taught,
            usable,
            network,
            recipe,
            noise=run.noise,
            cache=run.cache,
            progress=progress,
        )
        augment = _augmenter(network, recipe, run.noise)
    if not recipe.network.initial_weights:
        network.learn_statistics(taught.states)
    fit = Fit(network, recipe, taught, held_out, augment, run.folder, parts.leaks, processes)
    fit.run(on_epoch)
    return [f"{utterance.id}: {error}" for utterance, error in [*failed, *also_failed]]


def _augmenter(network: SpeechNetwork, recipe: Recipe, noise: Path | None) -> Augmenter:
    if not network.states_are_log_mel or not recipe.augmentation.random:
        return keep
    config = network.front_end.config
    return MelAugmenter(
        recipe.augmentation,
        mel_centres(config),
        noise_states(noise, network),
        config.sample_rate / config.hop_length,
    )


def new_network(recipe: Recipe) -> SpeechNetwork:
    """Make the network of a recipe with its seeded initial weights.

    Parameters
    ----------
    recipe : Recipe
        Names network and seed.

    Returns
    -------
    SpeechNetwork
        Untrained.
    """
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, n_labels=len(label_set(recipe)))
    if recipe.optimiser.intensity_weight > 0:
        network.learn_intensity()
    if recipe.network.initial_head:
        load_head(network, Path(recipe.network.initial_head))
    return network


def read_run_recipe(folder: Path) -> Recipe:
    """Read the recipe that a run folder was made with.

    Parameters
    ----------
    folder : Path
        Run folder.

    Returns
    -------
    Recipe
        As it was given.

    Raises
    ------
    TrainingError
        If the folder is not a run folder.
    RecipeError
        If a key or value is not allowed.
    """
    path = folder / RECIPE_FILE
    table = _read_json(path)
    if not isinstance(table, dict):
        raise TrainingError(f"{str(path)!r} holds no recipe; {str(folder)!r} is not a run folder")
    try:
        return parse_recipe(table)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def read_run_speakers(folder: Path) -> dict[str, list[str]]:
    """Read which speakers a run trained on and which it held back.

    Parameters
    ----------
    folder : Path
        Run folder.

    Returns
    -------
    dict of str to list of str
        ``"train"`` and ``"validation"``, each with ``corpus/speaker``.

    Raises
    ------
    TrainingError
        If the folder is not a run folder.
    """
    record = read_split_record(folder)
    return {part: record[part] for part in ("train", "validation")}


def read_split_record(folder: Path) -> dict[str, Any]:
    """Read what :func:`split_record` said of a run.

    Parameters
    ----------
    folder : Path
        Run folder.

    Returns
    -------
    dict
        As it was written.

    Raises
    ------
    TrainingError
        If the folder is not a run folder.
    """
    record = _read_json(folder / SPLIT_FILE)
    if not isinstance(record, dict) or not {"train", "validation"} <= record.keys():
        raise TrainingError(
            f"{str(folder / SPLIT_FILE)!r} does not name the speakers of a run;"
            f" {str(folder)!r} is not a run folder"
        )
    return record


def claim(folder: Path, recipe: Recipe, parts: Parts) -> None:
    """Write into a run folder what it is for, or check that it is for the very same.

    A folder in which nothing has been learnt yet is free for any run.

    Parameters
    ----------
    folder : Path
        Run folder; made if it is missing.
    recipe : Recipe
        What is trained.
    parts : Parts
        Who is trained on and who is held back.

    Raises
    ------
    TrainingError
        If the folder holds a run of another recipe, of other clips or labels, or of a version
        that did not note its clips; or if it cannot be written.
    """
    record = split_record(parts)
    recipe_path = folder / RECIPE_FILE
    if recipe_path.exists() and any((folder / name).exists() for name in RESULTS):
        same = read_run_recipe(folder) == recipe
        if not same or read_split_record(folder) != record:
            raise TrainingError(
                f"{str(folder)!r} holds a run of another recipe or manifest (clips and labels"
                " count), or of an older version; choose another folder with --output"
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SPLIT_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        recipe_path.write_text(json.dumps(recipe.to_json(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"the run folder {str(folder)!r} cannot be written ({error.strerror})"
        ) from error


def split_record(parts: Parts) -> dict[str, Any]:
    """Say what was trained on and what was held back, for ``split.json``.

    Parameters
    ----------
    parts : Parts
        Of a run.

    Returns
    -------
    dict
        Speakers of each part, and under ``"clips"`` a digest of its clips and labels; where the
        speakers do not tell the parts apart, also the leaks.
    """
    by_part = {"train": parts.train, "validation": parts.validation}
    if parts.test:
        by_part["test"] = parts.test
    record: dict[str, Any] = {part: _speakers(clips) for part, clips in by_part.items()}
    record["clips"] = {part: clips_digest(clips) for part, clips in by_part.items()}
    if parts.leaks:
        record["leaks"] = list(parts.leaks)
    return record


def _speakers(utterances: tuple[Utterance, ...]) -> list[str]:
    return sorted({utterance.speaker_key or "" for utterance in utterances})


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(
            f"{str(path)!r} cannot be read; {str(path.parent)!r} is not a run folder"
        ) from error
