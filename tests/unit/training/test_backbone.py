"""Backbones: the published layers, whatever the batch, frozen or fine-tuned, up to a bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

import transformers
from tests.tiny_encoders import ENCODERS, write_encoder

from serenade.corpora.manifest import read_manifest
from serenade.errors import RecipeError
from serenade.inference.recognizer import Recognizer
from serenade.training.cache import silent_progress
from serenade.training.checkpoint import load_checkpoint
from serenade.training.export import export_onnx
from serenade.training.networks.backbone import BackboneNetwork, layer_statistics
from serenade.training.networks.encoders import load_encoder
from serenade.training.networks.registry import build_network
from serenade.training.package import package
from serenade.training.recipe import NetworkRecipe, Recipe
from serenade.training.run import TrainingRun, new_network, train

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray

N_LABELS = 4


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("encoders")
    return {name: write_encoder(name, root / name) for name in ENCODERS}


@pytest.fixture(scope="module")
def clips() -> list[FloatArray]:
    rng = np.random.default_rng(4)
    return [
        (0.1 * rng.standard_normal(n)).astype(np.float32) for n in (16_000, 7_321, 3_200, 24_000)
    ]


def _network(folder: Path, *, frozen_layers: int = 3, depth: int = 3) -> BackboneNetwork:
    torch.manual_seed(2)
    recipe = NetworkRecipe(
        name="backbone",
        initial_weights=str(folder),
        depth=depth,
        frozen_layers=frozen_layers,
        first_pooled=0,
        width=16,
    )
    network = build_network(recipe, n_labels=N_LABELS)
    assert isinstance(network, BackboneNetwork)
    return network.eval()


def _outputs(folder: Path, waveform: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
    encoder = load_encoder(str(folder), max_seconds=30.0)
    with torch.inference_mode():
        x, n_frames = encoder.enter(waveform, lengths)
        return encoder.run(x, n_frames, first=0, last=encoder.n_layers)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "whisper"])
def test_every_layer_gives_what_transformers_gives(
    name: str, encoders: dict[str, Path], clips: list[FloatArray]
) -> None:
    waveform = torch.from_numpy(clips[0])[None]
    unit = (waveform - waveform.mean()) / torch.sqrt(waveform.var(correction=0) + 1e-7)
    model = transformers.AutoModel.from_pretrained(encoders[name]).eval()
    with torch.inference_mode():
        theirs = model(unit, output_hidden_states=True)
    expected = [*theirs.hidden_states[:-1], theirs.last_hidden_state]
    got = _outputs(encoders[name], waveform, torch.tensor([waveform.shape[1]]))
    assert len(got) == len(expected) == 4
    for ours, wanted in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, wanted, atol=2e-5, rtol=1e-4)


def test_whisper_gives_what_transformers_gives_for_30_seconds(encoders: dict[str, Path]) -> None:
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal(480_000)).astype(np.float32)
    samples[:400] = samples[-400:] = 0.0  # theirs mirrors the ends, ours pads with zeros
    library: Any = transformers
    extractor = library.WhisperFeatureExtractor()
    mel = extractor(samples, sampling_rate=16_000, return_tensors="pt").input_features
    model = library.WhisperModel.from_pretrained(encoders["whisper"]).eval()
    with torch.inference_mode():
        theirs = model.encoder(mel, output_hidden_states=True)
    expected = [*theirs.hidden_states[:-1], theirs.last_hidden_state]
    got = _outputs(encoders["whisper"], torch.from_numpy(samples)[None], torch.tensor([480_000]))
    assert len(got) == len(expected) == 4
    for ours, wanted in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, wanted, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "frozen_layers"),
    [("wav2vec2-base", 3), ("hubert-large", 1), ("wavlm-large", 3), ("whisper", 1)],
)
def test_the_onnx_file_gives_the_same_alone_and_in_a_batch(
    name: str,
    frozen_layers: int,
    encoders: dict[str, Path],
    clips: list[FloatArray],
    tmp_path: Path,
) -> None:
    network = _network(encoders[name], frozen_layers=frozen_layers)
    assert export_onnx(network, tmp_path / "model.onnx", clips) < 1e-4
    with torch.inference_mode():
        lengths = torch.tensor([clip.size for clip in clips])
        waveform = torch.zeros(len(clips), 40_000)
        for row, clip in zip(waveform, clips, strict=True):
            row[: clip.size] = torch.from_numpy(clip)
            row[clip.size :] = 5.0  # what lies beyond a clip's end must not matter
        together = network(waveform, lengths)["logits"]
        for row, clip in zip(together, clips, strict=True):
            alone = network(torch.from_numpy(clip)[None], torch.tensor([clip.size]))["logits"]
            torch.testing.assert_close(row, alone[0], atol=1e-5, rtol=1e-4)


def test_the_statistics_are_those_of_the_valid_frames() -> None:
    frames = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(0))
    statistics = layer_statistics([frames, 2.0 * frames], torch.tensor([9, 4]))
    assert statistics.shape == (2, 2, 10)
    torch.testing.assert_close(statistics[1, 1, :5], 2.0 * frames[1, :4].mean(0))
    torch.testing.assert_close(statistics[0, 0, 5:], frames[0].std(0, correction=0))


def test_only_the_layers_above_the_frozen_ones_are_trained(encoders: dict[str, Path]) -> None:
    network = _network(encoders["wav2vec2-base"], frozen_layers=1)
    trained = {name for name, value in network.named_parameters() if value.requires_grad}
    in_encoder = {name for name in trained if name.startswith("encoder.")}
    assert {name.split(".")[2] for name in in_encoder} == {"1", "2"}
    assert "layer_scores" in trained
    assert network.layers_above("encoder.layers.1.attention.k_proj.weight") == 1
    assert network.layers_above("head.1.weight") is None
    network.train()
    encoder: Any = network.encoder
    assert not encoder.layers[0].training
    assert encoder.layers[2].training
    assert not any(module.training for module in encoder.project.modules())


def test_fewer_layers_are_the_first_of_all(
    encoders: dict[str, Path], clips: list[FloatArray]
) -> None:
    waveform, lengths = torch.from_numpy(clips[0])[None], torch.tensor([clips[0].size])
    with torch.inference_mode():
        whole, _ = _network(encoders["hubert-large"]).states(waveform, lengths)
        lower, _ = _network(encoders["hubert-large"], frozen_layers=2, depth=2).states(
            waveform, lengths
        )
    assert whole.shape == (1, 48, 4)
    torch.testing.assert_close(lower, whole[:, :, :3])


def test_the_fingerprint_knows_weights_and_settings_of_the_frozen_part(
    encoders: dict[str, Path],
) -> None:
    one = _network(encoders["wav2vec2-base"], frozen_layers=1)
    before = one.fingerprint()
    encoder: Any = one.encoder
    with torch.no_grad():
        encoder.layers[2].attention.k_proj.weight.add_(1.0)
    assert one.fingerprint() == before
    with torch.no_grad():
        encoder.layers[0].attention.k_proj.weight.add_(1.0)
    assert one.fingerprint() != before
    prints = [str(_network(folder).fingerprint()) for folder in encoders.values()]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(("name", "frozen_layers"), [("wavlm-base", 3), ("wav2vec2-base", 2)])
def test_a_backbone_is_trained_and_becomes_a_bundle(
    name: str,
    frozen_layers: int,
    encoders: dict[str, Path],
    toy_recipe: Recipe,
    toy_manifest: Path,
    tmp_path: Path,
) -> None:
    network = NetworkRecipe(
        name="backbone",
        initial_weights=str(encoders[name]),
        depth=3,
        frozen_layers=frozen_layers,
        first_pooled=0,
        width=16,
    )
    recipe = replace(toy_recipe, network=network)
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    utterances = read_manifest(toy_manifest)
    losses: list[float] = []
    train(
        recipe,
        utterances,
        run,
        threads=1,
        on_epoch=lambda record, n_epochs: losses.append(record.train_loss),
        progress=silent_progress,
    )
    assert losses[-1] < losses[0]
    trained, _ = load_checkpoint(run.folder / "best.safetensors")
    fresh = new_network(recipe).state_dict()
    changed = {key for key in fresh if not fresh[key].equal(trained[key])}
    assert all(
        int(key.split(".")[2]) >= frozen_layers for key in changed if key.startswith("encoder.")
    )
    packaged = package(run, utterances, workers=1, progress=silent_progress, log=lambda text: None)
    assert packaged.parity < 1e-4
    Recognizer.load(packaged.folder).predict(toy_manifest.parent / "a0.wav")


def test_a_frozen_backbone_caches_statistics_alone(
    encoders: dict[str, Path], clips: list[FloatArray]
) -> None:
    states, n_columns = _network(encoders["wavlm-base"]).states(
        torch.from_numpy(clips[0])[None], torch.tensor([clips[0].size])
    )
    assert states.shape == (1, 2 * 24, 4)
    assert n_columns.tolist() == [4]


def test_a_folder_without_an_encoder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(RecipeError, match=r"is a 'bert' model; known are wav2vec2, hubert"):
        load_encoder(str(tmp_path), max_seconds=10.0)
    with pytest.raises(RecipeError, match="cannot be loaded"):
        load_encoder(str(tmp_path / "nothing"), max_seconds=10.0)


def test_missing_tensors_are_not_made_up(encoders: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    (tmp_path / "config.json").write_bytes((encoders["wavlm-base"] / "config.json").read_bytes())
    tensors = load_file(encoders["wavlm-base"] / "model.safetensors")
    del tensors["encoder.layers.1.attention.k_proj.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RecipeError, match=r"lacks the tensor 'encoder\.layers\.1"):
        load_encoder(str(tmp_path), max_seconds=10.0)


def test_wrong_depths_are_one_clear_error(encoders: dict[str, Path]) -> None:
    with pytest.raises(RecipeError, match="must be in this order and at most 3"):
        _network(encoders["wavlm-base"], depth=4)
    with pytest.raises(RecipeError, match="needs the folder or the hub name"):
        build_network(NetworkRecipe(name="backbone"), n_labels=2)
    with pytest.raises(RecipeError, match="is more than the 30 s"):
        load_encoder(str(encoders["whisper"]), max_seconds=31.0)
