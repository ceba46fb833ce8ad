"""From a finished run to a bundle: calibrate, export, measure through the product, describe."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

import serenade
from serenade.corpora.registry import corpus, find_corpus
from serenade.errors import AudioError, EvaluationError, TrainingError
from serenade.model.adaptation import Adaptation
from serenade.model.bundle import write_checksums
from serenade.model.calibration import probabilities
from serenade.model.spec import (
    SAMPLE_RATE,
    ModelSpec,
    TrainingData,
    WaveformInput,
    read_spec,
    write_spec,
)
from serenade.model.windowing import Windowing
from serenade.training.cache import Progress, load_clip
from serenade.training.calibrate import abstention_threshold, fit_temperature
from serenade.training.card import write_card
from serenade.training.checkpoint import load_checkpoint, restore_weights
from serenade.training.curves import write_curves
from serenade.training.data import emotions_by_corpus, label_clips, label_set, select, split
from serenade.training.export import export_onnx
from serenade.training.measuring import held_back_name, measure, measured
from serenade.training.quantise import halve, quantise
from serenade.training.run import (
    TrainingRun,
    new_network,
    read_run_recipe,
    read_run_speakers,
    read_split_record,
    split_record,
)
from serenade.training.scoring import TestScore, score_test
from serenade.training.scoring import evaluate as score_clips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.evaluate import Evaluation
    from serenade.training.data import Parts
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe
    from serenade.types import FloatArray

N_PARITY_CLIPS = 6
N_ROUNDING_CLIPS = 80


@dataclass(frozen=True, slots=True)
class Packaged:
    """A bundle and what is known of it.

    Parameters
    ----------
    folder : Path
        The bundle.
    parity : float
        Largest difference of a logit between torch and ONNX.
    results : mapping of str to Evaluation
        Measured through the bundle on the test folder if there is one, else on validation clips,
        by corpus.
    test : TestScore or None
        What the network reaches on the test folder.
    """

    folder: Path
    parity: float
    results: dict[str, Evaluation]
    test: TestScore | None = None


def package(
    run: TrainingRun,
    utterances: Sequence[Utterance],
    *,
    workers: int,
    progress: Progress,
    log: Callable[[str], None],
) -> Packaged:
    """Make the bundle of a run, measure it, write its card and the page of its curves.

    The figures of the card are measured on the validation speakers with the finished bundle,
    through :class:`serenade.Recognizer`.

    Parameters
    ----------
    run : TrainingRun
        A run with at least one finished epoch.
    utterances : sequence of Utterance
        Those that it was trained with.
    workers : int
        Processes for the measurement.
    progress : callable
        Told about every clip that is read.
    log : callable
        Told what is being done.

    Returns
    -------
    Packaged
        The bundle is ``run.folder / "bundle"``.

    Raises
    ------
    TrainingError
        If the folder is not a run folder, the utterances are not those of the run, or the ONNX
        file differs from torch.
    """
    recipe = read_run_recipe(run.folder)
    chosen = select(utterances, recipe)
    parts = split(chosen, recipe.split)
    folder, parity = build_bundle(run, utterances, progress=progress, log=log)
    log(f"measuring the bundle on {held_back_name(parts)}")
    results = measure(folder, parts, workers=workers)
    spec = read_spec(folder / "spec.json")
    spec = replace(spec, metrics={**spec.metrics, **measured(parts, results)})
    write_spec(spec, folder / "spec.json")
    write_card(folder / "CARD.md", spec, recipe, read_run_speakers(run.folder), results)
    write_checksums(folder)
    leak = " (validation leaks)" if parts.leaks else ""
    try:
        write_curves(run.folder, title=f"{spec.model_id}: training{leak}")
    except EvaluationError as error:  # the bundle is whole without them
        log(f"no curves: {error}")
    test = _score_test(run, recipe, chosen, parts, progress) if parts.test else None
    return Packaged(folder, parity, results, test)


def _score_test(
    run: TrainingRun,
    recipe: Recipe,
    utterances: Sequence[Utterance],
    parts: Parts,
    progress: Progress,
) -> TestScore:
    network, _ = _best_network(run, recipe)
    known = emotions_by_corpus(utterances)
    clips, _ = label_clips(parts.test, network, recipe, known, cache=run.cache, progress=progress)
    return score_test(network, clips, recipe)


def _best_network(run: TrainingRun, recipe: Recipe) -> tuple[SpeechNetwork, dict[str, Any]]:
    """Read the best checkpoint of a run: the network and the record of its epoch."""
    network = new_network(recipe)
    path = run.folder / "best.safetensors"
    weights, best = load_checkpoint(path)
    restore_weights(network, weights, path)
    return network.eval(), best


def build_bundle(
    run: TrainingRun,
    utterances: Sequence[Utterance],
    *,
    progress: Progress,
    log: Callable[[str], None],
) -> tuple[Path, float]:
    """Calibrate and export the best checkpoint of a run.

    Temperature and threshold are fitted on the validation speakers; without any, the temperature
    is 1 and the model never abstains.

    Parameters
    ----------
    run, utterances, progress, log
        As in :func:`package`.

    Returns
    -------
    folder : Path
        The bundle, ``run.folder / "bundle"``, without figures.
    parity : float
        Largest difference of a logit between torch and ONNX.

    Raises
    ------
    TrainingError
        As :func:`package`.
    """
    recipe = read_run_recipe(run.folder)
    chosen = select(utterances, recipe)
    parts = split(chosen, recipe.split)
    _check_held_back(run.folder, parts)
    network, best = _best_network(run, recipe)
    temperature, threshold = 1.0, 0.0
    if parts.validation:
        log("calibrating on validation clips")
        temperature, threshold = _calibrate(
            network, recipe, chosen, parts.validation, run, progress
        )
    folder = run.folder / "bundle.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log("exporting to ONNX")
    graph = folder / "model.onnx"
    parity = export_onnx(network, graph, _some_clips(parts, recipe, N_PARITY_CLIPS))
    metrics: dict[str, Any] = {"best_epoch": best["epoch"]}
    if recipe.export.int8:
        log("rounding the weights to 8 bits")
        metrics["int8"] = asdict(quantise(graph, _some_clips(parts, recipe, N_ROUNDING_CLIPS)))
    elif recipe.export.float16:
        log("rounding the weights to 16 bits")
        metrics["float16"] = asdict(halve(graph, _some_clips(parts, recipe, N_ROUNDING_CLIPS)))
    spec = _spec(recipe, network, parts.train, temperature=temperature, threshold=threshold)
    write_spec(replace(spec, metrics=metrics), folder / "spec.json")
    (folder / "CARD.md").write_text(f"# {spec.name}\n\nNot measured.\n", encoding="utf-8")
    write_checksums(folder)
    final = run.folder / "bundle"
    shutil.rmtree(final, ignore_errors=True)
    return folder.rename(final), parity


def _some_clips(parts: Parts, recipe: Recipe, n_clips: int) -> list[FloatArray]:
    """Load a few clips that can be used, of held-back speakers where there are any."""
    clips = parts.validation or parts.train
    step = max(1, len(clips) // n_clips)
    for first in range(step):
        chosen = clips[first::step]
        loaded = [clip for u in chosen if (clip := _usable_clip(u, recipe)) is not None]
        if loaded:
            return loaded
    raise TrainingError(
        f"none of the {len(clips)} clips that the bundle would be tried on can be read any more;"
        " `serenade corpora check` says why"
    )


def _usable_clip(utterance: Utterance, recipe: Recipe) -> FloatArray | None:
    """Load one clip; nothing where it cannot be used, which training has told of already."""
    try:
        clip = load_clip(utterance, recipe.conditioning, max_seconds=recipe.export.max_seconds)
    except AudioError:
        return None
    return clip.samples


def _calibrate(
    network: SpeechNetwork,
    recipe: Recipe,
    utterances: Sequence[Utterance],
    validation: Sequence[Utterance],
    run: TrainingRun,
    progress: Progress,
) -> tuple[float, float]:
    """Temperature and threshold over all labels of the model, as users will meet it."""
    known = emotions_by_corpus(utterances)
    clips, _ = label_clips(validation, network, recipe, known, cache=run.cache, progress=progress)
    _, logits = score_clips(network, clips, recipe)
    true = clips.targets.argmax(axis=1)
    groups = np.array(clips.groups)
    temperature = recipe.export.temperature or fit_temperature(logits, true, groups)
    calibrated = probabilities(logits, temperature=temperature)
    threshold = abstention_threshold(
        calibrated.max(axis=1),
        calibrated.argmax(axis=1) == true,
        groups,
        precision=recipe.export.answer_precision,
    )
    return temperature, threshold


def _spec(
    recipe: Recipe,
    network: SpeechNetwork,
    train: Sequence[Utterance],
    *,
    temperature: float,
    threshold: float,
) -> ModelSpec:
    export = recipe.export
    return ModelSpec(
        name=recipe.name,
        version=export.version,
        description=export.description,
        sample_rate=SAMPLE_RATE,
        input=WaveformInput(int8_products=export.int8),
        labels=label_set(recipe),
        windowing=Windowing(
            min_seconds=export.min_seconds,
            max_seconds=export.max_seconds,
            hop_seconds=export.hop_seconds,
            sure_from_seconds=export.sure_from_seconds,
            timeline_window_seconds=export.timeline_window_seconds,
            timeline_step_seconds=export.timeline_step_seconds,
        ),
        conditioning=recipe.conditioning,
        front_end=network.describe_front_end(),
        temperature=temperature,
        abstain_below=threshold,
        intensity=network.intensity_head is not None,
        training_data=training_data(train),
        licence=export.licence,
        metrics={},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        serenade=serenade.__version__,
        adaptation=_adaptation(network, recipe),
    )


def _adaptation(network: SpeechNetwork, recipe: Recipe) -> Adaptation | None:
    if not network.adapts:
        return None
    export = recipe.export
    return Adaptation(network.n_embedding, export.prior_clips, export.prior_clips_deviation)


def training_data(train: Sequence[Utterance]) -> tuple[TrainingData, ...]:
    """Say what a model was trained on.

    Parameters
    ----------
    train : sequence of Utterance
        All clips.

    Returns
    -------
    tuple of TrainingData
        By corpus: licence, clips and speakers, with their names, so that an evaluation can tell
        whether the model knows the voices.
    """
    clips = Counter(utterance.corpus for utterance in train)
    speakers = {
        name: {utterance.speaker for utterance in train if utterance.corpus == name}
        for name in clips
    }
    return tuple(
        TrainingData(
            corpus=name,
            licence=_licence(name),
            details={
                "clips": clips[name],
                "speakers": "unknown" if None in speakers[name] else len(speakers[name]),
                **_speaker_names(speakers[name]),
            },
        )
        for name in sorted(clips)
    )


def _speaker_names(speakers: set[str | None]) -> dict[str, list[str]]:
    """Give the names, unless somebody's is not known and a list would promise too much."""
    named = sorted(speaker for speaker in speakers if speaker is not None)
    return {"speaker_names": named} if len(named) == len(speakers) else {}


def _licence(name: str) -> str:
    registered = find_corpus(name)
    return corpus(registered).card.licence if registered else "not known to Serenade; ask its owner"


def _check_held_back(folder: Path, parts: Parts) -> None:
    """Refuse other utterances than those of the run, so that none is judged that was learnt.

    A run of a version that did not note its clips is taken if its speakers tell the parts apart.
    """
    now, then = split_record(parts), read_split_record(folder)
    keys = ["validation", "test"]
    if "clips" in then or parts.leaks:
        keys.append("clips")
    if any(now.get(key) != then.get(key) for key in keys):
        raise TrainingError(
            f"the utterances have other speakers, clips or labels than the run {str(folder)!r};"
            " give the manifest that it was trained with"
        )
