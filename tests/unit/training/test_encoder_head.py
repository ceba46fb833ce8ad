"""A head on an encoder: adaptation in the graph, intensity, 8-bit weights, its first weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import huggingface_hub
import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from serenade.corpora.manifest import read_manifest
from serenade.errors import RecipeError, TrainingError
from serenade.inference.recognizer import Recognizer
from serenade.training import quantise
from serenade.training.cache import silent_progress
from serenade.training.export import export_onnx
from serenade.training.losses import intensity_error, masked_cross_entropy
from serenade.training.networks.base import SpeechNetwork, load_head
from serenade.training.networks.hub import encoder_folder
from serenade.training.networks.registry import build_network
from serenade.training.package import build_bundle
from serenade.training.recipe import NetworkRecipe, Recipe
from serenade.training.recipe_file import with_encoder
from serenade.training.run import TrainingRun, train

if TYPE_CHECKING:
    from pathlib import Path


def _network(encoder: Path, *, width: int = 8) -> SpeechNetwork:
    torch.manual_seed(0)
    recipe = NetworkRecipe(
        name="whisper",
        width=width,
        depth=2,
        dropout=0.1,
        initial_weights=str(encoder),
        frozen_layers=2,
        first_pooled=1,
        max_seconds=8.0,
    )
    network = build_network(recipe, n_labels=4)
    network.learn_intensity()
    return network.eval()


def _clips() -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.05, n).astype(np.float32) for n in (16_000, 9_000, 4_321)]


def test_the_graph_counts_in_the_units_of_a_speaker_if_it_is_given_them(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    network = _network(tiny_encoder)
    path = tmp_path / "model.onnx"
    export_onnx(network, path, _clips())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    clip = _clips()[0]
    inputs = {"waveform": clip[None], "lengths": np.array([clip.size])}
    names = ["logits", "intensity", "embedding"]
    logits, intensity, embedding = session.run(names, inputs)
    assert 0.0 < intensity[0] < 1.0
    rng = np.random.default_rng(1)
    mean = rng.normal(size=embedding.shape[1]).astype(np.float32)
    deviation = rng.uniform(0.5, 2.0, embedding.shape[1]).astype(np.float32)
    reference = {"reference_mean": mean, "reference_deviation": deviation}
    adapted, _, same = session.run(names, inputs | reference)
    np.testing.assert_allclose(same, embedding, atol=1e-6)
    with torch.inference_mode():
        wanted = network.decide(torch.from_numpy((embedding - mean) / deviation)).numpy()
    np.testing.assert_allclose(adapted, wanted, atol=1e-4)
    assert np.abs(adapted - logits).max() > 1e-3


def test_a_trained_bundle_rates_intensity_and_adapts(
    tiny_encoder: Path, toy_manifest: Path, tmp_path: Path, toy_recipe: Recipe
) -> None:
    loud = [
        replace(u, intensity="strong" if u.emotion == "anger" else "normal")
        for u in read_manifest(toy_manifest)
    ]
    recipe = replace(
        toy_recipe,
        network=NetworkRecipe(
            name="whisper",
            width=8,
            depth=2,
            dropout=0.0,
            initial_weights=str(tiny_encoder),
            frozen_layers=2,
            first_pooled=1,
            max_seconds=8.0,
        ),
        optimiser=replace(
            toy_recipe.optimiser, epochs=30, learning_rate=1e-2, intensity_weight=1.0
        ),
        export=replace(toy_recipe.export, int8=True),
    )
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    train(
        recipe,
        loud,
        run,
        threads=1,
        on_epoch=lambda record, n_epochs: None,
        progress=silent_progress,
    )
    folder, _ = build_bundle(run, loud, progress=silent_progress, log=lambda text: None)
    recognizer = Recognizer.load(folder)
    rated = {
        emotion: np.mean(
            [recognizer.predict(u.path).intensity or 0.0 for u in loud if u.emotion == emotion]
        )
        for emotion in ("anger", "sadness")
    }
    assert rated["anger"] > rated["sadness"] + 0.3
    reference = recognizer.speaker_reference([u.path for u in loud if u.speaker == "a"])
    plain = recognizer.predict(loud[0].path)
    adapted = recognizer.predict(loud[0].path, reference=reference)
    assert plain.probabilities != adapted.probabilities


def test_a_clip_without_intensity_teaches_none() -> None:
    wanted = torch.tensor([1.0, float("nan"), 0.0])
    rated = torch.tensor([0.5, 0.9, 0.25], requires_grad=True)
    errors = intensity_error(rated, wanted)
    torch.testing.assert_close(errors, torch.tensor([0.25, 0.0, 0.0625]))
    errors.sum().backward()  # type: ignore[no-untyped-call]
    assert rated.grad is not None
    assert rated.grad[1] == 0.0


def test_a_foreign_label_counts_as_little_as_its_weight_says() -> None:
    logits = torch.tensor([[1.0, 0.0, 2.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0]])
    allowed = torch.tensor([[True, True, False]])
    powers = torch.exp(logits[0])
    for weight in (0.0, 0.05, 1.0):
        loss = masked_cross_entropy(
            logits, targets, allowed, label_smoothing=0.0, foreign_label_weight=weight
        )
        expected = -torch.log(powers[0] / (powers[0] + powers[1] + weight * powers[2]))
        torch.testing.assert_close(loss[0], expected)


def test_eight_bit_weights_are_smaller_and_hardly_move_the_answer(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    network = _network(tiny_encoder, width=2_000)
    path = tmp_path / "model.onnx"
    export_onnx(network, path, _clips())
    before = path.stat().st_size
    rounding = quantise.quantise(path, _clips())
    assert path.stat().st_size < 0.8 * before
    assert rounding.agreement == 1.0
    assert 0.0 < rounding.largest < 0.05
    assert rounding.n_clips == 3
    assert not (tmp_path / "int8.onnx").exists()


def test_weights_that_rounding_spoils_are_kept_as_they_are(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(_network(tiny_encoder), path, _clips())
    before = path.read_bytes()
    monkeypatch.setattr(quantise, "AGREEMENT", 1.01)
    with pytest.raises(TrainingError, match=r"export without export\.int8"):
        quantise.quantise(path, _clips())
    assert path.read_bytes() == before


def test_a_head_of_an_earlier_run_is_taken_and_the_encoder_left(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    trained, fresh = _network(tiny_encoder), _network(tiny_encoder)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(1.0)
    save_file(trained.state_dict(), tmp_path / "best.safetensors")
    load_head(fresh, tmp_path / "best.safetensors")
    for name, tensor in fresh.state_dict().items():
        of_head = name.startswith(("head.", "normalise.", "intensity_head."))
        assert torch.equal(tensor, trained.state_dict()[name]) == (
            of_head or name.startswith("normalise.")
        ), name


def test_a_head_of_another_size_or_no_head_is_one_clear_error(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "best.safetensors"
    save_file(_network(tiny_encoder, width=4).state_dict(), path)
    with pytest.raises(RecipeError, match="is of another head: head"):
        load_head(_network(tiny_encoder), path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_head(_network(tiny_encoder), tmp_path / "none.safetensors")


def test_an_encoder_is_a_folder_or_comes_from_the_hub_by_its_name(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encoder_folder(str(tiny_encoder)) == tiny_encoder
    asked = []

    def fetch(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tiny_encoder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert encoder_folder("openai/whisper-base") == tiny_encoder
    assert asked == [("openai/whisper-base", ["config.json", "model.safetensors"])]

    def fail(name: str, *, allow_patterns: list[str]) -> str:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(RecipeError, match="give a local folder with --encoder"):
        encoder_folder("openai/whisper-base")


def test_the_encoder_is_found_in_the_file_of_a_whole_model(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    tensors = load_file(tiny_encoder / "model.safetensors")
    whole = {f"model.encoder.{name}": tensor for name, tensor in tensors.items()}
    save_file(
        whole | {"model.decoder.layer_norm.weight": torch.ones(3)}, tmp_path / "model.safetensors"
    )
    (tmp_path / "config.json").write_bytes((tiny_encoder / "config.json").read_bytes())
    own, other = _network(tiny_encoder).state_dict(), _network(tmp_path).state_dict()
    assert all(torch.equal(own[name], other[name]) for name in own)


def test_a_folder_takes_the_place_of_the_encoders_name_only_where_there_is_one(
    tmp_path: Path, toy_recipe: Recipe
) -> None:
    named = replace(
        toy_recipe,
        network=replace(toy_recipe.network, name="whisper", initial_weights="openai/whisper-base"),
    )
    assert with_encoder(named, tmp_path).network.initial_weights == str(tmp_path)
    taught = replace(
        toy_recipe, teacher=replace(toy_recipe.teacher, initial_weights="openai/whisper-base")
    )
    changed = with_encoder(taught, tmp_path)
    assert changed.teacher.initial_weights == str(tmp_path)
    assert changed.network == taught.network
    with pytest.raises(RecipeError, match="leave --encoder out"):
        with_encoder(toy_recipe, tmp_path)
