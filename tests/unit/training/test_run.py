"""A whole run on made-up tones: it learns, it resumes to the bit, it becomes a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from serenade.corpora.manifest import Utterance, read_manifest
from serenade.errors import RecipeError, TrainingError
from serenade.inference.recognizer import Recognizer
from serenade.model.spec import read_spec
from serenade.training.cache import silent_progress
from serenade.training.checkpoint import load_checkpoint, save_checkpoint
from serenade.training.data import split
from serenade.training.fit import EpochRecord
from serenade.training.package import Packaged, package
from serenade.training.recipe import OptimiserRecipe, Recipe
from serenade.training.run import (
    TrainingRun,
    claim,
    new_network,
    read_run_recipe,
    read_run_speakers,
    train,
)

OnEpoch = Callable[[EpochRecord, int], None]


class _Killed(BaseException):
    """Stands for the process being killed."""


def _run(
    recipe: Recipe, folder: Path, manifest: Path, on_epoch: OnEpoch | None = None
) -> TrainingRun:
    run = TrainingRun(folder, noise=None, cache=folder.parent / "cache")
    train(
        recipe,
        read_manifest(manifest),
        run,
        threads=1,
        on_epoch=on_epoch or _quiet,
        progress=silent_progress,
    )
    return run


def _packaged(run: TrainingRun, utterances: list[Utterance]) -> Packaged:
    return package(run, utterances, workers=1, progress=silent_progress, log=lambda text: None)


def _quiet(record: EpochRecord, n_epochs: int) -> None:
    pass


def _without_seconds(path: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def test_a_killed_run_resumes_to_the_bit(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    whole = _run(toy_recipe, tmp_path / "whole", toy_manifest)

    def kill_after_two(record: EpochRecord, n_epochs: int) -> None:
        if record.epoch == 2:
            raise _Killed

    with pytest.raises(_Killed):
        _run(toy_recipe, tmp_path / "cut", toy_manifest, kill_after_two)
    cut = _run(toy_recipe, tmp_path / "cut", toy_manifest)

    expected, _ = load_checkpoint(whole.folder / "last.safetensors")
    got, _ = load_checkpoint(cut.folder / "last.safetensors")
    assert expected.keys() == got.keys()
    assert all(expected[name].equal(got[name]) for name in expected)
    assert _without_seconds(whole.folder / "metrics.jsonl") == _without_seconds(
        cut.folder / "metrics.jsonl"
    )


def test_a_run_learns_and_becomes_a_bundle_that_predicts_the_same(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(
        toy_recipe,
        optimiser=OptimiserRecipe(epochs=14, batch_size=8, average_decay=0.5, learning_rate=3e-3),
    )
    run = _run(recipe, tmp_path / "run", toy_manifest)
    losses = [line["train_loss"] for line in _without_seconds(run.folder / "metrics.jsonl")]
    assert float(str(losses[-1])) < 0.8 * float(str(losses[0]))

    packaged = _packaged(run, read_manifest(toy_manifest))
    assert packaged.parity < 1e-4
    assert packaged.results["toy"].closed.uar.value >= 0.75
    recognizer = Recognizer.load(packaged.folder)
    speaker = read_run_speakers(run.folder)["validation"][0].removeprefix("toy/")
    clip = toy_manifest.parent / f"{speaker}0.wav"
    samples, rate = soundfile.read(clip, dtype="float32")
    from_file = recognizer.predict(clip)
    assert from_file.probabilities == recognizer.predict(samples, rate).probabilities
    curves = (run.folder / "curves.html").read_text(encoding="utf-8")
    assert curves.count("<polyline") == 6
    card = (packaged.folder / "CARD.md").read_text(encoding="utf-8")
    assert f"toy/{speaker}" in card
    assert f"{100 * packaged.results['toy'].closed.uar.value:.1f}" in card


def test_a_folder_of_another_recipe_is_not_overwritten(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    one_epoch = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    _run(one_epoch, tmp_path / "run", toy_manifest)
    with pytest.raises(TrainingError, match="holds a run of another recipe"):
        _run(replace(one_epoch, seed=4), tmp_path / "run", toy_manifest)


def test_a_folder_in_which_nothing_was_learnt_is_free_for_another_recipe(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    parts = split(read_manifest(toy_manifest), toy_recipe.split)
    claim(tmp_path / "run", replace(toy_recipe, seed=4), parts)
    claim(tmp_path / "run", toy_recipe, parts)
    assert read_run_recipe(tmp_path / "run") == toy_recipe


@pytest.mark.parametrize("content", ["[1, 2]", "null", '"name"'])
def test_a_file_that_holds_no_recipe_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "recipe.json").write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"recipe\.json' holds no recipe; "):
        read_run_recipe(tmp_path)


def test_a_wrong_value_in_a_run_folder_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"recipe\.json: key 'name' is missing"):
        read_run_recipe(tmp_path)


def test_training_that_diverges_ends_at_once_and_leaves_no_epoch_to_ship(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, learning_rate=1e30))
    with pytest.raises(TrainingError, match=r"diverged in epoch 1: .*; lower optimiser\.learning"):
        _run(recipe, tmp_path / "run", toy_manifest)
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"recipe.json", "split.json"}
    one_epoch = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    _run(one_epoch, tmp_path / "run", toy_manifest)


def test_a_run_of_an_older_version_that_diverged_is_not_gone_on_with(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    last = _run(recipe, tmp_path / "run", toy_manifest).folder / "last.safetensors"
    tensors, state = load_checkpoint(last)
    state["history"][0]["validation_loss"] = float("nan")
    save_checkpoint(last, tensors, state)
    with pytest.raises(TrainingError, match="diverged in epoch 1"):
        _run(recipe, tmp_path / "run", toy_manifest)


@pytest.mark.parametrize("content", ["", "[1, 2]\n", None])
def test_metrics_that_were_lost_are_written_anew_from_the_checkpoint(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path, content: str | None
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    metrics = _run(recipe, tmp_path / "run", toy_manifest).folder / "metrics.jsonl"
    written = metrics.read_bytes()
    metrics.unlink()
    if content is not None:
        metrics.write_text(content, encoding="utf-8")
    _run(recipe, tmp_path / "run", toy_manifest)
    assert metrics.read_bytes() == written


def test_a_run_goes_on_with_moved_clips_but_not_with_others_or_other_labels(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(recipe, tmp_path / "run", toy_manifest)
    clips = read_manifest(toy_manifest)
    moved = tmp_path / "moved"
    shutil.copytree(toy_manifest.parent, moved)
    elsewhere = [replace(u, path=str(moved / Path(u.path).name)) for u in reversed(clips)]
    claim(run.folder, recipe, split(elsewhere, recipe.split))
    _packaged(run, elsewhere)
    for change in (
        {"emotion": "anger" if clips[0].emotion == "sadness" else "sadness"},
        {"path": clips[1].path},
        {"stop_seconds": 0.3},
        {"intensity": "strong"},
    ):
        others = [replace(clips[0], **change), *clips[1:]]
        with pytest.raises(TrainingError, match="another recipe or manifest"):
            claim(run.folder, recipe, split(others, recipe.split))
        with pytest.raises(TrainingError, match="other speakers, clips or labels"):
            _packaged(run, others)


def test_a_run_of_a_version_that_noted_no_clips_is_exported_but_not_gone_on_with(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(recipe, tmp_path / "run", toy_manifest)
    path = run.folder / "split.json"
    noted = json.loads(path.read_text(encoding="utf-8"))
    del noted["clips"]
    path.write_text(json.dumps(noted), encoding="utf-8")
    _packaged(run, read_manifest(toy_manifest))
    with pytest.raises(TrainingError, match="or of an older version"):
        _run(recipe, tmp_path / "run", toy_manifest)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(TrainingError, match="is not a run folder"):
        _run(recipe, tmp_path / "run", toy_manifest)


def test_a_recipe_that_cannot_be_built_leaves_the_folder_to_the_right_one(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    features = replace(toy_recipe.network, name="cnn_bilstm", features="mfcc_mean")
    with pytest.raises(RecipeError, match="mfcc_mean"):
        _run(replace(toy_recipe, network=features), tmp_path / "run", toy_manifest)
    assert not (tmp_path / "run").exists()


def test_training_and_validation_share_no_speaker(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    one_epoch = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(one_epoch, tmp_path / "run", toy_manifest)
    speakers = read_run_speakers(run.folder)
    assert len(speakers["validation"]) == 1
    assert not set(speakers["train"]) & set(speakers["validation"])


def test_training_stops_early_when_validation_no_longer_improves(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(
        toy_recipe,
        optimiser=replace(toy_recipe.optimiser, epochs=40, patience=2, learning_rate=1e-9),
    )
    run = _run(recipe, tmp_path / "run", toy_manifest)
    assert len(_without_seconds(run.folder / "metrics.jsonl")) < 40


def test_a_file_that_is_no_checkpoint_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes(b"not a checkpoint at all")
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "last.safetensors")


def _without_a_weight(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    del tensors[next(name for name in tensors if name.startswith("average/"))]


def _with_a_weight_of_another_shape(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    name = next(name for name in tensors if name.startswith("trained/"))
    tensors[name] = torch.zeros(3, 5, 7, 9)


def _with_moments_of_an_unknown_weight(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    tensors["optimiser/network.gone|exp_avg"] = torch.zeros(2)


def _without_the_step(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    del state["step"]


def _with_an_older_record(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    del state["history"][0]["validation_accuracy"]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_a_weight,
        _with_a_weight_of_another_shape,
        _with_moments_of_an_unknown_weight,
        _without_the_step,
        _with_an_older_record,
    ],
)
def test_a_checkpoint_of_another_version_is_one_clear_error(
    spoil: Callable[[dict[str, Tensor], dict[str, Any]], None],
    toy_recipe: Recipe,
    toy_manifest: Path,
    tmp_path: Path,
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    last = _run(recipe, tmp_path / "run", toy_manifest).folder / "last.safetensors"
    tensors, state = load_checkpoint(last)
    spoil(tensors, state)
    save_checkpoint(last, tensors, state)
    with pytest.raises(TrainingError, match=r"another version of Serenade \(.* differs\)"):
        _run(recipe, tmp_path / "run", toy_manifest)


def test_a_best_epoch_of_another_network_is_not_exported(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(recipe, tmp_path / "run", toy_manifest)
    tensors, record = load_checkpoint(run.folder / "best.safetensors")
    tensors["more"] = torch.zeros(1)
    save_checkpoint(run.folder / "best.safetensors", tensors, record)
    with pytest.raises(TrainingError, match=r"another version of Serenade \(more differs\)"):
        _packaged(run, read_manifest(toy_manifest))


def test_with_one_speaker_nothing_is_held_back_and_the_last_epoch_is_shipped(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    alone = [u for u in read_manifest(toy_manifest) if u.speaker == "a"]
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=2))
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    train(recipe, alone, run, threads=1, on_epoch=_quiet, progress=silent_progress)
    packaged = _packaged(run, alone)
    assert packaged.results == {}
    spec = read_spec(packaged.folder / "spec.json")
    assert spec.temperature == 1.0
    assert spec.metrics["best_epoch"] == 2


@pytest.mark.parametrize("damage", ["not json", None])
def test_a_run_is_exported_without_its_curves_where_they_cannot_be_read(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path, damage: str | None
) -> None:
    recipe = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(recipe, tmp_path / "run", toy_manifest)
    metrics = run.folder / "metrics.jsonl"
    metrics.unlink() if damage is None else metrics.write_text(damage)
    said: list[str] = []
    packaged = package(
        run, read_manifest(toy_manifest), workers=1, progress=silent_progress, log=said.append
    )
    assert packaged.results
    assert said[-1].startswith("no curves: ")


def test_a_clip_that_cannot_be_used_does_not_keep_a_run_from_its_bundle(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    first, *others = read_manifest(toy_manifest)
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(8000, dtype=np.float32), 16000)
    by_folder = [
        replace(first, path=str(silence), split="validation"),
        *(replace(u, split="train") for u in others[:20]),
        *(replace(u, split="validation") for u in others[20:]),
    ]
    recipe = replace(
        toy_recipe,
        split=replace(toy_recipe.split, kind="folder"),
        optimiser=replace(toy_recipe.optimiser, epochs=1),
    )
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    train(recipe, by_folder, run, threads=1, on_epoch=_quiet, progress=silent_progress)
    assert _packaged(run, by_folder).results["toy"].failures != ()


def test_a_run_can_start_from_the_weights_of_another(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    one_epoch = replace(toy_recipe, optimiser=replace(toy_recipe.optimiser, epochs=1))
    run = _run(one_epoch, tmp_path / "run", toy_manifest)
    best = run.folder / "best.safetensors"
    weights, _ = load_checkpoint(best)
    started = replace(toy_recipe, network=replace(toy_recipe.network, initial_weights=str(best)))
    network = new_network(started)
    assert all(network.state_dict()[name].equal(weights[name]) for name in weights)

    other_labels = replace(started, data=replace(started.data, label_set="7"))
    again = new_network(other_labels).state_dict()
    assert again["classifier.weight"].shape[0] == 7
    assert again["project.weight"].equal(weights["project.weight"])

    wider = replace(started, network=replace(started.network, width=64))
    with pytest.raises(RecipeError, match="is of another network"):
        new_network(wider)
    missing = replace(started, network=replace(started.network, initial_weights="none.safetensors"))
    with pytest.raises(RecipeError, match="cannot be read"):
        new_network(missing)
