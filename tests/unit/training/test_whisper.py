"""The network on Whisper's encoder, with tiny random weights and with the real ones."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from serenade.corpora.manifest import read_manifest
from serenade.errors import RecipeError
from serenade.inference.recognizer import Recognizer
from serenade.training.cache import silent_progress
from serenade.training.checkpoint import load_checkpoint
from serenade.training.export import export_onnx
from serenade.training.networks.registry import build_network
from serenade.training.networks.whisper import WhisperNetwork, _run, _whisper_scale
from serenade.training.package import build_bundle
from serenade.training.recipe import NetworkRecipe, Recipe, TeacherRecipe
from serenade.training.recipe_file import parse_recipe
from serenade.training.run import TrainingRun, train

if TYPE_CHECKING:
    from pathlib import Path


def _recipe(encoder: Path, *, depth: int, frozen: int) -> NetworkRecipe:
    return NetworkRecipe(
        name="whisper",
        width=8,
        depth=depth,
        dropout=0.1,
        initial_weights=str(encoder),
        frozen_layers=frozen,
        first_pooled=1,
        max_seconds=8.0,
    )


def _network(encoder: Path, *, depth: int, frozen: int) -> WhisperNetwork:
    torch.manual_seed(0)
    network = build_network(_recipe(encoder, depth=depth, frozen=frozen), n_labels=4)
    assert isinstance(network, WhisperNetwork)
    return network.eval()


@pytest.mark.parametrize(("depth", "frozen"), [(3, 3), (3, 2), (2, 0)])
def test_a_clip_gets_the_same_logits_alone_and_in_a_batch_and_as_onnx(
    tiny_encoder: Path, tmp_path: Path, depth: int, frozen: int
) -> None:
    network = _network(tiny_encoder, depth=depth, frozen=frozen)
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.05, n).astype(np.float32) for n in (16_000, 9_000, 4_321)]
    assert export_onnx(network, tmp_path / "model.onnx", clips) < 1e-4
    padded = torch.zeros(3, 16_000)
    for row, clip in zip(padded, clips, strict=True):
        row[: clip.size] = torch.from_numpy(clip)
    together = network(padded, torch.tensor([clip.size for clip in clips]))
    for row, clip in zip(together["logits"], clips, strict=True):
        alone = network(torch.from_numpy(clip)[None], torch.tensor([clip.size]))["logits"][0]
        torch.testing.assert_close(row, alone, atol=1e-5, rtol=1e-4)


def test_cached_states_and_whole_network_agree(tiny_encoder: Path) -> None:
    clip = torch.randn(1, 12_000, generator=torch.Generator().manual_seed(1)) * 0.05
    lengths = torch.tensor([12_000])
    for frozen in (0, 1, 2, 3):
        network = _network(tiny_encoder, depth=3, frozen=frozen)
        states, n_frames = network.states(clip, lengths)
        torch.testing.assert_close(
            network.classify(states, n_frames),
            network(clip, lengths)["logits"],
            atol=1e-6,
            rtol=1e-5,
        )


def test_frozen_layers_keep_their_weights_and_the_others_learn(
    tiny_encoder: Path, toy_manifest: Path, tmp_path: Path, toy_recipe: Recipe
) -> None:
    recipe = replace(
        toy_recipe,
        network=_recipe(tiny_encoder, depth=3, frozen=2),
        optimiser=replace(toy_recipe.optimiser, epochs=2),
    )
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    train(
        recipe,
        read_manifest(toy_manifest),
        run,
        threads=1,
        on_epoch=lambda record, n_epochs: None,
        progress=silent_progress,
    )
    after, _ = load_checkpoint(run.folder / "best.safetensors")
    before = _network(tiny_encoder, depth=3, frozen=2).state_dict()
    assert torch.equal(after["layers.1.query.weight"], before["layers.1.query.weight"])
    assert torch.equal(after["conv1.weight"], before["conv1.weight"])
    assert not torch.equal(after["layers.2.query.weight"], before["layers.2.query.weight"])


def test_the_fingerprint_follows_the_frozen_weights_alone(tiny_encoder: Path) -> None:
    network = _network(tiny_encoder, depth=3, frozen=2)
    first = network.fingerprint()
    with torch.no_grad():
        network.layers[2].query.weight.add_(1.0)  # type: ignore[operator, union-attr]
    assert network.fingerprint() == first
    with torch.no_grad():
        network.layers[0].query.weight.add_(1.0)  # type: ignore[operator, union-attr]
    assert network.fingerprint() != first


def test_a_folder_that_is_no_encoder_is_one_clear_error(tiny_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is not the folder of a Whisper encoder"):
        build_network(_recipe(tmp_path, depth=2, frozen=1), n_labels=4)
    (tmp_path / "config.json").write_bytes((tiny_encoder / "config.json").read_bytes())
    with pytest.raises(RecipeError, match=r"no readable model\.safetensors"):
        build_network(_recipe(tmp_path, depth=2, frozen=1), n_labels=4)
    with pytest.raises(RecipeError, match="at most 3, the encoder's layers"):
        build_network(_recipe(tiny_encoder, depth=4, frozen=1), n_labels=4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"d_model": -8}, "sizes that no encoder can have"),
        ({"encoder_attention_heads": 0}, "sizes that no encoder can have"),
        ({"encoder_attention_heads": 3}, "sizes that no encoder can have"),
        ({"encoder_ffn_dim": 10**9}, "sizes that no encoder can have"),
        ({"d_model": math.inf}, "is not the folder of a Whisper encoder"),
        ({"d_model": 32}, "is not of the size that config.json says"),
        ({"num_mel_bins": 40}, "is not of the size that config.json says"),
    ],
)
def test_a_config_that_does_not_fit_the_encoder_is_one_clear_error(
    tiny_encoder: Path, tmp_path: Path, changed: dict[str, float], message: str
) -> None:
    folder = _damaged(tiny_encoder, tmp_path / "encoder", changed)
    with pytest.raises(RecipeError, match=rf"^network\.initial_weights .*{message}"):
        build_network(_recipe(folder, depth=2, frozen=1), n_labels=4)


def _damaged(encoder: Path, folder: Path, changed: dict[str, float]) -> Path:
    """Copy an encoder with other values in its configuration."""
    shutil.copytree(encoder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | changed), encoding="utf-8")
    return folder


def test_clips_longer_than_the_encoder_hears_are_refused(tiny_encoder: Path) -> None:
    recipe = replace(_recipe(tiny_encoder, depth=2, frozen=1), max_seconds=30.0)
    with pytest.raises(RecipeError, match="takes clips of less than 30 s; lower max_seconds"):
        build_network(recipe, n_labels=4)


@pytest.mark.parametrize(
    ("changed", "depth", "message"),
    [
        (None, 2, r"^teacher\.initial_weights '.*gone' is not the folder of a Whisper encoder"),
        ({"d_model": -8}, 2, r"^teacher\.initial_weights '.*gone': config\.json has sizes"),
        ({}, 9, r"^teacher\.depth 9 must be at most 3, the encoder's layers"),
    ],
)
def test_a_wrong_teacher_is_named_as_such_and_leaves_the_folder_to_the_right_one(
    tiny_encoder: Path,
    toy_manifest: Path,
    tmp_path: Path,
    toy_recipe: Recipe,
    changed: dict[str, float] | None,
    depth: int,
    message: str,
) -> None:
    folder = tmp_path / "gone"
    if changed is not None:
        _damaged(tiny_encoder, folder, changed)
    teacher = TeacherRecipe(initial_weights=str(folder), depth=depth, first_pooled=1)
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    with pytest.raises(RecipeError, match=message):
        train(
            replace(toy_recipe, teacher=teacher),
            read_manifest(toy_manifest),
            run,
            threads=1,
            on_epoch=lambda record, n_epochs: None,
            progress=silent_progress,
        )
    assert not run.folder.exists()


def test_clips_longer_than_the_positions_are_refused_by_the_recipe() -> None:
    with pytest.raises(RecipeError, match=r"network\.max_seconds 5\.0 must be at least"):
        parse_recipe({"name": "x", "network": {"name": "whisper", "max_seconds": 5}})


@pytest.mark.real
def test_the_real_encoder_gives_what_transformers_gives(shared_pretrained: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = shared_pretrained / "whisper-base-encoder"
    recipe = replace(_recipe(folder, depth=6, frozen=0), width=8)
    network = build_network(recipe, n_labels=4).eval()
    reference = transformers.models.whisper.modeling_whisper.WhisperEncoder.from_pretrained(
        folder, torch_dtype=torch.float32
    ).eval()
    samples = torch.randn(1, 480_000, generator=torch.Generator().manual_seed(0)) * 0.05
    assert isinstance(network, WhisperNetwork)
    with torch.inference_mode():
        log_mel = network.front_end(samples, torch.tensor([480_000]))
        mel = _whisper_scale(log_mel, torch.ones(1, 3000, dtype=torch.bool))
        expected = reference(mel, output_hidden_states=True).hidden_states
    network.positions = torch.nn.Parameter(reference.embed_positions.weight)
    with torch.inference_mode():
        states, n_frames = network.states(samples, torch.tensor([480_000]))
        outputs = _run(states.transpose(1, 2), n_frames, network.layers)
    for layer in range(6):
        torch.testing.assert_close(outputs[layer], expected[layer], atol=2e-3, rtol=1e-3)


def test_a_teacher_gives_hints_that_the_network_learns_and_the_bundle_forgets(
    tiny_encoder: Path, toy_manifest: Path, tmp_path: Path, toy_recipe: Recipe
) -> None:
    utterances = read_manifest(toy_manifest)
    recipe = replace(
        toy_recipe,
        teacher=TeacherRecipe(
            initial_weights=str(tiny_encoder), depth=2, first_pooled=1, n_hints=5, n_folds=2
        ),
        optimiser=replace(toy_recipe.optimiser, epochs=2),
    )
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    train(
        recipe,
        utterances,
        run,
        threads=1,
        on_epoch=lambda record, n_epochs: None,
        progress=silent_progress,
    )
    last, _ = load_checkpoint(run.folder / "last.safetensors")
    best, _ = load_checkpoint(run.folder / "best.safetensors")
    assert last["trained/hint_head.weight"].shape[0] == 5
    assert not any("hint" in name for name in best)
    folder, parity = build_bundle(run, utterances, progress=silent_progress, log=lambda text: None)
    assert parity < 1e-4
    assert Recognizer.load(folder).predict(utterances[0].path).emotion
